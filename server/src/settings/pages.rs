//! How batches of pages are divided: `batches = true` and the section `pages` of a hot folder or scan folder.

use std::time::Duration;

use postroom_inbound::pages::{
    BehindSeparator, BlankPages, BlankRule, Kinds, PageLimits, SheetRule, SplitRules,
};
use postroom_inbound::reader::BatchRules;
use serde::Deserialize;

/// `pages`
#[derive(Debug, Clone, Deserialize)]
#[expect(clippy::struct_field_names, reason = "`most_pages` is the key in the settings")]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Pages {
    /// Which codes are heeded.
    separators: Vec<Code>,
    /// Which blank pages are left out; all of them stay in the batch as it came.
    remove_blank: RemoveBlank,
    /// Whether a cover sheet is the first page of its document.
    keep_cover_sheets: bool,
    /// To whom a document behind a separator belongs.
    behind_separator: Behind,
    /// The most pages of a batch that is divided.
    most_pages: usize,
    /// The most pixels of a page that is looked at.
    most_pixels: u64,
    /// The largest batch that is divided, in bytes.
    largest_bytes: u64,
    /// For how long the pages of a batch are looked at, in seconds.
    seconds: u64,
}

/// A kind of code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Code {
    Qr,
    Code128,
    Code39,
    PatchT,
}

/// Which blank pages are left out of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RemoveBlank {
    No,
    AtEnd,
    All,
}

/// To whom a document behind a separator belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Behind {
    SameWorkItem,
    Nobody,
}

impl Default for Pages {
    fn default() -> Self {
        let usual = BatchRules::default();
        Self {
            separators: vec![Code::Qr, Code::Code128, Code::Code39, Code::PatchT],
            remove_blank: RemoveBlank::No,
            keep_cover_sheets: false,
            behind_separator: Behind::SameWorkItem,
            most_pages: usual.limits.pages,
            most_pixels: usual.limits.pixels,
            largest_bytes: usual.largest,
            seconds: usual.patience.as_secs(),
        }
    }
}

impl Pages {
    /// What is well-formed but wrong.
    pub(super) fn mistakes(&self) -> Option<String> {
        let none =
            self.most_pages == 0 || self.most_pixels == 0 || self.largest_bytes == 0 || self.seconds == 0;
        if self.separators.is_empty() {
            Some(
                "pages.separators: names none, so nothing would be divided; leave batches out instead"
                    .to_owned(),
            )
        } else if none {
            Some("pages: limits are 1 or more".to_owned())
        } else {
            None
        }
    }

    /// The rules of dividing.
    pub(crate) fn rules(&self) -> BatchRules {
        let has = |code| self.separators.contains(&code);
        BatchRules {
            kinds: Kinds {
                qr: has(Code::Qr),
                code_128: has(Code::Code128),
                code_39: has(Code::Code39),
                patch_t: has(Code::PatchT),
            },
            split: SplitRules {
                sheets: if self.keep_cover_sheets { SheetRule::Keep } else { SheetRule::Drop },
                blanks: match self.remove_blank {
                    RemoveBlank::No => BlankPages::Keep,
                    RemoveBlank::AtEnd => BlankPages::DropAtEnd,
                    RemoveBlank::All => BlankPages::Drop,
                },
                behind_separator: match self.behind_separator {
                    Behind::SameWorkItem => BehindSeparator::SameWorkItem,
                    Behind::Nobody => BehindSeparator::Nobody,
                },
            },
            blank: BlankRule::default(),
            limits: PageLimits { pages: self.most_pages, pixels: self.most_pixels, ..PageLimits::default() },
            largest: self.largest_bytes,
            patience: Duration::from_secs(self.seconds),
        }
    }
}
