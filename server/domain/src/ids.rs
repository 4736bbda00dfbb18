//! Ids and names as types that only parsing makes.

use std::fmt;
use std::str::FromStr;
use std::sync::Mutex;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::time::{Clock, Entropy};

/// Why a text is not an id or a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{given}\" is not {wanted}")]
pub struct ParseIdError {
    given: String,
    wanted: &'static str,
}

impl ParseIdError {
    fn new(given: &str, wanted: &'static str) -> Self {
        // A hostile text must not fill a log line.
        Self { given: given.chars().take(80).collect(), wanted }
    }
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $wanted:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The id behind a number, as the stores keep it: big-endian order is order of creation.
            pub const fn from_u128(value: u128) -> Self {
                Self(Uuid::from_u128(value))
            }

            /// The number behind the id.
            pub const fn as_u128(self) -> u128 {
                self.0.as_u128()
            }

            /// Milliseconds since 1970 that the id was minted with. Never used for order across ids: see [`IdMint`].
            pub const fn millis(self) -> i64 {
                (self.0.as_u128() >> 80) as i64
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;
            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                Uuid::try_parse(text).map(Self).map_err(|_| ParseIdError::new(text, $wanted))
            }
        }
    };
}

uuid_id!(
    /// One thing that arrived: an e-mail, a scan, an upload.
    IntakeId,
    "an intake id (a UUID such as 0192f0c1-5b7e-7000-8000-000000000001)"
);
uuid_id!(
    /// One document going to one place in one DMS. Ids grow in the order of acceptance.
    FilingId,
    "a filing id (a UUID such as 0192f0c1-5b7e-7000-8000-000000000001)"
);
uuid_id!(
    /// One matter, instruction, service request that Postroom knows.
    WorkItemId,
    "a work item id (a UUID such as 0192f0c1-5b7e-7000-8000-000000000001)"
);

uuid_id!(
    /// A human in Postroom.
    PersonId,
    "a person's id (a UUID such as 0192f0c1-5b7e-7000-8000-000000000001)"
);
uuid_id!(
    /// One sign-in of a person in one browser.
    SessionId,
    "a session's id (a UUID such as 0192f0c1-5b7e-7000-8000-000000000001)"
);
uuid_id!(
    /// A bearer token of a program or of the add-in.
    TokenId,
    "a token's id (a UUID such as 0192f0c1-5b7e-7000-8000-000000000001)"
);
uuid_id!(
    /// One account's tokens for one linked service.
    LinkId,
    "a link's id (a UUID such as 0192f0c1-5b7e-7000-8000-000000000001)"
);
uuid_id!(
    /// What is known of a person's account in one DMS.
    DmsAccountId,
    "a DMS account's id (a UUID such as 0192f0c1-5b7e-7000-8000-000000000001)"
);
uuid_id!(
    /// How far one folder of a mailbox elsewhere has been read.
    CursorId,
    "a cursor's id (a UUID such as 0192f0c1-5b7e-7000-8000-000000000001)"
);
uuid_id!(
    /// One upload under way, piece by piece.
    UploadId,
    "an upload's id (a UUID such as 0192f0c1-5b7e-7000-8000-000000000001)"
);
uuid_id!(
    /// One table of data that was handed in.
    DataUploadId,
    "a data upload's id (a UUID such as 0192f0c1-5b7e-7000-8000-000000000001)"
);

uuid_id!(
    /// One set of filings that are decided over together.
    BulkId,
    "a bulk set's id (a UUID such as 0192f0c1-5b7e-7000-8000-000000000001)"
);

uuid_id!(
    /// One hand-over from a DMS.
    TicketId,
    "a ticket's id (a UUID such as 0192f0c1-5b7e-7000-8000-000000000001)"
);

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $wanted:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// The name as written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;
            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                if is_slug(text) { Ok(Self(text.into())) } else { Err(ParseIdError::new(text, $wanted)) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = ParseIdError;
            fn try_from(text: String) -> Result<Self, ParseIdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0.as_ref().to_owned()
            }
        }
    };
}

/// 1 to 63 of `a-z 0-9 - _ .`, first a letter or digit: safe in addresses, file names, log fields and the filter language.
fn is_slug(text: &str) -> bool {
    let bytes = text.as_bytes();
    (1..=63).contains(&bytes.len())
        && bytes[0].is_ascii_alphanumeric()
        && bytes
            .iter()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.'))
}

name!(
    /// A linked service, which for filings is the destination: one configured connection to one DMS.
    ServiceName,
    "a service name (1 to 63 of a-z, 0-9, '-', '_', '.')"
);
name!(
    /// Where intakes come from: a hot folder, a mailbox, the upload door.
    SourceName,
    "a source name (1 to 63 of a-z, 0-9, '-', '_', '.')"
);
name!(
    /// A data partition (an office, a client portal). Every record belongs to one.
    SiteName,
    "a site name (1 to 63 of a-z, 0-9, '-', '_', '.')"
);
name!(
    /// A named pointer to a place in a DMS, with a resolver.
    RepositoryName,
    "a repository name (1 to 63 of a-z, 0-9, '-', '_', '.')"
);

