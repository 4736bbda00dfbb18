//! A batch of scanned pages, divided at its cover sheets and separators, with the bytes of each part durable. The batch stays as it came.
//!
//! A matter is never guessed: what a sheet says counts where it was read for certain, is of this site, and nothing speaks against it. For
//! everything else a person is asked, part by part, so that one bad sheet keeps nobody else waiting.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use postroom_domain::ids::{SourceName, WorkItemId};
use postroom_domain::intake::{Document, Intake, NeedsPerson};
use postroom_domain::mailroom::{ReadBatch, ReadSection, Sealed, Unread};
use postroom_domain::spool::Blob;
use postroom_domain::work_item::WorkItem;

use super::{Content, Reader, Unable};
use crate::pages::{
    BlankRule, Cover, CoverKey, Kinds, LeftOutWhy, MarkRules, PageLimits, PageMarks, Piece, Problem, Scan,
    SplitPlan, SplitRules, Why, examine_all, plan, write_piece,
};

/// Lines of one batch's trace.
const MOST_LINES: usize = 300;

/// How batches are divided, by the source that they come from.
#[derive(Debug, Clone)]
pub struct BatchOptions {
    /// What the checks of cover sheets are made with.
    pub key: CoverKey,
    /// The rules of each source that has some of its own.
    pub rules: BTreeMap<SourceName, BatchRules>,
}

/// How the batches of one source are divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchRules {
    /// Which codes are heeded.
    pub kinds: Kinds,
    /// What becomes of sheets, blank pages and documents behind separators.
    pub split: SplitRules,
    /// What counts as blank.
    pub blank: BlankRule,
    /// What one batch may cost.
    pub limits: PageLimits,
    /// The largest batch that is looked into, in bytes: it is in memory whole.
    pub largest: u64,
    /// For how long its pages are looked at.
    pub patience: Duration,
}

impl Default for BatchRules {
    fn default() -> Self {
        Self {
            kinds: Kinds::default(),
            split: SplitRules::default(),
            blank: BlankRule::default(),
            limits: PageLimits::default(),
            largest: 512 << 20,
            patience: Duration::from_mins(10),
        }
    }
}

/// What was found in a file.
enum Looked {
    Pages(Box<Scan>, Vec<PageMarks>),
    /// It stays whole, and why.
    Not(String),
}

impl Reader {
    /// What is in a batch.
    pub(super) async fn batch(&self, intake: &Intake) -> Result<ReadBatch, Unable> {
        let Some(options) = &self.options.batches else {
            return Ok(ReadBatch::Whole {
                needs: None,
                trace: vec!["batches are not divided here".to_owned()],
            });
        };
        let rules = options.rules.get(&intake.source).copied().unwrap_or_default();
        let store = &self.mailroom.reception;
        let given = store.find_work_item(&intake.site, &intake.work_item_given).await?;
        let [one] = intake.documents.as_slice() else {
            return self.several(intake, given.as_ref(), &options.key, &rules).await;
        };
        self.document(intake, one, given.as_ref(), &options.key, &rules).await
    }

    /// Several files that came together: each is a part, or several.
    async fn several(
        &self,
        intake: &Intake,
        given: Option<&WorkItem>,
        key: &CoverKey,
        rules: &BatchRules,
    ) -> Result<ReadBatch, Unable> {
        let mut all = Vec::with_capacity(intake.documents.len());
        for document in &intake.documents {
            all.push((document, self.document(intake, document, given, key, rules).await?));
        }
        Ok(joined(all, given))
    }

    /// Whether letters of this source are looked through for batches.
    pub(super) fn divides(&self, intake: &Intake) -> bool {
        let options = self.options.batches.as_ref();
        intake.letter.is_some() && options.is_some_and(|options| options.rules.contains_key(&intake.source))
    }

    /// What a letter of a scanner carries. One without cover sheets and separators is a letter like any other.
    pub(super) async fn letter_of_scans(&self, intake: &Intake) -> Result<Result<Content, Unread>, Unable> {
        let read = match self.take_apart(intake).await? {
            Ok(read) => read,
            Err(unread) => return Ok(Err(unread)),
        };
        let Some((options, rules)) = self
            .options
            .batches
            .as_ref()
            .and_then(|options| options.rules.get(&intake.source).map(|rules| (options, *rules)))
        else {
            return Ok(Ok(Content::Letter(Box::new(read))));
        };
        let attached = read.parts.iter().filter(|it| it.part.within.is_none() && !it.part.carried.inline);
        let attached: Vec<Document> =
            attached.filter(|it| !it.part.carried.name.is_empty()).map(document_of).collect();
        let mut all = Vec::with_capacity(attached.len());
        for document in &attached {
            let scan = matches!(document.media_type.as_str(), "application/pdf" | "image/tiff");
            let read = if scan {
                self.document(intake, document, None, &options.key, &rules).await?
            } else {
                ReadBatch::Whole { needs: None, trace: Vec::new() }
            };
            all.push((document, read));
        }
        if all.iter().any(|(_, read)| matches!(read, ReadBatch::Divided { .. })) {
            return Ok(Ok(Content::Batch(joined(all, None))));
        }
        Ok(Ok(Content::Letter(Box::new(read))))
    }

