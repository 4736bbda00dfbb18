//! Changing keys while the program runs.
//!
//! A new data key is durable before anything is sealed with it, and is the present one from that moment. Then, in the background,
//! everything that names an old key is sealed anew, and the old key goes when nothing can name it any more:
//!
//! 1. a pass over all records and files seals anew what names an old key;
//! 2. whoever was sealing with an old key when it stopped to be the present one has ended: content in flight is counted, and since a
//!    secret is committed right after it was sealed, [`DeskOptions::grace`] is waited for after the last one;
//! 3. a line in the history is committed: whatever waited in the store's queue is in the store now;
//! 4. another pass finds nothing that names an old key; otherwise it begins again at 2;
//! 5. the old key is taken out of the keyring.
//!
//! Nothing of this is written down but the keyring itself: keys beside the present one are on their way out, so a killed process goes on
//! at its next start with a pass that finds most of it done.

use std::sync::Arc;
use std::time::Duration;

use postroom_domain::Fut;
use postroom_domain::event::{Happening, NewEvent, Security, Subject};
use postroom_domain::keys::{Keys, KeysStatus, Progress, Rotate, RotateError};
use postroom_domain::person::Actor;
use postroom_domain::record::Registry;
use postroom_domain::sealing::Reseal;
use postroom_domain::spool::Spool;
use postroom_domain::time::Clock;
use postroom_vault::{Chance, KdfCost, Keyring, Passphrase, PrivateKey, Vault};
use secrecy::SecretString;
use tokio::sync::{Mutex, Notify, watch};
use tokio::task::JoinHandle;

use super::file::KeyringFile;
use super::pass::{Pass, Passing, Trouble, count_secrets, tell};
use crate::sealing::SecretSeals;

/// Files whose sizes are asked for in one go while they are counted.
const COUNTED: usize = 1000;
/// How often it is asked whether content in flight has ended.
const LOOK: Duration = Duration::from_millis(200);
/// How many damaged things are named.
const NAMED: usize = 3;

/// How the desk behaves.
#[derive(Debug, Clone)]
pub(crate) struct DeskOptions {
    /// How long after a secret was sealed its record is committed at the latest.
    pub(crate) grace: Duration,
    /// How long after trouble it is tried again.
    pub(crate) retry: Duration,
    /// The cost of a new passphrase.
    pub(crate) cost: KdfCost,
}

impl Default for DeskOptions {
    fn default() -> Self {
        Self { grace: Duration::from_mins(1), retry: Duration::from_secs(30), cost: KdfCost::DEFAULT }
    }
}

/// What the desk works with.
pub(crate) struct DeskParts {
    /// Where the keyring is kept.
    pub(crate) file: KeyringFile,
    /// The keyring as it was opened.
    pub(crate) keyring: Keyring,
    /// What seals with it.
    pub(crate) vault: Arc<Vault>,
    /// Where records are kept.
    pub(crate) registry: Arc<dyn Registry>,
    /// Where content is kept: for counting.
    pub(crate) spool: Arc<dyn Spool>,
    /// The same, for sealing anew.
    pub(crate) reseal: Arc<dyn Reseal>,
    /// The clock of [`SecretSeals`].
    pub(crate) clock: Arc<dyn Clock>,
    /// Random bytes.
    pub(crate) chance: Arc<dyn Chance>,
    /// How it behaves.
    pub(crate) options: DeskOptions,
}

/// Changes keys.
pub(crate) struct KeyDesk {
    inner: Arc<Inner>,
    job: Mutex<Option<JoinHandle<()>>>,
}

struct Inner {
    file: KeyringFile,
    /// The keyring as it stands in the file; held while it is changed.
    keyring: Mutex<Arc<Keyring>>,
    vault: Arc<Vault>,
    seals: SecretSeals,
    registry: Arc<dyn Registry>,
    spool: Arc<dyn Spool>,
    reseal: Arc<dyn Reseal>,
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Chance>,
    options: DeskOptions,
    status: watch::Sender<KeysStatus>,
    begun: Notify,
}

