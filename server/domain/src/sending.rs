//! File on send: a person chooses where a letter goes while they write it. The choice is kept under an id that travels in a header of the
//! letter; what was sent is found among the sent items by that, and filed as it was chosen. Nothing here can keep a letter from being sent.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::choice::Choice;
use crate::ids::{IntakeId, PersonId, SiteName};
use crate::record::{Kept, Kind};

/// The header that carries the id of a [`SendIntent`].
pub const HEADER: &str = "X-Postroom-Send";

/// How it stands with a letter that is to be filed when it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SendState {
    /// It was not found among the sent items yet: it may not be sent yet.
    Waiting,
    /// It was found and taken in.
    Taken(IntakeId),
    /// It was looked for in vain, or the mailbox cannot be read: the person has to file it by hand. Why, in words.
    Failed(String),
}

/// What a person chose for a letter that is not sent yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendIntent {
    /// The id that travels with the letter: 128 random bits of the mail program's.
    pub id: u128,
    /// Whose it is.
    pub person: PersonId,
    /// Their name, which files it.
    pub principal: String,
    /// Their site.
    pub site: SiteName,
    /// The mailbox it is sent from, in small letters.
    pub mailbox: String,
    /// Its subject when the choice was made, for the person's list.
    #[serde(default)]
    pub subject: String,
    /// Where it goes.
    pub choices: Vec<Choice>,
    /// When the choice was made.
    pub made: Timestamp,
    /// How it stands.
    pub state: SendState,
    /// Why the mailbox could not be looked into the last time, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// See [`Kept::version`].
    #[serde(skip)]
    pub version: u64,
}

impl SendIntent {
    /// So many of one person may wait.
    pub const MOST_WAITING: usize = 200;
    /// The group of all that wait.
    pub const WAITING: &'static str = "waiting";

    /// The group of a person's.
    pub fn of(person: PersonId) -> String {
        crate::people::group_of(person)
    }
}

impl Kept for SendIntent {
    const KIND: Kind = Kind::SendIntent;
    fn number(&self) -> u128 {
        self.id
    }
    fn version(&self) -> u64 {
        self.version
    }
    fn set_version(&mut self, version: u64) {
        self.version = version;
    }
    fn keys(&self) -> Vec<String> {
        Vec::new()
    }
    fn groups(&self) -> Vec<String> {
        let waiting = (self.state == SendState::Waiting).then(|| Self::WAITING.to_owned());
        waiting.into_iter().chain([Self::of(self.person)]).collect()
    }
}

/// The id that a header's value carries: a UUID as mail programs write it, and nothing else.
pub fn id_in(header: &str) -> Option<u128> {
    let text = header.trim();
    let dashes = [8, 13, 18, 23];
    let shaped = text.len() == 36
        && text
            .bytes()
            .enumerate()
            .all(|(at, byte)| if dashes.contains(&at) { byte == b'-' } else { byte.is_ascii_hexdigit() });
    shaped.then(|| u128::from_str_radix(&text.replace('-', ""), 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::id_in;

    #[test]
    fn an_id_is_a_uuid_and_nothing_else() {
        let table = [
            (" 01890a5d-ac96-774b-bcce-b302099a8057\r\n", true),
            ("01890A5D-AC96-774B-BCCE-B302099A8057", true),
            ("01890a5dac96774bbcceb302099a8057", false),
            ("01890a5d-ac96-774b-bcce-b302099a805g", false),
            ("01890a5d-ac96-774b-bcce-b302099a8057x", false),
            ("+1890a5d-ac96-774b-bcce-b302099a8057", false),
            ("", false),
            ("ä1890a5d-ac96-774b-bcce-b302099a805", false),
        ];
        for (text, wanted) in table {
            assert_eq!(id_in(text).is_some(), wanted, "{text}");
        }
        assert_eq!(id_in("00000000-0000-0000-0000-0000000000ff"), Some(255));
    }
}
