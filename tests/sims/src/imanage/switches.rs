//! Everything about the fake server that differs between installations, or that no public source settles.

use serde::{Deserialize, Serialize};

pub use crate::common::authorize::StateEcho;
pub use crate::common::bank::Reuse;
pub use crate::common::throttle::{RetryAfter, Throttle};
pub use crate::common::wire::{RefreshTokens, TokenError};

/// Behaviour that can be changed while the server runs.
///
/// "Inferred" marks a guess: no public source states it, so a client must cope with every value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "a table of independent switches")]
pub struct Switches {
    /// Path of the API root that discovery names. Both this and the other usual roots answer.
    pub api_root: String,
    /// `dms_version` in discovery and error bodies.
    pub dms_version: String,
    /// Which header carries the access token.
    pub auth_header: AuthHeader,
    /// Whether discovery answers without a token (inferred).
    pub anonymous_discovery: bool,
    /// Whether the token endpoint hands out refresh tokens (Control Center, "Allow Refresh Token").
    pub refresh_tokens: RefreshTokens,
    /// Whether each use of a refresh token replaces it (not documented).
    pub rotate_refresh: bool,
    /// Whether `client_credentials` is accepted (weakly documented, so off).
    pub client_credentials: bool,
    /// Sliding idle timeout of access tokens, in minutes.
    pub idle_minutes: u32,
    /// Absolute lifetime of access tokens, in seconds.
    pub absolute_seconds: Option<u32>,
    /// Life of a refresh token, in days.
    pub refresh_days: u32,
    /// Days without use after which a refresh token ends (not documented).
    pub refresh_idle_days: Option<u32>,
    /// What a refresh token does after it was replaced, where `rotate_refresh` is on (not documented).
    pub refresh_reuse: Reuse,
    /// For so long after its replacement a refresh token still works (not documented). Counted in
    /// `forgiven_refresh_uses`.
    pub refresh_grace_ms: u32,
    /// Whether `expires_in` is text (not documented; other servers do so).
    pub numbers_as_text: bool,
    /// What becomes of `state` on the way back from the authorize page.
    pub state: StateEcho,
    /// Person (id or e-mail) who signs in at the authorize page without being asked.
    pub approve_as: Option<String>,
    /// Everybody is sent back from the authorize page with `error=access_denied`.
    pub deny: bool,
    /// Keys of error answers of the token endpoint; clients disagree about them (inferred).
    pub token_error: TokenError,
    /// Failed passwords after which a user is locked; 0 never locks (inferred).
    pub lockout_after: u32,
    /// Shape of the answer of `POST workspaces/search`.
    pub workspace_search_shape: SearchShape,
    /// What a search without hits answers.
    pub empty_search: EmptySearch,
    /// Whether `total_count` is left out in cursor mode.
    pub cursor_drops_total: bool,
    /// `limit` when the request names none (inferred).
    pub default_limit: usize,
    /// Largest `limit` honoured (inferred).
    pub max_limit: usize,
    /// Body of error answers.
    pub error_body: ErrorBody,
    /// A limit on all calls of the tenant (no public figures).
    pub throttle: Option<Throttle>,
    /// How long a new version stays invisible to document searches (inferred).
    pub index_delay_ms: u32,
    /// How long a new version stays invisible to folder listings (inferred; normally 0).
    pub listing_delay_ms: u32,
    /// Whether workspaces and folders tell who has access (`…/security`; known for documents only, so inferred).
    pub security_lists: bool,
    /// Whether accounts of users can be made (`POST users`; verb and path are inferred).
    pub create_users: bool,
    /// Whether documents can be copied by `POST L/documents/{id}/copy` (inferred: no native path is public).
    pub copy_documents: bool,
    /// Whether a document's profile honours `is_latest` (its meaning is inferred).
    pub knows_is_latest: bool,
    /// Whether old servers' `session/login` answers.
    pub session_login: bool,
    /// Status of a successful upload: 201 or 200.
    pub upload_status: u16,
    /// What missing required fields do.
    pub required_fields: RequiredFields,
    /// Whether lookup aliases are checked on upload.
    pub validate_lookups: bool,
    /// What filing the same mail twice into one workspace does.
    pub email_duplicate: EmailDuplicate,
    /// Whether ids carry a library prefix in other letters than `database`.
    pub id_case: IdCase,
    /// Whether documents may be filed directly into a tab (inferred: refused).
    pub file_into_tab: bool,
    /// Status when the workspace is visible but not writable, or closed (inferred: 403).
    pub not_writable_status: u16,
    /// Status when another user holds the lock (inferred: 409).
    pub locked_status: u16,
    /// Largest upload in bytes; over it the answer is 413 (inferred).
    pub max_upload_bytes: Option<u64>,
    /// Dialog tokens: how often one can be exchanged (inferred).
    pub dialog_token: DialogToken,
    /// Delay of every answer.
    pub latency_ms: u32,
    /// Every upload is stored, then its answer is lost.
    pub drop_after_commit: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            api_root: "/work/api/v2".into(),
            dms_version: "10.4.1.77".into(),
            auth_header: AuthHeader::Both,
            anonymous_discovery: true,
            refresh_tokens: RefreshTokens::On,
            rotate_refresh: false,
            client_credentials: false,
            idle_minutes: 30,
            absolute_seconds: None,
            refresh_days: 365,
            refresh_idle_days: None,
            refresh_reuse: Reuse::Refuse,
            refresh_grace_ms: 0,
            numbers_as_text: false,
            state: StateEcho::Echo,
            approve_as: None,
            deny: false,
            token_error: TokenError::Rfc,
            lockout_after: 0,
            workspace_search_shape: SearchShape::Results,
            empty_search: EmptySearch::Ok,
            cursor_drops_total: true,
            default_limit: 50,
            max_limit: 500,
            error_body: ErrorBody::Full,
            throttle: None,
            index_delay_ms: 0,
            listing_delay_ms: 0,
            security_lists: false,
            create_users: false,
            copy_documents: false,
            knows_is_latest: true,
            session_login: true,
            upload_status: 201,
            required_fields: RequiredFields::Warn,
            validate_lookups: true,
            email_duplicate: EmailDuplicate::Conflict,
            id_case: IdCase::Same,
            file_into_tab: false,
            not_writable_status: 403,
            locked_status: 409,
            max_upload_bytes: None,
            dialog_token: DialogToken::OneTime,
            latency_ms: 0,
            drop_after_commit: false,
        }
    }
}

