//! Letters that people have open in their mail program: one request tells what is known of them, one hands them in.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, post, web};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use postroom_api::filing::FilingItem;
use postroom_api::intake::{IntakeItem, SuggestionView};
use postroom_api::letter::{
    AddressBody, FiledIn, KnownAnswer, KnownBody, KnownLetter, LetterAnswer, LetterBody, LetterMeta,
    LetterSuggestion, UndoneView, client,
};
use postroom_api::problem::{Code, Problem};
use postroom_domain::choice::{Choice, MOST_MATTERS, MOST_NAMES};
use postroom_domain::filing::{Filing, State};
use postroom_domain::ids::{BlobHash, IntakeId, SiteName, WorkItemId};
use postroom_domain::intake::Intake;
use postroom_domain::letter::Envelope;
use postroom_domain::mail::{Carried, Mail, Mailbox, MessageId};
use postroom_domain::mailbox::{FetchError, LetterAt};
use postroom_domain::mailroom::Noted;
use postroom_domain::people::Person;
use postroom_domain::person::Permission;
use postroom_domain::reception::UndoError;
use postroom_domain::reception::letters::{Chosen, Delivery};
use postroom_domain::record::by_id;
use postroom_domain::spool::Blob;
use postroom_domain::store::{Accepted, IdempotencyKey};
use sha2::{Digest as _, Sha256};

use super::bookmarks::{bookmarked, recent};
use super::letters_seen::Eyes;
use super::upload::{begin, idempotency_key, one_document, read_meta_as, scoped};
use crate::app::Shared;
use crate::auth::{Allowed, File};
use crate::body::Json;
use crate::fault::{Answer, Fault};

/// So many letters are asked about at once: mail programs select no more.
const MOST_LETTERS: usize = 100;
/// Suggestions that a person is shown.
const MOST_SUGGESTIONS: usize = 8;
/// Letters with one id that are looked at.
const MOST_HERE: usize = 5;
/// The longest address, id or name, in bytes.
const LONGEST: usize = 2048;
/// The largest header block of one letter, in bytes.
const LONGEST_HEADERS: usize = 256 << 10;
/// So many people or attachments of a letter are looked at.
const MOST_OF_EACH: usize = 1000;

/// What is known of letters, and one's recent and bookmarked work items.
#[utoipa::path(tag = "letters", operation_id = "known_letters", security(("token" = [])), request_body = KnownBody, responses(
    (status = 200, description = "What is known. Where a letter is filed is told as far as the caller may see the place.", body = KnownAnswer),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/letters/known")]
pub(crate) async fn known_letters(
    caller: Allowed<File>,
    Json(body): Json<KnownBody>,
    app: web::Data<Shared>,
) -> Answer {
    if body.letters.len() > MOST_LETTERS {
        return Err(Fault::value("letters", format!("at most {MOST_LETTERS} are asked about at once")));
    }
    let eyes = Eyes::of(&app, &caller);
    let mut letters = Vec::with_capacity(body.letters.len());
    for letter in &body.letters {
        letters.push(known(&app, &caller, &eyes, letter).await?);
    }
    let fetches = match body.letters.first() {
        Some(first) => reads(&app, &caller, &first.mailbox).await?,
        None => false,
    };
    let marked = bookmarked(&app, &caller).await?;
    Ok(HttpResponse::Ok().json(KnownAnswer {
        letters,
        recent: recent(&app, &caller, &marked).await?,
        bookmarked: marked,
        category: app.outlook.category.clone(),
        undo_seconds: app.outlook.undo.as_secs(),
        fetches,
    }))
}

