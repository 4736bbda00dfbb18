//! What the server can get wrong in its answers.

use serde::{Deserialize, Serialize};

/// A flaw in an answer that is otherwise well-formed. The operation it belongs to is named first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flaw {
    /// `delta`: an empty page that goes on where this one would have.
    EmptyPage,
    /// `delta`: each entry stands twice.
    Twice,
    /// `delta`: an entry without an id, and one that is no object.
    Nonsense,
    /// `delta`: the link leads to another host.
    ForeignLink,
    /// `delta`: no link.
    NoLink,
    /// `delta`: the link leads to the same page again.
    SameLink,
    /// `value`: nothing in it.
    Empty,
}
