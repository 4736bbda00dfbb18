//! What Postroom puts into other people's programs, as files that an administrator hands out: the manifests of the add-in for Outlook,
//! Word and Excel, its icons, and the browser extension. One description ([`AddIn`]) is the source of every manifest, so that what they
//! say cannot differ; nothing here is asked for at run time but the icons.
//!
//! The folder `extension/` holds the extension's source: ES modules that run as they are. `icons/` holds the drawings (SVG) and what was
//! rendered from them. `pilot.md` lists what only a real tenant or store can confirm.

mod address;
mod description;
mod extension;
mod icons;
mod ids;
mod key;
mod mistake;
mod outlook;
mod package;
mod texts;
mod unified;
mod word;
mod xml;

#[cfg(test)]
mod tests;

pub use address::BaseUrl;
pub use description::{AddIn, OnSend};
pub use extension::{Extension, Kind, Service};
pub use icons::icon;
pub use key::PublicKey;
pub use mistake::Mistake;