async fn known(
    app: &Shared,
    caller: &Allowed<File>,
    eyes: &Eyes<'_>,
    letter: &LetterBody,
) -> Answer<KnownLetter> {
    let mail = mail_of(app, letter).await?;
    let site = &caller.principal().sites.home;
    let told = app.mailroom.tell_of(site, &mail, app.clock.now()).await?;
    let mut filed = Vec::new();
    for noted in told.here.iter().rev().take(MOST_HERE) {
        filed.extend(filed_in(app, eyes, site, noted).await?);
    }
    let Some(decision) = told.decision else { return Ok(KnownLetter { filed, ..KnownLetter::default() }) };
    let mut suggestions = Vec::new();
    for it in decision.suggestions.iter().take(MOST_SUGGESTIONS) {
        let item = app.store.work_item(it.work_item).await?.filter(|item| item.site == *site);
        suggestions.extend(item.map(|item| LetterSuggestion {
            client: client(&item),
            suggestion: SuggestionView {
                work_item: item.id,
                reference: item.reference,
                title: item.title,
                open: item.open,
                score: it.score,
                reasons: it.reasons.clone(),
            },
        }));
    }
    let decided = decision.filed_to();
    let first = suggestions.first().map(|it| it.suggestion.work_item);
    Ok(KnownLetter { filed, suggestions, decided: decided.is_some() && decided == first })
}

/// Where a letter of the ledger is filed, as far as the caller may see it.
async fn filed_in(app: &Shared, eyes: &Eyes<'_>, site: &SiteName, noted: &Noted) -> Answer<Vec<FiledIn>> {
    let Some(intake) = app.store.intake(noted.intake).await? else { return Ok(Vec::new()) };
    let filings = app.store.intake_filings(noted.intake).await?;
    let mut found = Vec::new();
    for work_item in noted.work_items() {
        let here: Vec<&Filing> =
            filings.iter().filter(|filing| filing.request.work_item == Some(work_item)).collect();
        let Some(state) = state(&here) else { continue };
        let item = app.store.work_item(work_item).await?.filter(|item| item.site == *site);
        let Some(item) = item else { continue };
        if eyes.see(&intake, &here).await {
            found.push(FiledIn {
                intake: intake.id,
                work_item,
                reference: item.reference,
                title: item.title,
                by: intake.submitted_by.clone(),
                at: intake.received,
                state: state.to_owned(),
            });
        }
    }
    Ok(found)
}

/// How it stands with some filings together; none where nothing came of them.
fn state(filings: &[&Filing]) -> Option<&'static str> {
    let any = |wanted: &[State]| filings.iter().any(|filing| wanted.contains(&filing.progress.state));
    if any(&[State::Failed, State::Undecided]) {
        return Some("failed");
    }
    if any(&[State::Waiting, State::Running, State::Checking, State::Blocked, State::Held]) {
        return Some("on_its_way");
    }
    any(&[State::Filed, State::Duplicate]).then_some("filed")
}

/// What rules ask of a letter, from what a mail program tells of it.
async fn mail_of(app: &Shared, letter: &LetterBody) -> Answer<Mail> {
    let texts = [
        ("mailbox", &letter.mailbox),
        ("message_id", &letter.message_id),
        ("in_reply_to", &letter.in_reply_to),
        ("subject", &letter.subject),
    ];
    for (field, text) in texts {
        if text.len() > LONGEST {
            return Err(Fault::value(field, format!("is longer than {LONGEST} bytes")));
        }
    }
    if letter.headers.len() > LONGEST_HEADERS {
        return Err(Fault::value("headers", format!("is longer than {LONGEST_HEADERS} bytes")));
    }
    let mut mail = if letter.headers.trim().is_empty() {
        Mail::default()
    } else {
        // What cannot be read as headers is no reason to know nothing.
        let raw = Bytes::from(format!("{}\r\n\r\n", letter.headers.trim_end()));
        app.letters.read(raw).await.unwrap_or_default()
    };
    let people = |all: &[AddressBody]| all.iter().take(MOST_OF_EACH).map(mailbox).collect::<Vec<_>>();
    if mail.id.is_none() {
        mail.id = MessageId::new(&letter.message_id);
    }
    if mail.in_reply_to.is_empty() {
        mail.in_reply_to = MessageId::new(&letter.in_reply_to).into_iter().collect();
    }
    if mail.references.is_empty() {
        let ids = letter.references.iter().take(MOST_OF_EACH);
        mail.references = ids.filter_map(|id| MessageId::new(id)).collect();
    }
    if mail.subject.is_empty() {
        mail.subject.clone_from(&letter.subject);
    }
    if mail.from.is_none() {
        mail.from = letter.from.as_ref().map(mailbox);
    }
    if mail.to.is_empty() && mail.cc.is_empty() {
        (mail.to, mail.cc) = (people(&letter.to), people(&letter.cc));
    }
    mail.carried = letter
        .attachments
        .iter()
        .take(MOST_OF_EACH)
        .map(|it| Carried {
            name: it.name.clone(),
            media_type: String::new(),
            size: it.size,
            inline: it.inline,
        })
        .collect();
    Ok(mail)
}

