//! `POST /rules/dry-run`: rules of matching tried on letters, without consequences.

use std::collections::BTreeMap;

use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, post, web};
use base64ct::{Base64, Encoding as _};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use postroom_api::problem::{Code, FieldError, Problem};
use postroom_api::rules::{
    DecisionView, DryRunAnswer, DryRunBody, DryRunItem, MOST_LETTERS, UnreadLetter, WasView,
};
use postroom_domain::ids::{IntakeId, SiteName, WorkItemId};
use postroom_domain::intake::{Intake, IntakeState};
use postroom_domain::mailroom::Exhibit;
use postroom_domain::matching::{Decision, Rules};
use postroom_domain::mistake::Mistake;
use postroom_domain::query::{IntakeQuery, Window};
use postroom_domain::reception::letters::MEDIA_TYPE;

use crate::app::Shared;
use crate::auth::{Allowed, Decide};
use crate::body::Body;
use crate::fault::{Answer, Fault};

/// The largest request: letters that are held out come in it.
const LARGEST: u64 = 64 << 20;
/// The largest letter that is read, in bytes.
const LARGEST_LETTER: u64 = 32 << 20;
/// Letters that are looked at when nothing is said.
const USUAL: usize = 200;
/// Intakes that are listed together.
const PAGE: usize = 100;

/// Tries rules of matching on letters that are here, or on some that are held out. Nothing is filed, learned or changed.
#[utoipa::path(tag = "rules", operation_id = "try_rules", security(("token" = [])), request_body = DryRunBody, responses(
    (status = 200, description = "What would change.", body = DryRunAnswer),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/rules/dry-run")]
pub(crate) async fn try_rules(
    caller: Allowed<Decide>,
    request: HttpRequest,
    payload: web::Payload,
    app: web::Data<Shared>,
) -> Answer {
    let _turn = app
        .uploads
        .try_acquire()
        .map_err(|_| Fault::new(Code::Busy, "Too many uploads are under way.").after(1))?;
    let body = read_body(&app, &request, payload).await?;
    let Some(in_force) = &app.mailroom.matching else {
        return Err(Fault::new(
            Code::NotAllowedNow,
            "No mailbox is read here, so there are no rules in force.",
        )
        .hint("Rules of matching are read where the settings name a mailbox."));
    };
    let other = body.rules.as_ref().map(|settings| app.mailroom.candidate(settings));
    let other = other.transpose().map_err(|wrong| {
        let told = |mistake: &Mistake| {
            let field = format!("rules.{}", mistake.key.trim_start_matches("matching."));
            FieldError { field: Some(field), message: mistake.problem.clone(), ..FieldError::default() }
        };
        let mut problem = Problem::new(Code::BadValue, "The rules cannot be used.");
        problem.errors.extend(wrong.iter().map(told));
        Fault::from(problem)
    })?;
    let limit = body.limit.unwrap_or(USUAL);
    if !(1..=MOST_LETTERS).contains(&limit) {
        return Err(Fault::value("limit", format!("must be 1 to {MOST_LETTERS}")));
    }
    let mut trial = Trial {
        app: &app,
        in_force,
        other,
        all: body.all,
        answer: DryRunAnswer::default(),
        names: BTreeMap::new(),
    };
    if body.letters.is_empty() {
        trial.of_the_house(&caller, &body, limit).await?;
    } else {
        trial.held_out(&caller, &body).await?;
    }
    Ok(HttpResponse::Ok().json(trial.answer))
}

async fn read_body(app: &Shared, request: &HttpRequest, payload: web::Payload) -> Answer<DryRunBody> {
    if !request.content_type().eq_ignore_ascii_case("application/json") {
        return Err(Fault::new(Code::WrongMediaType, "This route takes application/json."));
    }
    let limits = &app.limits;
    let mut body = Body::new(payload, LARGEST, limits.body_idle, limits.body_total);
    let mut bytes = BytesMut::new();
    while let Some(piece) = body.piece().await? {
        bytes.extend_from_slice(&piece);
    }
    Ok(postroom_api::body::parse(&bytes)?)
}

/// A dry run under way.
struct Trial<'a> {
    app: &'a Shared,
    in_force: &'a Rules,
    other: Option<Rules>,
    all: bool,
    answer: DryRunAnswer,
    /// References of work items, as far as they were asked for.
    names: BTreeMap<WorkItemId, String>,
}

/// A letter that was looked for.
struct Shown<'a> {
    name: String,
    site: &'a SiteName,
    received: Timestamp,
    intake: Option<&'a Intake>,
}

