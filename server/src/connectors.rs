//! The connections to DMSs, made from their settings before anything else is touched: what only a connector knows to be wrong is told
//! while nothing is on disk yet.

use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use postroom_dms::doctor::Finding;
use postroom_dms::folder::Folder;
use postroom_dms::highq::HighQ;
use postroom_dms::imanage::Imanage;
use postroom_dms::netdocuments::NetDocuments;
use postroom_dms::webdav::WebDav;
use postroom_domain::dms::Dms;
use postroom_domain::ids::ServiceName;
use postroom_domain::link::AccessTokens;
use postroom_domain::link_columns::LinkColumns;
use postroom_domain::time::Clock;
use postroom_engine::{Destination, DestinationSettings};

use crate::settings::{self, DestinationKind, Settings};

/// One connection.
#[derive(Clone)]
pub(crate) struct Connector {
    /// The destination's name.
    pub(crate) name: ServiceName,
    /// Which kind it is.
    pub(crate) kind: DestinationKind,
    /// Whether its system account is one that an administrator links, and not one of the settings.
    pub(crate) system_is_linked: bool,
    concurrency: usize,
    dms: Arc<dyn postroom_dms::Connector>,
}

/// All of them. `links` is where the tokens of linked accounts come from; without it only the settings' own accounts work.
pub(crate) fn connectors(
    settings: &Settings,
    clock: &Arc<dyn Clock>,
    links: Option<&Arc<dyn AccessTokens>>,
) -> anyhow::Result<Vec<Connector>> {
    let one = |it: &settings::Destination| -> anyhow::Result<Connector> {
        let dms = connect(it, clock, links).with_context(|| format!("destinations \"{}\"", it.name))?;
        Ok(Connector {
            name: it.name.clone(),
            kind: it.kind,
            system_is_linked: it.system_is_linked(),
            concurrency: it.concurrency,
            dms,
        })
    };
    settings.destinations.iter().map(|it| one(it.get_ref())).collect()
}

/// The connector of the destination's kind. Nothing is sent yet.
fn connect(
    it: &settings::Destination,
    clock: &Arc<dyn Clock>,
    links: Option<&Arc<dyn AccessTokens>>,
) -> anyhow::Result<Arc<dyn postroom_dms::Connector>> {
    let (name, clock) = (it.name.as_str(), Arc::clone(clock));
    // Without links the settings are only looked at.
    let links = links.map(|links| (it.name.clone(), Arc::clone(links)));
    let missing = || anyhow!("there is no section of its kind");
    Ok(match it.kind {
        DestinationKind::Folder => Arc::new(Folder::new(it.folder.clone().ok_or_else(missing)?)),
        DestinationKind::Imanage => {
            let mut dms = Imanage::new(name, it.imanage.clone().ok_or_else(missing)?, clock)?;
            if let Some((service, tokens)) = links {
                dms = dms.with_links(service, tokens);
            }
            Arc::new(dms)
        }
        DestinationKind::Netdocuments => {
            let mut dms = NetDocuments::new(name, it.netdocuments.clone().ok_or_else(missing)?, clock)?;
            if let Some((service, tokens)) = links {
                dms = dms.with_links(service, tokens);
            }
            Arc::new(dms)
        }
        DestinationKind::Highq => {
            let mut dms = HighQ::new(name, it.highq.clone().ok_or_else(missing)?, clock)?;
            if let Some((service, tokens)) = links {
                dms = dms.with_links(service, tokens);
            }
            Arc::new(dms)
        }
        DestinationKind::Webdav => {
            Arc::new(WebDav::new(name, it.webdav.clone().ok_or_else(missing)?, clock)?)
        }
    })
}

impl Connector {
    /// As the engine files with it.
    pub(crate) fn destination(&self) -> Destination {
        let settings =
            DestinationSettings { concurrency: self.concurrency, ..DestinationSettings::default() };
        Destination { name: self.name.clone(), dms: self.dms(), settings }
    }

    /// The DMS.
    pub(crate) fn dms(&self) -> Arc<dyn Dms> {
        self.dms.clone()
    }

    /// The links that it keeps in lists of its own, where it does.
    pub(crate) fn link_columns(&self) -> Option<Arc<dyn LinkColumns>> {
        self.dms.clone().link_columns()
    }

    /// Looks at the live server.
    pub(crate) async fn doctor(&self) -> Vec<Finding> {
        self.dms.doctor().await
    }
}
