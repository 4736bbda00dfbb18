//! From what is on the pages to documents: a plan that says which pages make which document, why, and what a person has to
//! look at.
//!
//! A plan changes nothing. Each page of the batch is in it exactly once, as a page of a piece or as one that was left out with
//! its reason, so that any of it can be undone.
//!
//! A matter is never guessed. A page on which something could not be read, or says two things, may be a cover sheet: from there
//! to the next cover sheet nothing is known, and a person decides.

use std::fmt;

use super::marks::PageMarks;
use super::payload::Cover;

/// What happens to cover sheets after they were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SheetRule {
    /// The document begins with the page behind it.
    #[default]
    Drop,
    /// It is the first page of the document: for codes that are printed or stuck on the documents themselves.
    Keep,
}

/// What happens to blank pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BlankPages {
    /// They stay where they are; only documents of nothing else are not made.
    #[default]
    Keep,
    /// Those at the end of a document are left out.
    DropAtEnd,
    /// All are left out.
    Drop,
}

/// To whom a document behind a separator belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BehindSeparator {
    /// To the work item of the cover sheet before it.
    #[default]
    SameWorkItem,
    /// To nobody, until the next cover sheet.
    Nobody,
}

/// How a batch is split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SplitRules {
    /// Cover sheets.
    pub sheets: SheetRule,
    /// Blank pages.
    pub blanks: BlankPages,
    /// Documents behind separators.
    pub behind_separator: BehindSeparator,
}

/// Why a piece begins where it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// The batch begins there.
    Beginning,
    /// Behind or with the cover sheet on this page.
    CoverSheet(usize),
    /// Behind the separator on this page.
    Separator(usize),
    /// With this page, about which a person is asked.
    Doubt(usize),
}

/// Pages that make one document. Pages are counted from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Its pages, in their order.
    pub pages: Vec<usize>,
    /// The key of the work item that its cover sheet names.
    pub work_item_key: Option<String>,
    /// Why it begins where it does.
    pub why: Why,
    /// Whether a person has to say where it belongs: what a cover sheet might have said about it could not be read.
    pub needs_person: bool,
}

/// A page that is in no piece, and why. It stays in the original.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeftOut {
    /// Which page.
    pub page: usize,
    /// Why.
    pub why: LeftOutWhy,
}

/// Why a page is in no piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOutWhy {
    /// A cover sheet, by rule.
    CoverSheet,
    /// A separator.
    Separator,
    /// Blank, by rule.
    Blank,
    /// Blank, and nothing else would be in the document.
    OnlyBlank,
    /// The blank back of a cover sheet or separator.
    BackOfSheet,
}

/// What a person has to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The page cannot be looked at.
    Unreadable(String),
    /// Something on it looks like a barcode and cannot be read.
    UnreadCode,
    /// Its barcodes name different work items, or one of them is doubtful.
    Contradiction(Vec<String>),
    /// It has a cover sheet's barcode that is not valid here.
    Doubtful(String),
    /// It is a cover sheet for a work item that is not known.
    UnknownWorkItem(Cover),
    /// Nothing is behind this cover sheet: the sheets may have been put behind their documents.
    NothingBehind,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(why) => write!(f, "the page cannot be looked at: {why}"),
            Self::UnreadCode => f.write_str("something like a barcode is there and cannot be read"),
            Self::Contradiction(sayings) => {
                write!(f, "its barcodes contradict each other: {}", sayings.join(" and "))
            }
            Self::Doubtful(why) => write!(f, "it looks like a cover sheet, but {why}"),
            Self::UnknownWorkItem(cover) => {
                write!(f, "it is a cover sheet for {}, which is not known", named(cover))
            }
            Self::NothingBehind => f.write_str("it is a cover sheet with nothing behind it"),
        }
    }
}

/// A page that a person has to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeedsPerson {
    /// Which page, counted from 0.
    pub page: usize,
    /// What is with it.
    pub problem: Problem,
}

