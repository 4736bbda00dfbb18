//! Behaviour of the fake NetDocuments, and its people.

use serde::{Deserialize, Serialize};

use crate::common::authorize::{Consent, StateEcho};
use crate::common::bank::{Replay, Reuse};
use crate::common::core::Account;
use crate::common::throttle::Throttle;
use crate::common::wire::{RefreshTokens, TokenError};

/// Behaviour that can be changed while the server runs.
///
/// "Inferred" marks a guess: no public source states it, so a client must cope with every value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "a table of independent switches")]
pub struct Switches {
    /// Life of a code, in seconds: about two minutes.
    pub code_seconds: u32,
    /// What a code does that is presented again (inferred).
    pub code_replay: Replay,
    /// Minutes without use after which an access token ends: 45 to 90, by scope.
    pub idle_minutes: u32,
    /// Hours after which an access token ends in any case: 24 to 48.
    pub absolute_hours: u32,
    /// Refresh tokens in answers to a code.
    pub refresh_tokens: RefreshTokens,
    /// Refresh tokens in answers to a refresh (not documented; without one the old token works on).
    pub refresh_tokens_again: RefreshTokens,
    /// Whether each use of a refresh token replaces it, where it is answered at all (not documented).
    pub rotate_refresh: bool,
    /// What a refresh token does after it was replaced (inferred).
    pub refresh_reuse: Reuse,
    /// For so long after its replacement a refresh token still works (inferred). Counted in `forgiven_refresh_uses`.
    pub refresh_grace_ms: u32,
    /// Life of a refresh token, in days (not documented).
    pub refresh_days: Option<u32>,
    /// Days without use after which a refresh token ends (not documented).
    pub refresh_idle_days: Option<u32>,
    /// Whether `expires_in` is text.
    pub numbers_as_text: bool,
    /// Whether an authorize request with a percent-encoded redirect address is refused, as one client found.
    pub refuse_encoded_redirect: bool,
    /// When a person is asked to allow the application (inferred).
    pub consent: Consent,
    /// What becomes of `state`.
    pub state: StateEcho,
    /// Person (id or e-mail) who signs in and allows everything without a page.
    pub approve_as: Option<String>,
    /// Everybody is sent back with `error=access_denied`.
    pub deny: bool,
    /// Keys of error answers of the token endpoint (inferred).
    pub token_error: TokenError,
    /// Id of the account that the repository's administrator mapped the application to; before that, service tokens
    /// work and see nothing.
    pub service_account: Option<String>,
    /// How far the server's clock is off, in milliseconds.
    pub skew_ms: i64,
    /// Tokens are not accepted, as those of another region are not.
    pub other_region: bool,
    /// A limit of calls for all together; its numbers are not public.
    pub throttle: Option<Throttle>,
    /// Body of refusals (not documented).
    pub error_body: ErrorBody,
    /// Status of what is absent (inferred).
    pub missing_status: u16,
    /// Status of what somebody may not see (inferred).
    pub hidden_status: u16,
    /// Status when something is changed in a closed workspace (inferred).
    pub closed_status: u16,
    /// What it says then (inferred).
    pub closed_message: String,
    /// Status when somebody else holds the document (inferred).
    pub locked_status: u16,
    /// What it says then (inferred); `{user}` is filled in.
    pub locked_message: String,
    /// Whether a closed workspace's info says `archived` (inferred).
    pub archived_flag: bool,
    /// Status of a successful upload (inferred).
    pub upload_status: u16,
    /// Whether the answer to an upload without `return=full` has only the id (inferred).
    pub short_upload_answer: bool,
    /// Largest document; 413 above it (not documented).
    pub max_upload_bytes: Option<u64>,
    /// Whether documents of 0 bytes are refused (inferred).
    pub refuse_empty: bool,
    /// Whether documents without an extension are refused (inferred).
    pub refuse_no_extension: bool,
    /// Whether a missing required attribute is an error, unless `partialProfiling=true`.
    pub require_attributes: bool,
    /// Whether values of lookup attributes must be in their table (inferred).
    pub validate_lookups: bool,
    /// Whether asking for a workspace by its keys makes it; otherwise it must be there.
    pub create_on_get: bool,
    /// Status for a workspace whose keys have no row (inferred).
    pub missing_row_status: u16,
    /// What is answered for a row that is not there (inferred).
    pub missing_row: MissingRow,
    /// What one row looks like (inferred).
    pub one_row: OneRow,
    /// What `/v1/Folder/{id}` answers for a workspace: whether one path serves all containers (inferred).
    pub any_container_path: bool,
    /// Entries on a page of a container's contents (inferred); 0 for all.
    pub list_page: usize,
    /// Whether entries of lists have `standardAttributes` around them (inferred).
    pub nested_lists: bool,
    /// Whether `$select=customAttributes` shows them in lists (inferred).
    pub list_custom_attributes: bool,
    /// Whether a list of one is the entry itself, in JSON too (inferred).
    pub single_bare: bool,
    /// Whether the next page is given as a path without host (inferred).
    pub relative_next: bool,
    /// Whether the extension can be changed with the name (inferred).
    pub rename_extension: bool,
    /// Whether folders show the attributes of their workspace (inferred).
    pub folders_show_attributes: bool,
    /// Whether containers show who may do what.
    pub show_permissions: bool,
    /// What `size` counts (inferred: kilobytes).
    pub size_unit: SizeUnit,
    /// Key of a version's description in lists of versions (inferred); empty where it does not show.
    pub version_description_field: String,
    /// What is around the list of versions (inferred).
    pub version_list: VersionList,
    /// Whether numbers of versions are text.
    pub version_numbers_as_text: bool,
    /// How long documents and containers are missing from searches.
    pub index_delay_ms: u32,
    /// Keys of attribute definitions (not documented).
    pub attribute_keys: AttributeKeys,
    /// Status of a deletion: 200 or 204.
    pub delete_status: u16,
    /// Uploads and versions are done, but their connections end without an answer.
    pub drop_after_upload: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            code_seconds: 120,
            code_replay: Replay::Refuse,
            idle_minutes: 60,
            absolute_hours: 24,
            refresh_tokens: RefreshTokens::On,
            refresh_tokens_again: RefreshTokens::Absent,
            rotate_refresh: false,
            refresh_reuse: Reuse::Refuse,
            refresh_grace_ms: 0,
            refresh_days: None,
            refresh_idle_days: None,
            numbers_as_text: true,
            refuse_encoded_redirect: false,
            consent: Consent::Once,
            state: StateEcho::Echo,
            approve_as: None,
            deny: false,
            token_error: TokenError::Rfc,
            service_account: Some("DUCOT-POSTROOM".into()),
            skew_ms: 0,
            other_region: false,
            throttle: None,
            error_body: ErrorBody::ErrorAndMessage,
            missing_status: 404,
            hidden_status: 404,
            closed_status: 403,
            closed_message: "The workspace is closed".into(),
            locked_status: 403,
            locked_message: "The document is checked out by {user}".into(),
            archived_flag: false,
            upload_status: 200,
            short_upload_answer: false,
            max_upload_bytes: None,
            refuse_empty: false,
            refuse_no_extension: true,
            require_attributes: true,
            validate_lookups: true,
            create_on_get: true,
            missing_row_status: 404,
            missing_row: MissingRow::NotFound,
            one_row: OneRow::Rows,
            any_container_path: false,
            list_page: 100,
            nested_lists: false,
            list_custom_attributes: false,
            single_bare: false,
            relative_next: false,
            rename_extension: true,
            folders_show_attributes: true,
            show_permissions: true,
            size_unit: SizeUnit::Kilobytes,
            version_description_field: "description".into(),
            version_list: VersionList::Versions,
            version_numbers_as_text: false,
            index_delay_ms: 0,
            attribute_keys: AttributeKeys::Id,
            delete_status: 200,
            drop_after_upload: false,
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
    /// Body of a refusal.
    ErrorBody {
        /// `error` and `message`.
        ErrorAndMessage,
        /// `message` only.
        Message,
        /// `Message` and `ErrorCode`.
        Capitals,
        /// Plain text.
        Text,
        /// A page as a proxy would send it.
        Html,
        /// Nothing.
        Empty,
    }
}
choices! {
    /// What is answered for a row that is not there.
    MissingRow {
        /// 404.
        NotFound,
        /// 200 and no rows.
        NoRows,
        /// 200 and an empty object.
        EmptyObject,
    }
}
choices! {
    /// What one row looks like.
    OneRow {
        /// In a list of rows.
        Rows,
        /// The row itself.
        Object,
    }
}
choices! {
    /// What `size` counts.
    SizeUnit {
        /// Kilobytes, rounded up.
        Kilobytes,
        /// Bytes.
        Bytes,
        /// It is not told.
        Absent,
    }
}
choices! {
    /// What is around a list of versions.
    VersionList {
        /// Nothing: a list.
        Bare,
        /// `versions`.
        Versions,
        /// `docVersions`, with `version` inside, as in XML.
        DocVersions,
    }
}
choices! {
    /// Keys of attribute definitions.
    AttributeKeys {
        /// `id`, `name`, `required`, `lookup`, `parentAttrNum`.
        Id,
        /// `attrNum`, `description`, `isRequired`, `isLookup`, `parentAttrNum`.
        AttrNum,
        /// `number`, `name`, and texts for flags.
        Number,
    }
}

/// Somebody who can sign in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Person {
    /// Id with the region in front.
    pub id: String,
    /// Display name.
    pub name: String,
    /// E-mail, which is the user name.
    pub email: String,
    /// Does not belong to the firm.
    pub external: bool,
    /// Not allowed to sign in.
    pub disabled: bool,
    /// May do everything.
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
