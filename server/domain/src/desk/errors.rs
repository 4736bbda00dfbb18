//! Why the desk says no.

use crate::ids::ServiceName;
use crate::link::LinkError;
use crate::person::Permission;
use crate::sealing::SealError;
use crate::sign_in::ProviderError;
use crate::store::StoreError;

/// Why somebody was not let in, or did not get what they went to a provider for. The texts of [`std::fmt::Display`] are for logs;
/// [`NotLetIn::words`] are for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotLetIn {
    /// E-mail and password do not fit. The same for unknown, disabled and locked persons, so that nobody learns which there are.
    #[error("e-mail and password do not fit, or the person may not come in")]
    Wrong,
    /// The person is known, but an administrator has to let them in first.
    #[error("the person waits for an administrator")]
    Pending,
    /// The person may not come in any more.
    #[error("the person is disabled")]
    Disabled,
    /// Nobody has this account, and no rule makes a person of it.
    #[error("nobody has this account, and no rule makes a person of it")]
    Unknown,
    /// The provider does not vouch for an e-mail, and the account is not known otherwise.
    #[error("the account is not known, and the provider does not vouch for an e-mail")]
    Unvouched,
    /// Another account of the same issuer is recognised as the person with this e-mail: the address was given to somebody else.
    #[error("the e-mail belongs to a person who is known by another account of the same issuer")]
    EmailReused,
    /// The sign-in is not known, was used already, or took too long.
    #[error("the sign-in is not known, was used already, or took too long")]
    Stale,
    /// It was begun in another browser.
    #[error("the sign-in was begun in another browser")]
    OtherBrowser,
    /// The service is not one to sign in with, or to link.
    #[error("{0} is not offered for this")]
    NotOffered(ServiceName),
    /// The person who began to link is not signed in any more, or may not any more.
    #[error("the person who began to link is not signed in any more")]
    SignedOut,
    /// The one-time link does not work any more.
    #[error("the one-time link is used, replaced, or too old")]
    LinkUsed,
    /// The new password will not do; the text says why.
    #[error("the password will not do: {0}")]
    Objection(String),
    /// The provider did not vouch.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The account was not linked.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// What the sign-in remembered does not open, or nothing can be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl NotLetIn {
    /// In plain words, for the person in front of the screen. Nothing that a stranger should not learn.
    pub fn words(&self) -> String {
        match self {
            Self::Wrong => {
                "E-mail and password do not fit. After several wrong passwords none is looked at for a while."
            }
            Self::Pending => "You are known here, but an administrator has to let you in first.",
            Self::Disabled => "Your access has been ended. Ask an administrator if that is wrong.",
            Self::Unknown => "This account is not known here. Ask an administrator to add you.",
            Self::Unvouched => {
                "This account is not known here, and its e-mail is not confirmed at the provider. Ask an administrator."
            }
            Self::EmailReused => {
                "Another account with this e-mail was used here before. An administrator has to say whether it is you."
            }
            Self::Stale => "This sign-in took too long or was used already. Please begin again.",
            Self::OtherBrowser => {
                "This sign-in was begun in another browser, or cookies are blocked. Please begin again in this one."
            }
            Self::NotOffered(_) => "This way of signing in or linking is not offered here.",
            Self::SignedOut => "You are not signed in any more as who began this. Sign in and begin again.",
            Self::LinkUsed => "This one-time link does not work any more. Ask an administrator for a new one.",
            Self::Objection(why) => return why.clone(),
            Self::Provider(ProviderError::Refused(_)) => "The provider said no, or it was cancelled there.",
            Self::Provider(ProviderError::BadCode(_) | ProviderError::Forged(_)) => {
                "The provider's answer could not be used. Please try again."
            }
            Self::Provider(ProviderError::Unavailable(_)) => {
                "The provider cannot be reached now. Please try again in a little while."
            }
            Self::Provider(ProviderError::Misconfigured(_)) => {
                "This sign-in is not set up right. Tell an administrator."
            }
            Self::Link(LinkError::Taken { account }) => {
                return format!("The account {account} is linked to another person already.");
            }
            Self::Link(LinkError::NotOffered(_)) => "Accounts of this service are not linked here.",
            Self::Link(LinkError::NotFound | LinkError::Changed) => {
                "The link changed meanwhile, perhaps in another window. Look again."
            }
            Self::Seal(_) | Self::Store(_) | Self::Link(LinkError::Store(_)) => {
                "Postroom could not keep this. Please try again; tell an administrator if it goes on."
            }
        }
        .to_owned()
    }

    /// Whether it is Postroom's or the provider's fault, not that of who asks.
    pub const fn is_fault(&self) -> bool {
        matches!(
            self,
            Self::Seal(_)
                | Self::Store(_)
                | Self::Link(LinkError::Store(_))
                | Self::Provider(ProviderError::Unavailable(_) | ProviderError::Misconfigured(_))
        )
    }
}

/// Why something about persons, sessions or tokens was not done. Nothing is different from before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeskError {
    /// It does not exist, or not for who asks.
    #[error("there is none, or it may not be seen")]
    NotFound,
    /// It changed since it was looked at.
    #[error("it changed meanwhile (version {version} now)")]
    Changed {
        /// Its version now.
        version: u64,
    },
    /// Who asks may not do this at all.
    #[error("the permission {0} is needed")]
    NotAllowed(Permission),
    /// Nobody hands out, or rules over, more than they have themselves. The text says what.
    #[error("{0}")]
    Beyond(String),
    /// A value is not accepted.
    #[error("{field}: {message}")]
    Bad {
        /// The name of the field.
        field: &'static str,
        /// Why, in plain words.
        message: String,
    },
    /// Nobody would be left who may administer.
    #[error("this is the last active person who may administer")]
    LastAdministrator,
    /// Somebody else has the e-mail.
    #[error("another person has the e-mail, or had it when they were added")]
    EmailTaken,
    /// The password given to prove oneself is wrong.
    #[error("the present password is not right")]
    WrongPassword,
    /// The person may not come in, so this is of no use to them.
    #[error("the person is not active")]
    NotActive,
    /// The settings say that no accounts of persons are made in this DMS.
    #[error("accounts of persons are not made at {0}: the settings say so")]
    NotMadeHere(ServiceName),
    /// A link was not changed.
    #[error(transparent)]
    Link(LinkError),
    /// Nothing can be sealed or hashed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<LinkError> for DeskError {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::NotFound => Self::NotFound,
            LinkError::Store(error) => Self::Store(error),
            other => Self::Link(other),
        }
    }
}
