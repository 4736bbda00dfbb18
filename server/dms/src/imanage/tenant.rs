//! What the server tells about itself: where its API is, which tenant we are, who we are.

use postroom_domain::cause::Cause;
use postroom_domain::dms::{Account, DmsError, DmsResult, Trouble};
use postroom_outbound::{Method, Outbound, Reply};
use serde_json::Value;
use tracing::{info, warn};
use url::Url;

use super::Seat;
use super::errors;
use crate::account::below;

/// The server, as discovered.
#[derive(Debug, Clone)]
pub(super) struct Tenant {
    /// `…/work/api/v2/customers/{customer}`.
    home: Url,
    pub(super) customer: u64,
    pub(super) account: Account,
    pub(super) preferred_library: Option<String>,
}

impl Tenant {
    /// An address below the tenant. Segments are encoded, so an id or name cannot lead elsewhere.
    pub(super) fn url(&self, segments: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.home.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(segments);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}

/// The roots where the API is usually found when the server does not tell.
const USUAL_ROOTS: [&str; 2] = ["work/api/v2", "api/v2"];
/// The oldest Work Server that has the API.
const OLDEST: (u32, u32) = (10, 2);

/// Whether a version is too old. What cannot be read is not refused: the format is not documented.
pub(super) fn too_old(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.trim().parse::<u32>().ok());
    match (parts.next().flatten(), parts.next().flatten()) {
        (Some(major), minor) => (major, minor.unwrap_or(u32::MAX)) < OLDEST,
        _ => false,
    }
}

/// Whether an answer of discovery names no user.
fn nobody(reply: &Reply) -> bool {
    reply.json::<Value>().is_ok_and(|body| body.pointer("/data/user").is_none_or(Value::is_null))
}

fn misconfigured(detail: String) -> DmsError {
    DmsError::from_trouble(Trouble::new(Cause::Misconfigured, detail))
}

impl Seat {
    /// Asks the server about itself.
    pub(super) async fn discover(&self) -> DmsResult<Tenant> {
        let url = below(self.http.base(), "api");
        let mut reply = self.ask("discovery", Method::GET, url.clone(), None).await?;
        // Without a valid token some servers answer 401, others with a success that knows nobody.
        if reply.is_success() && nobody(&reply) {
            let token = self.tokens.get(&self.http).await?;
            self.tokens.renew(&self.http, &token).await?;
            reply = self.ask("discovery", Method::GET, url, None).await?;
            if reply.is_success() && nobody(&reply) && self.settings.customer_id.is_none() {
                let detail = "the server grants a token, but knows nobody by it (see auth_header)";
                return Err(DmsError::from_trouble(Trouble::new(Cause::LoginNeeded, detail)));
            }
        }
        let pinned = self.settings.api_root.is_some() && self.settings.customer_id.is_some();
        let data = match reply.status {
            200..=299 => reply.json::<Value>()?.get_mut("data").map(Value::take).unwrap_or_default(),
            404 if pinned => {
                warn!(dms.service = %self.name, "The server has no discovery; the pinned API root and customer are used.");
                Value::Null
            }
            _ => return Err(errors::plain(&reply, "asking the server about itself (/api)")),
        };
        let text = |pointer: &str| data.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let version = text("/dms_version");
        if let Some(version) = version.as_deref().filter(|version| too_old(version)) {
            let (major, minor) = OLDEST;
            return Err(misconfigured(format!(
                "the server is {version}; {major}.{minor} is the oldest that works"
            )));
        }
        let told = data.pointer("/user/customer_id");
        let told = told.and_then(|id| id.as_u64().or_else(|| id.as_str()?.parse().ok()));
        let Some(customer) = self.settings.customer_id.or(told) else {
            return Err(misconfigured(
                "the server does not tell the customer id; set customer_id".to_owned(),
            ));
        };
        let root = match self.root(&data) {
            Some(root) => root,
            None => self.find_root(customer).await?,
        };
        let tenant = Tenant {
            home: below(&root, &format!("customers/{customer}")),
            customer,
            account: Account {
                id: text("/user/id").or_else(|| text("/user/email")).unwrap_or_else(|| "unknown".to_owned()),
                name: text("/user/name")
                    .or_else(|| text("/user/email"))
                    .unwrap_or_else(|| "unknown".to_owned()),
                dms_version: version,
            },
            preferred_library: text("/work/preferred_library"),
        };
        info!(dms.service = %self.name, imanage.customer = customer, imanage.root = root.path(),
            imanage.version = tenant.account.dms_version.as_deref().unwrap_or(""), imanage.user = tenant.account.id,
            "Connected to iManage.");
        Ok(tenant)
    }

    /// The API's root, by the settings or by discovery. Of a discovered address only the path counts: behind a proxy the
    /// server may name itself otherwise, and nothing is ever sent to another host.
    fn root(&self, data: &Value) -> Option<Url> {
        let base = self.http.base();
        if let Some(root) = &self.settings.api_root {
            return Some(below(&origin(base), root));
        }
        let versions = data.get("versions")?.as_array()?;
        let named = versions.iter().find(|v| v.get("name").and_then(Value::as_str) == Some("v2"))?;
        let url = base.join(named.get("url")?.as_str()?).ok()?;
        (url.path().len() > 1).then(|| below(&origin(base), url.path()))
    }

    async fn find_root(&self, customer: u64) -> DmsResult<Url> {
        for root in USUAL_ROOTS {
            let root = below(self.http.base(), root);
            let ping = below(&root, &format!("customers/{customer}/ping"));
            let reply = self.ask("ping", Method::GET, ping, None).await?;
            if reply.is_success() && !reply.is_web_page() {
                return Ok(root);
            }
        }
        Err(misconfigured(format!(
            "the API is at none of {USUAL_ROOTS:?} below the base address; set api_root"
        )))
    }

    pub(super) const fn http(&self) -> &Outbound {
        &self.http
    }
}

fn origin(base: &Url) -> Url {
    let mut url = base.clone();
    url.set_path("/");
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_before_10_2_are_too_old() {
        for old in ["10.1.9", "9.5", "9", "10.0.0.1"] {
            assert!(too_old(old), "{old}");
        }
        for new in ["10.2", "10.2.0.1", "10.4.1.77", "11", "10", "cloud", "", "2026.1"] {
            assert!(!too_old(new), "{new}");
        }
    }
}