impl Trial<'_> {
    /// Letters that are here, the newest first.
    async fn of_the_house<P>(&mut self, caller: &Allowed<P>, body: &DryRunBody, limit: usize) -> Answer<()> {
        let query = IntakeQuery {
            sites: caller.scope(),
            submitted_by: caller.only_own(),
            sources: body.source.iter().cloned().collect(),
            ..IntakeQuery::default()
        };
        let mut before: Option<IntakeId> = match body.cursor.as_deref() {
            None | Some("") => None,
            Some(text) => Some(text.parse().map_err(|_| Fault::value("cursor", "is not one of this list"))?),
        };
        loop {
            let slice = self.app.store.list_intakes(&query, Window { before, limit: PAGE }).await?;
            for intake in &slice.items {
                if body.since.is_some_and(|since| intake.received < since) {
                    return Ok(());
                }
                if intake.letter.is_some() && intake.state != IntakeState::Stored {
                    self.letter_here(intake).await?;
                }
                if self.answer.looked_at as usize + self.answer.unread.len() >= limit {
                    self.answer.next = Some(intake.id.to_string());
                    return Ok(());
                }
            }
            before = slice.next;
            if before.is_none() {
                return Ok(());
            }
        }
    }

    async fn letter_here(&mut self, intake: &Intake) -> Answer<()> {
        let shown = Shown {
            name: intake.subject.clone(),
            site: &intake.site,
            received: intake.arrived(),
            intake: Some(intake),
        };
        match self.bytes(intake).await {
            Ok(raw) => self.letter(raw, shown).await,
            Err(why) => {
                self.unread(shown, why);
                Ok(())
            }
        }
    }

    /// The letter's own bytes; or why they are not to be had.
    async fn bytes(&self, intake: &Intake) -> Result<Bytes, String> {
        let document = intake.documents.first().filter(|document| document.media_type == MEDIA_TYPE);
        let blob = document.ok_or("its own bytes are not kept as a document")?.blob;
        if blob.size > LARGEST_LETTER {
            return Err(format!("it has {} bytes, and {LARGEST_LETTER} are read here", blob.size));
        }
        let content = self.app.spool.content(blob).await.map_err(|error| error.to_string())?;
        let mut stream = content.open().await.map_err(|error| error.to_string())?;
        let mut raw = BytesMut::new();
        while let Some(chunk) = stream.next().await {
            raw.extend_from_slice(&chunk.map_err(|error| error.to_string())?);
        }
        Ok(raw.freeze())
    }

    /// Letters that came with the request.
    async fn held_out<P>(&mut self, caller: &Allowed<P>, body: &DryRunBody) -> Answer<()> {
        if body.letters.len() > MOST_LETTERS {
            return Err(Fault::value("letters", format!("holds more than {MOST_LETTERS}")));
        }
        let sites = &caller.principal().sites;
        let site = body.site.as_ref().unwrap_or(&sites.home);
        if !sites.has(site) {
            return Err(Fault::value("site", format!("there is no site \"{site}\" for you")));
        }
        let now = self.app.clock.now();
        for letter in &body.letters {
            let shown = Shown { name: letter.name.clone(), site, received: now, intake: None };
            match Base64::decode_vec(letter.content.trim()) {
                Ok(raw) => self.letter(raw.into(), shown).await?,
                Err(_) => return Err(Fault::value("letters", format!("\"{}\" is not Base64", letter.name))),
            }
        }
        Ok(())
    }

    async fn letter(&mut self, raw: Bytes, shown: Shown<'_>) -> Answer<()> {
        let mail = match self.app.letters.read(raw).await {
            Ok(mail) => mail,
            Err(why) => {
                self.unread(shown, why);
                return Ok(());
            }
        };
        let exhibit = Exhibit {
            mail: &mail,
            site: shown.site,
            received: shown.received,
            intake: shown.intake.map(|intake| intake.id),
        };
        let mailroom = &self.app.mailroom;
        let replayed = mailroom.replay(exhibit, self.in_force, self.other.as_ref()).await?;
        self.answer.looked_at += 1;
        *self.answer.counts.entry(replayed.change.to_string()).or_default() += 1;
        self.answer.grave += u32::from(replayed.change.is_grave());
        if !self.all && shown.intake.is_some() && replayed.change.as_str() == "same" {
            return Ok(());
        }
        let was = match shown.intake {
            Some(intake) => Some(self.was(intake).await?),
            None => None,
        };
        let item = DryRunItem {
            intake: shown.intake.map(|intake| intake.id),
            name: shown.name,
            from: mail.from.as_ref().map(|from| from.address.clone()).unwrap_or_default(),
            received: shown.received,
            change: replayed.change.to_string(),
            grave: replayed.change.is_grave(),
            before: self.view(&replayed.before).await?,
            after: self.view(&replayed.after).await?,
            was,
        };
        self.answer.items.push(item);
        Ok(())
    }

    fn unread(&mut self, shown: Shown<'_>, why: String) {
        let intake = shown.intake.map(|intake| intake.id);
        self.answer.unread.push(UnreadLetter { intake, name: shown.name, why });
    }

    async fn was(&mut self, intake: &Intake) -> Answer<WasView> {
        let work_item = match intake.work_item {
            Some(id) => Some(self.name(id).await?),
            None => None,
        };
        Ok(WasView { state: intake.state, work_item })
    }

    async fn view(&mut self, decision: &Decision) -> Answer<DecisionView> {
        let suggested = decision.suggestions.iter().map(|it| it.work_item);
        for id in suggested.chain(decision.verdict.work_item()) {
            self.name(id).await?;
        }
        let names = &self.names;
        Ok(DecisionView::of(decision, |id| names.get(&id).cloned().unwrap_or_else(|| id.to_string())))
    }

    async fn name(&mut self, id: WorkItemId) -> Answer<String> {
        if let Some(name) = self.names.get(&id) {
            return Ok(name.clone());
        }
        let name = self.app.store.work_item(id).await?.map_or_else(|| id.to_string(), |item| item.reference);
        self.names.insert(id, name.clone());
        Ok(name)
    }
}
