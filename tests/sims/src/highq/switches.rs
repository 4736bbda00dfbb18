//! Behaviour of the fake HighQ, and its people.

use serde::{Deserialize, Serialize};

use crate::common::authorize::{Consent, StateEcho};
use crate::common::bank::{Replay, Reuse};
use crate::common::core::Account;
use crate::common::wire::{RefreshTokens, TokenError};

/// Behaviour that can be changed while the instance runs.
///
/// "Inferred" marks a guess: no public source states it, so a client must cope with every value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "a table of independent switches")]
pub struct Switches {
    /// Life of a code, in minutes.
    pub code_minutes: u32,
    /// What a code does that is presented again; it is refused, more is not documented.
    pub code_replay: Replay,
    /// Life of an access token, in seconds; set per registration.
    pub access_seconds: u32,
    /// Minutes without use after which an access token ends (inferred; normally none).
    pub idle_minutes: Option<u32>,
    /// Life of a refresh token, in days; set per registration.
    pub refresh_days: u32,
    /// Days without use after which a refresh token ends (inferred; normally none).
    pub refresh_idle_days: Option<u32>,
    /// Whether there are refresh tokens.
    pub refresh_tokens: RefreshTokens,
    /// Whether each refresh gives a new pair.
    pub rotate_refresh: bool,
    /// What a refresh token does after it was replaced (inferred).
    pub refresh_reuse: Reuse,
    /// For so long after its replacement a refresh token still works (inferred). Counted in `forgiven_refresh_uses`.
    pub refresh_grace_ms: u32,
    /// Whether numbers in token answers are text.
    pub numbers_as_text: bool,
    /// Whether token answers name the person.
    pub user_email: bool,
    /// The allow/deny screen of the registration.
    pub consent: Consent,
    /// Whether the session of the browser decides, whoever the person meant to be.
    pub session_wins: bool,
    /// What becomes of `state` (clients send it; it is not documented).
    pub state: StateEcho,
    /// Person (id or e-mail) who signs in and allows everything without a page.
    pub approve_as: Option<String>,
    /// Everybody is sent back with `error=access_denied`.
    pub deny: bool,
    /// Keys of error answers of the token endpoint (inferred).
    pub token_error: TokenError,
    /// How far the instance's clock is off, in milliseconds.
    pub skew_ms: i64,
    /// Status of a call without a token that works (inferred).
    pub expired_status: u16,
    /// Whether a list of one is a bare object in JSON.
    pub collapse: bool,
    /// Whether some strings of JSON keep literal CDATA marks.
    pub cdata: bool,
    /// Whether what JSON can be asked for comes as XML all the same.
    pub xml_only: bool,
    /// Status of an upload that was taken (inferred).
    pub upload_status: u16,
    /// What the answer to an upload holds (inferred).
    pub upload_answer: UploadAnswer,
    /// What becomes of a second file of one name without `overrideduplicate` (inferred).
    pub duplicate: Duplicate,
    /// What becomes of it with `overrideduplicate=true` (inferred).
    pub override_duplicate: Duplicate,
    /// Whether two folders of one name may lie in one place (inferred).
    pub duplicate_folders: bool,
    /// Whether listings of files hold the integrator's keys (inferred).
    pub listing_dms: bool,
    /// Element of the integrator's keys in answers about files; empty puts them beside the others (inferred).
    pub dms_block: String,
    /// Whether names of files in answers have their extension (inferred).
    pub names_with_extension: bool,
    /// Status of what is absent (inferred).
    pub missing_status: u16,
    /// Status of what somebody may not see (inferred).
    pub hidden_status: u16,
    /// Status of an upload into a site that is archived or read only (inferred).
    pub closed_status: u16,
    /// What it says then (inferred).
    pub closed_summary: String,
    /// Whether sites that are restricted are refused with words of their own (inferred).
    pub restricted_summary: String,
    /// Status of a change to a file that somebody holds (inferred).
    pub locked_status: u16,
    /// Largest file; status 413 above it (inferred).
    pub max_upload_bytes: Option<u64>,
    /// Status for a body of JSON where only XML is taken (inferred).
    pub json_refused_status: u16,
    /// Whether a list of sites without `status` holds those that are archived (inferred).
    pub all_statuses: bool,
    /// Parameter that names a version to download (inferred); empty where there is none.
    pub version_parameter: String,
    /// Whether a copy keeps the integrator's keys (inferred).
    pub copies_keep_dms: bool,
    /// Whether the answer to a copy holds the new file (inferred).
    pub copy_answer: bool,
    /// Whether a site's users can be listed (`GET sites/{id}/users`; inferred).
    pub list_users: bool,
    /// Inner status of somebody who is in the site already (inferred).
    pub present_code: u16,
    /// Whether even one user is added asynchronously (inferred).
    pub always_progressive: bool,
    /// How often a progressive key says that it is still going on.
    pub progress_polls: u32,
    /// A rate limit per token and source client.
    pub throttle: Option<Throttle>,
    /// Whether `folders/{id}/isheetRecordID` tells a folder's record (inferred).
    pub folder_records: bool,
    /// Whether records of new files and folders are made only when somebody says so ([`super::Control::make_records`]).
    pub late_records: bool,
    /// Uploads are done, but their connections end without an answer.
    pub drop_after_upload: bool,
}

