//! What an honest application finds wrong with a token.

use base64ct::{Base64UrlUnpadded, Encoding};
use ring::rsa::PublicKeyComponents;
use ring::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::Value;

use crate::browser::START;

/// What the application expects.
pub(crate) struct Expected<'a> {
    pub(crate) keys: &'a Value,
    pub(crate) issuer: &'a str,
    pub(crate) audience: &'a str,
    /// None where there is none, as in access tokens.
    pub(crate) nonce: Option<&'a str>,
}

pub(crate) fn part(token: &str, index: usize) -> Option<Value> {
    let part = token.split('.').nth(index)?;
    serde_json::from_slice(&Base64UrlUnpadded::decode_vec(part).ok()?).ok()
}

/// Everything that is wrong, in words; empty for a good token.
pub(crate) fn wrong(token: &str, expected: &Expected<'_>) -> Vec<&'static str> {
    let (Some(header), Some(claims)) = (part(token, 0), part(token, 1)) else { return vec!["no token"] };
    let mut wrong = Vec::new();
    wrong.extend(signature(token, &header, expected.keys));
    let now = START / 1000;
    let times = ["exp", "iat", "nbf"].map(|name| claims[name].as_i64());
    let checks = [
        (claims["iss"] != expected.issuer, "issuer"),
        (claims["aud"] != expected.audience, "audience"),
        (expected.nonce.is_some_and(|nonce| claims["nonce"] != nonce), "nonce"),
        (!claims["sub"].is_string(), "no subject"),
        (times[0].is_none_or(|at| at <= now), "expired"),
        (times[1].is_none_or(|at| at > now) || times[2].is_some_and(|at| at > now), "not yet valid"),
    ];
    wrong.extend(checks.into_iter().filter(|(bad, _)| *bad).map(|(_, word)| word));
    wrong
}

fn signature(token: &str, header: &Value, keys: &Value) -> Option<&'static str> {
    let (signed, signature) = token.rsplit_once('.')?;
    let signature = Base64UrlUnpadded::decode_vec(signature).unwrap();
    match header["alg"].as_str() {
        Some("RS256" | "ES256") => {}
        Some("none") if signature.is_empty() => return Some("unsigned"),
        Some("HS256") if signature.len() == 32 => return Some("signed by HMAC"),
        _ => return Some("strange algorithm"),
    }
    let Some(kid) = header["kid"].as_str() else { return Some("no key named") };
    let key = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid);
    let Some(key) = key else { return Some("unknown key") };
    assert_eq!(key["alg"], header["alg"]);
    let field = |name: &str| Base64UrlUnpadded::decode_vec(key[name].as_str().unwrap()).unwrap();
    let good = if key["kty"] == "RSA" {
        let public = PublicKeyComponents { n: field("n"), e: field("e") };
        public.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature)
    } else {
        let point = [vec![4], field("x"), field("y")].concat();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed.as_bytes(), &signature)
    };
    good.err().map(|_| "signature")
}