macro_rules! choices {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant),+ }
    };
}

choices! {
    /// Header that carries the access token.
    AuthHeader {
        /// `X-Auth-Token` or `Authorization: Bearer`.
        Both,
        /// `X-Auth-Token` only.
        XAuthToken,
        /// `Authorization: Bearer` only.
        Bearer,
    }
}
choices! {
    /// Where `POST workspaces/search` puts its hits.
    SearchShape {
        /// `data.results`.
        Results,
        /// `data` itself.
        Array,
    }
}
choices! {
    /// Answer of a search without hits.
    EmptySearch {
        /// 200 and an empty list.
        Ok,
        /// 404 with `NRC_NO_RECORD`.
        NotFound,
    }
}
choices! {
    /// Body of an error answer.
    ErrorBody {
        /// The documented envelope.
        Full,
        /// `{"error":{"message":…}}`.
        Message,
        /// A page as a proxy would send it.
        Html,
        /// Nothing.
        Empty,
    }
}
choices! {
    /// Missing class-required fields.
    RequiredFields {
        /// The request's `warnings_for_required_and_disabled_fields` decides.
        Warn,
        /// Always 400.
        Reject,
    }
}
choices! {
    /// The same mail filed twice.
    EmailDuplicate {
        /// 409 (inferred).
        Conflict,
        /// A second document.
        Accept,
    }
}
choices! {
    /// Letters of the library in ids.
    IdCase {
        /// As in `database`.
        Same,
        /// `ACTIVE` becomes `Active!4711.1`.
        Mixed,
    }
}
choices! {
    /// Exchange of dialog tokens.
    DialogToken {
        /// Works once.
        OneTime,
        /// Works always.
        Reusable,
        /// Never works.
        Expired,
    }
}
