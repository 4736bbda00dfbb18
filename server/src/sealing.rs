//! The vault behind the domain's traits: nobody else knows that it is this vault.

use std::sync::Arc;

use bytes::Bytes;
use postroom_domain::Fut;
use postroom_domain::link::{Place, Sealed};
use postroom_domain::people::PasswordHash;
use postroom_domain::sealing::{ContentSeals, Passwords, SealError, Seals, SegmentOpen, SegmentSeal};
use postroom_domain::time::Clock;
use postroom_vault::{Chance, HashCost, Hasher, PasswordError, Vault, VaultError};
use secrecy::SecretString;
use tokio::sync::Semaphore;

/// Hashes that are computed side by side. Each takes 64 MiB and a core; who signs in beyond that waits for a tenth of a second.
const HASHES_AT_A_TIME: usize = 2;

/// Seals the secrets of records.
pub(crate) struct SecretSeals {
    vault: Arc<Vault>,
    clock: Arc<dyn Clock>,
}

/// Seals the content of the spool.
pub(crate) struct FileSeals {
    vault: Arc<Vault>,
}

/// Hashes passwords.
pub(crate) struct PasswordHashes {
    hasher: Arc<Hasher>,
    chance: Arc<dyn Chance>,
    room: Arc<Semaphore>,
}

impl SecretSeals {
    /// The clock is the one that [`crate::keyring::KeyDesk`] has too: it tells when a key was last used.
    pub(crate) fn new(vault: Arc<Vault>, clock: Arc<dyn Clock>) -> Self {
        Self { vault, clock }
    }
}

impl FileSeals {
    /// Over a vault, for [`postroom_store::FileSpool::open_sealed`].
    pub(crate) fn new(vault: Arc<Vault>) -> Self {
        Self { vault }
    }
}

impl PasswordHashes {
    /// With the cost that was chosen by measuring; other costs are for tests. Computes one hash.
    pub(crate) fn new(cost: HashCost, chance: Arc<dyn Chance>) -> Result<Self, PasswordError> {
        let hasher = Arc::new(Hasher::new(cost, chance.as_ref())?);
        Ok(Self { hasher, chance, room: Arc::new(Semaphore::new(HASHES_AT_A_TIME)) })
    }
}

fn place(place: Place<'_>) -> postroom_vault::Place<'_> {
    postroom_vault::Place { table: place.table, id: place.id, field: place.field }
}

fn told(error: VaultError) -> SealError {
    match error {
        VaultError::UnknownKey(number) => SealError::UnknownKey(number),
        VaultError::DoesNotOpen => SealError::DoesNotOpen,
        other @ VaultError::TooLong => SealError::Vault(other.to_string()),
        VaultError::NoChance(error) => SealError::Vault(error.to_string()),
    }
}

impl Seals for SecretSeals {
    fn seal(&self, at: Place<'_>, secret: &SecretString) -> Result<Sealed, SealError> {
        self.vault.seal(place(at), secret, self.clock.monotonic()).map(Sealed).map_err(told)
    }

    fn open(&self, at: Place<'_>, sealed: &Sealed) -> Result<SecretString, SealError> {
        self.vault.open(place(at), &sealed.0).map_err(told)
    }

    fn key_of(&self, sealed: &Sealed) -> Option<u32> {
        Vault::key_of(&sealed.0)
    }

    fn current_key(&self) -> u32 {
        self.vault.current()
    }

    fn code(&self, purpose: &str, text: &str) -> [u8; 32] {
        self.vault.code(purpose, text)
    }
}

struct Sealer(postroom_vault::SegmentSealer);
struct Opener(postroom_vault::SegmentOpener);

impl SegmentSeal for Sealer {
    fn seal(&mut self, segment: &mut Vec<u8>, last: bool) -> Result<(), SealError> {
        self.0.seal(segment, last).map_err(told)
    }
}

impl SegmentOpen for Opener {
    fn open(&mut self, segment: &mut Vec<u8>, last: bool) -> Result<(), SealError> {
        self.0.open(segment, last).map_err(told)
    }
}

impl ContentSeals for FileSeals {
    fn begin(&self) -> Result<(Bytes, Box<dyn SegmentSeal>), SealError> {
        let (header, sealer) = self.vault.begin_content().map_err(told)?;
        Ok((Bytes::copy_from_slice(&header), Box::new(Sealer(sealer))))
    }

    fn open(&self, header: &[u8]) -> Result<Box<dyn SegmentOpen>, SealError> {
        Ok(Box::new(Opener(self.vault.open_content(header).map_err(told)?)))
    }

    fn key_of(&self, header: &[u8]) -> Option<u32> {
        Vault::content_key_of(header)
    }

    fn current_key(&self) -> u32 {
        self.vault.current()
    }

    fn header_len(&self) -> usize {
        postroom_vault::HEADER_LEN
    }

    fn segment_len(&self) -> usize {
        postroom_vault::SEGMENT_LEN
    }

    fn overhead(&self) -> usize {
        postroom_vault::TAG_LEN
    }
}

impl Passwords for PasswordHashes {
    fn objection(&self, password: &SecretString, person: &str) -> Option<String> {
        postroom_vault::objection(password, person)
    }

    fn hash(&self, password: SecretString) -> Fut<'_, Result<PasswordHash, SealError>> {
        Box::pin(async move {
            let (hasher, chance) = (self.hasher.clone(), self.chance.clone());
            let hash = self.in_turn(move || hasher.hash(&password, chance.as_ref())).await?;
            hash.map(PasswordHash).map_err(|error| SealError::Vault(error.to_string()))
        })
    }

    fn matches(&self, password: SecretString, hash: Option<PasswordHash>) -> Fut<'_, bool> {
        Box::pin(async move {
            let hasher = self.hasher.clone();
            let answer = self
                .in_turn(move || hasher.matches(&password, hash.as_ref().map(|hash| hash.0.as_str())))
                .await;
            answer.unwrap_or_else(|error| {
                tracing::error!(%error, "A password could not be compared; it counts as wrong.");
                false
            })
        })
    }
}

impl PasswordHashes {
    /// Runs a computation off the threads that answer, when it is its turn. One that nobody waits for any more keeps its place until it
    /// has ended, so that requests that are given up do not pile up work.
    async fn in_turn<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, SealError> {
        let failed = |error: String| SealError::Vault(error);
        let turn = self.room.clone().acquire_owned().await.map_err(|error| failed(error.to_string()))?;
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            job()
        });
        done.await.map_err(|error| failed(error.to_string()))
    }
}