/// How a batch is split.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SplitPlan {
    /// The documents.
    pub pieces: Vec<Piece>,
    /// Pages in no document.
    pub left_out: Vec<LeftOut>,
    /// What a person has to look at.
    pub problems: Vec<NeedsPerson>,
    /// What was found and decided, page by page, in words; pages are counted from 1 there, as people do.
    pub trace: Vec<String>,
}

impl SplitPlan {
    /// Whether a person has to look before anything of it is filed.
    pub fn needs_person(&self) -> bool {
        !self.problems.is_empty()
    }

    /// Whether the batch is one document of all its pages: it can be filed as it came.
    pub fn is_whole(&self) -> bool {
        self.pieces.len() == 1 && self.left_out.is_empty()
    }
}

/// Plans how a batch is split. `known` tells the key of the work item that a cover sheet is for, none where there is no such one.
pub fn plan(pages: &[PageMarks], rules: &SplitRules, known: impl Fn(&Cover) -> Option<String>) -> SplitPlan {
    let mut splitter = Splitter {
        rules,
        plan: SplitPlan::default(),
        open: Open { pages: Vec::new(), why: Why::Beginning },
        owner: Owner::Nobody,
        sheet: None,
        behind_sheet: false,
    };
    for (page, marks) in pages.iter().enumerate() {
        splitter.take(page, marks, &known);
    }
    splitter.close();
    splitter.nothing_behind();
    splitter.plan
}

/// Whose the pages are at this point of the batch.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Owner {
    /// No cover sheet has been met.
    Nobody,
    /// That of the last one.
    WorkItem(String),
    /// There may have been one that could not be read.
    Unknown,
}

struct Open {
    /// Pages so far, and whether each is blank.
    pages: Vec<(usize, bool)>,
    why: Why,
}

struct Splitter<'r> {
    rules: &'r SplitRules,
    plan: SplitPlan,
    open: Open,
    owner: Owner,
    /// The last cover sheet, until a page of its own comes behind it.
    sheet: Option<usize>,
    /// Whether the page before was a sheet, whose back may follow.
    behind_sheet: bool,
}

/// What one page is.
enum Is {
    Sheet(Cover),
    Separator,
    Problem(Problem),
    Blank,
    Content,
}

fn what(marks: &PageMarks) -> Is {
    if let Some(why) = &marks.unreadable {
        return Is::Problem(Problem::Unreadable(why.clone()));
    }
    let sayings: Vec<String> = marks.covers.iter().map(named).chain(marks.doubtful.iter().cloned()).collect();
    match (marks.covers.first(), marks.doubtful.first()) {
        _ if sayings.len() > 1 && !marks.covers.is_empty() => Is::Problem(Problem::Contradiction(sayings)),
        (Some(cover), _) => Is::Sheet(cover.clone()),
        (None, Some(why)) => Is::Problem(Problem::Doubtful(why.clone())),
        (None, None) if marks.unread_code => Is::Problem(Problem::UnreadCode),
        (None, None) if marks.separator => Is::Separator,
        (None, None) if marks.blank => Is::Blank,
        (None, None) => Is::Content,
    }
}

fn named(cover: &Cover) -> String {
    if cover.site.is_empty() {
        cover.reference.clone()
    } else {
        format!("{} ({})", cover.reference, cover.site)
    }
}

