//! The keyring: what stands in `keyring.json`, and the same opened.
//!
//! The file holds nothing that opens anything without both the passphrase and the private key: data keys and the derivation key are
//! wrapped by the master key, each bound to its number and to the master's id. A code under the master key covers the whole file, so
//! that nobody makes an old data key the present one again or changes a cost by hand.

use std::collections::BTreeMap;
use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde::{Deserialize, Serialize};

use crate::chance::{self, Chance, NoChance};
use crate::key::{Key, SealFault, told};
use crate::master::{KdfCost, Passphrase, PrivateKey, Slow, hex};

/// The version of the file's form.
const FORMAT: u32 = 1;
/// Bytes of salt.
const SALT_LEN: usize = 32;

/// Why a keyring does not open, or another one cannot be made of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// It is no keyring, or somebody changed it.
    #[error("the keyring is damaged: {0}")]
    Damaged(String),
    /// A newer Postroom wrote it.
    #[error("the keyring has form {0}; this program knows form {FORMAT}: a newer Postroom wrote it")]
    Newer(u32),
    /// The passphrase is another one; the private key is right.
    #[error(
        "the passphrase is wrong: it is not the one of master key {master}; the private key is the right one"
    )]
    WrongPassphrase {
        /// The id of the master key that is wanted.
        master: String,
    },
    /// The private key is another one; the passphrase is right.
    #[error(
        "the certificate's private key is another one: master key {master} was made with {wanted}, this is {given}; the passphrase is the right one"
    )]
    WrongKey {
        /// The id of the master key that is wanted.
        master: String,
        /// The fingerprint of the key that is wanted.
        wanted: String,
        /// The fingerprint of the key that was given.
        given: String,
    },
    /// Neither fits: another installation's, or both were changed.
    #[error(
        "neither passphrase nor private key belong to this keyring: master key {master} was made with key {wanted}, this is {given}"
    )]
    WrongBoth {
        /// The id of the master key that is wanted.
        master: String,
        /// The fingerprint of the key that is wanted.
        wanted: String,
        /// The fingerprint of the key that was given.
        given: String,
    },
    /// The memory that the passphrase's check takes is not there.
    #[error("the passphrase cannot be checked: {0} KiB of memory are needed")]
    NoMemory(u32),
    /// No random bytes.
    #[error(transparent)]
    NoChance(#[from] NoChance),
}

impl From<SealFault> for KeyringError {
    fn from(fault: SealFault) -> Self {
        match fault {
            SealFault::NoChance(error) => Self::NoChance(error),
            SealFault::TooLong => Self::Damaged("a key is too long".to_owned()),
        }
    }
}

/// The file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: u32,
    master: Master,
    current: u32,
    /// The wrapped derivation key.
    derivation: String,
    keys: Vec<Wrapped>,
    /// The code over everything above.
    code: String,
}

/// How the master key is made, and what tells it from another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Master {
    /// Depends on passphrase, private key and salt.
    id: String,
    /// The private key's fingerprint.
    private_key: String,
    /// See [`Slow::check`].
    passphrase_check: String,
    kdf: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: String,
}

/// A data key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrapped {
    number: u32,
    /// When it was made; for people.
    made: String,
    key: String,
}

/// What a keyring says of itself to anybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The master key's id.
    pub master: String,
    /// The private key's fingerprint.
    pub private_key: String,
    /// The number of the present data key.
    pub current: u32,
    /// The numbers of all data keys, growing.
    pub keys: Vec<u32>,
}

/// An opened keyring. A value: each change makes another one.
pub struct Keyring {
    file: File,
    bytes: Vec<u8>,
    master: Key,
    derivation: Key,
    keys: BTreeMap<u32, Key>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keyring").field(&self.summary()).finish()
    }
}

impl Keyring {
    /// A new keyring with one data key. `made` is the time of day, for people.
    pub fn create(
        passphrase: &Passphrase,
        key: &PrivateKey,
        cost: KdfCost,
        made: &str,
        chance: &dyn Chance,
    ) -> Result<Self, KeyringError> {
        let (master, entry) = new_master(passphrase, key, cost, chance)?;
        let derivation = Key::random(chance)?;
        let keys = BTreeMap::from([(1, Key::random(chance)?)]);
        assemble(&Parts { master, entry, current: 1, derivation, keys }, &[(1, made.to_owned())], chance)
    }

    /// What a keyring says of itself, without opening it.
    pub fn peek(bytes: &[u8]) -> Result<Summary, KeyringError> {
        Ok(summary(&parse(bytes)?))
    }

