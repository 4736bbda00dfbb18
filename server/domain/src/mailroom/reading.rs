//! What is opened after it was taken in: what it is, where it belongs, and which documents are filed.

use super::knowledge::MOST_ALIKE;
use super::{Mailroom, Noted};
use crate::choice;
use crate::ids::{BlobHash, IntakeId, WorkItemId};
use crate::intake::{self, Document, Intake, IntakeEvent, IntakeState, NeedsPerson};
use crate::ledger::LedgerKey;
use crate::mail::Mail;
use crate::matching::{Decision, Known, Rules};
use crate::person::Actor;
use crate::record::{self, Kept as _};
use crate::screening;
use crate::split::{self, Split, Whole};
use crate::spool::Blob;
use crate::store::{IntakeChange, StoreError, StoreResult};

/// Lines of one letter's trace.
const MOST_LINES: usize = 200;
/// So often opening an intake may be begun by a process that does not end it; then nobody tries again by itself.
const MOST_BEGINNINGS: u32 = 3;

/// A part of a letter whose bytes are in the spool.
#[derive(Debug, Clone)]
pub struct Sealed {
    /// What is known of it.
    pub part: split::Part,
    /// Its content.
    pub blob: Blob,
}

/// What was read from a letter.
#[derive(Debug, Clone, Default)]
pub struct ReadLetter {
    /// The letter.
    pub mail: Mail,
    /// What it carries, in order.
    pub parts: Vec<Sealed>,
    /// Hashes of what it says and carries, for telling letters apart.
    pub contents: Vec<BlobHash>,
    /// What was odd about it, in plain words.
    pub odd: Vec<String>,
}

impl ReadLetter {
    /// The names of what it carries, in order.
    pub(super) fn names(&self) -> Vec<&str> {
        self.parts.iter().map(|sealed| sealed.part.carried.name.as_str()).collect()
    }
}

/// Why an intake was not read, or goes no further. It is set aside: its bytes are kept, and a person decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Stable code: `too_deep`, `unreadable`, `malware`, …
    pub code: &'static str,
    /// In plain words.
    pub text: String,
}

/// What came of opening an intake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// It is filed, or on its way; documents may go to a place that belongs to no work item.
    Filed(Option<WorkItemId>),
    /// A batch became so many intakes of its parts.
    Divided(usize),
    /// A letter that was here before: its documents are duplicates of that one's.
    SeenBefore(IntakeId),
    /// A person is asked.
    NeedsPerson(String),
    /// It was set aside unread.
    SetAside,
    /// Somebody else changed it meanwhile.
    Overtaken,
}

impl Mailroom {
    /// Notes that opening an intake begins, so that one that ends the process is known after the third time. Answers the intake as it is
    /// now; none where it was set aside, or somebody else has it.
    pub async fn begin(&self, mut intake: Intake, actor: &Actor) -> StoreResult<Option<Intake>> {
        if intake.begun >= MOST_BEGINNINGS {
            let text = format!("opening it has ended Postroom {} times", intake.begun);
            self.set_aside(intake, Unread { code: "poison", text }, actor).await?;
            return Ok(None);
        }
        intake.begun += 1;
        let begun = Intake { version: intake.version + 1, ..intake.clone() };
        let done = self.change(intake, Vec::new(), Vec::new(), actor, "opening it was begun").await?;
        Ok(done.then_some(begun))
    }

    /// Takes back that opening began: it ended, without a result, and harmed nobody. That the house refused something is no fault of
    /// the intake's.
    pub async fn withdraw(&self, mut intake: Intake, actor: &Actor) -> StoreResult<()> {
        intake.begun = intake.begun.saturating_sub(1);
        self.change(intake, Vec::new(), Vec::new(), actor, "it could not be opened yet").await.map(|_| ())
    }

    /// Plans what came as documents and not as a letter: it goes where it was said to belong, or a person is asked.
    pub async fn plan(&self, mut intake: Intake, actor: &Actor) -> StoreResult<Opened> {
        if intake.state != IntakeState::Stored {
            return Ok(Opened::Overtaken);
        }
        let filings = self.reception.plan_filings(&mut intake).await?;
        let (item, needs) = (intake.work_item, intake.needs.clone());
        if !self.change(intake, filings, Vec::new(), actor, "opened").await? {
            return Ok(Opened::Overtaken);
        }
        Ok(match (needs, item) {
            (Some(needs), _) => Opened::NeedsPerson(needs.code),
            (None, item) => Opened::Filed(item),
        })
    }

