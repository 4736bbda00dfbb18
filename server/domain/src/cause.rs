//! Why a filing did not go through, and what follows: the retry classification as data.
//!
//! Two tables. [`SYMPTOMS`] tells which [`Cause`] a raw symptom (a status, a broken connection) has. [`CAUSES`] tells for each
//! cause what people read, who can mend it, and how the machine reacts. Connectors that know better than the status
//! (a vendor's own error code) name the cause themselves.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What went wrong, independent of the vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Cause {
    /// No connection: name not found, refused, unreachable, TLS hand-shake reset.
    Unreachable = 1,
    /// The certificate is invalid, expired or for another name.
    BadCertificate = 2,
    /// The connection broke, or time ran out, before the document was sent whole.
    Interrupted = 3,
    /// The document was sent, its answer never came or could not be read.
    AnswerLost = 4,
    /// What the DMS says it stored is not what was sent.
    WrongCopy = 5,
    /// A log-in or proxy page instead of an answer.
    LoginPage = 6,
    /// The DMS points elsewhere.
    Redirected = 7,
    /// The DMS does not accept what was asked (400, 422).
    Rejected = 8,
    /// The account must sign in again (401).
    LoginNeeded = 9,
    /// The account may not do this (403).
    NoRight = 10,
    /// Quota or licence used up.
    Quota = 11,
    /// Workspace or folder is not there, or not visible (404).
    TargetNotFound = 12,
    /// An upload session has ended on the other side.
    SessionGone = 13,
    /// The DMS has a fault of its own (5xx, 408).
    ServerFault = 14,
    /// Something by that name, version or content is there already (409).
    Conflict = 15,
    /// The object changed in between (412).
    Changed = 16,
    /// Larger than the DMS takes (413).
    TooLarge = 17,
    /// The DMS does not take this kind of file (415, 406).
    WrongType = 18,
    /// Somebody has the document locked or checked out (423).
    Locked = 19,
    /// Too many requests (429).
    Throttled = 20,
    /// Refused for legal reasons (451).
    Legal = 21,
    /// The DMS has no space left (507).
    DmsFull = 22,
    /// The DMS cannot do this at all (501, 505).
    Unsupported = 23,
    /// The stored bytes are missing or differ from their hash.
    StoreDamage = 24,
    /// Our own disk or memory failed.
    OwnFault = 25,
    /// The worker was interrupted too often while it had this document.
    Poison = 26,
    /// Several workspaces match exactly.
    TargetAmbiguous = 27,
    /// The workspace is closed to new documents.
    TargetClosed = 28,
    /// The settings for this destination are wrong.
    Misconfigured = 29,
    /// The link was revoked or the account disabled.
    LinkBroken = 30,
    /// The filing has waited longer than its budget.
    TooOld = 31,
    /// The firm does not file this kind of file there.
    Withheld = 32,
    /// A person paused the account that would send it.
    Paused = 33,
}

/// How the machine reacts to a cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reaction {
    /// Try again later, with growing pauses.
    BackOff,
    /// Ask the DMS for the mark before anything is sent again.
    Check,
    /// Wait until a person mends the destination; its other filings wait too.
    BlockDestination,
    /// Wait until the account works again; other accounts go on.
    BlockAccount,
    /// Wait as long as the DMS asks.
    Snooze,
    /// Look again at 5, 10, 20, 30 minutes for up to 24 hours.
    PollLock,
    /// Once more, then give it to a person.
    OnceMore,
    /// Resolve the target anew, wait twice for late indexes, then give it to a person.
    FindTargetAgain,
    /// The document is there already: link to it where we know which, else give it to a person.
    Settle,
    /// Give it to a person at once.
    Fail,
    /// Nothing is known about the document; the process stops itself.
    Stop,
}

/// What a cause does to the breaker of its destination or account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakerEffect {
    /// Nothing: the destination works.
    None,
    /// One more failure in a row.
    Counts,
    /// Opens at once.
    Opens,
    /// Opens the account's breaker only.
    OpensAccount,
}

/// Who can put it right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fixer {
    /// Nobody needs to: time mends it.
    Nobody,
    /// The team that runs the DMS.
    DmsTeam,
    /// Postroom's administrator.
    Administrator,
    /// The operator at the console.
    Operator,
    /// The person whose account it is.
    AccountOwner,
}

