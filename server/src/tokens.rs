//! Bearer tokens: made here, shown once, kept only as their SHA-256.

use std::fmt::Write as _;

use postroom_domain::time::Entropy;
use sha2::{Digest as _, Sha256};

/// A new token: `pr_` and 64 hexadecimal digits, 256 bits of chance.
pub(crate) fn mint(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 32];
    entropy.fill(&mut bytes);
    bytes.iter().fold("pr_".to_owned(), |mut text, byte| {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What is kept of a token.
pub(crate) fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// The digest as the settings have it.
pub(crate) fn digest_hex(token: &str) -> String {
    digest(token).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Reads a digest from the settings.
pub(crate) fn parse_digest(hex: &str) -> Option<[u8; 32]> {
    let hex = hex.as_bytes();
    let mut digest = [0; 32];
    if hex.len() != 64 {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(hex.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::SystemEntropy;

    #[test]
    fn tokens_are_long_different_and_their_digests_come_back() {
        let (one, two) = (mint(&SystemEntropy), mint(&SystemEntropy));
        assert_eq!(one.len(), 67);
        assert_ne!(one, two);
        assert_eq!(parse_digest(&digest_hex(&one)), Some(digest(&one)));
        assert_eq!(parse_digest("xyz"), None);
        // SHA-256 of the empty text, as published in FIPS 180-4's examples.
        assert!(digest_hex("").starts_with("e3b0c44298fc1c14"));
    }
}
