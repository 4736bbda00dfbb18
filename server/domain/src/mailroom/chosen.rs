//! Letters that a person handed in and said where they go: no rule is asked, and the ranking learns from it.

use super::{Mailroom, Noted, Opened, ReadLetter};
use crate::filing::Filing;
use crate::ids::WorkItemId;
use crate::intake::{self, Document, Intake, IntakeEvent, NeedsPerson};
use crate::ledger::LedgerKey;
use crate::person::Actor;
use crate::record::Kept as _;
use crate::split::Split;
use crate::store::{StoreError, StoreResult};

/// What a letter's choices come to.
struct Placed {
    filings: Vec<Filing>,
    items: Vec<WorkItemId>,
    references: Vec<String>,
}

impl Mailroom {
    /// Files a letter as a person chose. Where one of the choices does not work, all of it waits for a person: half of it is nothing that
    /// anybody chose.
    pub(super) async fn file_as_chosen(
        &self,
        mut intake: Intake,
        read: &ReadLetter,
        split: &Split,
        key: LedgerKey,
        actor: &Actor,
    ) -> StoreResult<Opened> {
        let placed = match self.place(&mut intake, read, split).await? {
            Ok(placed) => placed,
            Err(needs) => return self.ask(intake, &read.mail, key, needs, actor).await,
        };
        let Some(state) = intake::next(intake.state, IntakeEvent::Planned) else {
            return Ok(Opened::Overtaken);
        };
        intake.state = state;
        intake.work_item = placed.items.first().copied();
        intake.also_in = placed.items.get(1..).unwrap_or_default().to_vec();
        intake.work_item_given = placed.references.join(", ");
        let noted = Noted {
            also_in: intake.also_in.clone(),
            ..Noted::of(intake.id, &intake.site, &read.mail, key, intake.work_item)
        };
        let chosen = intake.clone();
        let done = self
            .change(intake, placed.filings, vec![noted.put()?], actor, "read and filed as chosen")
            .await?;
        if !done {
            return Ok(Opened::Overtaken);
        }
        // Filed is filed: that nothing was learned from it is nothing that anybody could mend.
        let _unlearned = self.learn_from(&chosen).await;
        Ok(Opened::Filed(chosen.work_item))
    }

    async fn place(
        &self,
        intake: &mut Intake,
        read: &ReadLetter,
        split: &Split,
    ) -> Result<Result<Placed, NeedsPerson>, StoreError> {
        let (reception, names) = (&self.reception, read.names());
        let now = reception.clock.now();
        let mut placed = Placed { filings: Vec::new(), items: Vec::new(), references: Vec::new() };
        for choice in intake.choices.clone() {
            let numbers = match choice.pieces(&split.pieces, &names) {
                Ok(numbers) => numbers,
                Err(missing) => return Ok(Err(not_carried(&missing))),
            };
            let documents: Vec<Document> =
                numbers.into_iter().filter_map(|at| intake.documents.get(at).cloned()).collect();
            let item = reception.find_work_item(&intake.site, &choice.work_item).await?;
            let planned =
                reception.rules.plan(&choice.work_item, item.as_ref(), &intake.area, documents.len());
            intake.trace.extend(planned.trace);
            let plan = match planned.plan {
                Ok(plan) => plan,
                Err(needs) => return Ok(Err(needs)),
            };
            let filings = reception.filings_for(intake, &documents, plan, item.as_ref(), now).await?;
            placed.filings.extend(filings);
            if let Some(item) = item.filter(|item| !placed.items.contains(&item.id)) {
                placed.items.push(item.id);
                placed.references.push(item.reference);
            }
        }
        if placed.filings.is_empty() {
            let text = "neither the message nor any attachment was chosen".to_owned();
            return Ok(Err(NeedsPerson { code: "nothing_chosen".to_owned(), text }));
        }
        Ok(Ok(placed))
    }
}

fn not_carried(missing: &[String]) -> NeedsPerson {
    let names: Vec<String> = missing.iter().take(5).map(|name| format!("\"{name}\"")).collect();
    let more = if missing.len() > 5 { format!(" and {} more", missing.len() - 5) } else { String::new() };
    let text = format!("it carries no such attachment: {}{more}", names.join(", "));
    NeedsPerson { code: "attachment_missing".to_owned(), text }
}