    async fn document(
        &self,
        intake: &Intake,
        document: &Document,
        given: Option<&WorkItem>,
        key: &CoverKey,
        rules: &BatchRules,
    ) -> Result<ReadBatch, Unable> {
        let (scan, marks) = match self.look(document.blob, key, rules).await? {
            Looked::Pages(scan, marks) => (scan, marks),
            Looked::Not(why) => return Ok(unsplit(given, &why)),
        };
        let known = self.known(intake, &marks).await?;
        let plan = plan(&marks, &rules.split, |cover| known.get(cover).map(WorkItemId::to_string));
        let trace = told(&plan);
        if plan.pieces.is_empty() && plan.problems.is_empty() {
            let needs = needs_person("nothing_in_it", "its pages are blank, or nothing but separators");
            return Ok(ReadBatch::Whole { needs: Some(needs), trace });
        }
        if plan.is_whole() && plan.problems.is_empty() && plan.pieces[0].work_item_key.is_none() {
            // No sheet, no separator, nothing left out: a document like any other.
            return Ok(ReadBatch::Whole { needs: None, trace });
        }
        let parts = parts(&plan, given);
        let pages: Vec<Vec<usize>> = parts.iter().map(|part| part.pages.clone()).collect();
        let kind = scan.kind();
        let written = tokio::task::spawn_blocking(move || {
            pages.iter().map(|pages| write_piece(&scan, pages)).collect::<Result<Vec<_>, _>>()
        });
        let written = match written.await {
            Ok(Ok(written)) => written,
            Ok(Err(why)) => return Ok(undivided(&why.to_string(), trace)),
            Err(_) => return Ok(undivided("its writer gave up on it", trace)),
        };
        let mut sections = Vec::with_capacity(parts.len());
        for (part, bytes) in parts.into_iter().zip(written) {
            let mut draft = self.spool.draft().await?;
            draft.write(Bytes::from(bytes)).await?;
            let blob = draft.seal().await?;
            let document = Document {
                file_name: part_name(&document.file_name, &part.pages),
                media_type: kind.media_type().to_owned(),
                blob,
            };
            sections.push(ReadSection { document, belongs: part.belongs, trace: vec![part.why] });
        }
        Ok(ReadBatch::Divided { sections, trace })
    }

    /// Looks at every page, off the async threads and not for ever.
    async fn look(&self, blob: Blob, key: &CoverKey, rules: &BatchRules) -> Result<Looked, Unable> {
        if blob.size > rules.largest {
            return Ok(Looked::Not(format!(
                "it is larger than the {} bytes that are looked into",
                rules.largest
            )));
        }
        let bytes = Arc::new(self.bytes(blob).await?);
        let (over, key, rules) = (Arc::new(AtomicBool::new(false)), key.clone(), *rules);
        let looking = tokio::task::spawn_blocking({
            let over = over.clone();
            move || {
                let scan = Scan::open(bytes, rules.limits)?;
                let how = MarkRules { blank: rules.blank, kinds: rules.kinds };
                let marks = examine_all(&scan, &key, how, || !over.load(Ordering::Relaxed));
                Ok::<_, crate::pages::Unreadable>((scan, marks))
            }
        });
        Ok(match tokio::time::timeout(rules.patience, looking).await {
            Ok(Ok(Ok((scan, marks)))) => Looked::Pages(Box::new(scan), marks),
            Ok(Ok(Err(why))) => Looked::Not(why.to_string()),
            Ok(Err(_)) => Looked::Not("its reader gave up on it".to_owned()),
            Err(_) => {
                // The thread ends with the page that it is at; nobody waits for it.
                over.store(true, Ordering::Relaxed);
                Looked::Not(format!("its pages were not looked at within {} s", rules.patience.as_secs()))
            }
        })
    }

    /// The work items of the cover sheets that were read. What is for another site is not known here.
    async fn known(
        &self,
        intake: &Intake,
        marks: &[PageMarks],
    ) -> Result<BTreeMap<Cover, WorkItemId>, Unable> {
        let covers: BTreeSet<&Cover> = marks.iter().flat_map(|marks| &marks.covers).collect();
        let mut known = BTreeMap::new();
        for cover in covers.into_iter().filter(|cover| cover.site == intake.site.as_str()) {
            let store = &self.mailroom.reception.store;
            if let Some(item) = store.work_item_by_reference(&intake.site, &cover.reference).await? {
                known.insert(cover.clone(), item.id);
            }
        }
        Ok(known)
    }
}

