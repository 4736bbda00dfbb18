//! The self-check: every row against its index rows and counters, both ways.

use postroom_domain::audit::{self, Anchor, Verdict, Verifier};
use postroom_domain::filing::Request;
use postroom_domain::ids::{FilingId, IntakeId};
use postroom_domain::store::{Chained, Check};
use redb::{ReadableTable, ReadableTableMetadata};

use super::batch::{RequestKeys, intake_content_keys, parse, row};
use super::counters::Counters;
use super::head::{Head, IntakeHead, Role};
use super::merge::{From, stream};
use super::schema::Shelf;
use super::{Stop, keys};

/// At most so many complaints.
const ENOUGH: usize = 100;

#[derive(Default)]
pub(super) struct Complaints(Vec<String>);

impl Complaints {
    pub(super) fn unless(&mut self, fine: bool, what: impl FnOnce() -> String) {
        if !fine && self.0.len() < ENOUGH {
            self.0.push(what());
        }
    }

    /// A record that cannot be read is a complaint; a file that cannot is not.
    pub(super) fn damage<T>(
        &mut self,
        result: Result<T, Stop>,
        what: impl FnOnce() -> String,
    ) -> Result<Option<T>, Stop> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Stop::Refused(error)) => {
                self.unless(false, || format!("{}: {error}", what()));
                Ok(None)
            }
            Err(broken) => Err(broken),
        }
    }
}

/// How many rows each index should have.
#[derive(Default)]
struct Expected {
    filings: u64,
    details: u64,
    ready: u64,
    by_cause: u64,
    under_way: u64,
    by_reference: u64,
    by_content: u64,
    linked: u64,
    intakes: u64,
}

pub(super) fn check(shelf: &Shelf, format: u64) -> Result<Check, Stop> {
    let mut wrong = Complaints::default();
    let mut expected = Expected::default();
    filings(shelf, &mut expected, &mut wrong)?;
    intakes(shelf, &mut expected, &mut wrong)?;
    lengths(shelf, format, &expected, &mut wrong)?;
    super::records::check(shelf, &mut wrong)?;
    let counted = wrong.damage(Counters::counted(shelf), || "counters".to_owned())?;
    if let Some((counted, ..)) = counted {
        for text in Counters::reconcile(&Counters::stored(shelf)?, counted).1 {
            wrong.unless(false, || text);
        }
    }
    if format >= 2 {
        let fault = chain(shelf, None)?.fault;
        wrong.unless(fault.is_none(), || fault.map(|fault| fault.to_string()).unwrap_or_default());
    }
    Ok(Check { filings: expected.filings, intakes: expected.intakes, wrong: wrong.0 })
}

/// The history from its beginning, whether a known event is in it too.
pub(super) fn chain(shelf: &Shelf, known: Option<Anchor>) -> Result<Verdict, Stop> {
    let hashes = shelf.event_hashes()?;
    let mut hashes = hashes.iter()?.peekable();
    let mut verifier = Verifier::new(Anchor::START, known);
    for entry in shelf.events()?.iter()? {
        let (seq, written) = entry?;
        let (seq, mut hash) = (seq.value(), None);
        // Hashes of events that are missing are passed over.
        while let Some(next) = hashes.next_if(|next| next.as_ref().map_or(true, |(at, _)| at.value() <= seq))
        {
            let (at, found) = next?;
            hash = (at.value() == seq).then(|| *found.value());
        }
        verifier.take(Chained { seq, written: written.value().to_vec(), hash: hash.unwrap_or(audit::START) });
        if verifier.is_done() {
            break;
        }
    }
    Ok(verifier.finish())
}

fn filings(shelf: &Shelf, expected: &mut Expected, wrong: &mut Complaints) -> Result<(), Stop> {
    let (heads, bodies, details) = (shelf.heads()?, shelf.bodies()?, shelf.details()?);
    let (by_state, by_cause, ready, under_way) =
        (shelf.by_state()?, shelf.by_cause()?, shelf.ready()?, shelf.under_way()?);
    let (by_submitter, by_reference, by_content) =
        (shelf.by_submitter()?, shelf.by_reference()?, shelf.by_content()?);
    let (intake_heads, intake_filings, linked) =
        (shelf.intake_heads()?, shelf.intake_filings()?, shelf.linked()?);
    for entry in heads.iter()? {
        let (key, value) = entry?;
        let key = *key.value();
        let id = u128::from_be_bytes(key);
        let name = || format!("filing {}", FilingId::from_u128(id));
        expected.filings += 1;
        let Some(head) = wrong.damage(Head::decode(value.value()), name)? else { continue };
        wrong.unless(by_state.get(&head.state_key(id))?.is_some(), || {
            format!("{} is not listed by its state", name())
        });
        if let Some(row) = head.ready_key(id) {
            expected.ready += 1;
            wrong.unless(ready.get(&row)?.is_some(), || format!("{} is in no queue", name()));
        }
        if let Some(row) = head.cause_key(id) {
            expected.by_cause += 1;
            wrong.unless(by_cause.get(&row)?.is_some(), || format!("{} is not listed by its cause", name()));
        }
        if let Some(row) = head.under_way_key(id) {
            expected.under_way += 1;
            wrong.unless(under_way.get(&row)?.is_some(), || format!("{} is not listed as under way", name()));
        }
        expected.details += u64::from(head.has_detail);
        wrong.unless(details.get(&key)?.is_some() == head.has_detail, || format!("{}: its detail", name()));
        let belongs: [u8; 32] = keys::join(&[&head.intake.to_be_bytes(), &key]);
        wrong.unless(
            intake_filings.get(&belongs)?.is_some()
                && intake_heads.get(&head.intake.to_be_bytes())?.is_some(),
            || format!("{} belongs to no intake", name()),
        );
        let request = row(&bodies, &key, |bytes| parse::<Request>(bytes, "request"));
        let Some(request) = wrong.damage(request, name)? else { continue };
        let Some(request) = request else {
            wrong.unless(false, || format!("{} has no request", name()));
            continue;
        };
        let rows = RequestKeys::of(id, &request);
        wrong.unless(by_submitter.get(&rows.submitter)?.is_some(), || {
            format!("{} is not listed by submitter", name())
        });
        wrong.unless(by_content.get(&rows.content)?.is_some(), || {
            format!("{} is not listed by content", name())
        });
        expected.by_content += 1;
        if let Some(row) = rows.linked {
            expected.linked += 1;
            wrong.unless(linked.get(&row)?.is_some(), || {
                format!("{} is not listed by its linked document", name())
            });
        }
        if let Some(row) = rows.reference {
            expected.by_reference += 1;
            wrong.unless(by_reference.get(&row)?.is_some(), || {
                format!("{} is not listed by reference", name())
            });
        }
    }
    Ok(())
}

