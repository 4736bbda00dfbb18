//! Scanned pages: cover sheets and separators are read from them, and a batch is split into documents.
//!
//! ```text
//! bytes ─Scan→ pages ─examine→ marks ─plan→ pieces, problems, trace ─write_piece→ bytes
//! ```
//!
//! Everything here computes and waits for nothing: the caller runs it where blocking does no harm, with a time limit. Nothing
//! scanned is ever changed: a plan names pages, and what is written is a copy. Whatever cannot be read, contradicts itself, or names what is not known
//! goes to a person; no matter is guessed.

mod cover_sheet;
mod desk;
mod gray;
mod limits;
mod marks;
mod payload;
mod picture;
mod read;
mod split;
#[cfg(test)]
mod tests;
mod text;
mod write;

pub use cover_sheet::{CoverSheet, Printed, cover_sheet, print};
pub use desk::PageDesk;
pub use gray::Gray;
pub use limits::PageLimits;
pub use marks::{BlankRule, Kinds, MarkRules, PageMarks, Symbol, examine, examine_all};
pub use payload::{Cover, CoverKey, LONGEST, NoPayload, Payload, parse, payload};
pub use picture::picture;
pub use read::{Scan, ScanKind, Unreadable};
pub use split::{
    BehindSeparator, BlankPages, LeftOut, LeftOutWhy, NeedsPerson, Piece, Problem, SheetRule, SplitPlan,
    SplitRules, Why, plan,
};
pub use text::{PageText, text};
pub use write::{CannotWrite, write_piece, write_pieces};