impl KeyDesk {
    /// Starts the desk, on a runtime. Old data keys that an earlier process left go on their way out.
    pub(crate) fn start(parts: DeskParts) -> Self {
        let status = watch::Sender::new(status_of(&parts.keyring));
        let inner = Arc::new(Inner {
            seals: SecretSeals::new(parts.vault.clone(), parts.clock.clone()),
            file: parts.file,
            keyring: Mutex::new(Arc::new(parts.keyring)),
            vault: parts.vault,
            registry: parts.registry,
            spool: parts.spool,
            reseal: parts.reseal,
            clock: parts.clock,
            chance: parts.chance,
            options: parts.options,
            status,
            begun: Notify::new(),
        });
        let job = tokio::spawn(inner.clone().run());
        Self { inner, job: Mutex::new(Some(job)) }
    }

    /// Stops the background work where it stands. It goes on at the next start.
    pub(crate) async fn stop(&self) {
        if let Some(job) = self.job.lock().await.take() {
            job.abort();
            let _ended = job.await;
        }
    }

    /// For tests: follows the status.
    #[cfg(test)]
    pub(super) fn watch(&self) -> watch::Receiver<KeysStatus> {
        self.inner.status.subscribe()
    }
}

impl Keys for KeyDesk {
    fn status(&self) -> KeysStatus {
        self.inner.status.borrow().clone()
    }

    fn rotate(&self, wanted: Rotate) -> Fut<'_, Result<KeysStatus, RotateError>> {
        // On its own: who asked may go away in the middle, and the file and the memory must say the same.
        let inner = self.inner.clone();
        Box::pin(async move {
            let done = tokio::spawn(async move { inner.rotate(wanted).await });
            done.await.unwrap_or_else(|error| Err(RotateError::Disk(error.to_string())))
        })
    }
}

impl Inner {
    async fn rotate(self: &Arc<Self>, wanted: Rotate) -> Result<KeysStatus, RotateError> {
        let Rotate { data, master } = wanted;
        if !data && master.is_none() {
            return Err(RotateError::Unusable(
                "neither a new data key nor a new master key is asked for".to_owned(),
            ));
        }
        let master = master.map(|(passphrase, key)| credentials(&passphrase, &key)).transpose()?;
        let mut held = self.keyring.lock().await;
        if data && !held.retiring().is_empty() {
            return Err(RotateError::UnderWay);
        }
        let what = match (data, &master) {
            (true, None) => "a new data key".to_owned(),
            (false, Some(_)) => "a new master key".to_owned(),
            _ => "a new data key and a new master key".to_owned(),
        };
        // Told first: the history must not miss it. That it failed is told as well.
        tell(self.registry.as_ref(), self.event(format!("{what} begins")))
            .await
            .map_err(|error| RotateError::Disk(format!("it cannot be told in the history: {error}")))?;
        let before = held.clone();
        let made = self.clock.now().to_string();
        let (chance, cost) = (self.chance.clone(), self.options.cost);
        let next = {
            let before = before.clone();
            blocking(move || changed(&before, data, master.as_ref(), cost, &made, chance.as_ref())).await?
        };
        let written = self.write(before, next).await;
        if let Err(error) = &written {
            tracing::error!(%error, "The keyring could not be written; the keys are what they were.");
            let note = format!("{what} failed: the keyring could not be written");
            if let Err(error) = tell(self.registry.as_ref(), self.event(note)).await {
                tracing::error!(%error, "That the keys were not changed could not be told in the history.");
            }
        }
        let status = self.take_up(&mut held, written.map_err(RotateError::Disk)?);
        tracing::info!(keys.master = %status.master, keys.current = status.current, keys.retiring = ?status.retiring, "The keys were changed: {what}.");
        // Before the keyring is let go: who takes it up next knows that it was called for this.
        self.begun.notify_one();
        Ok(status)
    }