fn intakes(shelf: &Shelf, expected: &mut Expected, wrong: &mut Complaints) -> Result<(), Stop> {
    let (intake_heads, heads, filings) = (shelf.intake_heads()?, shelf.heads()?, shelf.intake_filings()?);
    let (by_state, by_source, by_submitter) =
        (shelf.intakes_by_state()?, shelf.intakes_by_source()?, shelf.intakes_by_submitter()?);
    let by_content = shelf.by_content()?;
    for entry in intake_heads.iter()? {
        let (key, value) = entry?;
        let id = u128::from_be_bytes(*key.value());
        let name = || format!("intake {}", IntakeId::from_u128(id));
        expected.intakes += 1;
        let Some(head) = wrong.damage(IntakeHead::decode(value.value()), name)? else { continue };
        wrong.unless(by_state.get(&head.state_key(id))?.is_some(), || {
            format!("{} is not listed by its state", name())
        });
        wrong.unless(by_source.get(&head.source_key(id))?.is_some(), || {
            format!("{} is not listed by its source", name())
        });
        let Some(intake) = wrong.damage(shelf.intake_of(id, &head), name)? else { continue };
        let (mut all, mut open) = (0, 0);
        for section in &intake.sections {
            all += 1;
            let found = row(&intake_heads, &section.as_u128().to_be_bytes(), IntakeHead::decode);
            let Some(found) = wrong.damage(found, name)? else { continue };
            wrong.unless(found.is_some_and(|found| found.role == Role::Section), || {
                format!("{} counts on {section}, which is no section", name())
            });
            open += u32::from(found.is_some_and(|found| !found.state.is_through()));
        }
        wrong.unless(head.role == Role::of(&intake), || format!("{} is not what its head says", name()));
        for filing in stream(&filings, &id.to_be_bytes(), From::After(None))? {
            all += 1;
            let found = row(&heads, &filing?.to_be_bytes(), Head::decode);
            let Some(found) = wrong.damage(found, name)?.flatten() else { continue };
            open += u32::from(!found.state.is_settled());
        }
        wrong.unless((all, open) == (head.filings, head.open_filings), || {
            format!(
                "{} counts {} filings, {} open; there are {all}, {open}",
                name(),
                head.filings,
                head.open_filings
            )
        });
        let submitter: [u8; 24] = keys::join(&[&keys::digest(&intake.submitted_by), &id.to_be_bytes()]);
        wrong.unless(by_submitter.get(&submitter)?.is_some(), || {
            format!("{} is not listed by submitter", name())
        });
        for row in intake_content_keys(&intake) {
            expected.by_content += 1;
            wrong.unless(by_content.get(&row)?.is_some(), || format!("{} is not listed by content", name()));
        }
    }
    for entry in shelf.keys()?.iter()? {
        let (key, value) = entry?;
        let id = keys::id_of(value.value());
        wrong.unless(intake_heads.get(&id.to_be_bytes())?.is_some(), || {
            format!("the idempotency key \"{}\" names an intake that is missing", key.value())
        });
    }
    Ok(())
}

/// No index may have rows beyond those that were looked for.
fn lengths(shelf: &Shelf, format: u64, expected: &Expected, wrong: &mut Complaints) -> Result<(), Stop> {
    let events = shelf.events()?.len()?;
    let last = shelf.events()?.last()?.map_or(0, |(seq, _)| seq.value());
    wrong.unless(events == last, || format!("there are {events} events, and the last has number {last}"));
    let work_items = shelf.work_items()?.len()?;
    for (table, rows) in shelf.lengths()? {
        let wanted = match table {
            "bodies" | "by_state" | "by_submitter" | "intake_filings" => expected.filings,
            "details" => expected.details,
            "ready" => expected.ready,
            "by_cause" => expected.by_cause,
            "under_way" => expected.under_way,
            "by_reference" => expected.by_reference,
            "by_content" => expected.by_content,
            "linked" => expected.linked,
            "intake_bodies" | "intakes_by_state" | "intakes_by_source" | "intakes_by_submitter" => {
                expected.intakes
            }
            // A file of version 1 gets these when it is opened.
            "event_hashes" | "work_by_site" if format < 2 => continue,
            "events_about" | "event_hashes" => events,
            "work_lines" | "work_references" | "work_by_site" => work_items,
            _ => continue,
        };
        wrong.unless(rows == wanted, || format!("{table} has {rows} rows where {wanted} belong"));
    }
    Ok(())
}