    /// Opens a keyring. Says which half is wrong before anything else is looked at.
    pub fn open(bytes: &[u8], passphrase: &Passphrase, key: &PrivateKey) -> Result<Self, KeyringError> {
        let file = parse(bytes)?;
        let entry = &file.master;
        let salt = decode(&entry.salt)?;
        let slow =
            Slow::compute(passphrase, &salt, entry.cost()).ok_or(KeyringError::NoMemory(entry.memory_kib))?;
        let master = entry.clone().id;
        let (wanted, given) = (entry.private_key.clone(), key.fingerprint());
        let right_passphrase = slow.check() == entry.passphrase_check;
        match (right_passphrase, wanted == given) {
            (true, true) => {}
            (false, true) => return Err(KeyringError::WrongPassphrase { master }),
            (true, false) => return Err(KeyringError::WrongKey { master, wanted, given }),
            (false, false) => return Err(KeyringError::WrongBoth { master, wanted, given }),
        }
        let opened = slow.master(key, &salt);
        if id_of(&opened) != master {
            // The check of the passphrase is short; this one is not.
            return Err(KeyringError::WrongPassphrase { master });
        }
        let code = decode(&file.code)?;
        if !opened.code_fits(&[CODE, &covered(&file)?], &code) {
            return Err(damaged("its code does not fit: somebody changed it"));
        }
        let unwrap = |text: &str, what: &[u8]| {
            opened
                .open(&wrapping(&master, what), &decode(text)?)
                .and_then(|bytes| Key::from_bytes(&bytes))
                .ok_or_else(|| damaged("a key in it does not open"))
        };
        let derivation = unwrap(&file.derivation, b"derivation")?;
        let keys = file
            .keys
            .iter()
            .map(|it| Ok((it.number, unwrap(&it.key, &it.number.to_be_bytes())?)))
            .collect::<Result<_, KeyringError>>()?;
        Ok(Self { bytes: bytes.to_vec(), file, master: opened, derivation, keys })
    }

    /// The file's bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What it says of itself.
    pub fn summary(&self) -> Summary {
        summary(&self.file)
    }

    /// The number of the present data key: the greatest one.
    pub fn current(&self) -> u32 {
        self.file.current
    }

    /// The data keys that are on their way out: all but the present one.
    pub fn retiring(&self) -> Vec<u32> {
        self.keys.keys().copied().filter(|number| *number != self.file.current).collect()
    }

    /// The same with a new data key, which is the present one. The others stay: they open what was sealed before.
    pub fn with_new_data_key(&self, made: &str, chance: &dyn Chance) -> Result<Self, KeyringError> {
        let mut parts = self.parts();
        parts.current = parts.current.checked_add(1).ok_or_else(|| damaged("there are no more numbers"))?;
        parts.keys.insert(parts.current, Key::random(chance)?);
        let mut made_at = self.made();
        made_at.push((parts.current, made.to_owned()));
        assemble(&parts, &made_at, chance)
    }

    /// The same without a data key that nothing is sealed with any more; none when that is the present one, or not there.
    pub fn without(&self, number: u32, chance: &dyn Chance) -> Result<Option<Self>, KeyringError> {
        let mut parts = self.parts();
        if number == parts.current || parts.keys.remove(&number).is_none() {
            return Ok(None);
        }
        assemble(&parts, &self.made(), chance).map(Some)
    }

    /// The same keys wrapped by another master key.
    pub fn with_master(
        &self,
        passphrase: &Passphrase,
        key: &PrivateKey,
        cost: KdfCost,
        chance: &dyn Chance,
    ) -> Result<Self, KeyringError> {
        let (master, entry) = new_master(passphrase, key, cost, chance)?;
        assemble(&Parts { master, entry, ..self.parts() }, &self.made(), chance)
    }

    pub(crate) fn derivation(&self) -> &Key {
        &self.derivation
    }

    pub(crate) fn data_keys(&self) -> &BTreeMap<u32, Key> {
        &self.keys
    }

    fn parts(&self) -> Parts {
        Parts {
            master: self.master.clone(),
            entry: self.file.master.clone(),
            current: self.file.current,
            derivation: self.derivation.clone(),
            keys: self.keys.clone(),
        }
    }

    fn made(&self) -> Vec<(u32, String)> {
        self.file.keys.iter().map(|it| (it.number, it.made.clone())).collect()
    }
}

