//! The provider's keys, and tokens signed with them.

use std::sync::Arc;

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use ring::{hmac, signature};
use serde_json::{Value, json};

use super::flaws::Flaw;
use super::switches::Algorithm;

/// RSA keys take long to make, so these are made; nobody trusts them outside of tests.
const RSA: [&str; 4] = [
    include_str!("keys/rsa-1.pem"),
    include_str!("keys/rsa-2.pem"),
    include_str!("keys/rsa-3.pem"),
    include_str!("keys/rsa-4.pem"),
];

/// The public sides, as an attacker finds them.
const PUBLIC: [&str; 4] = [
    include_str!("keys/rsa-1.pub.pem"),
    include_str!("keys/rsa-2.pub.pem"),
    include_str!("keys/rsa-3.pub.pem"),
    include_str!("keys/rsa-4.pub.pem"),
];

/// The key that is never published.
const STRANGER: usize = 3;

/// The provider's keys.
#[derive(Clone, Debug)]
pub struct OpenId {
    rsa: Vec<Arc<RsaKeyPair>>,
    ec: Vec<Arc<EcdsaKeyPair>>,
    /// The EC key that is never published.
    stranger: Arc<EcdsaKeyPair>,
    /// The generation that signs, from 0.
    newest: usize,
    /// The oldest generation that is still published.
    oldest: usize,
}

impl OpenId {
    /// Two generations of keys; the second signs.
    pub(super) fn new() -> Self {
        let rsa = RSA.iter().map(|pem| Arc::new(rsa(pem))).collect();
        Self { rsa, ec: vec![Arc::new(ec()), Arc::new(ec())], stranger: Arc::new(ec()), newest: 1, oldest: 0 }
    }

    /// Sign with a new pair of keys from now on; the old ones stay published.
    pub(super) fn rotate(&mut self) {
        self.newest += 1;
        self.ec.push(Arc::new(ec()));
        // of three RSA keys at most two are published, or a name would stand for two of them
        self.oldest = self.oldest.max(self.newest.saturating_sub(1));
    }

    /// Publish only the keys that sign now.
    pub(super) fn retire(&mut self) {
        self.oldest = self.newest;
    }

    /// The key set (RFC 7517).
    pub(super) fn published(&self, flaws: &[Flaw]) -> Value {
        if flaws.contains(&Flaw::NoKeys) {
            return json!({ "keys": [] });
        }
        let end = if flaws.contains(&Flaw::OldKeys) { self.newest } else { self.newest + 1 };
        let both = |generation: usize| [self.rsa_jwk(generation), self.ec_jwk(generation)];
        let mut keys: Vec<Value> = (self.oldest..end).flat_map(both).collect();
        if flaws.contains(&Flaw::KeysWithoutKid) {
            for key in keys.iter_mut().filter_map(Value::as_object_mut) {
                key.remove("kid");
            }
        }
        json!({ "keys": keys })
    }

    fn rsa_jwk(&self, generation: usize) -> Value {
        let public: PublicKeyComponents<Vec<u8>> = self.rsa[rsa_at(generation)].public().into();
        json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": format!("rsa-{}", generation + 1),
            "n": base64(&public.n), "e": base64(&public.e),
        })
    }

    fn ec_jwk(&self, generation: usize) -> Value {
        // 0x04, then both coordinates
        let point = &self.ec[generation].public_key().as_ref()[1..];
        json!({
            "kty": "EC", "use": "sig", "alg": "ES256", "crv": "P-256", "kid": format!("ec-{}", generation + 1),
            "x": base64(&point[..32]), "y": base64(&point[32..]),
        })
    }

    /// A token (RFC 7515) with those claims. `client_secret` is for [`Flaw::HmacWithClientSecret`].
    pub(super) fn sign(
        &self,
        claims: &Value,
        algorithm: Algorithm,
        flaws: &[Flaw],
        client_secret: Option<&str>,
    ) -> String {
        let has = |flaw| flaws.contains(&flaw);
        let hmac_key = if has(Flaw::HmacWithPublicKey) {
            Some(PUBLIC[rsa_at(self.newest)])
        } else {
            client_secret.filter(|_| has(Flaw::HmacWithClientSecret))
        };
        let name = if hmac_key.is_some() || algorithm == Algorithm::Rs256 { "rsa" } else { "ec" };
        let mut header = json!({ "typ": "JWT", "kid": format!("{name}-{}", self.newest + 1) });
        if has(Flaw::UnknownKid) {
            header["kid"] = json!("stranger");
        }
        if has(Flaw::NoKid)
            && let Some(header) = header.as_object_mut()
        {
            header.remove("kid");
        }
        let stranger = has(Flaw::UnknownKid) || has(Flaw::BadSignature);
        header["alg"] = json!(match algorithm {
            _ if has(Flaw::AlgNone) => "none",
            _ if hmac_key.is_some() => "HS256",
            Algorithm::Es256 => "ES256",
            Algorithm::Rs256 => "RS256",
        });
        let text =
            format!("{}.{}", base64(header.to_string().as_bytes()), base64(claims.to_string().as_bytes()));
        let signature = match (hmac_key, algorithm) {
            _ if has(Flaw::AlgNone) => Vec::new(),
            (Some(key), _) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
                hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
            }
            (None, Algorithm::Rs256) if stranger => rsa_signature(&self.rsa[STRANGER], &text),
            (None, Algorithm::Rs256) => rsa_signature(&self.rsa[rsa_at(self.newest)], &text),
            (None, Algorithm::Es256) if stranger => ec_signature(&self.stranger, &text),
            (None, Algorithm::Es256) => ec_signature(&self.ec[self.newest], &text),
        };
        if has(Flaw::Altered) {
            let mut altered = claims.clone();
            altered["name"] = json!("Somebody Else");
            let text = format!(
                "{}.{}",
                base64(header.to_string().as_bytes()),
                base64(altered.to_string().as_bytes())
            );
            return format!("{text}.{}", base64(&signature));
        }
        format!("{text}.{}", base64(&signature))
    }
}

/// Which RSA key a generation has.
fn rsa_at(generation: usize) -> usize {
    generation % STRANGER
}

#[expect(clippy::expect_used, reason = "the files are part of the program, and each test starts with them")]
fn rsa(pem: &str) -> RsaKeyPair {
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = Base64::decode_vec(&body).expect("the key file is PEM");
    RsaKeyPair::from_pkcs8(&der).expect("the key file holds an RSA key")
}

#[expect(clippy::expect_used, reason = "without randomness the program has no keys, and must not start")]
fn ec() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random);
    let made = made.expect("the machine gives random numbers");
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.as_ref(), &random)
        .expect("the key was made a line above")
}

#[expect(clippy::expect_used, reason = "a signature fails only without randomness")]
fn rsa_signature(key: &RsaKeyPair, text: &str) -> Vec<u8> {
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
        .expect("the machine gives random numbers");
    signature
}

#[expect(clippy::expect_used, reason = "a signature fails only without randomness")]
fn ec_signature(key: &EcdsaKeyPair, text: &str) -> Vec<u8> {
    let signature: signature::Signature =
        key.sign(&SystemRandom::new(), text.as_bytes()).expect("the machine gives random numbers");
    signature.as_ref().to_vec()
}

pub(super) fn base64(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}
