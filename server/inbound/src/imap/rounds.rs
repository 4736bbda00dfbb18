//! Connects, looks through all folders, waits for news, and begins again, until it is stopped.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::ImapMailbox;
use super::clean::Asked;
use super::connect::{Unreachable, connect};
use super::take::{Halt, Places};
use super::talk::{Opened, Talk, Trouble};

/// Servers let go of whoever is silent for half an hour; IDLE is begun anew before.
const LONGEST_IDLE: Duration = Duration::from_mins(25);

/// What is remembered from one look to the next, also over connections.
#[derive(Default)]
struct Memory {
    places: Places,
    asked: Asked,
    /// Failures since the last look that came to its end.
    failures: u32,
}

/// How a look ended.
struct Looked {
    /// There is more to take.
    more: bool,
    /// The first folder, as it was when it was looked at.
    first: Option<Opened>,
}

impl ImapMailbox {
    /// Reads the mailbox until it is stopped.
    pub(super) async fn run(&self, stop: &CancellationToken) {
        let mut memory = Memory::default();
        while !stop.is_cancelled() {
            let connected = tokio::select! {
                () = stop.cancelled() => return,
                connected = connect(&self.options, self.tls.as_ref()) => connected,
            };
            let ended = match connected {
                Ok(mut talk) => {
                    let ended = self.looks(&mut talk, &mut memory, stop).await;
                    if ended.is_ok() {
                        talk.close().await;
                        return;
                    }
                    ended.map_err(|why| Unreachable { why, refused: false })
                }
                Err(unreachable) => Err(unreachable),
            };
            if let Err(unreachable) = ended {
                self.wait_out(&mut memory, unreachable, stop).await;
            }
        }
    }

    async fn wait_out(&self, memory: &mut Memory, unreachable: Unreachable, stop: &CancellationToken) {
        let Unreachable { why, refused } = unreachable;
        let pause = self.pause(memory.failures, refused);
        memory.failures = memory.failures.saturating_add(1);
        let new = self.status.borrow().unreachable.is_none();
        if new {
            tracing::warn!(source.name = %self.options.source, source.error = why,
                "a mailbox cannot be read; it is tried again and again");
        }
        self.status.send_modify(|status| {
            status.unreachable = Some(why);
            status.idling = false;
        });
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }

    /// Twice as long each time, varied by a fifth, so that many mailboxes do not come back to one server together.
    fn pause(&self, failures: u32, refused: bool) -> Duration {
        let patience = self.options.patience;
        let doubled = patience.first_pause.saturating_mul(1_u32.checked_shl(failures).unwrap_or(u32::MAX));
        let pause = if refused { patience.longest_pause } else { doubled.min(patience.longest_pause) };
        pause.mul_f64(0.8 + 0.4 * self.reception.entropy.unit())
    }

    /// Looks through all folders again and again. `Ok` when it was stopped, `Err` when the connection is gone.
    async fn looks(
        &self,
        talk: &mut Talk,
        memory: &mut Memory,
        stop: &CancellationToken,
    ) -> Result<(), String> {
        loop {
            let looked = self.look(talk, memory, stop).await;
            let skipped = memory.places.skipped();
            self.status.send_modify(|status| status.skipped = skipped);
            let looked = looked?;
            memory.failures = 0;
            if self.status.borrow().unreachable.is_some() {
                tracing::info!(source.name = %self.options.source, "a mailbox can be read again");
            }
            self.status.send_modify(|status| {
                status.unreachable = None;
                status.looks += 1;
            });
            if stop.is_cancelled() {
                return Ok(());
            }
            if !looked.more {
                self.rest(talk, &looked, stop).await?;
            }
            if stop.is_cancelled() {
                return Ok(());
            }
        }
    }

    /// One look through all folders.
    async fn look(
        &self,
        talk: &mut Talk,
        memory: &mut Memory,
        stop: &CancellationToken,
    ) -> Result<Looked, String> {
        let mut looked = Looked { more: false, first: None };
        let (mut troubles, mut refusing, mut paused) = (Vec::new(), None, false);
        for (number, folder) in self.options.folders.iter().enumerate() {
            paused = self.paused().await;
            if paused || stop.is_cancelled() {
                break;
            }
            match self.take(talk, &mut memory.places, folder, stop).await {
                Ok((more, opened)) => {
                    looked.more |= more;
                    if number == 0 {
                        looked.first = Some(opened);
                    }
                }
                // Its cursor is read again at the next look.
                Err(Halt::Again) => {}
                Err(Halt::Folder(why)) => troubles.push(format!("{folder}: {why}")),
                Err(Halt::Lost(why)) => return Err(why),
                Err(Halt::House(why)) => {
                    refusing = Some(why);
                    break;
                }
            }
        }
        looked.more &= refusing.is_none() && !paused;
        match self.clean(talk, &mut memory.asked, &mut troubles, stop).await {
            Ok(()) | Err(Halt::Again) => {}
            Err(Halt::Lost(why)) => return Err(why),
            Err(Halt::House(why)) => refusing = Some(why),
            Err(Halt::Folder(why)) => troubles.push(why),
        }
        self.report(paused, refusing, troubles);
        Ok(looked)
    }

    fn report(&self, paused: bool, refusing: Option<String>, troubles: Vec<String>) {
        let before = self.status.borrow().clone();
        let source = &self.options.source;
        for trouble in troubles.iter().filter(|it| !before.troubles.contains(it)) {
            tracing::warn!(source.name = %source, source.error = trouble, "something is wrong with a folder of a mailbox");
        }
        if let (Some(why), None) = (&refusing, &before.refusing) {
            tracing::warn!(source.name = %source, source.error = why, "messages cannot be taken at present; it is tried again and again");
        }
        self.status.send_modify(|status| {
            status.paused = paused;
            status.refusing = refusing;
            status.troubles = troubles;
        });
    }

    /// What a person stopped stays stopped while the store cannot be asked.
    async fn paused(&self) -> bool {
        let (door, reception) = (format!("source/{}", self.options.source), &self.reception);
        match reception.store.pauses().await {
            Ok(pauses) => {
                let now = reception.clock.now();
                pauses.iter().any(|pause| pause.door == door && pause.until.is_none_or(|until| until > now))
            }
            Err(_) => true,
        }
    }

    /// Waits for the next look: for news of the first folder, at most until the poll.
    async fn rest(&self, talk: &mut Talk, looked: &Looked, stop: &CancellationToken) -> Result<(), String> {
        let (options, poll) = (&self.options, self.options.poll);
        if let (true, Some(first), Some(folder)) =
            (options.idle && talk.can("IDLE"), looked.first, options.folders.first())
        {
            // Opened last, so that the server tells from now on whatever changes; and what changed until now shows.
            let idled = match talk.open(folder, false).await {
                Ok(now) if now.is_new_beside(first) => Ok(()),
                Ok(_) => {
                    self.status.send_modify(|status| status.idling = true);
                    let idled = talk.idle(poll.min(LONGEST_IDLE), stop).await;
                    self.status.send_modify(|status| status.idling = false);
                    idled
                }
                Err(trouble) => Err(trouble),
            };
            match idled {
                Ok(()) => return Ok(()),
                Err(Trouble::Lost(why)) => return Err(why),
                Err(Trouble::Refused(_)) => {}
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(poll) => {}
        }
        Ok(())
    }
}