/// What a file is made of.
struct Parts {
    master: Key,
    entry: Master,
    current: u32,
    derivation: Key,
    keys: BTreeMap<u32, Key>,
}

impl Master {
    fn cost(&self) -> KdfCost {
        KdfCost { memory_kib: self.memory_kib, passes: self.passes, lanes: self.lanes }
    }
}

/// What the code over the file is for.
const CODE: &[u8] = b"postroom keyring code 1";

fn new_master(
    passphrase: &Passphrase,
    key: &PrivateKey,
    cost: KdfCost,
    chance: &dyn Chance,
) -> Result<(Key, Master), KeyringError> {
    let salt = chance::bytes::<SALT_LEN>(chance)?;
    let slow = Slow::compute(passphrase, &salt, cost).ok_or(KeyringError::NoMemory(cost.memory_kib))?;
    let master = slow.master(key, &salt);
    let entry = Master {
        id: id_of(&master),
        private_key: key.fingerprint(),
        passphrase_check: slow.check(),
        kdf: "argon2id".to_owned(),
        memory_kib: cost.memory_kib,
        passes: cost.passes,
        lanes: cost.lanes,
        salt: encode(&salt),
    };
    Ok((master, entry))
}

fn assemble(parts: &Parts, made: &[(u32, String)], chance: &dyn Chance) -> Result<Keyring, KeyringError> {
    let Parts { master, entry, current, derivation, keys } = parts;
    let wrap = |key: &Key, what: &[u8]| {
        master.seal(chance, &wrapping(&entry.id, what), key.expose()).map(|bytes| encode(&bytes))
    };
    let made_at = |number: u32| made.iter().find(|it| it.0 == number).map_or("", |it| it.1.as_str());
    let mut file = File {
        format: FORMAT,
        master: entry.clone(),
        current: *current,
        derivation: wrap(derivation, b"derivation")?,
        keys: keys
            .iter()
            .map(|(number, key)| {
                let key = wrap(key, &number.to_be_bytes())?;
                Ok(Wrapped { number: *number, made: made_at(*number).to_owned(), key })
            })
            .collect::<Result<_, SealFault>>()?,
        code: String::new(),
    };
    file.code = encode(&master.code(&[CODE, &covered(&file)?]));
    let mut bytes = serde_json::to_vec_pretty(&file).map_err(|error| damaged(&error.to_string()))?;
    bytes.push(b'\n');
    Ok(Keyring { file, bytes, master: master.clone(), derivation: derivation.clone(), keys: keys.clone() })
}

fn parse(bytes: &[u8]) -> Result<File, KeyringError> {
    #[derive(Deserialize)]
    struct Form {
        format: u32,
    }
    let form: Form = serde_json::from_slice(bytes).map_err(|error| damaged(&error.to_string()))?;
    if form.format > FORMAT {
        return Err(KeyringError::Newer(form.format));
    }
    let file: File = serde_json::from_slice(bytes).map_err(|error| damaged(&error.to_string()))?;
    let growing = file.keys.windows(2).all(|two| two[0].number < two[1].number);
    if file.format != FORMAT || !growing || file.keys.last().is_none_or(|it| it.number != file.current) {
        return Err(damaged("its data keys are not in order"));
    }
    if file.master.kdf != "argon2id" || !file.master.cost().is_sane() {
        return Err(damaged("the cost of its passphrase is out of bounds"));
    }
    Ok(file)
}

fn summary(file: &File) -> Summary {
    Summary {
        master: file.master.id.clone(),
        private_key: file.master.private_key.clone(),
        current: file.current,
        keys: file.keys.iter().map(|it| it.number).collect(),
    }
}

/// What the code covers: the file with the code left empty, as this program writes it.
fn covered(file: &File) -> Result<Vec<u8>, KeyringError> {
    serde_json::to_vec(&File { code: String::new(), ..file.clone() })
        .map_err(|error| damaged(&error.to_string()))
}

/// What a wrapped key is bound to.
fn wrapping(master: &str, what: &[u8]) -> Vec<u8> {
    [told(b"postroom wrapped key 1"), told(master.as_bytes()), told(what)].concat()
}

fn id_of(master: &Key) -> String {
    hex(&master.code(&[b"postroom master key id 1"])[..8])
}

fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

fn decode(text: &str) -> Result<Vec<u8>, KeyringError> {
    Base64UrlUnpadded::decode_vec(text).map_err(|_| damaged("a text in it is cut"))
}

fn damaged(why: &str) -> KeyringError {
    KeyringError::Damaged(why.to_owned())
}