impl Splitter<'_> {
    fn take(&mut self, page: usize, marks: &PageMarks, known: &impl Fn(&Cover) -> Option<String>) {
        match what(marks) {
            Is::Sheet(cover) => match known(&cover) {
                Some(key) => {
                    self.note(page, &format!("cover sheet for {}", named(&cover)));
                    self.begin(Why::CoverSheet(page));
                    self.nothing_behind();
                    self.owner = Owner::WorkItem(key);
                    self.sheet = Some(page);
                    match self.rules.sheets {
                        SheetRule::Drop => self.leave_out(page, LeftOutWhy::CoverSheet),
                        SheetRule::Keep => self.add(page, false),
                    }
                    self.behind_sheet = self.rules.sheets == SheetRule::Drop;
                }
                None => self.doubt(page, Problem::UnknownWorkItem(cover)),
            },
            Is::Separator => {
                self.note(page, "separator");
                self.begin(Why::Separator(page));
                if self.rules.behind_separator == BehindSeparator::Nobody && self.owner != Owner::Unknown {
                    self.owner = Owner::Nobody;
                }
                self.leave_out(page, LeftOutWhy::Separator);
                self.behind_sheet = true;
            }
            Is::Problem(problem) => self.doubt(page, problem),
            Is::Blank => {
                self.note(page, "blank");
                if self.behind_sheet {
                    self.leave_out(page, LeftOutWhy::BackOfSheet);
                } else if self.rules.blanks == BlankPages::Drop {
                    self.leave_out(page, LeftOutWhy::Blank);
                } else {
                    self.add(page, true);
                }
                self.behind_sheet = false;
            }
            Is::Content => {
                self.note(page, "page");
                self.add(page, false);
                self.sheet = None;
                self.behind_sheet = false;
            }
        }
    }

    /// A page that a person has to look at begins a piece that belongs to nobody: it may have been the sheet for what follows.
    fn doubt(&mut self, page: usize, problem: Problem) {
        self.note(page, &problem.to_string());
        self.begin(Why::Doubt(page));
        self.owner = Owner::Unknown;
        self.sheet = None;
        self.behind_sheet = false;
        self.add(page, false);
        self.plan.problems.push(NeedsPerson { page, problem });
    }

    fn begin(&mut self, why: Why) {
        self.close();
        self.open = Open { pages: Vec::new(), why };
    }

    fn add(&mut self, page: usize, blank: bool) {
        self.open.pages.push((page, blank));
    }

    /// Ends the open piece. One of nothing but blank pages, or of nothing but a kept cover sheet, is no document.
    fn close(&mut self) {
        let mut pages = std::mem::take(&mut self.open.pages);
        if pages.iter().all(|&(_, blank)| blank) {
            for (page, _) in pages {
                self.leave_out(page, LeftOutWhy::OnlyBlank);
            }
            return;
        }
        if let Some(sheet) = self.sheet
            && pages.iter().all(|&(page, blank)| blank || page == sheet)
        {
            for (page, blank) in pages {
                self.leave_out(page, if blank { LeftOutWhy::OnlyBlank } else { LeftOutWhy::CoverSheet });
            }
            return;
        }
        if self.rules.blanks == BlankPages::DropAtEnd {
            while let Some(&(page, true)) = pages.last() {
                pages.pop();
                self.leave_out(page, LeftOutWhy::Blank);
            }
        }
        let work_item_key = match &self.owner {
            Owner::WorkItem(key) => Some(key.clone()),
            Owner::Nobody | Owner::Unknown => None,
        };
        self.plan.pieces.push(Piece {
            pages: pages.into_iter().map(|(page, _)| page).collect(),
            work_item_key,
            why: self.open.why.clone(),
            needs_person: self.owner == Owner::Unknown,
        });
    }

    /// A cover sheet that is still waiting for its pages when the next one or the end of the batch comes.
    fn nothing_behind(&mut self) {
        if let Some(page) = self.sheet.take() {
            self.plan.problems.push(NeedsPerson { page, problem: Problem::NothingBehind });
        }
    }

    fn leave_out(&mut self, page: usize, why: LeftOutWhy) {
        self.plan.left_out.push(LeftOut { page, why });
    }

    fn note(&mut self, page: usize, what: &str) {
        self.plan.trace.push(format!("Page {}: {what}.", page + 1));
    }
}

#[cfg(test)]
mod tests;
