//! The key that an extension's id comes from. Only its public half goes anywhere.

use std::fmt::Write as _;

use ring::signature::{KeyPair as _, RsaKeyPair};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::Mistake;

/// `rsaEncryption` without parameters, as the algorithm of a `SubjectPublicKeyInfo` says it.
const RSA: [u8; 15] =
    [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;

/// The public half of an extension's key, as the DER that browsers hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(Vec<u8>);

impl PublicKey {
    /// Reads the public half of a key in PEM: an RSA private key (`openssl genrsa`), or the public one alone.
    pub fn from_pem(pem: &str) -> Result<Self, Mistake> {
        // Into a buffer of ours, which is wiped. What a key says is never longer than its text.
        let mut der = Zeroizing::new(vec![0; pem.len()]);
        let (label, der) = pem_rfc7468::decode(pem.trim().as_bytes(), &mut der)
            .map_err(|_| Mistake::Key("is not one PEM section"))?;
        let pair = match label {
            "PUBLIC KEY" if der.windows(RSA.len()).any(|it| it == RSA) => return Ok(Self(der.to_vec())),
            "PRIVATE KEY" => RsaKeyPair::from_pkcs8(der),
            "RSA PRIVATE KEY" => RsaKeyPair::from_der(der),
            "ENCRYPTED PRIVATE KEY" => return Err(Mistake::Key("is encrypted")),
            _ => return Err(Mistake::Key("is no RSA key")),
        };
        let pair = pair.map_err(|_| Mistake::Key("is no RSA key of 2048 to 4096 bits"))?;
        let key = [&[0][..], pair.public_key().as_ref()].concat();
        Ok(Self(der_of(SEQUENCE, &[&RSA[..], &der_of(BIT_STRING, &key)].concat())))
    }

    /// The DER itself.
    pub(crate) fn der(&self) -> &[u8] {
        &self.0
    }

    /// The extension's id in Chrome and Edge: the first half of the key's hash, with the digits 0 to f written as a to p.
    pub fn id(&self) -> String {
        let mut id = String::new();
        for byte in &Sha256::digest(&self.0)[..16] {
            for digit in [byte >> 4, byte & 15] {
                // Nothing can go wrong when a String is written to.
                let _ = id.write_char(char::from(b'a' + digit));
            }
        }
        id
    }
}

/// One value of DER.
fn der_of(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut der = vec![tag];
    match u8::try_from(length) {
        Ok(short @ 0..128) => der.push(short),
        Ok(long) => der.extend([0x81, long]),
        Err(_) => {
            // Keys of RSA stay far below 64 KiB.
            der.push(0x82);
            der.extend(&length.to_be_bytes()[size_of::<usize>() - 2..]);
        }
    }
    der.extend(content);
    der
}
