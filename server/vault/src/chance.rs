//! Random bytes, as an argument that may fail.

/// Unpredictable bytes for keys, salts and nonces.
pub trait Chance: Send + Sync {
    /// Fills the buffer, or says that it could not: then nothing may be sealed.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoChance>;
}

/// There are no random bytes. Come back; nothing was sealed with a nonce that somebody could know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random bytes: {0}")]
pub struct NoChance(pub String);

/// The operating system's random bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemChance;

impl Chance for SystemChance {
    #[expect(clippy::disallowed_methods, reason = "this is the chance that everything else is handed")]
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoChance> {
        getrandom::fill(buffer).map_err(|error| NoChance(error.to_string()))
    }
}

/// An array of random bytes.
pub(crate) fn bytes<const N: usize>(chance: &dyn Chance) -> Result<[u8; N], NoChance> {
    let mut bytes = [0; N];
    chance.fill(&mut bytes)?;
    Ok(bytes)
}
