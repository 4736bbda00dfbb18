//! Writing the pieces of a batch: pages are copied, not made anew. Pictures, texts and strips stay byte for byte what they were.
//!
//! A piece holds nothing of the other pages: they may belong to another client. What cannot be taken apart for certain is not
//! taken apart: the caller files the batch as it came and asks a person.

mod pdf;
mod tiff;

use std::fmt;

use super::read::{Scan, ScanKind, Unreadable, caught};
use super::split::SplitPlan;

/// Why a piece was not written. The batch is to be filed as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CannotWrite {
    /// A piece has a page once, and only pages that are there.
    NoSuchPages,
    /// It is encrypted, or parts of it are: whoever protected it did not mean it to be taken apart.
    Protected,
    /// It is signed: no piece of it would be.
    Signed,
    /// Its pages are tied together in a way that is not understood.
    TiedTogether(String),
    /// What was written is not what was meant.
    NotTheSame(String),
}

impl fmt::Display for CannotWrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchPages => f.write_str("it has no such pages"),
            Self::Protected => f.write_str("it is protected"),
            Self::Signed => f.write_str("it is signed, and a part of it would not be"),
            Self::TiedTogether(what) => write!(f, "its pages cannot be taken apart: {what}"),
            Self::NotTheSame(what) => write!(f, "a piece did not become what it was to be: {what}"),
        }
    }
}

impl std::error::Error for CannotWrite {}

/// The file of one piece, of the same kind as the scan. A piece of all pages is the scan itself.
pub fn write_piece(scan: &Scan, pages: &[usize]) -> Result<Vec<u8>, CannotWrite> {
    let mut once = pages.to_vec();
    once.sort_unstable();
    once.dedup();
    if pages.is_empty() || once.len() != pages.len() || once.last().is_some_and(|&last| last >= scan.pages())
    {
        return Err(CannotWrite::NoSuchPages);
    }
    if pages.iter().copied().eq(0..scan.pages()) {
        return Ok(scan.bytes().to_vec());
    }
    let write = || match (scan.kind(), scan.as_pdf(), scan.as_tiff()) {
        (ScanKind::Pdf, Some(pdf), _) => pdf::piece(scan.bytes(), pdf, pages),
        (ScanKind::Tiff, _, Some(file)) => tiff::piece(scan.bytes(), file, pages),
        _ => Err(CannotWrite::NoSuchPages),
    };
    caught(|| Ok(write()))
        .unwrap_or_else(|broken: Unreadable| Err(CannotWrite::TiedTogether(broken.to_string())))
}

/// The files of all pieces of a plan, or none of them.
pub fn write_pieces(scan: &Scan, plan: &SplitPlan) -> Result<Vec<Vec<u8>>, CannotWrite> {
    plan.pieces.iter().map(|piece| write_piece(scan, &piece.pages)).collect()
}