fn mailbox(one: &AddressBody) -> Mailbox {
    Mailbox { name: one.name.clone(), address: one.address.trim().to_lowercase() }
}

/// Whether the server reads a mailbox's letters itself, for this caller.
pub(super) async fn reads(app: &Shared, caller: &Allowed<File>, mailbox: &str) -> Answer<bool> {
    let (Some(post), Some(person)) = (&app.post, caller.principal().person) else { return Ok(false) };
    let Some(person) = by_id::<Person>(&*app.store, person.as_u128()).await? else { return Ok(false) };
    let teams: Vec<String> = caller.principal().teams.iter().map(ToString::to_string).collect();
    Ok(!mailbox.is_empty() && post.reads(mailbox, &person.email, &teams))
}

/// What the description says of the body.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "only described: the body is read as a stream")]
pub(crate) struct LetterForm {
    /// Comes first.
    meta: LetterMeta,
    /// The letter as it is (`message/rfc822`). Without it the server fetches it from the mailbox.
    #[schema(value_type = Option<String>, format = Binary)]
    file: Option<Vec<u8>>,
}

/// Hands a letter in, and says where it goes. The answer comes when it is durable; then it is opened, and its filings are planned: ask for
/// the intake, or follow the events.
#[utoipa::path(tag = "letters", operation_id = "hand_in_letter", security(("token" = [])),
    params(("Idempotency-Key" = String, Header, description = "1 to 200 visible ASCII characters, one for each wish: the same key is taken in once, however often it comes.")),
    request_body(content = LetterForm, content_type = "multipart/form-data"), responses(
    (status = 202, description = "Taken in, durably; Location is the intake.", body = LetterAnswer),
    (status = "default", description = "A problem; nothing was taken in.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/letters")]
pub(crate) async fn hand_in_letter(
    caller: Allowed<File>,
    request: HttpRequest,
    payload: web::Payload,
    app: web::Data<Shared>,
) -> Answer {
    let key = idempotency_key(&request)?
        .ok_or_else(|| Fault::value("Idempotency-Key", "is needed: one for each wish to file something"))?;
    let (_turn, mut multipart) = begin(&app, &request, payload)?;
    let meta: LetterMeta = read_meta_as(&app, &mut multipart).await?;
    let choices = choices(&app, meta.matters.clone())?;
    let (blob, how) = match one_document(&app, &mut multipart).await? {
        Some(document) => (document.blob, "it was handed in out of a mail program".to_owned()),
        None => {
            (fetch(&app, &caller, &meta).await?, format!("it was fetched from the mailbox {}", meta.mailbox))
        }
    };
    let principal = caller.principal();
    let key = IdempotencyKey {
        key: scoped(&principal.sites.home, &principal.name, &format!("letter/{key}")),
        fingerprint: fingerprint(&meta, blob),
    };
    let undo = SignedDuration::try_from(app.outlook.undo).unwrap_or(SignedDuration::ZERO);
    let undo_until =
        (!undo.is_zero()).then(|| app.clock.now().saturating_add(undo).unwrap_or(Timestamp::MAX));
    let delivery = Delivery {
        site: principal.sites.home.clone(),
        source: app.outlook.source.clone(),
        submitted_by: principal.name.clone(),
        envelope: Envelope {
            to: Vec::from_iter(Some(meta.mailbox).filter(|it| !it.is_empty())),
            ..Envelope::default()
        },
        blob,
        key,
        records: Vec::new(),
    };
    let chosen = Chosen { choices, note: meta.note, undo_until, remarks: vec![how] };
    let (intake, again) = take(&app, &caller, delivery, chosen).await?;
    let filings = app.store.intake_filings(intake.id).await?;
    let mut answer = HttpResponse::Accepted();
    answer.insert_header((header::LOCATION, format!("/api/v1/intakes/{}", intake.id)));
    if again {
        answer.insert_header(("idempotent-replayed", "true"));
    }
    Ok(answer.json(LetterAnswer {
        undo_until: intake.undo_until,
        intake: IntakeItem::from(&intake),
        filings: filings.iter().map(FilingItem::from).collect(),
        again,
    }))
}

