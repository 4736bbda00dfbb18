//! The one description of the add-in, from which every manifest is written.

use url::Url;

use crate::address;
use crate::{BaseUrl, Mistake};

/// What becomes of a message that is sent while the add-in has an objection or cannot be reached. `Block` is not among them: an outage of
/// ours would stop all mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnSend {
    /// The person may always send all the same.
    #[default]
    PromptUser,
    /// The person must first put right what the add-in objects to; it is sent where the add-in cannot be reached.
    SoftBlock,
}

impl OnSend {
    pub(crate) const fn in_xml(self) -> &'static str {
        match self {
            Self::PromptUser => "PromptUser",
            Self::SoftBlock => "SoftBlock",
        }
    }

    pub(crate) const fn in_json(self) -> &'static str {
        match self {
            Self::PromptUser => "promptUser",
            Self::SoftBlock => "softBlock",
        }
    }
}

/// The add-in of one firm.
#[derive(Debug, Clone)]
pub struct AddIn {
    pub(crate) base: BaseUrl,
    pub(crate) provider: String,
    pub(crate) support: String,
    pub(crate) on_send: OnSend,
}

impl AddIn {
    /// The manifests' own version: it goes up when what they say changes, for Office looks at nothing else.
    pub(crate) const VERSION: &str = "1.0.0";
    /// The function that the event of sending calls.
    pub(crate) const SEND_HANDLER: &str = "onMessageSendHandler";

    /// The add-in that the server at `base` serves. `support` is where people find help; the add-in's own help if absent.
    pub fn new(
        base: BaseUrl,
        provider: &str,
        support: Option<&str>,
        on_send: OnSend,
    ) -> Result<Self, Mistake> {
        let provider = provider.trim();
        if provider.is_empty() {
            return Err(Mistake::Provider("is empty"));
        }
        if provider.chars().count() > 125 {
            return Err(Mistake::Provider("is longer than 125 characters"));
        }
        // XML knows no way to write most of them.
        if provider.chars().any(|it| it.is_control() || matches!(it, '\u{fffe}' | '\u{ffff}')) {
            return Err(Mistake::Provider("holds characters that cannot be written"));
        }
        let support = match support {
            Some(given) => address::page(given).map(Url::into)?,
            None => base.page("/addin/help"),
        };
        Ok(Self { base, provider: provider.to_owned(), support, on_send })
    }

    pub(crate) fn icon(&self, size: u32) -> String {
        self.base.page(&format!("/addin/icons/icon-{size}.png"))
    }
}
