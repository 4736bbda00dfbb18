//! Passwords of local accounts: their hashes (Argon2id in PHC text) and the rules for new ones (NIST SP 800-63B, section 5.1.1.2).

use argon2::password_hash::phc::{PasswordHash, Salt};
use argon2::password_hash::{self, PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret as _, SecretString};

use crate::chance::{self, Chance, NoChance};

/// A password has at least this many characters.
const MIN_CHARACTERS: usize = 12;
/// And at most this many bytes.
const MAX_BYTES: usize = 1024;
/// A kept hash that asks for more memory than this, in KiB, was not made here.
const MAX_MEMORY_KIB: u32 = 1 << 20;

/// What it costs to compute one hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes; they are computed one after the other here.
    pub lanes: u32,
}

impl HashCost {
    /// What new hashes cost: see [`Hasher`].
    pub const DEFAULT: Self = Self { memory_kib: 64 << 10, passes: 3, lanes: 1 };
}

/// Why there is no hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// The password is longer than any that is taken.
    #[error("the password has more than {MAX_BYTES} bytes")]
    TooLong,
    /// The cost cannot be paid: out of bounds, or no memory.
    #[error("the password cannot be hashed: {0}")]
    Cost(String),
    /// No random bytes for the salt.
    #[error(transparent)]
    NoChance(#[from] NoChance),
}

impl From<password_hash::Error> for PasswordError {
    fn from(error: password_hash::Error) -> Self {
        Self::Cost(error.to_string())
    }
}

/// Hashes passwords and compares them. Blocks a core and takes the cost's memory; call it off the threads that answer.
///
/// The cost was chosen by measuring (a core of an AMD EPYC server, November 2026, least of seven runs):
///
/// | memory | passes | one hash |
/// |---|---|---|
/// | 19 MiB | 2 | 23 ms (the least that OWASP names) |
/// | 46 MiB | 1 | 43 ms |
/// | 64 MiB | 2 | 89 ms |
/// | **64 MiB** | **3** | **116 ms** |
/// | 128 MiB | 2 | 185 ms |
/// | 128 MiB | 3 | 247 ms |
///
/// 64 MiB and three passes are the second recommendation of RFC 9106 with one lane: people do not notice a tenth of a second, guessing
/// costs five times the least, and two hashes at a time take 128 MiB. A test prints the table for another machine.
pub struct Hasher {
    cost: HashCost,
    /// Compared with when there is no hash: nobody has its password.
    nobody: String,
}

impl Hasher {
    /// A hasher. Computes one hash: the one that stands in for persons there are not.
    pub fn new(cost: HashCost, chance: &dyn Chance) -> Result<Self, PasswordError> {
        let password = chance::bytes::<32>(chance)?;
        let nobody = hash(&password, cost, chance)?;
        Ok(Self { cost, nobody })
    }

    /// Hashes a password: a PHC text that names its own cost.
    pub fn hash(&self, password: &SecretString, chance: &dyn Chance) -> Result<String, PasswordError> {
        let password = password.expose_secret().as_bytes();
        if password.len() > MAX_BYTES {
            return Err(PasswordError::TooLong);
        }
        hash(password, self.cost, chance)
    }

    /// Whether it is the password of a hash, compared in constant time, at the cost that the hash names. Without a hash, or with one that
    /// cannot be read, the same work is done and the answer is no.
    pub fn matches(&self, password: &SecretString, hash: Option<&str>) -> bool {
        let password = password.expose_secret().as_bytes();
        // A longer one was never hashed; what is compared then matches nothing either.
        let (password, fits) =
            if password.len() > MAX_BYTES { (&password[..MAX_BYTES], false) } else { (password, true) };
        let known = hash.and_then(|hash| PasswordHash::new(hash).ok()).filter(is_sane);
        let Some(hash) = known else {
            // Nobody's password is 32 random bytes that were forgotten at once.
            let _never: bool = Argon2::default().verify_password(password, self.nobody.as_str()).is_ok();
            return false;
        };
        Argon2::default().verify_password(password, &hash).is_ok() && fits
    }
}