name!(
    /// What a person may do: `user`, `operator`, `support`, `admin`, or one of the firm's own.
    RoleName,
    "a role name (1 to 63 of a-z, 0-9, '-', '_', '.')"
);
name!(
    /// A list of targets from a firm's own database.
    ListName,
    "a list name (1 to 63 of a-z, 0-9, '-', '_', '.')"
);
name!(
    /// A group of persons that linked services are available to.
    TeamName,
    "a team name (1 to 63 of a-z, 0-9, '-', '_', '.')"
);

/// BLAKE3 of a document's plain bytes: its address in the spool.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BlobHash([u8; 32]);

impl BlobHash {
    /// Wraps a finished hash.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for BlobHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for BlobHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobHash({self})")
    }
}

impl FromStr for BlobHash {
    type Err = ParseIdError;
    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let wrong = || ParseIdError::new(text, "a content hash (64 hexadecimal digits)");
        if text.len() != 64 || !text.is_ascii() {
            return Err(wrong());
        }
        let mut bytes = [0; 32];
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).map_err(|_| wrong())?;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for BlobHash {
    type Error = ParseIdError;
    fn try_from(text: String) -> Result<Self, ParseIdError> {
        text.parse()
    }
}

impl From<BlobHash> for String {
    fn from(hash: BlobHash) -> String {
        hash.to_string()
    }
}

/// What a filing leaves on its document in the DMS, so that a lost answer can be told from a lost upload.
///
/// The text is `postroom:` and the filing's id. Only Postroom writes it; a person who copies a document copies its
/// mark too, which is why a probe also looks at the container.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Mark(FilingId);

impl Mark {
    /// The mark of a filing.
    pub const fn of(id: FilingId) -> Self {
        Self(id)
    }

    /// The filing it names.
    pub const fn filing(self) -> FilingId {
        self.0
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "postroom:{}", self.0)
    }
}

/// Makes ids whose order is the order of making, whatever the clock does.
///
/// The layout is UUID version 7. When the clock stands still or goes back, the last used time is kept and a counter
/// counts on, so ids serve as the sequence numbers that lists and queues are ordered by. After a restart the store's
/// greatest id is handed in, so the order survives that too.
pub struct IdMint {
    /// The last id without its fixed bits: 48 bits of milliseconds, 12 and 62 bits of counter.
    last: Mutex<u128>,
}

impl IdMint {
    /// A mint whose ids are all greater than `floor` (the store's greatest id, or 0).
    pub const fn after(floor: u128) -> Self {
        Self { last: Mutex::new(strip(floor)) }
    }

    /// The next id as a number.
    pub fn next(&self, clock: &dyn Clock, entropy: &dyn Entropy) -> u128 {
        let millis = u128::try_from(clock.now().as_millisecond()).unwrap_or(0);
        let mut random = [0; 8];
        entropy.fill(&mut random);
        let random = u128::from(u64::from_be_bytes(random));
        // The 12 upper bits of the counter start at zero: room to count without running into the next millisecond.
        let fresh = (millis << 74) | (random >> 2);
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *last = fresh.max(*last + 1 + (random & 0xffff));
        dress(*last)
    }
}

const LOW: u128 = (1 << 62) - 1;

/// An id without the version and variant bits of UUID version 7, so that counting carries.
const fn strip(id: u128) -> u128 {
    ((id >> 80) << 74) | (((id >> 64) & 0xfff) << 62) | (id & LOW)
}

/// The reverse of [`strip`].
const fn dress(number: u128) -> u128 {
    ((number >> 74) << 80) | (0x7 << 76) | (((number >> 62) & 0xfff) << 64) | (0b10 << 62) | (number & LOW)
}

/// The time an id was minted with, for display.
pub fn minted_at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ManualClock, SeededEntropy};

    #[test]
    fn ids_grow_when_the_clock_stands_goes_back_and_restarts() {
        let clock = ManualClock::at("2026-11-23T09:00:00Z");
        let entropy = SeededEntropy::new(7);
        let mint = IdMint::after(0);
        let mut last = 0;
        for round in 0..20_000_i64 {
            if round == 10_000 {
                clock.set("2026-11-22T09:00:00Z");
            }
            let id = mint.next(&clock, &entropy);
            assert!(id > last, "round {round}");
            assert_eq!(Uuid::from_u128(id).get_version_num(), 7);
            assert_eq!(Uuid::from_u128(id).get_variant(), uuid::Variant::RFC4122);
            last = id;
        }
        let again = IdMint::after(last);
        assert!(again.next(&clock, &entropy) > last);
    }

    #[test]
    fn names_and_hashes_are_parsed_strictly() {
        for good in ["dms-eu", "a", "0x", "mail.litigation_2"] {
            assert_eq!(good.parse::<ServiceName>().unwrap().as_str(), good);
        }
        for bad in ["", "-a", "A", "a b", "ä", "a/b", &"x".repeat(64)] {
            assert!(bad.parse::<ServiceName>().is_err(), "{bad}");
        }
        let hash = BlobHash::new([0xab; 32]);
        assert_eq!(hash.to_string().parse::<BlobHash>().unwrap(), hash);
        for bad in ["", "ab", &"g".repeat(64), &"é".repeat(32)] {
            assert!(bad.parse::<BlobHash>().is_err(), "{bad}");
        }
    }
}