/// One row of [`CAUSES`].
#[derive(Debug, Clone, Copy)]
pub struct CauseRow {
    /// The cause.
    pub cause: Cause,
    /// Its name in the API, the filter language and metrics.
    pub name: &'static str,
    /// What lists show, at most 40 characters.
    pub short: &'static str,
    /// What the detail shows: a plain sentence.
    pub sentence: &'static str,
    /// Who can put it right.
    pub fixer: Fixer,
    /// What the machine does.
    pub reaction: Reaction,
    /// Whether a try counts against the filing. A fault of the destination does not.
    pub counted: bool,
    /// What it does to the breaker.
    pub breaker: BreakerEffect,
}

macro_rules! causes {
    ($($cause:ident $name:literal $reaction:ident $counted:literal $breaker:ident $fixer:ident $short:literal $sentence:literal;)*) => {
        /// All causes, in the order of their numbers.
        pub const CAUSES: &[CauseRow] = &[$(CauseRow {
            cause: Cause::$cause,
            name: $name,
            short: $short,
            sentence: $sentence,
            fixer: Fixer::$fixer,
            reaction: Reaction::$reaction,
            counted: $counted,
            breaker: BreakerEffect::$breaker,
        }),*];
    };
}

#[rustfmt::skip]
causes! {
    Unreachable      "unreachable"       BackOff          false Counts       DmsTeam       "the DMS cannot be reached"              "No connection to the DMS could be made: it is down, or the network to it is.";
    BadCertificate   "bad_certificate"   BlockDestination false Opens        Administrator "the DMS's certificate is not valid"     "The certificate of the DMS is expired, self-signed or for another name. Nothing is sent until it is right.";
    Interrupted      "interrupted"       BackOff          true  Counts       Nobody        "the connection broke while sending"     "The connection broke before the document was sent whole.";
    AnswerLost       "answer_lost"       Check            true  Counts       Nobody        "sent, but the answer was lost"          "The document was sent but no usable answer came: the DMS may have it or not. Nothing is sent again before that is known.";
    WrongCopy        "wrong_copy"        Check            true  Counts       DmsTeam       "the DMS's copy differs"                 "The DMS reports another size or content than was sent. Postroom reads it back before it does anything else.";
    LoginPage        "login_page"        BlockDestination false Opens        Administrator "a log-in page instead of an answer"     "The address of the DMS answers with a web page. A proxy or a single sign-on stands in between.";
    Redirected       "redirected"        BlockDestination false Opens        Administrator "the DMS points to another address"      "The DMS answers with a redirect to another host. Documents are never sent elsewhere; check the address in the settings.";
    Rejected         "rejected"          Fail             true  None         Operator      "the DMS rejects the document's data"    "The DMS does not accept a field of the document. Correct it and retry.";
    LoginNeeded      "login_needed"      BlockAccount     false OpensAccount AccountOwner  "the account must sign in again"         "The DMS does not accept the account's sign-in any more. Its filings wait until it is linked again.";
    NoRight          "no_right"          OnceMore         true  None         DmsTeam       "no right on the workspace or folder"    "The account may not write there. Ask the DMS team to give it the right, or file elsewhere.";
    Quota            "quota"             BlockAccount     false OpensAccount DmsTeam       "quota or licence used up"               "The DMS refuses because a quota or licence is used up.";
    TargetNotFound   "target_not_found"  FindTargetAgain  true  None         Operator      "workspace or folder not found"          "No workspace or folder matches, or the account cannot see it. Check the reference, or ask whether the workspace exists yet.";
    SessionGone      "session_gone"      BackOff          false None         Nobody        "the upload session ended"               "The DMS ended the upload before it was complete. Postroom starts it again.";
    ServerFault      "server_fault"      BackOff          true  Counts       DmsTeam       "the DMS has a fault"                    "The DMS answered with a fault of its own.";
    Conflict         "conflict"          Settle           true  None         Operator      "something is there already"             "The DMS says that the document or its name is there already.";
    Changed          "changed"           OnceMore         true  None         Operator      "the document changed meanwhile"         "Somebody changed the object in the DMS while Postroom was filing.";
    TooLarge         "too_large"         Fail             true  None         Administrator "larger than the DMS takes"              "The document is larger than the DMS accepts.";
    WrongType        "wrong_type"        Fail             true  None         Operator      "this kind of file is not taken"         "The DMS does not take files of this kind.";
    Locked           "locked"            PollLock         false None         Operator      "locked by somebody"                     "Somebody has the document locked or checked out. Postroom looks again until it is free.";
    Throttled        "throttled"         Snooze           false None         Nobody        "the DMS asks to slow down"              "The DMS limits how many requests it takes. Postroom waits as long as it asks.";
    Legal            "legal"             Fail             true  None         DmsTeam       "refused for legal reasons"              "The DMS refuses the document for legal reasons.";
    DmsFull          "dms_full"          BlockDestination false Opens        DmsTeam       "the DMS has no space left"              "The DMS has no space left. Filings wait until there is.";
    Unsupported      "unsupported"       Fail             true  None         Administrator "the DMS cannot do this"                 "This DMS does not offer what the filing needs.";
    StoreDamage      "store_damage"      Fail             false None         Administrator "the stored bytes are damaged"           "The bytes kept for this document are missing or do not match their hash. They are never sent. Restore them from a backup.";
    OwnFault         "own_fault"         Stop             false None         Administrator "Postroom's own disk or memory failed"   "Postroom could not read or write its own data and stopped itself.";
    Poison           "poison"            Fail             false None         Administrator "set aside: it stopped the worker"       "The process ended three times while this document was being filed. It is set aside so that others go on.";
    TargetAmbiguous  "target_ambiguous"  Fail             true  None         Operator      "several workspaces match"               "More than one workspace matches exactly. A person must choose; the choice is remembered.";
    TargetClosed     "target_closed"     Fail             true  None         Operator      "the workspace is closed"                "The workspace does not take documents any more. File elsewhere, or have it opened.";
    Misconfigured    "misconfigured"     BlockDestination false Opens        Administrator "the destination's settings are wrong"   "The settings of this destination are wrong. Its filings wait until they are right.";
    LinkBroken       "link_broken"       BlockAccount     false OpensAccount AccountOwner  "the link to the DMS is broken"          "The account's consent was revoked or the account is disabled. Its filings wait until its owner links it again on their page of links.";
    TooOld           "too_old"           Fail             false None         Operator      "waited longer than five days"           "The filing has been tried for as long as the settings allow. The last cause is in its history.";
    Withheld         "withheld"          Fail             false None         Operator      "this kind of file is withheld"          "The repository's block list names this kind of file. It is kept and not filed. Cancel it, or file it elsewhere.";
    Paused           "paused"            BlockAccount     false None         Operator      "the account is paused"                  "A person paused the account that would file it. It goes on by itself when the account is resumed, or when the pause ends.";
}

