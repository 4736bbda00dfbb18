//! Behaviour that can be changed while the server runs, and whose mailboxes there are.

use serde::{Deserialize, Serialize};

use crate::common::core::Account;
use crate::common::throttle::Throttle;

/// Behaviour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "a table of independent switches")]
pub struct Switches {
    /// Id of the tenant.
    pub tenant: String,
    /// Life of access tokens, in seconds.
    pub access_seconds: u32,
    /// Whether an administrator has consented to the application's permissions.
    pub consent: bool,
    /// Whether messages may be changed (`Mail.ReadWrite`).
    pub may_write: bool,
    /// Most entries on a page; fewer where the client asks for fewer.
    pub page: usize,
    /// Life of links, in seconds.
    pub link_seconds: u32,
    /// Calls at once in one mailbox; a further one is refused.
    pub abreast: usize,
    /// Rate of the calls in one mailbox.
    pub throttle: Option<Throttle>,
    /// Longest life of a subscription, in minutes.
    pub subscription_minutes: u32,
    /// Most subscriptions.
    pub subscriptions: usize,
    /// How long an address may take to give the validation token back, in milliseconds.
    pub validation_ms: u64,
    /// Whether notifications are sent.
    pub notifications: bool,
    /// Whether each comes twice.
    pub notify_twice: bool,
    /// Whether each comes with one of a stranger's subscription, and one with a wrong `clientState`.
    pub notify_strangers: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            tenant: super::TENANT.into(),
            access_seconds: 3599,
            consent: true,
            may_write: true,
            page: 50,
            link_seconds: 30 * 86_400,
            abreast: 4,
            throttle: None,
            subscription_minutes: 4230,
            subscriptions: 1000,
            validation_ms: 10_000,
            notifications: true,
            notify_twice: false,
            notify_strangers: false,
        }
    }
}

/// Why a mailbox cannot be read, if it cannot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It can.
    #[default]
    Open,
    /// The application's access policy does not name it.
    OutsidePolicy,
    /// It is not in the cloud, or not active.
    NotInCloud,
}

/// Whose a mailbox is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Owner {
    /// Object id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Address.
    pub email: String,
    /// Why it cannot be read, if it cannot.
    pub standing: Standing,
}

impl Account for Owner {
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
        true
    }
}