/// An attachment as a document.
fn document_of(sealed: &Sealed) -> Document {
    let carried = &sealed.part.carried;
    Document { file_name: carried.name.clone(), media_type: carried.media_type.clone(), blob: sealed.blob }
}

/// Files that came together, each with what was read from it.
fn joined(read: Vec<(&Document, ReadBatch)>, given: Option<&WorkItem>) -> ReadBatch {
    let (mut all, mut lines) = (Vec::new(), Vec::new());
    for (document, read) in read {
        match read {
            ReadBatch::Divided { sections, trace } => {
                lines.push(format!("\"{}\":", document.file_name));
                lines.extend(trace);
                all.extend(sections);
            }
            ReadBatch::Whole { needs, trace } => {
                let belongs = match (needs, given) {
                    (Some(needs), _) => Err(needs),
                    (None, Some(item)) => Ok(item.id),
                    (None, None) => Err(needs_person("no_work_item", "no work item was named")),
                };
                all.push(ReadSection { document: document.clone(), belongs, trace });
            }
        }
    }
    lines.truncate(MOST_LINES);
    if all.is_empty() {
        ReadBatch::Whole { needs: None, trace: lines }
    } else {
        ReadBatch::Divided { sections: all, trace: lines }
    }
}

fn needs_person(code: &str, text: impl Into<String>) -> NeedsPerson {
    NeedsPerson { code: code.to_owned(), text: text.into() }
}

/// A file that nobody could look into goes where it was named for, or a person is asked: both as a whole.
fn unsplit(given: Option<&WorkItem>, why: &str) -> ReadBatch {
    let line = format!("it is not divided: {why}");
    let needs = given.is_none().then(|| needs_person("not_divided", line.clone()));
    ReadBatch::Whole { needs, trace: vec![line] }
}

/// A file with sheets in it that cannot be taken apart: what it was named for is not all that it may be.
fn undivided(why: &str, mut trace: Vec<String>) -> ReadBatch {
    let line = format!("it is not divided: {why}");
    trace.push(line.clone());
    ReadBatch::Whole { needs: Some(needs_person("not_divided", line)), trace }
}

/// A part of a batch, before it is written.
struct Part {
    pages: Vec<usize>,
    belongs: Result<WorkItemId, NeedsPerson>,
    why: String,
}

/// The parts in the order of their pages, and where each belongs.
fn parts(plan: &SplitPlan, given: Option<&WorkItem>) -> Vec<Part> {
    let behind = sheets_behind(plan);
    let mut parts: Vec<Part> = plan
        .pieces
        .iter()
        .map(|piece| Part {
            pages: piece.pages.clone(),
            belongs: belongs(piece, plan, given, behind),
            why: format!("{} of the batch, {}", in_words(&piece.pages), because(&piece.why)),
        })
        .collect();
    // A sheet with nothing behind it is in no piece; whoever decides has to see it.
    for problem in plan.problems.iter().filter(|it| it.problem == Problem::NothingBehind) {
        let text = format!("Page {}: {}", problem.page + 1, problem.problem);
        parts.push(Part {
            pages: vec![problem.page],
            belongs: Err(needs_person("nothing_behind", text)),
            why: format!("{} of the batch, a cover sheet", in_words(&[problem.page])),
        });
    }
    parts.sort_by_key(|part| part.pages.first().copied());
    parts
}

/// The page of the cover sheet that ends the batch, where documents come before it: the sheets may lie behind their documents.
fn sheets_behind(plan: &SplitPlan) -> Option<usize> {
    let last = plan.problems.iter().rfind(|it| it.problem == Problem::NothingBehind)?.page;
    let after = plan.pieces.iter().any(|piece| piece.pages.iter().any(|page| *page > last));
    (!after && !plan.pieces.is_empty()).then_some(last)
}

fn belongs(
    piece: &Piece,
    plan: &SplitPlan,
    given: Option<&WorkItem>,
    behind: Option<usize>,
) -> Result<WorkItemId, NeedsPerson> {
    if piece.needs_person || matches!(piece.why, Why::Doubt(_)) {
        return Err(doubt(piece, plan));
    }
    let named = piece.work_item_key.as_deref().and_then(|key| key.parse().ok());
    if let (Some(page), true) = (behind, named.is_some()) {
        let text = format!(
            "the batch ends with the cover sheet on page {}: the sheets may lie behind their documents",
            page + 1
        );
        return Err(needs_person("sheets_behind", text));
    }
    match (named, given) {
        (Some(named), Some(given)) if named != given.id => {
            let text = format!(
                "its cover sheet names another work item than {}, for which it was handed in",
                given.reference
            );
            Err(needs_person("contradiction", text))
        }
        (Some(named), _) => Ok(named),
        (None, Some(given)) => Ok(given.id),
        (None, None) => {
            let first = piece.pages.first().map_or(1, |page| page + 1);
            let text = format!("no cover sheet comes before page {first}");
            Err(needs_person("no_cover_sheet", text))
        }
    }
}