impl Cause {
    /// Everything known about the cause.
    pub fn row(self) -> &'static CauseRow {
        &CAUSES[self as usize - 1]
    }

    /// The cause with that number, as stored.
    pub fn from_number(number: u8) -> Option<Self> {
        number.checked_sub(1).and_then(|i| CAUSES.get(usize::from(i))).map(|row| row.cause)
    }

    /// The name used in the API and the filter language.
    pub fn name(self) -> &'static str {
        self.row().name
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Cause {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        CAUSES
            .iter()
            .find(|row| row.name == text)
            .map(|row| row.cause)
            .ok_or_else(|| format!("\"{text}\" is not a cause"))
    }
}

/// How much of a document had left us when something went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sent {
    /// Not one byte: the DMS cannot hold a copy.
    Nothing,
    /// Some bytes, not all.
    Partly,
    /// All of them: the DMS may hold the document although we got no answer.
    Fully,
}

/// A raw symptom, as a connector meets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Symptom {
    /// Name not found, refused, unreachable, hand-shake reset.
    NoConnection,
    /// The certificate does not hold.
    BadCertificate,
    /// The connection was reset or closed.
    Reset,
    /// A time limit ran out.
    TimedOut,
    /// A success that cannot be read, or without the id.
    UnreadableSuccess,
    /// A success whose size or hash is not that of what was sent.
    WrongCopy,
    /// A success that is a web page.
    WebPage,
    /// An HTTP status that is not a success.
    Status(u16),
}