    /// Sets an intake aside.
    pub async fn set_aside(&self, mut intake: Intake, why: Unread, actor: &Actor) -> StoreResult<Opened> {
        let Some(state) = intake::next(intake.state, IntakeEvent::Unsafe) else {
            return Ok(Opened::Overtaken);
        };
        intake.state = state;
        let unread = if screening::may_be_vouched_for(why.code) { "" } else { " unread" };
        intake.trace.push(format!("it was set aside{unread}: {}", why.text));
        intake.needs = Some(NeedsPerson { code: why.code.to_owned(), text: why.text.clone() });
        self.reception.allocate(&mut intake, None).await?;
        let done = self.change(intake, Vec::new(), Vec::new(), actor, &why.text).await?;
        Ok(if done { Opened::SetAside } else { Opened::Overtaken })
    }

    /// Decides over a letter that was read.
    pub async fn open(&self, mut intake: Intake, read: ReadLetter, actor: &Actor) -> StoreResult<Opened> {
        if intake.state != IntakeState::Stored {
            return Ok(Opened::Overtaken);
        }
        let Some(raw) = intake.documents.first().map(|document| document.blob) else {
            return Err(StoreError::Damaged(format!("the letter {} has no bytes", intake.id)));
        };
        let key = LedgerKey::of(&read.mail, &read.contents);
        let split = self.describe(&mut intake, &read, raw);
        if !intake.choices.is_empty() {
            return self.file_as_chosen(intake, &read, &split, key, actor).await;
        }
        if let Some(earlier) = self.seen_before(&intake, &key).await? {
            return self.once_more(intake, &read.mail, key, &earlier, actor).await;
        }
        let decision = match &self.matching {
            Some(rules) => Some(self.match_up(rules, &intake, &read.mail).await?),
            None => None,
        };
        let (work_item, needs) = match &decision {
            Some((decision, known)) => {
                intake.trace.extend(decision.trace.iter().take(MOST_LINES).cloned());
                if let Some(letter) = &mut intake.letter {
                    letter.suggestions.clone_from(&decision.suggestions);
                }
                (decision.filed_to(), decision.needs(known))
            }
            None => (None, Some(no_rules())),
        };
        match work_item {
            Some(id) => self.file(intake, &read.mail, key, id, actor).await,
            None => self.ask(intake, &read.mail, key, needs.unwrap_or_else(no_rules), actor).await,
        }
    }

    /// What the intake is called from now on, and its documents.
    fn describe(&self, intake: &mut Intake, read: &ReadLetter, raw: Blob) -> Split {
        let mail = &read.mail;
        intake.subject.clone_from(&mail.subject);
        if let Some(from) = mail.from.as_ref().filter(|from| !from.address.is_empty()) {
            intake.sender = if from.name.is_empty() {
                from.address.clone()
            } else {
                format!("{} <{}>", from.name, from.address)
            };
        }
        let parts: Vec<split::Part> = read.parts.iter().map(|sealed| sealed.part.clone()).collect();
        let whole = Whole { mail, hash: raw.hash, size: raw.size, received: intake.arrived(), parts: &parts };
        let asked_for = choice::asked_for(&intake.choices, &read.names());
        let split = self.split.split_with(whole, &asked_for, &self.zone);
        intake.documents = split
            .pieces
            .iter()
            .map(|piece| Document {
                file_name: piece.file_name.clone(),
                media_type: piece.media_type.clone(),
                blob: Blob { hash: piece.hash, size: piece.size },
            })
            .collect();
        intake.trace.extend(read.odd.iter().chain(&split.trace).take(MOST_LINES).cloned());
        if let Some(letter) = &mut intake.letter {
            letter.mail = Some(Mail { text: String::new(), ..mail.clone() });
        }
        split
    }

    /// The same letter, if it was here before.
    async fn seen_before(&self, intake: &Intake, key: &LedgerKey) -> StoreResult<Option<Noted>> {
        for lookup in key.lookups() {
            let group = Noted::under(&intake.site, &lookup);
            let alike: Vec<Noted> =
                record::page(&*self.reception.store, Some(&group), None, MOST_ALIKE).await?;
            if let Some(same) =
                alike.into_iter().find(|it| it.intake != intake.id && key.compare(&it.key).is_same())
            {
                return Ok(Some(same));
            }
        }
        Ok(None)
    }

    async fn match_up(&self, rules: &Rules, intake: &Intake, mail: &Mail) -> StoreResult<(Decision, Known)> {
        let known = self.known(&intake.site, &rules.questions(mail), None).await?;
        Ok((rules.decide(mail, &known, intake.arrived()), known))
    }