    /// Puts a keyring into the file in place of the one before. Durable when it returns it.
    async fn write(self: &Arc<Self>, before: Arc<Keyring>, next: Keyring) -> Result<Keyring, String> {
        let inner = self.clone();
        tokio::task::spawn_blocking(move || inner.file.replace(&before, &next).map(|()| next))
            .await
            .unwrap_or_else(|error| Err(format!("a job ended early: {error}")))
    }

    /// Uses a keyring that is durable.
    fn take_up(&self, held: &mut Arc<Keyring>, next: Keyring) -> KeysStatus {
        self.vault.replace(&next);
        let progress = self.status.borrow().progress;
        let mut status = status_of(&next);
        if !status.retiring.is_empty() {
            status.progress = progress.or(Some(Progress::default()));
        }
        *held = Arc::new(next);
        self.status.send_replace(status.clone());
        status
    }

    async fn run(self: Arc<Self>) {
        loop {
            let retiring = self.keyring.lock().await.retiring();
            if retiring.is_empty() {
                self.begun.notified().await;
                continue;
            }
            // What called for this work is no reason to begin it again right after trouble.
            std::pin::pin!(self.begun.notified()).as_mut().enable();
            let Err(trouble) = self.retire(&retiring).await else { continue };
            let text = trouble.to_string();
            tracing::warn!(keys.retiring = ?retiring, keys.trouble = %text, "An old data key cannot go yet; everything opens, and it is tried again.");
            self.status.send_modify(|status| status.trouble = Some(text));
            let _again = tokio::time::timeout(self.options.retry, self.begun.notified()).await;
        }
    }

    /// Seals everything anew, and lets old keys go.
    async fn retire(self: &Arc<Self>, retiring: &[u32]) -> Result<(), Trouble> {
        let totals = self.count().await?;
        self.status.send_modify(|status| status.progress = Some(totals));
        self.pass(retiring).await?;
        loop {
            self.quiet(retiring).await;
            let numbers = retiring.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
            let note = format!(
                "data key {numbers}: everything is sealed anew; it goes when nothing is found any more"
            );
            tell(self.registry.as_ref(), self.event(note)).await?;
            if self.pass(retiring).await?.changed == 0 {
                return self.let_go(retiring, &numbers).await;
            }
        }
    }

