//! The vault: what seals and opens while the program runs, and while its keys change.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use secrecy::{ExposeSecret as _, SecretString};

use crate::chance::{Chance, NoChance};
use crate::content::{self, HEADER_LEN, SegmentOpener, SegmentSealer};
use crate::key::{Key, SealFault, told};
use crate::keyring::Keyring;

/// What a sealed text begins with: its form.
const FORM: &str = "s1";

/// Where a sealed secret stands: it opens nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The table.
    pub table: &'a str,
    /// The row.
    pub id: &'a str,
    /// The field.
    pub field: &'a str,
}

/// Why something was not sealed or does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// It was sealed with a data key that the keyring does not hold.
    #[error("it was sealed with data key {0}, which the keyring does not hold")]
    UnknownKey(u32),
    /// It was changed, cut, or moved from another place, or is nothing that was ever sealed.
    #[error("it does not open: it was changed, cut or moved from another place")]
    DoesNotOpen,
    /// It is longer than can be sealed, or was ended before.
    #[error("it cannot be sealed: it is too long, or was ended before")]
    TooLong,
    /// No random bytes: nothing is sealed without.
    #[error(transparent)]
    NoChance(#[from] NoChance),
}

impl From<SealFault> for VaultError {
    fn from(fault: SealFault) -> Self {
        match fault {
            SealFault::TooLong => Self::TooLong,
            SealFault::NoChance(error) => Self::NoChance(error),
        }
    }
}

/// A data key in use.
struct DataKey {
    key: Key,
    /// One more holder for every content that is being sealed with it.
    in_flight: Arc<()>,
    /// When a secret was last sealed with it, in milliseconds of the caller's clock and one more; 0 for never.
    last: AtomicU64,
}

struct Ring {
    current: u32,
    derivation: Key,
    keys: BTreeMap<u32, DataKey>,
}

/// Seals and opens with the keys of a keyring. Sealing and [`Vault::replace`] exclude each other: once the latter has returned, nothing
/// is sealed with another key than the present one, and [`Vault::last_sealed`] knows of everything that was.
pub struct Vault {
    ring: RwLock<Ring>,
    chance: Arc<dyn Chance>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault(data key {})", self.current())
    }
}

impl Vault {
    /// Begins to use a keyring.
    pub fn new(keyring: &Keyring, chance: Arc<dyn Chance>) -> Self {
        Self { ring: RwLock::new(ring(keyring, &BTreeMap::new())), chance }
    }

    /// Uses another keyring from now on. It must be durable already: what is sealed with its present key is lost otherwise.
    pub fn replace(&self, keyring: &Keyring) {
        let mut held = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        *held = ring(keyring, &held.keys);
    }

    /// The number of the present data key.
    pub fn current(&self) -> u32 {
        self.ring().current
    }

    /// Seals a secret for one place. `now` is any clock that only goes forward: see [`Vault::last_sealed`].
    pub fn seal(&self, place: Place<'_>, secret: &SecretString, now: Duration) -> Result<String, VaultError> {
        let ring = self.ring();
        let number = ring.current;
        let data = ring.keys.get(&number).ok_or(VaultError::UnknownKey(number))?;
        let at = u64::try_from(now.as_millis()).unwrap_or(u64::MAX - 1).saturating_add(1);
        data.last.fetch_max(at, Ordering::SeqCst);
        let sealed = data.key.seal(
            self.chance.as_ref(),
            &binding(number, place),
            secret.expose_secret().as_bytes(),
        )?;
        Ok(format!("{FORM}.{number}.{}", Base64UrlUnpadded::encode_string(&sealed)))
    }

