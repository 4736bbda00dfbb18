//! What `keys init` makes: a certificate with its private key, and a passphrase.

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, date_time_ymd};
use secrecy::SecretString;
use secrecy::zeroize::Zeroize as _;

use crate::chance::{self, Chance, NoChance};

/// A certificate and its private key, in PEM.
#[derive(Debug)]
pub struct Identity {
    /// The certificate; not secret.
    pub certificate: String,
    /// The private key (PKCS#8).
    pub private_key: SecretString,
}

/// Why there is no certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the certificate cannot be made: {0}")]
pub struct IdentityError(String);

/// Makes a self-signed certificate with a P-256 key, valid from a day of `year` on for thirty years: it proves nothing to anybody, its key
/// is half of the master key, and nothing here ends with it. The key's randomness is the operating system's.
///
/// `month` and `day` beyond the calendar are refused.
pub fn generate_identity(name: &str, (year, month, day): (i32, u8, u8)) -> Result<Identity, IdentityError> {
    // The days that every month has: the function below does not take others as an error.
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !(1950..=2900).contains(&year) {
        return Err(IdentityError(format!("{year}-{month}-{day} is no day")));
    }
    let failed = |error: rcgen::Error| IdentityError(error.to_string());
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)?;
    let mut params = CertificateParams::default();
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    params.distinguished_name = subject;
    params.not_before = date_time_ymd(year, month, day.min(28));
    params.not_after = date_time_ymd(year + 30, month, day.min(28));
    let certificate = params.self_signed(&key).map_err(failed)?.pem();
    Ok(Identity { certificate, private_key: key.serialize_pem().into() })
}

/// Makes a passphrase of 24 groups of five letters and digits that are not mistaken for each other: 143 characters, 600 bits.
pub fn generate_passphrase(chance: &dyn Chance) -> Result<SecretString, NoChance> {
    /// Crockford's 32 signs: no i, l, o, u.
    const SIGNS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut random = chance::bytes::<120>(chance)?;
    let groups: Vec<String> = random
        .chunks(5)
        .map(|group| group.iter().map(|byte| char::from(SIGNS[usize::from(byte % 32)])).collect())
        .collect();
    random.zeroize();
    Ok(groups.join("-").into())
}
