//! Signed tokens: which algorithms and keys count. What a token says is judged elsewhere.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error as JwtError, ErrorKind};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind, EncodingKey, Validation};
use ring::signature as sig;
use serde::Deserialize;
use serde_json::{Map, Value};
use signature::Verifier;

/// What a token says.
pub(crate) type Said = Map<String, Value>;

/// The algorithms that count: never `none`, and none of HMAC's, whose "key" could be the public one.
const ALLOWED: [Algorithm; 8] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
];

/// Longest token that is looked at, in bytes.
const LONGEST: usize = 64 * 1024;

/// Why a token does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unsound {
    /// It names a key that is not among these: perhaps a new one.
    UnknownKey,
    /// It is not to be believed.
    Forged(String),
}

/// A key of a provider, as published.
#[derive(Debug, Deserialize)]
struct Published {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    used_for: Option<String>,
    alg: Option<String>,
    n: Option<String>,
    e: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// A key that signatures are checked with.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    kid: Option<String>,
    /// The algorithms it is for.
    algorithms: Vec<Algorithm>,
    decoding: DecodingKey,
}

impl Key {
    /// The usable ones of a published list. Those of unknown kinds are passed over.
    pub(crate) fn all(document: &Value) -> Vec<Self> {
        let list = document.get("keys").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        list.iter().filter_map(|it| Self::of(Published::deserialize(it).ok()?)).collect()
    }

    fn of(it: Published) -> Option<Self> {
        if it.used_for.as_deref().is_some_and(|used| used != "sig") {
            return None;
        }
        let (decoding, mut algorithms) = match (it.kty.as_str(), it.crv.as_deref()) {
            ("RSA", _) => {
                let key = DecodingKey::from_rsa_components(it.n.as_deref()?, it.e.as_deref()?).ok()?;
                (key, ALLOWED[..6].to_vec())
            }
            ("EC", Some(curve @ ("P-256" | "P-384"))) => {
                let key = DecodingKey::from_ec_components(it.x.as_deref()?, it.y.as_deref()?).ok()?;
                (key, vec![if curve == "P-256" { Algorithm::ES256 } else { Algorithm::ES384 }])
            }
            _ => return None,
        };
        if let Some(named) = &it.alg {
            algorithms.retain(|known| format!("{known:?}") == *named);
        }
        Some(Self { kid: it.kid, algorithms, decoding })
    }
}

/// What a token says, once its signature is found right. Also tells the algorithm.
pub(crate) fn verify(token: &str, keys: &[Key]) -> Result<(Algorithm, Said), Unsound> {
    let forged = |why: &str| Unsound::Forged(why.to_owned());
    if token.len() > LONGEST {
        return Err(forged("the token is too long"));
    }
    // A header that asks for more than is known here must not be passed over (RFC 7515, 4.1.11).
    let head = token.split('.').next().unwrap_or_default();
    let raw = Base64UrlUnpadded::decode_vec(head).map_err(|_| forged("the token is no JWT"))?;
    let raw: Said = serde_json::from_slice(&raw).map_err(|_| forged("the token is no JWT"))?;
    if raw.contains_key("crit") {
        return Err(forged("the token's header asks for something unknown"));
    }
    let header = jsonwebtoken::decode_header(token)
        .map_err(|_| forged("the token's algorithm is not one that counts"))?;
    if !ALLOWED.contains(&header.alg) {
        return Err(forged("the token's algorithm is not one that counts"));
    }
    let fitting = |key: &&Key| key.algorithms.contains(&header.alg);
    let key = if let Some(kid) = &header.kid {
        let named: Vec<_> = keys.iter().filter(|key| key.kid.as_ref() == Some(kid)).collect();
        if named.is_empty() {
            return Err(Unsound::UnknownKey);
        }
        named.into_iter().find(fitting).ok_or_else(|| forged("the token's key is for another algorithm"))?
    } else {
        let mut all = keys.iter().filter(fitting);
        match (all.next(), all.next()) {
            (Some(only), None) => only,
            _ => return Err(forged("the token does not say which key signed it")),
        }
    };
    let mut rules = Validation::new(header.alg);
    // Times, issuer and audience are judged by our own clock and settings.
    (rules.validate_exp, rules.validate_nbf, rules.validate_aud) = (false, false, false);
    rules.required_spec_claims.clear();
    install();
    let data = jsonwebtoken::decode::<Said>(token, &key.decoding, &rules)
        .map_err(|e| Unsound::Forged(format!("the token's signature or form is wrong ({e})")))?;
    Ok((header.alg, data.claims))
}

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: no_signer,
    verifier_factory: verifier,
    // Only used for thumbprints of keys, which are never asked for here.
    key_utils: KeyUtils::new_unimplemented(),
};

fn install() {
    // An error only says that it is there already.
    let _ = PROVIDER.install_default();
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that the provider wants")]
fn no_signer(_: &Algorithm, _: &EncodingKey) -> Result<Box<dyn JwtSigner>, JwtError> {
    Err(ErrorKind::InvalidAlgorithm.into())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that the provider wants")]
fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, JwtError> {
    let fits = match algorithm.family() {
        AlgorithmFamily::Rsa => matches!(key.kind(), DecodingKeyKind::RsaModulusExponent { .. }),
        AlgorithmFamily::Ec => matches!(key.kind(), DecodingKeyKind::SecretOrDer(_)),
        AlgorithmFamily::Hmac | AlgorithmFamily::Ed => false,
    };
    if !fits || key.family() != algorithm.family() {
        return Err(ErrorKind::InvalidAlgorithm.into());
    }
    Ok(Box::new(Ring { algorithm: *algorithm, key: key.clone() }))
}

struct Ring {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl JwtVerifier for Ring {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl Verifier<Vec<u8>> for Ring {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        let rsa: Option<&sig::RsaParameters> = match self.algorithm {
            Algorithm::RS256 => Some(&sig::RSA_PKCS1_2048_8192_SHA256),
            Algorithm::RS384 => Some(&sig::RSA_PKCS1_2048_8192_SHA384),
            Algorithm::RS512 => Some(&sig::RSA_PKCS1_2048_8192_SHA512),
            Algorithm::PS256 => Some(&sig::RSA_PSS_2048_8192_SHA256),
            Algorithm::PS384 => Some(&sig::RSA_PSS_2048_8192_SHA384),
            Algorithm::PS512 => Some(&sig::RSA_PSS_2048_8192_SHA512),
            _ => None,
        };
        let held = match (self.key.kind(), rsa) {
            (DecodingKeyKind::RsaModulusExponent { n, e }, Some(parameters)) => {
                sig::RsaPublicKeyComponents { n, e }.verify(parameters, message, signature)
            }
            (DecodingKeyKind::SecretOrDer(point), None) => {
                let curve: &dyn sig::VerificationAlgorithm = match self.algorithm {
                    Algorithm::ES256 => &sig::ECDSA_P256_SHA256_FIXED,
                    Algorithm::ES384 => &sig::ECDSA_P384_SHA384_FIXED,
                    _ => return Err(signature::Error::new()),
                };
                sig::UnparsedPublicKey::new(curve, point).verify(message, signature)
            }
            _ => return Err(signature::Error::new()),
        };
        held.map_err(|_| signature::Error::new())
    }
}