/// Why a person has to say where a piece belongs: what is on the page that it begins with, or on one before it.
fn doubt(piece: &Piece, plan: &SplitPlan) -> NeedsPerson {
    let first = piece.pages.first().copied().unwrap_or(0);
    let problem = plan.problems.iter().rfind(|it| it.page <= first && it.problem != Problem::NothingBehind);
    let Some(problem) = problem else {
        return needs_person("unknown_sheet", "a cover sheet before it could not be read");
    };
    let code = match problem.problem {
        Problem::Unreadable(_) => "unreadable_page",
        Problem::UnreadCode => "unread_code",
        Problem::Contradiction(_) => "contradiction",
        Problem::Doubtful(_) => "doubtful_sheet",
        Problem::UnknownWorkItem(_) => "unknown_work_item",
        Problem::NothingBehind => "nothing_behind",
    };
    needs_person(code, format!("Page {} of the batch: {}", problem.page + 1, problem.problem))
}

fn because(why: &Why) -> String {
    match why {
        Why::Beginning => "from its beginning".to_owned(),
        Why::CoverSheet(page) => format!("behind the cover sheet on page {}", page + 1),
        Why::Separator(page) => format!("behind the separator on page {}", page + 1),
        Why::Doubt(page) => format!("from page {} on, which could not be told for certain", page + 1),
    }
}

/// What was found, page by page, and what was left out.
fn told(plan: &SplitPlan) -> Vec<String> {
    let mut lines = plan.trace.clone();
    lines.extend(plan.left_out.iter().map(|left| {
        let why = match left.why {
            LeftOutWhy::CoverSheet => "it is a cover sheet",
            LeftOutWhy::Separator => "it is a separator",
            LeftOutWhy::Blank => "it is blank",
            LeftOutWhy::OnlyBlank => "nothing but blank pages would be with it",
            LeftOutWhy::BackOfSheet => "it is the blank back of a sheet",
        };
        format!("Page {} is in no part: {why}; it stays in the batch.", left.page + 1)
    }));
    if lines.len() > MOST_LINES {
        lines.truncate(MOST_LINES);
        lines.push("And more.".to_owned());
    }
    lines
}

/// `page 3`, `pages 2-5`, `pages 2-3 and 5`.
fn in_words(pages: &[usize]) -> String {
    let runs: Vec<String> = pages
        .chunk_by(|one, next| one + 1 == *next)
        .map(|run| match run {
            [one] => (one + 1).to_string(),
            [first, .., last] => format!("{}-{}", first + 1, last + 1),
            [] => String::new(),
        })
        .collect();
    let noun = if pages.len() == 1 { "page" } else { "pages" };
    match runs.as_slice() {
        [before @ .., last] if !before.is_empty() => format!("{noun} {} and {last}", before.join(", ")),
        _ => format!("{noun} {}", runs.concat()),
    }
}

/// A name that tells which pages of which batch it is.
fn part_name(batch: &str, pages: &[usize]) -> String {
    let (first, last) = (pages.first().map_or(1, |page| page + 1), pages.last().map_or(1, |page| page + 1));
    let which = if first == last { format!("p{first}") } else { format!("p{first}-{last}") };
    let path = Path::new(batch);
    match (path.file_stem().and_then(|stem| stem.to_str()), path.extension().and_then(|it| it.to_str())) {
        (Some(stem), Some(extension)) => format!("{stem} {which}.{extension}"),
        _ => format!("{batch} {which}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_in_words_and_in_names() {
        let cases: [(&[usize], &str, &str); 5] = [
            (&[2], "page 3", "scan p3.pdf"),
            (&[1, 2, 3, 4], "pages 2-5", "scan p2-5.pdf"),
            (&[1, 2, 4], "pages 2-3 and 5", "scan p2-5.pdf"),
            (&[0, 2, 4, 5], "pages 1, 3 and 5-6", "scan p1-6.pdf"),
            (&[], "pages ", "scan p1.pdf"),
        ];
        for (pages, words, name) in cases {
            assert_eq!((in_words(pages).as_str(), part_name("scan.pdf", pages).as_str()), (words, name));
        }
        assert_eq!(part_name("no ending", &[0]), "no ending p1");
        assert_eq!(part_name(".tif", &[0]), ".tif p1");
        assert_eq!(part_name("a.b.tif", &[0, 1]), "a.b p1-2.tif");
    }
}
