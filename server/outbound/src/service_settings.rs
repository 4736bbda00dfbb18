//! Settings of a linked service.

use std::path::PathBuf;
use std::time::Duration;

use postroom_domain::ids::ServiceName;
use postroom_domain::link::{AvailableTo, Fallback, LinkedService, Offer, WhenUnsure};
use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

use crate::oauth::ClientAuth;
use crate::secret::{ReadSecretError, read_secret};

/// Which kind of service it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceKind {
    /// Microsoft Entra ID.
    Entra,
    /// Any OpenID Connect provider.
    Openid,
    /// iManage Work.
    Imanage,
    /// NetDocuments.
    Netdocuments,
    /// HighQ.
    Highq,
}

impl ServiceKind {
    /// The word in the settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Entra => "entra",
            Self::Openid => "openid",
            Self::Imanage => "imanage",
            Self::Netdocuments => "netdocuments",
            Self::Highq => "highq",
        }
    }
}

/// Where the system account's tokens come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SystemAccount {
    /// An administrator links an account.
    #[default]
    Linked,
    /// The application itself signs in (`client_credentials`); at NetDocuments as `client_id|repository`.
    Application,
    /// The destination's own settings hold it: this service has nothing to do with it.
    Destination,
}

/// One linked service, a `[[services]]` of the settings. Keys that do not belong to the kind are refused by
/// [`ServiceSettings::problem`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceSettings {
    /// Its name; the same as the destination's, where it is one.
    pub name: ServiceName,
    /// How screens call it; its name if absent.
    pub title: Option<String>,
    /// Which kind it is.
    pub kind: ServiceKind,
    /// Whether people sign in with it.
    #[serde(default)]
    pub sign_in: Offer,
    /// Whether accounts of it are linked.
    #[serde(default)]
    pub links: bool,
    /// When the system account stands in.
    #[serde(default)]
    pub fallback: Fallback,
    /// What becomes of the work in the background of a person without a link, when the DMS does not tell what they may do themself.
    #[serde(default)]
    pub when_unsure: WhenUnsure,
    /// Who may link; empty means everybody.
    #[serde(default)]
    pub available_to: Vec<AvailableTo>,
    /// Idle links are renewed after so many days; absent never.
    pub keep_alive_days: Option<u32>,
    /// Links that end within so many days are warned about; 30 if absent.
    pub warn_before_days: Option<u32>,
    /// Where the system account's tokens come from.
    #[serde(default)]
    pub system_account: SystemAccount,
    /// The application's id there.
    pub client_id: String,
    /// The application's secret.
    pub client_secret: Option<SecretString>,
    /// A file with it.
    pub client_secret_file: Option<PathBuf>,
    /// How the secret is said.
    #[serde(default)]
    pub client_auth: ClientAuth,
    /// `openid`: the issuer, spelled exactly as the provider does.
    pub issuer: Option<String>,
    /// The service's address: the API's for the DMSs (iManage with, HighQ with its application name), the authority for `entra`
    /// (`https://login.microsoftonline.com` if absent).
    pub base_url: Option<Url>,
    /// Where browsers are sent; else what is usual for the kind. NetDocuments needs it or `web_url`.
    pub authorize_url: Option<Url>,
    /// The token endpoint; else what is usual for the kind.
    pub token_url: Option<Url>,
    /// `netdocuments`: the web address of the region, such as `https://vault.netvoyage.com`.
    pub web_url: Option<Url>,
    /// `netdocuments` with `system_account = "application"`: the repository.
    pub repository: Option<String>,
    /// `entra`: the tenant's id, or `organizations`.
    pub tenant: Option<String>,
    /// `entra`: tenants whose people may come in; needed where `tenant` stands for many.
    #[serde(default)]
    pub allowed_tenants: Vec<String>,
    /// Further addresses whose hosts the provider's endpoints may be on. The application's secret is sent to no other host.
    #[serde(default)]
    pub also_hosts: Vec<Url>,
    /// What is asked for; else what is usual for the kind.
    pub scopes: Option<Vec<String>>,
    /// What stands between scopes; a blank, or a comma for `netdocuments`.
    pub scope_separator: Option<String>,
    /// Whether PKCE is sent: yes for `entra` and `openid`, else no.
    pub pkce: Option<bool>,
    /// Whether every e-mail that the provider tells without saying whether it is verified counts as verified.
    #[serde(default)]
    pub email_verified: bool,
    /// A refresh refused with 400 or 401 in words, without an OAuth code, ends the link. Otherwise it is tried again later.
    #[serde(default)]
    pub vague_refusals_end_links: bool,
    /// How far clocks may be apart, in seconds: 60 to 120; 90 if absent.
    pub clock_skew_seconds: Option<u64>,
    /// `entra`: scope that a token of the add-in must carry (nested app authentication), such as `Filing.ReadWrite`; absent refuses all.
    pub addin_scope: Option<String>,
    /// The connection.
    #[serde(default)]
    pub connection: crate::Settings,
}