/// The statuses a row of [`SYMPTOMS`] covers, or a symptom by name.
#[derive(Debug, Clone, Copy)]
enum Pattern {
    Is(Symptom),
    Statuses(u16, u16),
}

/// One row of the classification: which cause a symptom has, and whether it turns into [`Cause::AnswerLost`] when the whole
/// document had been sent (then the DMS may have stored it).
#[derive(Debug, Clone, Copy)]
struct SymptomRow(Pattern, Cause, bool);

/// First match wins. `true`: unknown once the document was sent in full.
#[rustfmt::skip]
const SYMPTOMS: &[SymptomRow] = &[
    SymptomRow(Pattern::Is(Symptom::NoConnection),      Cause::Unreachable,    true),
    SymptomRow(Pattern::Is(Symptom::BadCertificate),    Cause::BadCertificate, false),
    SymptomRow(Pattern::Is(Symptom::Reset),             Cause::Interrupted,    true),
    SymptomRow(Pattern::Is(Symptom::TimedOut),          Cause::Interrupted,    true),
    SymptomRow(Pattern::Is(Symptom::UnreadableSuccess), Cause::AnswerLost,     true),
    SymptomRow(Pattern::Is(Symptom::WrongCopy),         Cause::WrongCopy,      false),
    SymptomRow(Pattern::Is(Symptom::WebPage),           Cause::LoginPage,      false),
    SymptomRow(Pattern::Statuses(300, 399),             Cause::Redirected,     false),
    SymptomRow(Pattern::Statuses(400, 400),             Cause::Rejected,       false),
    SymptomRow(Pattern::Statuses(401, 401),             Cause::LoginNeeded,    false),
    SymptomRow(Pattern::Statuses(402, 402),             Cause::Quota,          false),
    SymptomRow(Pattern::Statuses(403, 403),             Cause::NoRight,        false),
    SymptomRow(Pattern::Statuses(404, 404),             Cause::TargetNotFound, false),
    SymptomRow(Pattern::Statuses(405, 405),             Cause::Unsupported,    false),
    SymptomRow(Pattern::Statuses(406, 406),             Cause::WrongType,      false),
    SymptomRow(Pattern::Statuses(407, 407),             Cause::LoginPage,      false),
    SymptomRow(Pattern::Statuses(408, 408),             Cause::ServerFault,    true),
    SymptomRow(Pattern::Statuses(409, 409),             Cause::Conflict,       false),
    SymptomRow(Pattern::Statuses(410, 410),             Cause::TargetNotFound, false),
    SymptomRow(Pattern::Statuses(411, 411),             Cause::TooLarge,       false),
    SymptomRow(Pattern::Statuses(412, 412),             Cause::Changed,        false),
    SymptomRow(Pattern::Statuses(413, 414),             Cause::TooLarge,       false),
    SymptomRow(Pattern::Statuses(415, 415),             Cause::WrongType,      false),
    SymptomRow(Pattern::Statuses(422, 422),             Cause::Rejected,       false),
    SymptomRow(Pattern::Statuses(423, 423),             Cause::Locked,         false),
    SymptomRow(Pattern::Statuses(425, 425),             Cause::ServerFault,    true),
    SymptomRow(Pattern::Statuses(429, 429),             Cause::Throttled,      false),
    SymptomRow(Pattern::Statuses(431, 431),             Cause::TooLarge,       false),
    SymptomRow(Pattern::Statuses(451, 451),             Cause::Legal,          false),
    SymptomRow(Pattern::Statuses(400, 499),             Cause::Rejected,       false),
    SymptomRow(Pattern::Statuses(501, 501),             Cause::Unsupported,    false),
    SymptomRow(Pattern::Statuses(505, 505),             Cause::Unsupported,    false),
    SymptomRow(Pattern::Statuses(507, 507),             Cause::DmsFull,        false),
    SymptomRow(Pattern::Statuses(500, 599),             Cause::ServerFault,    true),
];

