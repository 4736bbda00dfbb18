//! What a person chose for a letter: to which work items it goes, and which of its documents.
//!
//! A choice is the person's word and goes before every rule: nothing is matched, and what the firm's rules leave inside a message is taken
//! out where it was asked for by name. What was asked for and is not there stops the whole letter for a person: half of what somebody
//! chose is nothing they chose.

use serde::{Deserialize, Serialize};

use crate::split::{Origin, Piece};

/// The most work items of one letter.
pub const MOST_MATTERS: usize = 20;
/// The most attachments that one choice names.
pub const MOST_NAMES: usize = 1000;

/// An attachment by its name, as mail programs show it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// Its file name. Mail programs show messages within without their extension.
    pub name: String,
    /// Which of several with that name, from 1.
    #[serde(default = "first", skip_serializing_if = "is_first")]
    pub nth: u32,
}

const fn first() -> u32 {
    1
}
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this form")]
const fn is_first(nth: &u32) -> bool {
    *nth == 1
}

/// One work item, and what of the letter goes there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// The work item: its id, or its reference.
    pub work_item: String,
    /// Whether the message itself goes there.
    #[serde(default = "yes")]
    pub message: bool,
    /// Which attachments go there as documents of their own; none leaves that to the firm's rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attachments: Option<Vec<Named>>,
}

const fn yes() -> bool {
    true
}

impl Choice {
    /// The numbers of a letter's pieces that go there, or the names that none of its parts has. `names` are those of the letter's parts, in
    /// order.
    pub fn pieces(&self, pieces: &[Piece], names: &[&str]) -> Result<Vec<usize>, Vec<String>> {
        let number = |origin: Origin| pieces.iter().position(|piece| piece.origin == origin);
        let message = self.message.then(|| number(Origin::Whole)).flatten();
        let Some(wanted) = &self.attachments else {
            let all = 0..pieces.len();
            return Ok(all.filter(|it| pieces[*it].origin != Origin::Whole || self.message).collect());
        };
        let (mut found, mut missing) = (Vec::from_iter(message), Vec::new());
        for one in wanted {
            // What has the content of another part is filed as that one.
            let piece = part(names, one).and_then(|part| {
                number(Origin::Part(part))
                    .or_else(|| pieces.iter().position(|piece| piece.also.iter().any(|it| it == names[part])))
            });
            match piece {
                Some(piece) if !found.contains(&piece) => found.push(piece),
                Some(_) => {}
                None => missing.push(one.name.clone()),
            }
        }
        if missing.is_empty() { Ok(found) } else { Err(missing) }
    }
}

/// The parts that some choices ask for by name.
pub fn asked_for(choices: &[Choice], names: &[&str]) -> Vec<usize> {
    let all = choices.iter().flat_map(|choice| choice.attachments.iter().flatten());
    let mut parts: Vec<usize> = all.filter_map(|named| part(names, named)).collect();
    parts.sort_unstable();
    parts.dedup();
    parts
}

/// The number of the part with a name.
fn part(names: &[&str], wanted: &Named) -> Option<usize> {
    let nth = usize::try_from(wanted.nth).ok()?.checked_sub(1)?;
    let alike = |same: fn(&str, &str) -> bool| {
        names.iter().enumerate().filter(|(_, name)| same(name, &wanted.name)).nth(nth).map(|(at, _)| at)
    };
    alike(is_same).or_else(|| alike(is_message))
}

fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

fn is_same(name: &str, wanted: &str) -> bool {
    spaced(name) == spaced(wanted)
}

/// Outlook shows a message within by its subject.
fn is_message(name: &str, wanted: &str) -> bool {
    let stem = name
        .rsplit_once('.')
        .filter(|(_, kind)| ["eml", "msg"].iter().any(|it| kind.eq_ignore_ascii_case(it)));
    stem.is_some_and(|(stem, _)| is_same(stem, wanted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::BlobHash;

    fn piece(origin: Origin, also: &[&str]) -> Piece {
        Piece {
            origin,
            file_name: String::new(),
            media_type: String::new(),
            hash: BlobHash::new([0; 32]),
            size: 1,
            also: also.iter().map(ToString::to_string).collect(),
        }
    }

    type Wanted<'a> = Result<Vec<usize>, Vec<&'a str>>;

    #[test]
    fn what_goes_there_is_what_was_named() {
        let names = ["lease.pdf", "logo.png", "plan.pdf", "Plan.pdf", "Re: Lease.eml", "copy.pdf"];
        let pieces = [
            piece(Origin::Whole, &[]),
            piece(Origin::Part(0), &["copy.pdf"]),
            piece(Origin::Part(2), &[]),
            piece(Origin::Part(3), &[]),
            piece(Origin::Part(4), &[]),
        ];
        let one = |name: &str, nth: u32| Named { name: name.to_owned(), nth };
        let table: Vec<(&str, bool, Option<Vec<Named>>, Wanted<'_>)> = vec![
            ("all by the rules", true, None, Ok(vec![0, 1, 2, 3, 4])),
            ("attachments only", false, None, Ok(vec![1, 2, 3, 4])),
            ("the message only", true, Some(vec![]), Ok(vec![0])),
            ("nothing", false, Some(vec![]), Ok(vec![])),
            ("one", false, Some(vec![one("LEASE.pdf", 1)]), Ok(vec![1])),
            ("the second of a name", false, Some(vec![one("plan.pdf", 2)]), Ok(vec![3])),
            ("twice is once", true, Some(vec![one("lease.pdf", 1), one("lease.pdf", 1)]), Ok(vec![0, 1])),
            ("a message by its subject", false, Some(vec![one("Re:  Lease", 1)]), Ok(vec![4])),
            ("the same content under another name", false, Some(vec![one("copy.pdf", 1)]), Ok(vec![1])),
            (
                "not there",
                true,
                Some(vec![one("x.pdf", 1), one("plan.pdf", 3)]),
                Err(vec!["x.pdf", "plan.pdf"]),
            ),
            ("no such number", true, Some(vec![one("lease.pdf", 0)]), Err(vec!["lease.pdf"])),
            (
                "left in by the rules and not asked for",
                true,
                Some(vec![one("logo.png", 1)]),
                Err(vec!["logo.png"]),
            ),
        ];
        for (what, message, attachments, wanted) in table {
            let choice = Choice { work_item: "M-1".to_owned(), message, attachments };
            let wanted = wanted.map_err(|names| names.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(choice.pieces(&pieces, &names), wanted, "{what}");
        }
        let choice = Choice {
            work_item: String::new(),
            message: true,
            attachments: Some(vec![one("logo.png", 1), one("x", 1), one("lease.pdf", 1)]),
        };
        assert_eq!(asked_for(&[choice], &names), [0, 1]);
    }
}
