//! Ids that stay: Office takes a manifest with another id for another add-in.

use sha1::{Digest as _, Sha1};
use uuid::{Builder, Uuid};

use crate::{AddIn, BaseUrl};

/// The namespace of ids of ours.
const OURS: Uuid = Uuid::from_u128(0x5d0b_6c1e_8a47_4f0e_9c3d_71b2_e6a5_40d8);

/// The id of a manifest of the firm whose server is there: a UUID of version 5, so that the same address always gives the same id.
fn id(base: &BaseUrl, which: &str) -> Uuid {
    let mut hash = Sha1::new();
    hash.update(OURS.as_bytes());
    hash.update(format!("{which}:{base}"));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    Builder::from_sha1_bytes(bytes).into_uuid()
}

impl AddIn {
    /// The id of the manifest for Outlook.
    pub fn outlook_id(&self) -> Uuid {
        id(&self.base, "outlook")
    }

    /// The id of the manifest for Word and Excel.
    pub fn word_id(&self) -> Uuid {
        id(&self.base, "word")
    }

    /// The id of the unified manifest: its own, for a firm may hand out both.
    pub fn unified_id(&self) -> Uuid {
        id(&self.base, "unified")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_of_its_address_and_stays() {
        let at = |given: &str| id(&BaseUrl::new(given).unwrap(), "outlook");
        assert_eq!(at("https://postroom.firm.example"), at("https://POSTROOM.firm.example:443/"));
        assert_ne!(at("https://postroom.firm.example"), at("https://postroom.other.example"));
        assert_eq!(at("https://postroom.firm.example").get_version_num(), 5);
        let base = BaseUrl::new("https://postroom.firm.example").unwrap();
        assert_ne!(id(&base, "outlook"), id(&base, "unified"));
    }
}
