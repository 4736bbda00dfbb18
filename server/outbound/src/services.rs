//! The linked services that there are, made from their settings.
//!
//! Wiring: [`Services::new`] once at start; [`Services::providers`] and [`Services::bearer_checks`] go to the desk that signs people
//! in; the whole goes to [`crate::TokenKeeper::new`], which is `LinkKeeper`, `Accounts` and `AccessTokens` in one, and to
//! [`crate::Doctor::new`].

use std::sync::Arc;

use postroom_domain::Fut;
use postroom_domain::ids::ServiceName;
use postroom_domain::link::LinkedService;
use postroom_domain::sign_in::{BearerCheck, Grant, Provider, ProviderError};
use postroom_domain::time::Clock;
use secrecy::SecretString;

use crate::oauth::TokenFailure;
use crate::oidc::{AddinCheck, OpenId};
use crate::service_settings::{ServiceError, ServiceKind, ServiceSettings, SystemAccount};
use crate::vendors::Vendor;

/// What a live look at a provider showed.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    /// What was looked at.
    pub(crate) subject: &'static str,
    /// How it went; a success may tell the time by the other side's clock.
    pub(crate) outcome: Result<Option<jiff::Timestamp>, ProviderError>,
}

/// A provider whose tokens can be renewed.
pub(crate) trait Renewing: Provider {
    /// New tokens for a refresh token.
    fn renew<'a>(&'a self, refresh: &'a SecretString) -> Fut<'a, Result<Grant, TokenFailure>>;
    /// Tokens of the application itself.
    fn own_grant(&self) -> Fut<'_, Result<Grant, TokenFailure>>;
    /// Looks whether it can be reached and what its clock shows.
    fn look(&self) -> Fut<'_, Vec<Look>>;
}

/// One linked service.
pub struct Service {
    /// As persons and links see it.
    pub linked: LinkedService,
    /// Where the system account's tokens come from.
    pub system_account: SystemAccount,
    pub(crate) wanted: Vec<String>,
    pub(crate) vague_ends: bool,
    /// How far the clocks may be apart before its identity tokens are not believed; none where it gives none.
    pub(crate) clocks_apart: Option<std::time::Duration>,
    pub(crate) renewing: Arc<dyn Renewing>,
    provider: Arc<dyn Provider>,
    bearer: Option<Arc<dyn BearerCheck>>,
}

/// All linked services.
#[derive(Clone, Default)]
pub struct Services(Vec<Arc<Service>>);

impl Services {
    /// From the settings. Reaches out to nobody.
    pub fn new(settings: &[ServiceSettings], clock: &Arc<dyn Clock>) -> Result<Self, ServiceError> {
        let mut list: Vec<Arc<Service>> = Vec::new();
        for one in settings {
            if list.iter().any(|it| it.linked.name == one.name) {
                return Err(ServiceError::Twice(one.name.clone()));
            }
            list.push(Arc::new(Service::new(one, Arc::clone(clock))?));
        }
        Ok(Self(list))
    }

    /// One by its name.
    pub fn get(&self, name: &ServiceName) -> Option<&Arc<Service>> {
        self.0.iter().find(|it| it.linked.name == *name)
    }

    /// All, in the order of the settings.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Service>> {
        self.0.iter()
    }

    /// All as persons and links see them.
    pub fn linked(&self) -> Vec<LinkedService> {
        self.0.iter().map(|it| it.linked.clone()).collect()
    }

    /// Those that people sign in with and link accounts of.
    pub fn providers(&self) -> Vec<Arc<dyn Provider>> {
        self.0.iter().map(|it| Arc::clone(&it.provider)).collect()
    }

    /// Those that vouch for the add-in's tokens.
    pub fn bearer_checks(&self) -> Vec<Arc<dyn BearerCheck>> {
        self.0.iter().filter_map(|it| it.bearer.clone()).collect()
    }
}

impl Service {
    fn new(settings: &ServiceSettings, clock: Arc<dyn Clock>) -> Result<Self, ServiceError> {
        if let Some((key, problem)) = settings.problem() {
            let (service, problem) = (settings.name.clone(), problem.to_owned());
            return Err(ServiceError::Key { service, key, problem });
        }
        let linked = settings.linked_service();
        let (system_account, vague_ends) = (settings.system_account, settings.vague_refusals_end_links);
        if matches!(settings.kind, ServiceKind::Entra | ServiceKind::Openid) {
            let it = Arc::new(OpenId::new(settings, clock)?);
            let bearer = settings
                .addin_scope
                .clone()
                .map(|scope| -> Arc<dyn BearerCheck> { Arc::new(AddinCheck::new(Arc::clone(&it), scope)) });
            let (wanted, provider) = (it.scopes().to_vec(), Arc::clone(&it));
            let clocks_apart = Some(std::time::Duration::from_secs(settings.skew()));
            return Ok(Self {
                linked,
                system_account,
                wanted,
                vague_ends,
                clocks_apart,
                renewing: it,
                provider,
                bearer,
            });
        }
        let it = Arc::new(Vendor::new(settings, clock)?);
        let (wanted, provider) = (it.scopes().to_vec(), Arc::clone(&it));
        Ok(Self {
            linked,
            system_account,
            wanted,
            vague_ends,
            clocks_apart: None,
            renewing: it,
            provider,
            bearer: None,
        })
    }
}