async fn take(
    app: &Shared,
    caller: &Allowed<File>,
    delivery: Delivery,
    chosen: Chosen,
) -> Answer<(Intake, bool)> {
    let (reception, bytes) = (&app.reception, delivery.blob.size);
    match reception.deliver_chosen(reception.next_letter(), delivery, chosen, &caller.actor()).await? {
        Accepted::Fresh(intake, _) => {
            metrics::counter!("postroom_intakes_accepted_total", "door" => "outlook").increment(1);
            metrics::counter!("postroom_intake_bytes_total", "door" => "outlook").increment(bytes);
            Ok((intake, false))
        }
        Accepted::Again(id) => {
            metrics::counter!("postroom_intakes_replayed_total", "door" => "outlook").increment(1);
            let intake = app.store.intake(id).await?;
            let gone = || Fault::internal(format!("the key names intake {id}, which is not there"));
            Ok((intake.ok_or_else(gone)?, true))
        }
    }
}

/// What was chosen, within bounds.
pub(super) fn choices(app: &Shared, matters: Vec<postroom_api::letter::MatterBody>) -> Answer<Vec<Choice>> {
    if matters.is_empty() || matters.len() > MOST_MATTERS {
        return Err(Fault::value("matters", format!("names 1 to {MOST_MATTERS} work items, each once")));
    }
    let (longest, mut known) = (app.limits.text, Vec::new());
    let choices: Vec<Choice> = matters.into_iter().map(Choice::from).collect();
    for choice in &choices {
        let item = choice.work_item.trim();
        if item.is_empty() || item.len() > longest {
            return Err(Fault::value(
                "matters.work_item",
                format!("must be a reference or an id of at most {longest} bytes"),
            ));
        }
        if known.contains(&item.to_lowercase()) {
            return Err(Fault::value("matters", format!("names \"{item}\" twice")));
        }
        known.push(item.to_lowercase());
        let named = choice.attachments.iter().flatten();
        if named.clone().count() > MOST_NAMES
            || named.clone().any(|it| it.name.len() > LONGEST || it.nth == 0)
        {
            let why =
                format!("has at most {MOST_NAMES} names of at most {LONGEST} bytes, and nth counts from 1");
            return Err(Fault::value("matters.attachments", why));
        }
        if !choice.message && choice.attachments.as_ref().is_some_and(Vec::is_empty) {
            return Err(Fault::value("matters", format!("chooses nothing of the letter for \"{item}\"")));
        }
    }
    Ok(choices)
}

/// The same wish again is told by its key; where the letter has no id, by its bytes too. Mail programs and servers write a letter anew each
/// time they are asked for it, so bytes that differ are no other letter.
fn fingerprint(meta: &LetterMeta, blob: Blob) -> BlobHash {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    for text in [&meta.mailbox, &meta.message_id, &meta.item_id, &meta.note] {
        add(text.as_bytes());
    }
    add(&serde_json::to_vec(&meta.matters).unwrap_or_default());
    if meta.message_id.is_empty() && meta.item_id.is_empty() {
        add(blob.hash.as_bytes());
    }
    BlobHash::new(hash.finalize().into())
}