/// Which cause a symptom has, given how much of the document had been sent.
///
/// A status that no HTTP server should send (100–199, above 599) is an answer that cannot be read.
pub fn classify(symptom: Symptom, sent: Sent) -> Cause {
    let row = SYMPTOMS.iter().find(|SymptomRow(pattern, ..)| match (*pattern, symptom) {
        (Pattern::Is(is), symptom) => is == symptom,
        (Pattern::Statuses(from, to), Symptom::Status(status)) => (from..=to).contains(&status),
        (Pattern::Statuses(..), _) => false,
    });
    match row {
        Some(SymptomRow(_, _, true)) | None if sent == Sent::Fully => Cause::AnswerLost,
        // Nothing was sent, so nothing can have been stored: an unreadable answer is the server's fault then.
        Some(SymptomRow(_, Cause::AnswerLost, _)) | None => Cause::ServerFault,
        Some(SymptomRow(_, cause, _)) => *cause,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_ordered_named_and_short() {
        for (i, row) in CAUSES.iter().enumerate() {
            assert_eq!(row.cause as usize, i + 1, "{}", row.name);
            assert_eq!(Cause::from_number(row.cause as u8), Some(row.cause));
            assert_eq!(row.name.parse(), Ok(row.cause));
            assert!(row.short.chars().count() <= 40, "{}", row.short);
            assert!(row.sentence.ends_with('.'), "{}", row.sentence);
            assert_eq!(serde_json::to_value(row.cause).unwrap(), row.name);
        }
        assert_eq!(Cause::from_number(0), None);
        assert_eq!(Cause::from_number(u8::MAX), None);
    }

    /// Section 3 of the reliability rules, row by row: symptom, cause when nothing was sent, cause when all was sent.
    #[test]
    fn every_symptom_has_its_cause() {
        use Cause::*;
        let table: &[(Symptom, Cause, Cause)] = &[
            (Symptom::NoConnection, Unreachable, AnswerLost),
            (Symptom::BadCertificate, BadCertificate, BadCertificate),
            (Symptom::Reset, Interrupted, AnswerLost),
            (Symptom::TimedOut, Interrupted, AnswerLost),
            (Symptom::UnreadableSuccess, ServerFault, AnswerLost),
            (Symptom::WrongCopy, WrongCopy, WrongCopy),
            (Symptom::WebPage, LoginPage, LoginPage),
            (Symptom::Status(302), Redirected, Redirected),
            (Symptom::Status(400), Rejected, Rejected),
            (Symptom::Status(401), LoginNeeded, LoginNeeded),
            (Symptom::Status(403), NoRight, NoRight),
            (Symptom::Status(404), TargetNotFound, TargetNotFound),
            (Symptom::Status(408), ServerFault, AnswerLost),
            (Symptom::Status(409), Conflict, Conflict),
            (Symptom::Status(412), Changed, Changed),
            (Symptom::Status(413), TooLarge, TooLarge),
            (Symptom::Status(415), WrongType, WrongType),
            (Symptom::Status(418), Rejected, Rejected),
            (Symptom::Status(422), Rejected, Rejected),
            (Symptom::Status(423), Locked, Locked),
            (Symptom::Status(425), ServerFault, AnswerLost),
            (Symptom::Status(429), Throttled, Throttled),
            (Symptom::Status(451), Legal, Legal),
            (Symptom::Status(500), ServerFault, AnswerLost),
            (Symptom::Status(501), Unsupported, Unsupported),
            (Symptom::Status(502), ServerFault, AnswerLost),
            (Symptom::Status(503), ServerFault, AnswerLost),
            (Symptom::Status(504), ServerFault, AnswerLost),
            (Symptom::Status(507), DmsFull, DmsFull),
            (Symptom::Status(520), ServerFault, AnswerLost),
            (Symptom::Status(999), ServerFault, AnswerLost),
            (Symptom::Status(199), ServerFault, AnswerLost),
        ];
        for (symptom, nothing, fully) in table {
            assert_eq!(classify(*symptom, Sent::Nothing), *nothing, "{symptom:?} nothing sent");
            assert_eq!(classify(*symptom, Sent::Partly), *nothing, "{symptom:?} partly sent");
            assert_eq!(classify(*symptom, Sent::Fully), *fully, "{symptom:?} fully sent");
        }
    }
}
