//! Linked services, and the links to them.

use jiff::Timestamp;
use postroom_domain::ids::{LinkId, PersonId, ServiceName};
use postroom_domain::link::{Fallback, Link, LinkState, LinkedService, Offer};
use postroom_domain::store::Pause;
use serde::{Deserialize, Serialize};

use crate::pause::PauseView;

/// A service whose accounts are linked, or that people sign in with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ServiceView {
    /// Its name in the settings.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub name: ServiceName,
    /// As people call it.
    pub title: String,
    /// `entra`, `openid`, `imanage`, `netdocuments` or `highq`.
    pub kind: String,
    /// Whether people sign in with it: `disabled`, `hidden` or `visible`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub sign_in: Offer,
    /// Whether who asks may link an account of it.
    pub links: bool,
    /// Whether they have to, before anything is filed there for them.
    pub required: bool,
    /// When the system account stands in: `never`, `read_only`, `background_only` or `always`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub fallback: Fallback,
}

impl ServiceView {
    /// A service as it is offered to somebody: whether they are asked to link it, and have to.
    pub fn of(service: &LinkedService, asked: Option<bool>) -> Self {
        Self {
            name: service.name.clone(),
            title: service.title.clone(),
            kind: service.kind.clone(),
            sign_in: service.sign_in,
            links: asked.is_some(),
            required: asked == Some(true),
            fallback: service.fallback,
        }
    }
}

/// Linked services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Services {
    /// In the order in which they are shown.
    pub items: Vec<ServiceView>,
}

/// A link, without its tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LinkView {
    /// Id.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: LinkId,
    /// Goes up with each change; sent back in `If-Match`.
    pub version: u64,
    /// The linked service.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub service: ServiceName,
    /// Whose it is; absent for the system account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub person: Option<PersonId>,
    /// Who linked it.
    pub made_by: String,
    /// The account's name there.
    pub account: String,
    /// The account's e-mail there, where told.
    pub account_email: String,
    /// `unconfirmed`, `active` or `broken`.
    pub state: String,
    /// Why it is broken, in plain words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Since when it is broken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken_since: Option<Timestamp>,
    /// When it was linked.
    pub linked: Timestamp,
    /// When its tokens were last renewed.
    pub renewed: Timestamp,
    /// When it ends unless it is renewed, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<Timestamp>,
    /// The pause of the account, when a person stopped it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<PauseView>,
}

impl LinkView {
    /// Whose it is, in words.
    pub fn whose(&self) -> &str {
        if self.person.is_none() {
            "system account"
        } else if self.account_email.is_empty() {
            &self.made_by
        } else {
            &self.account_email
        }
    }

    /// The account's name as a door ([`DoorKind::Account`](crate::pause::DoorKind::Account)).
    pub fn door_name(&self) -> String {
        Link::key(&self.service, self.person)
    }

    /// A link, with the pause of its account among these that hold.
    pub fn of(link: &Link, pauses: &[Pause]) -> Self {
        let door = Link::door(&link.service, link.person);
        let pause = pauses.iter().find(|pause| pause.door == door).map(PauseView::from);
        let (state, reason, broken_since) = match &link.state {
            LinkState::Unconfirmed => ("unconfirmed", None, None),
            LinkState::Active => ("active", None, None),
            LinkState::Broken { since, reason } => ("broken", Some(reason.clone()), Some(*since)),
        };
        Self {
            id: link.id,
            version: link.version,
            service: link.service.clone(),
            person: link.person,
            made_by: link.made_by.clone(),
            account: link.account.name.clone(),
            account_email: link.account.email.clone(),
            state: state.to_owned(),
            reason,
            broken_since,
            linked: link.linked,
            renewed: link.renewed,
            ends: link.ends(),
            pause,
        }
    }
}

/// Links.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Links {
    /// By service.
    pub items: Vec<LinkView>,
}

/// Which links are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
pub struct LinkList {
    /// Everybody's and the system accounts', as far as one looks after them; of those who only watch, what they have to know of. One's own
    /// otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
}