/// What is wrong with a service's settings.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// A key.
    #[error("service {service}: {key} {problem}")]
    Key {
        /// The service.
        service: ServiceName,
        /// The key in the settings.
        key: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The connection's settings.
    #[error("service {service}: connection.{error}")]
    Connection {
        /// The service.
        service: ServiceName,
        /// What is wrong.
        error: crate::SetupError,
    },
    /// The application's secret cannot be read.
    #[error("service {service}: {error}")]
    Secret {
        /// The service.
        service: ServiceName,
        /// What is wrong.
        error: ReadSecretError,
    },
    /// Two services have one name.
    #[error("there are two services named {0}")]
    Twice(ServiceName),
}

impl ServiceSettings {
    /// What is wrong, if anything is: the key, and the problem.
    pub fn problem(&self) -> Option<(&'static str, &'static str)> {
        use ServiceKind::{Entra, Highq, Imanage, Netdocuments, Openid};
        let secure = |url: &Url| url.scheme() == "https" || is_loopback(url);
        let addresses = [&self.base_url, &self.authorize_url, &self.token_url, &self.web_url];
        if self.client_id.trim().is_empty() {
            return Some(("client_id", "is empty"));
        }
        let secrets = u8::from(self.client_secret.is_some()) + u8::from(self.client_secret_file.is_some());
        match (self.client_auth, secrets) {
            (_, 2) => return Some(("client_secret", "and client_secret_file are both set: keep one")),
            (ClientAuth::None, _) | (_, 1) => {}
            _ => return Some(("client_secret", "is missing, and client_secret_file too")),
        }
        if addresses.into_iter().flatten().chain(&self.also_hosts).any(|url| !secure(url)) {
            return Some((
                "base_url, authorize_url, token_url, web_url or also_hosts",
                "is not an https:// address",
            ));
        }
        if self.clock_skew_seconds.is_some_and(|it| !(60..=120).contains(&it)) {
            return Some(("clock_skew_seconds", "is not between 60 and 120"));
        }
        if self.keep_alive_days == Some(0) {
            return Some(("keep_alive_days", "is not at least 1"));
        }
        match self.kind {
            Openid => match self.issuer.as_deref().map(str::parse::<Url>) {
                None => return Some(("issuer", "is missing")),
                Some(Ok(url)) if secure(&url) => {}
                Some(_) => return Some(("issuer", "is not an https:// address")),
            },
            Entra => match self.tenant.as_deref() {
                None | Some("") => return Some(("tenant", "is missing")),
                Some("common" | "organizations" | "consumers") if self.allowed_tenants.is_empty() => {
                    return Some(("allowed_tenants", "is empty, although the tenant stands for many"));
                }
                Some(_) => {}
            },
            Imanage | Highq | Netdocuments if self.base_url.is_none() => {
                return Some(("base_url", "is missing"));
            }
            Netdocuments if self.web_url.is_none() && self.authorize_url.is_none() => {
                return Some(("web_url", "is missing"));
            }
            Netdocuments
                if self.system_account == SystemAccount::Application && self.repository.is_none() =>
            {
                return Some(("repository", "is missing"));
            }
            Imanage | Highq | Netdocuments => {}
        }
        if self.kind == Highq && self.system_account == SystemAccount::Application {
            return Some(("system_account", "cannot be \"application\": HighQ knows no such grant"));
        }
        if self.kind != Openid && self.issuer.is_some() {
            return Some(("issuer", "belongs to openid"));
        }
        if self.kind != Entra && (self.tenant.is_some() || self.addin_scope.is_some()) {
            return Some(("tenant or addin_scope", "belongs to entra"));
        }
        None
    }

    /// The application's secret, wherever it is; none where there is none.
    pub(crate) fn secret(&self) -> Result<Option<SecretString>, ServiceError> {
        match read_secret("client_secret", self.client_secret.as_ref(), self.client_secret_file.as_deref()) {
            Ok(secret) => Ok(Some(secret)),
            Err(ReadSecretError::Missing { .. }) => Ok(None),
            Err(error) => Err(ServiceError::Secret { service: self.name.clone(), error }),
        }
    }

    /// As persons and links see it.
    pub fn linked_service(&self) -> LinkedService {
        let days = |days: u32| Duration::from_hours(24 * u64::from(days));
        LinkedService {
            name: self.name.clone(),
            title: self.title.clone().unwrap_or_else(|| self.name.to_string()),
            kind: self.kind.as_str().to_owned(),
            sign_in: self.sign_in,
            links: self.links,
            fallback: self.fallback,
            when_unsure: self.when_unsure,
            available_to: self.available_to.clone(),
            keep_alive: self.keep_alive_days.map(days),
            warn_before: days(self.warn_before_days.unwrap_or(30)),
        }
    }

    pub(crate) fn skew(&self) -> u64 {
        self.clock_skew_seconds.unwrap_or(90)
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
