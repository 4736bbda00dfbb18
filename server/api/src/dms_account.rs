//! Accounts of persons in the DMSs.

use jiff::Timestamp;
use postroom_domain::desk::AccountSeen;
use postroom_domain::dms_account::{AccountState, CreateAccounts};
use postroom_domain::ids::ServiceName;
use serde::{Deserialize, Serialize};

/// A person's account at one destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DmsAccountView {
    /// The destination.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub service: ServiceName,
    /// When one is made there: `never`, `on_request` or `automatic`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub create: CreateAccounts,
    /// Whether the DMS can look accounts up.
    pub can_find: bool,
    /// Whether the DMS can make accounts.
    pub can_make: bool,
    /// `none`, `asking`, `found`, `made`, `not_available`, `refused` or `failed`.
    pub state: String,
    /// The same in plain words, with the DMS's own where it said some.
    pub text: String,
    /// The DMS's id of the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The account's name there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_name: Option<String>,
    /// Whether the account can be used: false where it is locked or may not log in there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usable: Option<bool>,
    /// Whether the account belongs to somebody outside of the firm; where there is none, whether one that is made would.
    pub external: bool,
    /// The e-mail that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Since when it stands so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// When it is tried again at the earliest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<Timestamp>,
    /// Who asked for it; `postroom` where nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Goes up with each change; 0 where nothing is known.
    pub version: u64,
}

impl From<&AccountSeen> for DmsAccountView {
    fn from(seen: &AccountSeen) -> Self {
        let known = seen.known.as_ref();
        let user = known.and_then(|it| it.state.user());
        let again = known.and_then(|it| match it.state {
            AccountState::Failed { again, .. } => Some(again),
            _ => None,
        });
        Self {
            service: seen.service.clone(),
            create: seen.policy.create,
            can_find: seen.offers.find,
            can_make: seen.offers.make,
            state: known.map_or("none", |it| it.state.name()).to_owned(),
            text: seen.words(),
            account: user.map(|it| it.id.clone()),
            account_name: user.map(|it| it.name.clone()),
            usable: seen.usable(),
            external: user.map_or(seen.external, |it| it.external),
            email: known.map(|it| it.email.clone()),
            at: known.map(|it| it.at),
            again,
            by: known.map(|it| it.by.clone()),
            version: known.map_or(0, |it| it.version),
        }
    }
}

/// A person's accounts, one entry for each destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DmsAccounts {
    /// In the order of the settings.
    pub items: Vec<DmsAccountView>,
}