    /// Opens a secret at its place.
    pub fn open(&self, place: Place<'_>, sealed: &str) -> Result<SecretString, VaultError> {
        let (number, body) = split(sealed).ok_or(VaultError::DoesNotOpen)?;
        let body = Base64UrlUnpadded::decode_vec(body).map_err(|_| VaultError::DoesNotOpen)?;
        let ring = self.ring();
        let data = ring.keys.get(&number).ok_or(VaultError::UnknownKey(number))?;
        let plain = data.key.open(&binding(number, place), &body).ok_or(VaultError::DoesNotOpen)?;
        let text = std::str::from_utf8(&plain).map_err(|_| VaultError::DoesNotOpen)?;
        Ok(text.into())
    }

    /// The data key that a sealed text names; none when it is no sealed text.
    pub fn key_of(sealed: &str) -> Option<u32> {
        split(sealed).map(|(number, _)| number)
    }

    /// A code that only this keyring can compute, and that no rotation changes.
    pub fn code(&self, purpose: &str, text: &str) -> [u8; 32] {
        self.ring().derivation.code(&[purpose.as_bytes(), text.as_bytes()])
    }

    /// Begins to seal content. What is given back counts as in flight until it is dropped: keep it until the content has its name.
    pub fn begin_content(&self) -> Result<([u8; HEADER_LEN], SegmentSealer), VaultError> {
        let ring = self.ring();
        let number = ring.current;
        let data = ring.keys.get(&number).ok_or(VaultError::UnknownKey(number))?;
        content::begin(number, &data.key, data.in_flight.clone(), self.chance.as_ref())
    }

    /// Begins to open content behind its header.
    pub fn open_content(&self, header: &[u8]) -> Result<SegmentOpener, VaultError> {
        let number = content::key_of(header).ok_or(VaultError::DoesNotOpen)?;
        let ring = self.ring();
        let data = ring.keys.get(&number).ok_or(VaultError::UnknownKey(number))?;
        content::open(header, &data.key)
    }

    /// The data key that a header of content names; none when these bytes are no header.
    pub fn content_key_of(header: &[u8]) -> Option<u32> {
        content::key_of(header)
    }

    /// How much content is being sealed with a data key at this moment.
    pub fn in_flight(&self, number: u32) -> usize {
        self.ring().keys.get(&number).map_or(0, |it| Arc::strong_count(&it.in_flight) - 1)
    }

    /// When a secret was last sealed with a data key since the program started; none when none was.
    pub fn last_sealed(&self, number: u32) -> Option<Duration> {
        let at = self.ring().keys.get(&number)?.last.load(Ordering::SeqCst);
        at.checked_sub(1).map(Duration::from_millis)
    }

    fn ring(&self) -> RwLockReadGuard<'_, Ring> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The ring of a keyring; what is known of keys that stay is kept.
fn ring(keyring: &Keyring, before: &BTreeMap<u32, DataKey>) -> Ring {
    let data = |(number, key): (&u32, &Key)| {
        let before = before.get(number);
        let data = DataKey {
            key: key.clone(),
            in_flight: before.map(|it| it.in_flight.clone()).unwrap_or_default(),
            last: AtomicU64::new(before.map_or(0, |it| it.last.load(Ordering::SeqCst))),
        };
        (*number, data)
    };
    Ring {
        current: keyring.current(),
        derivation: keyring.derivation().clone(),
        keys: keyring.data_keys().iter().map(data).collect(),
    }
}

/// What a secret is bound to. Every part has its length in front: `link`, `1`, `2access` is another place than `link`, `12`, `access`.
fn binding(number: u32, place: Place<'_>) -> Vec<u8> {
    let mut bound = told(b"postroom secret 1");
    bound.extend_from_slice(&number.to_be_bytes());
    for part in [place.table, place.id, place.field] {
        bound.extend_from_slice(&told(part.as_bytes()));
    }
    bound
}

/// The number and the body of a sealed text. Only one spelling of a number counts.
fn split(sealed: &str) -> Option<(u32, &str)> {
    let (number, body) = sealed.strip_prefix(FORM)?.strip_prefix('.')?.split_once('.')?;
    let parsed: u32 = number.parse().ok()?;
    (parsed.to_string() == number).then_some((parsed, body))
}
