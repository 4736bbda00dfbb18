//! How a message is protected: seen by what it says and by what its content is, never opened and never checked.

use postroom_domain::mail::Protection;

use super::mime::Told;

/// OIDs of the contents of CMS (RFC 5652, RFC 5083), as they stand in DER.
const SIGNED_DATA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
const ENVELOPED_DATA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03";
const AUTH_ENVELOPED_DATA: &[u8] = b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17";

/// What a multipart says.
pub(super) fn of_multipart(told: &Told) -> Protection {
    if told.is_multipart("encrypted") {
        Protection::Encrypted
    } else if told.is_multipart("signed") {
        Protection::Signed
    } else {
        Protection::None
    }
}

/// What a leaf says and is. Where the two differ, the content is right: the parameter is a stranger's word, and some gateways get it wrong.
pub(super) fn of_leaf(told: &Told, content: &[u8]) -> Protection {
    if !told.is("application", "pkcs7-mime") && !told.is("application", "x-pkcs7-mime") {
        return Protection::None;
    }
    of_cms(content).unwrap_or(match told.smime.as_str() {
        "signed-data" => Protection::SignedWrapped,
        "certs-only" | "compressed-data" => Protection::None,
        _ => Protection::Encrypted,
    })
}

/// What a CMS structure is by the OID near its beginning.
pub(super) fn of_cms(content: &[u8]) -> Option<Protection> {
    let head = &content[..content.len().min(64)];
    let has = |oid: &[u8]| head.windows(oid.len()).any(|window| window == oid);
    if has(ENVELOPED_DATA) || has(AUTH_ENVELOPED_DATA) {
        Some(Protection::Encrypted)
    } else if has(SIGNED_DATA) {
        Some(Protection::SignedWrapped)
    } else {
        None
    }
}

/// What the armour of PGP in a text says.
pub(super) fn of_text(text: &str) -> Protection {
    let begins = |what: &str| text.lines().any(|line| line.trim_end() == what);
    if begins("-----BEGIN PGP MESSAGE-----") {
        Protection::Encrypted
    } else if begins("-----BEGIN PGP SIGNED MESSAGE-----") {
        Protection::Signed
    } else {
        Protection::None
    }
}

/// The stronger of two: what hides more.
pub(super) fn stronger(one: Protection, other: Protection) -> Protection {
    let rank = |it| match it {
        Protection::None => 0,
        Protection::Signed => 1,
        Protection::SignedWrapped => 2,
        Protection::Encrypted => 3,
    };
    if rank(other) > rank(one) { other } else { one }
}

/// A part that protects or reports and is no document.
pub(super) fn is_machinery(told: &Told) -> bool {
    told.is("application", "pkcs7-signature")
        || told.is("application", "x-pkcs7-signature")
        || told.is("application", "pgp-signature")
        || told.is("application", "pgp-encrypted")
        || told.is("message", "delivery-status")
        || told.is("message", "global-delivery-status")
        || told.is("message", "disposition-notification")
        || told.is("message", "global-disposition-notification")
        || told.is("text", "rfc822-headers")
}