/// A rate limit in fixed windows that begin with a first call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Throttle {
    /// Calls in a window.
    pub calls: u32,
    /// Its length.
    pub seconds: u32,
    /// Whether `X-Ratelimit-Reset` is told.
    pub reset: bool,
}

/// What the answer to an upload holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UploadAnswer {
    /// The file.
    #[default]
    File,
    /// The file in an element `file`.
    Wrapped,
    /// `documentid` only.
    DocumentId,
    /// A text without an id.
    Message,
    /// Nothing.
    Empty,
}

/// What becomes of a second file of one name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Duplicate {
    /// Both have the name.
    #[default]
    Keep,
    /// The second one is numbered.
    Number,
    /// 409.
    Refuse,
    /// It becomes a version of the first one.
    Version,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            code_minutes: 30,
            code_replay: Replay::Refuse,
            access_seconds: 18_000,
            idle_minutes: None,
            refresh_days: 365,
            refresh_idle_days: None,
            refresh_tokens: RefreshTokens::On,
            rotate_refresh: true,
            refresh_reuse: Reuse::Refuse,
            refresh_grace_ms: 0,
            numbers_as_text: true,
            user_email: true,
            consent: Consent::Once,
            session_wins: true,
            state: StateEcho::Echo,
            approve_as: None,
            deny: false,
            token_error: TokenError::Rfc,
            skew_ms: 0,
            expired_status: 401,
            collapse: true,
            cdata: true,
            xml_only: false,
            upload_status: 200,
            upload_answer: UploadAnswer::File,
            duplicate: Duplicate::Keep,
            override_duplicate: Duplicate::Version,
            duplicate_folders: true,
            listing_dms: true,
            dms_block: "dms".to_owned(),
            names_with_extension: false,
            missing_status: 404,
            hidden_status: 404,
            closed_status: 403,
            closed_summary: "The site is archived".to_owned(),
            restricted_summary: "Access denied".to_owned(),
            locked_status: 423,
            max_upload_bytes: None,
            json_refused_status: 415,
            all_statuses: false,
            version_parameter: "versionid".to_owned(),
            copies_keep_dms: true,
            copy_answer: true,
            list_users: true,
            present_code: 200,
            always_progressive: false,
            progress_polls: 1,
            throttle: None,
            folder_records: true,
            late_records: false,
            drop_after_upload: false,
        }
    }
}

/// Somebody who can sign in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Person {
    /// Number, as text.
    pub id: String,
    /// Name.
    pub name: String,
    /// E-mail.
    pub email: String,
    /// Not allowed to sign in.
    pub disabled: bool,
    /// System administrator: may make organisations.
    pub admin: bool,
}

impl Account for Person {
    fn id(&self) -> &str {
        &self.id
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn email(&self) -> &str {
        &self.email
    }

    fn may_sign_in(&self) -> bool {
        !self.disabled
    }
}