async fn fetch(app: &Shared, caller: &Allowed<File>, meta: &LetterMeta) -> Answer<Blob> {
    let Some(post) = app.post.as_ref().filter(|_| !meta.mailbox.is_empty()) else {
        return Err(
            Fault::value("file", "is needed: no mailbox is read here").hint("Send the letter itself.")
        );
    };
    if !reads(app, caller, &meta.mailbox).await? {
        let why = format!("\"{}\" is not a mailbox that is read for you", meta.mailbox);
        return Err(Fault::value("mailbox", why).hint("Send the letter itself as part file."));
    }
    let message = MessageId::new(&meta.message_id);
    let message = message.as_ref().map_or("", MessageId::as_str);
    let letter = LetterAt { mailbox: &meta.mailbox, item: &meta.item_id, message };
    if letter.item.is_empty() && letter.message.is_empty() {
        return Err(Fault::value("item_id", "is needed, or message_id, to find the letter"));
    }
    Ok(post.fetch(letter).await?)
}

impl From<FetchError> for Fault {
    fn from(error: FetchError) -> Self {
        let words = crate::fault::sentence(&error.to_string());
        match error {
            FetchError::Gone(_) => Self::new(Code::NotFound, words)
                .hint("It was moved or deleted. Open it again, and file it from there."),
            FetchError::Closed { .. } => {
                Self::new(Code::Forbidden, words).hint("Send the letter itself as part file.")
            }
            FetchError::TooLarge(_) => Self::new(Code::TooLarge, words),
            FetchError::Later { seconds, .. } => {
                Self::new(Code::Busy, words).after(seconds.unwrap_or(5).clamp(1, 3600))
            }
            FetchError::Spool(error) => error.into(),
        }
    }
}

/// Takes back what one handed in, while nothing of it has left for a DMS, and not for long.
#[utoipa::path(tag = "letters", operation_id = "undo_intake", security(("token" = [])),
    params(("id" = String, Path, description = "The intake's id.")), responses(
    (status = 200, description = "What was taken back.", body = UndoneView),
    (status = 409, description = "It is too late.", body = Problem, content_type = "application/problem+json"),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/intakes/{id}/undo")]
pub(crate) async fn undo_intake(
    caller: Allowed<File>,
    super::asked::Named(id): super::asked::Named<IntakeId>,
    app: web::Data<Shared>,
) -> Answer {
    let intake = super::intakes::seen(&app, &caller, id).await?;
    if intake.submitted_by != caller.principal().name {
        return Err(Fault::forbidden(&caller.principal().roles, Permission::Decide)
            .hint("Whoever handed it in may take it back; an operator may hold or cancel its filings."));
    }
    let done = app.reception.undo(id, &app.policy, &caller.actor()).await?;
    app.control.wake();
    Ok(HttpResponse::Ok().json(UndoneView::from(done)))
}

impl From<UndoError> for Fault {
    fn from(error: UndoError) -> Self {
        let words = crate::fault::sentence(&error.to_string());
        match error {
            UndoError::NotFound(id) => Self::not_found(format_args!("intake {id}")),
            UndoError::TooLate(_) => Self::new(Code::NotAllowedNow, words)
                .hint("If it is in the wrong place, move or delete it in the DMS."),
            UndoError::Stale => Self::new(Code::NotAllowedNow, words),
            UndoError::Store(error) => error.into(),
        }
    }
}

/// Work items of a list of ids, as they are now; those of other sites are left out.
pub(super) async fn items_of(
    app: &Shared,
    caller: &Allowed<File>,
    ids: impl IntoIterator<Item = WorkItemId>,
) -> Answer<Vec<postroom_domain::work_item::WorkItem>> {
    let mut items = Vec::new();
    for id in ids {
        let item = app.store.work_item(id).await?;
        items.extend(item.filter(|item| caller.principal().sites.has(&item.site)));
    }
    Ok(items)
}
