//! `[[destinations]]`: the connections to DMSs, each with the section of its kind.

use postroom_dms::{folder, highq, imanage, netdocuments, webdav};
use postroom_domain::dms_account::AccountPolicy;
use postroom_domain::ids::ServiceName;
use serde::Deserialize;

/// `[[destinations]]`: one connection to one DMS.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Destination {
    /// Its name.
    pub(crate) name: ServiceName,
    /// Which kind of DMS.
    pub(crate) kind: DestinationKind,
    /// How many filings at once.
    #[serde(default = "concurrency")]
    pub(crate) concurrency: usize,
    /// What is set about accounts of persons in it.
    #[serde(default)]
    pub(crate) accounts: AccountPolicy,
    /// Settings of kind `folder`.
    pub(crate) folder: Option<folder::Settings>,
    /// Settings of kind `imanage`.
    pub(crate) imanage: Option<imanage::Settings>,
    /// Settings of kind `netdocuments`.
    pub(crate) netdocuments: Option<netdocuments::Settings>,
    /// Settings of kind `highq`.
    pub(crate) highq: Option<highq::Settings>,
    /// Settings of kind `webdav`.
    pub(crate) webdav: Option<webdav::Settings>,
}

const fn concurrency() -> usize {
    5
}

/// The kinds of DMS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DestinationKind {
    /// Plain files in a folder.
    Folder,
    /// iManage Work.
    Imanage,
    /// NetDocuments.
    Netdocuments,
    /// Thomson Reuters HighQ.
    Highq,
    /// A WebDAV server.
    Webdav,
}

impl DestinationKind {
    /// Whether a DMS of this kind makes workspaces for fields that name them.
    pub(crate) fn makes_workspaces(self) -> bool {
        self.as_str() == "netdocuments"
    }

    /// The word in the settings.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Folder => "folder",
            Self::Imanage => "imanage",
            Self::Netdocuments => "netdocuments",
            Self::Highq => "highq",
            Self::Webdav => "webdav",
        }
    }

    /// Whether it is somebody else's service, whose team mends what is wrong there.
    pub(crate) const fn is_service(self) -> bool {
        !matches!(self, Self::Folder)
    }
}

impl Destination {
    /// Which sections it has.
    const fn sections(&self) -> [(DestinationKind, bool); 5] {
        [
            (DestinationKind::Folder, self.folder.is_some()),
            (DestinationKind::Imanage, self.imanage.is_some()),
            (DestinationKind::Netdocuments, self.netdocuments.is_some()),
            (DestinationKind::Highq, self.highq.is_some()),
            (DestinationKind::Webdav, self.webdav.is_some()),
        ]
    }

    /// The host on which people see its pages, for the kinds of which it is known.
    pub(crate) fn pages_host(&self) -> Option<String> {
        let host_of = |url: &url::Url| url.host_str().map(str::to_owned);
        match self.kind {
            DestinationKind::Imanage => host_of(&self.imanage.as_ref()?.base_url),
            DestinationKind::Netdocuments => self.netdocuments.as_ref()?.pages_host(),
            DestinationKind::Highq => host_of(&self.highq.as_ref()?.base_url),
            DestinationKind::Folder | DestinationKind::Webdav => None,
        }
    }

    /// Whether its system account is one that an administrator links, and not one of the settings.
    pub(crate) fn system_is_linked(&self) -> bool {
        self.imanage.as_ref().is_some_and(|it| matches!(it.auth, imanage::Auth::Link))
            || self.netdocuments.as_ref().is_some_and(|it| matches!(it.auth, netdocuments::Auth::Link))
            || self.highq.as_ref().is_some_and(|it| matches!(it.auth, highq::Auth::Link))
    }

    /// What is well-formed but wrong.
    pub(super) fn mistakes(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        if !(1..=256).contains(&self.concurrency) {
            wrong.push("concurrency: 1 to 256".to_owned());
        }
        wrong.extend(self.accounts.mistakes());
        let wanted = self.kind.as_str();
        for (kind, is_there) in self.sections() {
            if kind == self.kind && !is_there {
                wrong.push(format!("kind \"{wanted}\" needs a section [destinations.{wanted}]"));
            }
            if kind != self.kind && is_there {
                let other = kind.as_str();
                wrong.push(format!(
                    "kind \"{wanted}\" has the section [destinations.{other}] of another kind"
                ));
            }
        }
        wrong
    }
}
