//! Looks through all folders, waits for the next look, and begins again, until it is stopped.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::GraphMailbox;
use super::clean::Cleaning;
use super::take::{Halt, Places};
use super::talk::{Talk, Trouble};

/// What is remembered from one look to the next.
#[derive(Default)]
struct Memory {
    places: Places,
    cleaning: Cleaning,
    /// Failures since the last look that came to its end.
    failures: u32,
}

/// How a look ended.
struct Looked {
    /// There is more to take.
    more: bool,
    /// The server did not let it come to its end.
    ended: Option<Trouble>,
}

impl GraphMailbox {
    /// Reads the mailbox until it is stopped.
    pub(super) async fn run(&self, stop: &CancellationToken) {
        let talk = Talk::new(&self.app, &self.options.user);
        let mut memory = Memory::default();
        while !stop.is_cancelled() {
            let looked = tokio::select! {
                // What was being read is read again after the next start: the link did not move.
                () = stop.cancelled() => return,
                looked = self.look(&talk, &mut memory, stop) => looked,
            };
            let left = memory.places.left();
            self.status.send_modify(|status| status.left = left);
            if stop.is_cancelled() {
                return;
            }
            match looked.ended {
                Some(trouble) => self.wait_out(&mut memory, trouble, stop).await,
                None => {
                    memory.failures = 0;
                    self.well();
                    if !looked.more {
                        self.rest(stop).await;
                    }
                }
            }
        }
    }

    fn well(&self) {
        if self.status.borrow().unreachable.is_some() {
            tracing::info!(source.name = %self.options.source, "a mailbox can be read again");
        }
        self.status.send_modify(|status| {
            status.unreachable = None;
            status.looks += 1;
        });
    }

    /// One look through all folders.
    async fn look(&self, talk: &Talk<'_>, memory: &mut Memory, stop: &CancellationToken) -> Looked {
        let mut looked = Looked { more: false, ended: None };
        let (mut troubles, mut refusing, mut paused) = (Vec::new(), None, false);
        let mut watched = Vec::new();
        for folder in &self.options.folders {
            paused = self.paused().await;
            if paused || stop.is_cancelled() {
                break;
            }
            match self.take(talk, &mut memory.places, folder, stop).await {
                Ok(more) => looked.more |= more,
                // It is read again at the next look.
                Err(Halt::Again) => {}
                Err(Halt::Folder(why)) => troubles.push(format!("{folder}: {why}")),
                Err(Halt::Server(trouble)) => {
                    looked.ended = Some(trouble);
                    break;
                }
                Err(Halt::House(why)) => {
                    refusing = Some(why);
                    break;
                }
            }
            watched.extend(memory.places.place(folder).map(str::to_owned));
        }
        if looked.ended.is_none() && !paused && !stop.is_cancelled() {
            looked.more |= self.subscribe(talk, &watched).await;
        }
        if looked.ended.is_none() {
            let cleaned = self.clean(talk, &memory.places, &mut memory.cleaning, &mut troubles, stop).await;
            match cleaned {
                Ok(()) | Err(Halt::Again) => {}
                Err(Halt::Server(trouble)) => looked.ended = Some(trouble),
                Err(Halt::House(why)) => refusing = Some(why),
                Err(Halt::Folder(why)) => troubles.push(why),
            }
        }
        if let Some(Trouble::Wait(why, _)) = &looked.ended {
            refusing = Some(why.clone());
        }
        looked.more &= refusing.is_none() && !paused;
        self.report(paused, refusing, troubles);
        looked
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
    pub(super) async fn paused(&self) -> bool {
        let (door, reception) = (format!("source/{}", self.options.source), &self.reception);
        match reception.store.pauses().await {
            Ok(pauses) => {
                let now = reception.clock.now();
                pauses.iter().any(|pause| pause.door == door && pause.until.is_none_or(|until| until > now))
            }
            Err(_) => true,
        }
    }

    async fn wait_out(&self, memory: &mut Memory, trouble: Trouble, stop: &CancellationToken) {
        let pause = self.pause(memory.failures, &trouble);
        if !matches!(trouble, Trouble::Wait(..)) {
            memory.failures = memory.failures.saturating_add(1);
            let why = trouble.words().to_owned();
            if self.status.borrow().unreachable.is_none() {
                tracing::warn!(source.name = %self.options.source, source.error = why,
                    "a mailbox cannot be read; it is tried again and again");
            }
            self.status.send_modify(|status| status.unreachable = Some(why));
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }

    /// As long as the server asks; else twice as long each time, varied by a fifth, so that many mailboxes do not come back together.
    fn pause(&self, failures: u32, trouble: &Trouble) -> Duration {
        let patience = self.options.patience;
        let doubled = patience.first_pause.saturating_mul(1_u32.checked_shl(failures).unwrap_or(u32::MAX));
        let pause = match trouble {
            Trouble::Wait(_, wait) => return (*wait).max(patience.breath),
            Trouble::Refused(_) => patience.longest_pause,
            _ => doubled.min(patience.longest_pause),
        };
        pause.mul_f64(0.8 + 0.4 * self.reception.entropy.unit())
    }

    /// Waits for the next look: for news, at most until the poll, and at least for a breath: however much news there is, it costs one look.
    async fn rest(&self, stop: &CancellationToken) {
        let breath = self.options.patience.breath.min(self.options.poll);
        let waiting = async {
            tokio::time::sleep(breath).await;
            tokio::select! {
                () = self.news.notified() => self.status.send_modify(|status| status.woken += 1),
                () = tokio::time::sleep(self.options.poll.saturating_sub(breath)) => {}
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = waiting => {}
        }
    }
}