fn hash(password: &[u8], cost: HashCost, chance: &dyn Chance) -> Result<String, PasswordError> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, None)
        .map_err(|error| PasswordError::Cost(error.to_string()))?;
    let salt = chance::bytes::<{ Salt::RECOMMENDED_LENGTH }>(chance)?;
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    Ok(hasher.hash_password_with_salt(password, &salt)?.to_string())
}

/// Whether a kept hash is one of Argon2 at a cost that this machine would have paid once.
fn is_sane(hash: &PasswordHash) -> bool {
    hash.algorithm.as_str().starts_with("argon2")
        && Params::try_from(hash).is_ok_and(|it| it.m_cost() <= MAX_MEMORY_KIB && it.t_cost() <= 32)
}

/// Why a password will not do, in plain words; none when it will. `person` is how its owner is called, with the e-mail if there is one.
pub fn objection(password: &SecretString, person: &str) -> Option<String> {
    let password = password.expose_secret();
    let characters = password.chars().count();
    if characters < MIN_CHARACTERS {
        return Some(format!(
            "The password has {characters} characters; it needs at least {MIN_CHARACTERS}."
        ));
    }
    if password.len() > MAX_BYTES {
        return Some(format!("The password has more than {MAX_BYTES} bytes."));
    }
    let told = bare(password);
    let left = person
        .split(|it: char| !it.is_alphanumeric())
        .map(bare)
        .filter(|part| part.chars().count() >= 3)
        .fold(told.clone(), |left, part| left.replace(&part, ""));
    if left != told && left.chars().count() < 6 {
        return Some("The password is little more than the name or the e-mail; take another one.".to_owned());
    }
    if is_common(&told) || is_run(password) {
        return Some("This password is one that attackers try first; take another one.".to_owned());
    }
    None
}

/// What is left of a text without case, spaces and signs.
fn bare(text: &str) -> String {
    text.chars().filter(|it| it.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A common password, also twice or with digits behind it.
fn is_common(told: &str) -> bool {
    let word = told.trim_end_matches(|it: char| it.is_ascii_digit());
    let half = &told[..told.char_indices().nth(told.chars().count() / 2).map_or(0, |(at, _)| at)];
    COMMON.contains(&told) || COMMON.contains(&word) || (half.repeat(2) == told && COMMON.contains(&half))
}

/// Few different characters, or every one the next or the previous of the one before.
fn is_run(password: &str) -> bool {
    let mut different: Vec<char> = password.chars().collect();
    different.sort_unstable();
    different.dedup();
    let step = |by: i64| {
        password
            .chars()
            .zip(password.chars().skip(1))
            .all(|(one, next)| i64::from(u32::from(next)) - i64::from(u32::from(one)) == by)
    };
    different.len() < 5 || step(1) || step(-1)
}

/// What attackers try first and is long enough, or becomes so with digits: from the lists of leaked passwords, without case and signs.
const COMMON: [&str; 60] = [
    "1234567890",
    "123456789012",
    "1234567890123",
    "1234567890qwerty",
    "0123456789",
    "0987654321",
    "1q2w3e4r5t6y",
    "1q2w3e4r5t6y7u8i",
    "1qaz2wsx3edc",
    "1qaz2wsx3edc4rfv",
    "abc123abc123",
    "abcd1234abcd",
    "abcdefgh",
    "adminadmin",
    "administrator",
    "asdfghjkl",
    "asdfghjklqwerty",
    "baseball",
    "changeme",
    "changemenow",
    "charlie",
    "computer",
    "correcthorsebatterystaple",
    "dragon",
    "football",
    "footballfootball",
    "iloveyou",
    "iloveyouforever",
    "internet",
    "letmein",
    "letmeinletmein",
    "liverpoolfc",
    "manchesterunited",
    "microsoft",
    "michael",
    "monkey",
    "mypassword",
    "password",
    "passw0rd",
    "p4ssw0rd",
    "pssword",
    "pssw0rd",
    "postroom",
    "princess",
    "qazwsxedcrfv",
    "qwerty",
    "qwertyuiop",
    "qwertyuiopasdfghjkl",
    "qwertyuiopasdf",
    "qwertzuiop",
    "secret",
    "spiderman",
    "summer",
    "sunshine",
    "superman",
    "thisismypassword",
    "trustno1",
    "welcome",
    "winter",
    "zxcvbnm",
];