    async fn count(&self) -> Result<Progress, Trouble> {
        let secrets_total = count_secrets(self.registry.as_ref()).await?;
        let (mut blobs_total, mut after) = (0, None);
        loop {
            let page = self.spool.old_content(Duration::ZERO, after, COUNTED).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.hash);
            blobs_total += page.len() as u64;
        }
        Ok(Progress { secrets_total, blobs_total, ..Progress::default() })
    }

    async fn pass(&self, retiring: &[u32]) -> Result<Pass, Trouble> {
        let tell = |pass: &Pass| {
            self.status.send_modify(|status| {
                status.trouble = None;
                let progress = status.progress.get_or_insert_default();
                (progress.secrets_done, progress.blobs_done) = (pass.secrets, pass.blobs);
                progress.secrets_total = progress.secrets_total.max(pass.secrets);
                progress.blobs_total = progress.blobs_total.max(pass.blobs);
            });
        };
        let passing = Passing {
            registry: self.registry.as_ref(),
            seals: &self.seals,
            reseal: self.reseal.as_ref(),
            retiring,
            tell: &tell,
        };
        let pass = passing.pass().await?;
        match pass.damaged.len() {
            0 => Ok(pass),
            count => {
                let named = pass.damaged[..count.min(NAMED)].join("; ");
                let more = if count > NAMED { format!(" and {} more", count - NAMED) } else { String::new() };
                Err(Trouble::Other(format!("{named}{more}: bring it back from a backup or remove it")))
            }
        }
    }

    /// Returns when nobody can still hold something that was sealed with an old key and is not committed.
    async fn quiet(&self, retiring: &[u32]) {
        loop {
            let now = self.clock.monotonic();
            let in_flight = retiring.iter().any(|number| self.vault.in_flight(*number) > 0);
            let last = retiring.iter().filter_map(|number| self.vault.last_sealed(*number)).max();
            let left = last.map_or(Duration::ZERO, |at| (at + self.options.grace).saturating_sub(now));
            if !in_flight && left.is_zero() {
                return;
            }
            tokio::time::sleep(if in_flight { LOOK } else { left.min(LOOK) }).await;
        }
    }

    async fn let_go(self: &Arc<Self>, retiring: &[u32], numbers: &str) -> Result<(), Trouble> {
        let mut held = self.keyring.lock().await;
        let note = format!("data key {numbers} is used by nothing any more and goes");
        tell(self.registry.as_ref(), self.event(note)).await?;
        let before = held.clone();
        let mut next: Option<Keyring> = None;
        for number in retiring {
            let keyring = next.as_ref().unwrap_or(&before);
            let without = keyring.without(*number, self.chance.as_ref());
            if let Some(without) = without.map_err(|error| Trouble::Other(error.to_string()))? {
                next = Some(without);
            }
        }
        let Some(next) = next else { return Ok(()) };
        let next = self.write(before, next).await.map_err(Trouble::Other)?;
        self.take_up(&mut held, next);
        tracing::info!(keys.gone = ?retiring, "Old data keys are gone: nothing was sealed with them any more.");
        Ok(())
    }

    fn event(&self, note: String) -> NewEvent {
        NewEvent {
            at: self.clock.now(),
            site: None,
            subject: Subject::System,
            happening: Happening::Security { what: Security::KeysRotated },
            actor: Actor::person("postroom"),
            note,
        }
    }
}

fn credentials(
    passphrase: &SecretString,
    key: &SecretString,
) -> Result<(Passphrase, PrivateKey), RotateError> {
    let unusable = |error: &dyn std::error::Error| RotateError::Unusable(error.to_string());
    let passphrase = Passphrase::new(passphrase).map_err(|error| unusable(&error))?;
    let key = PrivateKey::from_pem(key).map_err(|error| unusable(&error))?;
    Ok((passphrase, key))
}

/// The keyring with what is wanted changed.
fn changed(
    before: &Keyring,
    data: bool,
    master: Option<&(Passphrase, PrivateKey)>,
    cost: KdfCost,
    made: &str,
    chance: &dyn Chance,
) -> Result<Keyring, RotateError> {
    let failed = |error: postroom_vault::KeyringError| RotateError::Unusable(error.to_string());
    let with_data = if data { Some(before.with_new_data_key(made, chance).map_err(failed)?) } else { None };
    let keyring = with_data.as_ref().unwrap_or(before);
    match (master, with_data.is_some()) {
        (Some((passphrase, key)), _) => keyring.with_master(passphrase, key, cost, chance).map_err(failed),
        (None, _) => with_data.ok_or_else(|| RotateError::Unusable("nothing is to be changed".to_owned())),
    }
}

fn status_of(keyring: &Keyring) -> KeysStatus {
    let summary = keyring.summary();
    let retiring = keyring.retiring();
    KeysStatus {
        master: summary.master,
        certificate: summary.private_key,
        current: summary.current,
        progress: (!retiring.is_empty()).then(Progress::default),
        retiring,
        trouble: None,
    }
}

async fn blocking<T: Send + 'static>(
    job: impl FnOnce() -> Result<T, RotateError> + Send + 'static,
) -> Result<T, RotateError> {
    tokio::task::spawn_blocking(job)
        .await
        .unwrap_or_else(|error| Err(RotateError::Disk(format!("a job ended early: {error}"))))
}
