//! The connections to DMSs, made from their settings before anything else is touched: what only a connector knows to be wrong is told
//! while nothing is on disk yet.

use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use postroom_dms::doctor::Finding;
use postroom_dms::folder::Folder;
use postroom_dms::imanage::{Auth, Imanage};
use postroom_domain::dms::Dms;
use postroom_domain::ids::ServiceName;
use postroom_domain::link::AccessTokens;
use postroom_domain::time::Clock;
use postroom_engine::{Destination, DestinationSettings};

use crate::settings::{self, DestinationKind, Settings};

/// One connection.
#[derive(Clone)]
pub(crate) struct Connector {
    /// The destination's name.
    pub(crate) name: ServiceName,
    /// Whether its system account is one that an administrator links, and not one of the settings.
    pub(crate) system_is_linked: bool,
    concurrency: usize,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    Folder(Arc<Folder>),
    Imanage(Arc<Imanage>),
}

/// All of them. `links` is where the tokens of linked accounts come from; without it only the settings' own accounts work.
pub(crate) fn connectors(
    settings: &Settings,
    clock: &Arc<dyn Clock>,
    links: Option<&Arc<dyn AccessTokens>>,
) -> anyhow::Result<Vec<Connector>> {
    let connect = |it: &settings::Destination| -> anyhow::Result<Connector> {
        let (kind, system_is_linked) = match (&it.folder, &it.imanage) {
            (Some(folder), _) => (Kind::Folder(Arc::new(Folder::new(folder.clone()))), false),
            (_, Some(imanage)) => {
                let mut connector = Imanage::new(it.name.as_str(), imanage.clone(), Arc::clone(clock))
                    .with_context(|| format!("destinations \"{}\"", it.name))?;
                if let Some(links) = links {
                    connector = connector.with_links(it.name.clone(), Arc::clone(links));
                }
                (Kind::Imanage(Arc::new(connector)), matches!(imanage.auth, Auth::Link))
            }
            (None, None) => return Err(anyhow!("destinations \"{}\" has no section of its kind", it.name)),
        };
        Ok(Connector { name: it.name.clone(), system_is_linked, concurrency: it.concurrency, kind })
    };
    settings.destinations.iter().map(|it| connect(it.get_ref())).collect()
}

impl Connector {
    /// As the engine files with it.
    pub(crate) fn destination(&self) -> Destination {
        let dms: Arc<dyn Dms> = match &self.kind {
            Kind::Folder(folder) => folder.clone(),
            Kind::Imanage(imanage) => imanage.clone(),
        };
        let settings =
            DestinationSettings { concurrency: self.concurrency, ..DestinationSettings::default() };
        Destination { name: self.name.clone(), dms, settings }
    }

    /// Which kind it is.
    pub(crate) const fn kind(&self) -> DestinationKind {
        match self.kind {
            Kind::Folder(_) => DestinationKind::Folder,
            Kind::Imanage(_) => DestinationKind::Imanage,
        }
    }

    /// Looks at the live server.
    pub(crate) async fn doctor(&self) -> Vec<Finding> {
        match &self.kind {
            Kind::Folder(folder) => folder.doctor().await,
            Kind::Imanage(imanage) => imanage.doctor().await,
        }
    }
}
