//! Does with messages what is wanted once their intakes are through. Each step may be done twice, and a message that is gone is done.

use std::collections::BTreeMap;

use postroom_domain::ids::IntakeId;
use postroom_domain::intake::IntakeState;
use postroom_domain::mailbox::Fetched;
use postroom_domain::record::{self, Commit, Kept as _};
use tokio_util::sync::CancellationToken;

use super::take::Halt;
use super::talk::{Talk, Trouble};
use super::{After, FILED, ImapMailbox};

/// How many intakes are asked about in one look.
const PAGE: usize = 500;
/// How many messages are named in one command.
const ABREAST: usize = 100;

/// Where asking goes on at the next look.
#[derive(Default)]
pub(super) struct Asked(Option<IntakeId>);

impl ImapMailbox {
    /// Asks what became of what was taken, a page at a time, and cleans up what is through. What is wrong with single folders is added
    /// to the troubles.
    pub(super) async fn clean(
        &self,
        talk: &mut Talk,
        asked: &mut Asked,
        troubles: &mut Vec<String>,
        stop: &CancellationToken,
    ) -> Result<(), Halt> {
        let store = &self.reception.store;
        let group = Fetched::of(&self.options.source);
        let after = asked.0.take().map(IntakeId::as_u128);
        let page: Vec<Fetched> = record::page(&**store, Some(&group), after, PAGE).await?;
        if page.len() == PAGE {
            asked.0 = page.last().map(|last| last.intake);
        }
        let mut through: BTreeMap<(String, u32), Vec<Fetched>> = BTreeMap::new();
        for fetched in page {
            let intake = store.intake(fetched.intake).await?;
            if intake.is_some_and(|it| matches!(it.state, IntakeState::Settled | IntakeState::Dismissed)) {
                through.entry((fetched.folder.clone(), fetched.validity)).or_default().push(fetched);
            }
        }
        for ((folder, validity), messages) in through {
            for some in messages.chunks(ABREAST) {
                if stop.is_cancelled() {
                    return Ok(());
                }
                match self.finish(talk, &folder, validity, some).await {
                    Ok(()) => self.forget(some).await?,
                    Err(Trouble::Lost(why)) => return Err(Halt::Lost(why)),
                    Err(Trouble::Refused(why)) => {
                        troubles.push(format!("{folder}: what is filed cannot be cleaned up: {why}"));
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    async fn finish(
        &self,
        talk: &mut Talk,
        folder: &str,
        validity: u32,
        messages: &[Fetched],
    ) -> Result<(), Trouble> {
        let opened = match talk.open(folder, true).await {
            Ok(opened) => opened,
            // A folder that is gone has taken its messages with it.
            Err(Trouble::Refused(why)) => {
                return if talk.has_folder(folder).await? { Err(Trouble::Refused(why)) } else { Ok(()) };
            }
            Err(lost) => return Err(lost),
        };
        if opened.validity != validity {
            // The numbers mean other messages now; ours, if they are there, are taken again and recognised.
            return Ok(());
        }
        let uids: Vec<u32> = messages.iter().map(|it| it.uid).collect();
        match &self.options.after {
            After::Flag if opened.keywords => talk.flag(&uids, FILED).await,
            After::Flag => Ok(()),
            After::Move(to) => match talk.relocate(&uids, to).await {
                Err(Trouble::Refused(why)) => {
                    if talk.has_folder(to).await? {
                        return Err(Trouble::Refused(why));
                    }
                    talk.create(to).await?;
                    talk.relocate(&uids, to).await
                }
                done => done,
            },
            After::Delete => {
                talk.flag(&uids, "\\Deleted").await?;
                talk.expunge(&uids).await
            }
        }
    }

    async fn forget(&self, messages: &[Fetched]) -> Result<(), Halt> {
        let writes = messages.iter().map(Fetched::remove).collect();
        self.reception.store.commit(Commit { writes, events: Vec::new() }).await?;
        let count = messages.len() as u64;
        self.status.send_modify(|status| status.cleaned += count);
        Ok(())
    }
}
