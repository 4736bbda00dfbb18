//! Documents that stay linked with the one in the DMS ([`SaveMode::KeepLinked`](crate::target::SaveMode::KeepLinked)): the first save
//! makes a document, later ones are versions of it, and what did not change is not sent again. Saves of one document go one after the
//! other, in the order in which they were accepted.

use jiff::Timestamp;

use crate::backoff::RetryPolicy;
use crate::dms::Receipt;
use crate::filing::{Filing, State, Why};
use crate::ids::FilingId;
use crate::machine::{Context, Event, step};
use crate::person::Actor;
use crate::store::{FilingChange, Store, StoreError, StoreResult};

/// What is to be done with a save.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Save {
    /// It is the first: a document of its own.
    New,
    /// A version of this document.
    Onto(Receipt),
    /// The document there holds the same: nothing is sent.
    Same {
        /// The save that put it there.
        of: FilingId,
        /// The document.
        receipt: Receipt,
    },
    /// An earlier save is not through: it waits.
    Behind(FilingId),
}

/// Decides over a save by all saves of the same document (itself among them), as the store has them.
pub fn decide(filing: &Filing, saves: &[Filing]) -> Save {
    let before = |other: &&Filing| other.id < filing.id;
    if let Some(other) = saves.iter().filter(before).find(|other| is_open(other)) {
        return Save::Behind(other.id);
    }
    match newest(filing, saves) {
        None => Save::New,
        Some((of, receipt)) => {
            let same = of.request.blob.hash == filing.request.blob.hash && !filing.request.forced;
            if same {
                Save::Same { of: of.id, receipt: receipt.clone() }
            } else {
                Save::Onto(receipt.clone())
            }
        }
    }
}

/// The document that a save is a version of, whatever else is under way: where it is looked for when its outcome is not known.
pub fn onto(filing: &Filing, saves: &[Filing]) -> Option<Receipt> {
    newest(filing, saves).map(|(_, receipt)| receipt.clone())
}

/// Whether it may still send something. What is withheld never does.
fn is_open(filing: &Filing) -> bool {
    !filing.progress.state.is_settled() && filing.request.withheld.is_empty()
}

/// The save that is in the DMS and came there last, other than this one.
fn newest<'a>(filing: &Filing, saves: &'a [Filing]) -> Option<(&'a Filing, &'a Receipt)> {
    saves
        .iter()
        .filter(|other| other.id != filing.id && other.progress.state == State::Filed)
        .filter_map(|other| Some((other, other.progress.receipt.as_ref()?)))
        .max_by_key(|(other, _)| (other.progress.last_end, other.id))
}

/// Lets those go on that wait for a save which is through now. Who was changed meanwhile is looked at again after its pause.
pub async fn wake(
    store: &dyn Store,
    policy: &RetryPolicy,
    settled: &Filing,
    now: Timestamp,
    actor: &Actor,
) -> StoreResult<()> {
    let Some(key) = settled.request.linked().filter(|_| !is_open(settled)) else { return Ok(()) };
    let waiting = store.linked(&key).await?.into_iter().filter(|other| {
        other.progress.state == State::Waiting && other.progress.why == Why::Behind && other.id != settled.id
    });
    let context = Context { now, chance: 0.5, policy };
    let change = |other: Filing| {
        let step = step(&other.progress, Event::CaughtUp, context).ok()?;
        Some(FilingChange {
            id: other.id,
            expect: other.progress.version,
            next: step.next,
            attempt: step.attempt,
            request: None,
            actor: actor.clone(),
            note: String::new(),
            at: now,
            also: Vec::new(),
            bulk: None,
        })
    };
    let changes: Vec<FilingChange> = waiting.filter_map(change).collect();
    if changes.is_empty() {
        return Ok(());
    }
    match store.change_filings(changes).await {
        Ok(_) | Err(StoreError::Busy) => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filing::testing::linked as save;

    /// Every history of a document: number, state and content of each save, and what becomes of save 9 with content 1.
    #[test]
    fn a_save_is_new_a_version_nothing_or_waits() {
        use State::*;
        let table: &[(&[(u8, State, u8)], bool, &str)] = &[
            (&[], false, "new"),
            (&[(1, Cancelled, 1)], false, "new"),
            (&[(1, Filed, 1)], false, "same as 1"),
            (&[(1, Filed, 1)], true, "onto doc-1"),
            (&[(1, Filed, 2)], false, "onto doc-1"),
            (&[(1, Filed, 1), (2, Filed, 2)], false, "onto doc-2"),
            (&[(1, Filed, 2), (2, Filed, 1)], false, "same as 2"),
            (&[(1, Filed, 2), (2, Duplicate, 2)], false, "onto doc-1"),
            (&[(1, Filed, 2), (2, Cancelled, 3)], false, "onto doc-1"),
            (&[(1, Waiting, 2)], false, "behind 1"),
            (&[(1, Running, 1)], false, "behind 1"),
            (&[(1, Filed, 2), (2, Checking, 2)], false, "behind 2"),
            (&[(1, Undecided, 2)], false, "behind 1"),
            (&[(1, Failed, 2)], false, "behind 1"),
            (&[(1, Held, 2)], false, "behind 1"),
            (&[(1, Blocked, 2)], false, "behind 1"),
            // What came later waits for this one, not this one for it.
            (&[(1, Filed, 2), (10, Waiting, 3)], false, "onto doc-1"),
        ];
        for (history, forced, wanted) in table {
            let mut saves: Vec<Filing> =
                history.iter().map(|(id, state, content)| save(*id, *state, *content, false)).collect();
            let this = save(9, Running, 1, *forced);
            saves.push(this.clone());
            saves.sort_by_key(|save| save.id);
            let told = match decide(&this, &saves) {
                Save::New => "new".to_owned(),
                Save::Onto(receipt) => format!("onto {}", receipt.document),
                Save::Same { of, .. } => format!("same as {}", of.as_u128()),
                Save::Behind(other) => format!("behind {}", other.as_u128()),
            };
            assert_eq!(told, *wanted, "{history:?}");
        }
    }

    #[test]
    fn what_is_withheld_holds_nobody_up() {
        let mut withheld = save(1, State::Failed, 2, false);
        std::sync::Arc::make_mut(&mut withheld.request).withheld = "no programs".to_owned();
        let this = save(9, State::Running, 1, false);
        assert_eq!(decide(&this, &[withheld, this.clone()]), Save::New);
    }

    #[test]
    fn documents_are_told_apart_by_work_item_repository_place_and_key() {
        let base = save(1, State::Waiting, 1, false).request.as_ref().clone();
        let key = base.linked().unwrap();
        let mut others = vec![base.clone(); 5];
        others[0].document_key = "other".to_owned();
        others[1].work_item = Some(crate::ids::WorkItemId::from_u128(8));
        others[2].target.repository = Some("other".parse().unwrap());
        others[3].target.service = "other".parse().unwrap();
        others[4].target.library = "other".to_owned();
        assert!(others.iter().all(|other| other.linked().unwrap() != key));
        let mut unlinked = vec![base.clone(); 3];
        unlinked[0].document_key = String::new();
        unlinked[1].work_item = None;
        unlinked[2].target.save_mode = crate::target::SaveMode::Copy;
        assert!(unlinked.iter().all(|other| other.linked().is_none()));
        let renamed = crate::filing::Request { file_name: "other.pdf".to_owned(), ..base };
        assert_eq!(renamed.linked(), Some(key));
    }
}
