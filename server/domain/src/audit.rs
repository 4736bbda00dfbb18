//! The chain of the history: how it is made, and what it proves.

/// A hash of the chain.
pub type Hash = [u8; 32];

/// What the first event is tied to.
pub const START: Hash = [0; 32];

/// The hash of an event: it ties what was written to its number and to all before it. See [`crate::store::Chained`].
pub fn link(previous: &Hash, seq: u64, written: &[u8]) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(previous).update(&seq.to_be_bytes()).update(written);
    *hasher.finalize().as_bytes()
}