    async fn file(
        &self,
        mut intake: Intake,
        mail: &Mail,
        key: LedgerKey,
        id: WorkItemId,
        actor: &Actor,
    ) -> StoreResult<Opened> {
        let reception = &self.reception;
        let given = id.to_string();
        let item = reception.find_work_item(&intake.site, &given).await?;
        let planned = reception.rules.plan(&given, item.as_ref(), &intake.area, intake.documents.len());
        intake.trace.extend(planned.trace);
        let plan = match planned.plan {
            Ok(plan) => plan,
            Err(needs) => return self.ask(intake, mail, key, needs, actor).await,
        };
        let Some(state) = intake::next(intake.state, IntakeEvent::Planned) else {
            return Ok(Opened::Overtaken);
        };
        intake.state = state;
        intake.work_item = Some(id);
        intake.work_item_given = item.as_ref().map(|item| item.reference.clone()).unwrap_or_default();
        reception.allocate(&mut intake, item.as_ref()).await?;
        let now = reception.clock.now();
        let filings = reception.filings_of(&mut intake, plan, item.as_ref(), now).await?;
        let noted = Noted::of(intake.id, &intake.site, mail, key, Some(id));
        let done = self.change(intake, filings, vec![noted.put()?], actor, "read and matched").await?;
        Ok(if done { Opened::Filed(Some(id)) } else { Opened::Overtaken })
    }

    pub(super) async fn ask(
        &self,
        mut intake: Intake,
        mail: &Mail,
        key: LedgerKey,
        needs: NeedsPerson,
        actor: &Actor,
    ) -> StoreResult<Opened> {
        let Some(state) = intake::next(intake.state, IntakeEvent::NoPlace) else {
            return Ok(Opened::Overtaken);
        };
        intake.state = state;
        let code = needs.code.clone();
        intake.needs = Some(needs);
        self.reception.allocate(&mut intake, None).await?;
        let noted = Noted::of(intake.id, &intake.site, mail, key, None);
        let done = self.change(intake, Vec::new(), vec![noted.put()?], actor, "read").await?;
        Ok(if done { Opened::NeedsPerson(code) } else { Opened::Overtaken })
    }

    /// A letter that was here before becomes duplicates of what it was then, or waits with it for a person.
    async fn once_more(
        &self,
        mut intake: Intake,
        mail: &Mail,
        key: LedgerKey,
        earlier: &Noted,
        actor: &Actor,
    ) -> StoreResult<Opened> {
        let reception = &self.reception;
        let text = format!("the same letter is here already as {}", earlier.intake);
        intake.trace.push(text.clone());
        let Some(id) = earlier.work_item else {
            let needs = NeedsPerson { code: "seen_before".to_owned(), text };
            return self.ask(intake, mail, key, needs, actor).await;
        };
        let (given, first) = (id.to_string(), reception.store.intake_filings(earlier.intake).await?);
        let item = reception.find_work_item(&intake.site, &given).await?;
        let planned = reception.rules.plan(&given, item.as_ref(), &intake.area, intake.documents.len());
        let (Ok(plan), Some(original)) = (planned.plan, first.first()) else {
            let needs = NeedsPerson { code: "seen_before".to_owned(), text };
            return self.ask(intake, mail, key, needs, actor).await;
        };
        let Some(state) = intake::next(intake.state, IntakeEvent::Planned) else {
            return Ok(Opened::Overtaken);
        };
        intake.state = state;
        intake.work_item = Some(id);
        let now = reception.clock.now();
        let mut filings = reception.filings_of(&mut intake, plan, item.as_ref(), now).await?;
        for filing in &mut filings {
            // The one of the same content, or else the letter itself.
            let same = first.iter().find(|it| it.request.blob.hash == filing.request.blob.hash);
            let of = same.unwrap_or(original);
            filing.progress = filing.progress.clone().repeating(of.id, of.progress.receipt.clone());
        }
        let noted = Noted::of(intake.id, &intake.site, mail, key, Some(id));
        let done = self.change(intake, filings, vec![noted.put()?], actor, &text).await?;
        Ok(if done { Opened::SeenBefore(earlier.intake) } else { Opened::Overtaken })
    }

    /// Writes a change; false when somebody was quicker.
    pub(super) async fn change(
        &self,
        mut intake: Intake,
        filings: Vec<crate::filing::Filing>,
        records: Vec<record::Write>,
        actor: &Actor,
        note: &str,
    ) -> StoreResult<bool> {
        intake.version += 1;
        let at = self.reception.clock.now();
        let change =
            IntakeChange { next: intake, filings, records, actor: actor.clone(), note: note.to_owned(), at };
        match self.reception.store.change_intake(change).await {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn no_rules() -> NeedsPerson {
    NeedsPerson { code: "no_rule_matched".to_owned(), text: "no rule finds a work item for it".to_owned() }
}
