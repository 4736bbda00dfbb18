//! Which operation a call is, and the provider's place among the simulators.

use std::sync::Arc;

use serde_json::{Value, json};

use super::flaws::Flaw;
use super::keys::OpenId;
use super::switches::{Person, Switches};
use super::{control, discovery, endpoints, sample};
use crate::common::answer::Answer;
use crate::common::authorize::{AuthRequest, Policy};
use crate::common::bank::Limits;
use crate::common::core::{Call, Core, Serve, Vendor};
use crate::common::options::Options;
use crate::common::request::Request;

/// Which of the two providers is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side<'a> {
    Plain,
    /// By id or domain, or one of the names that stand for all.
    Tenant(&'a str),
}

impl Side<'_> {
    pub(super) fn is_tenant(self) -> bool {
        matches!(self, Self::Tenant(_))
    }
}

/// Operation and side of a path.
pub(super) fn route(path: &str) -> (&'static str, Side<'_>) {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match parts.as_slice() {
        [".well-known", "openid-configuration"] => ("discovery", Side::Plain),
        ["keys"] => ("keys", Side::Plain),
        ["authorize"] => ("authorize", Side::Plain),
        ["token"] => ("token", Side::Plain),
        ["userinfo"] => ("userinfo", Side::Plain),
        ["logout"] => ("end_session", Side::Plain),
        ["revoke"] => ("revoke", Side::Plain),
        ["oidc", "userinfo"] => ("userinfo", Side::Tenant("common")),
        [tenant, "v2.0", ".well-known", "openid-configuration"] => ("discovery", Side::Tenant(tenant)),
        [tenant, "discovery", "v2.0", "keys"] => ("keys", Side::Tenant(tenant)),
        [tenant, "oauth2", "v2.0", "authorize"] => ("authorize", Side::Tenant(tenant)),
        [tenant, "oauth2", "v2.0", "token"] => ("token", Side::Tenant(tenant)),
        [tenant, "oauth2", "v2.0", "logout"] => ("end_session", Side::Tenant(tenant)),
        _ => ("unknown", Side::Plain),
    }
}

impl Vendor for OpenId {
    type Switches = Switches;
    type Flaw = Flaw;
    type Person = Person;
}

impl Serve for OpenId {
    const NAME: &'static str = "sim-openid";
    const PREFIX: &'static str = "oi";

    fn sample() -> Options<Self> {
        sample::options()
    }

    fn operation(request: &Request) -> &'static str {
        route(&request.path).0
    }

    fn answer(core: &Core<Self>, call: &Call<'_, Self>) -> Answer {
        let (operation, side) = route(&call.request.path);
        if let Side::Tenant(name) = side
            && !knows(call.switches, name)
        {
            let text = format!("AADSTS90002: Tenant '{name}' not found.");
            return Answer::json(400, &json!({ "error": "invalid_tenant", "error_description": text }));
        }
        match operation {
            "discovery" => discovery::document(core, call, side),
            "keys" => Answer::json(200, &core.world().vendor.published(call.flaws)),
            "authorize" => endpoints::authorize(core, call, side),
            "token" => endpoints::token(core, call, side),
            "userinfo" => endpoints::userinfo(core, call),
            "end_session" => endpoints::end_session(core, call),
            "revoke" => endpoints::revoke(core, call),
            _ => Answer::not_found(),
        }
    }

    fn limits(switches: &Switches) -> Limits {
        const DAY_MS: i64 = 86_400_000;
        Limits {
            code_ms: i64::from(switches.code_seconds) * 1000,
            replay: switches.code_replay,
            access_idle_ms: None,
            access_life_ms: Some(i64::from(switches.access_seconds) * 1000),
            refresh_life_ms: Some(i64::from(switches.refresh_days) * DAY_MS),
            refresh_idle_ms: switches.refresh_idle_days.map(|days| i64::from(days) * DAY_MS),
            reuse: switches.refresh_reuse,
            grace_ms: i64::from(switches.refresh_grace_ms),
        }
    }

    fn policy(switches: &Switches) -> Policy {
        Policy {
            title: "the simulated OpenID provider",
            session_wins: false,
            consent: switches.consent,
            state: switches.state,
            hint_signs_in: switches.hint_signs_in,
            deny: switches.deny,
        }
    }

    fn along(core: &Core<Self>, request: &AuthRequest, _flaws: &[Flaw]) -> Vec<(String, String)> {
        let switches = core.switches();
        let issuer = issuer(core, &switches, request.more["tenant"] == true);
        if switches.iss_parameter { vec![("iss".to_owned(), issuer)] } else { Vec::new() }
    }

    fn skew_ms(switches: &Switches) -> i64 {
        switches.skew_ms
    }

    fn control(
        core: &Arc<Core<Self>>,
        method: &str,
        path: &str,
        body: &[u8],
    ) -> Option<Result<Value, String>> {
        control::answer(core, method, path, body)
    }
}

/// Whether that is the tenant, or a name that stands for it.
fn knows(switches: &Switches, name: &str) -> bool {
    name.eq_ignore_ascii_case(&switches.tenant) || ["common", "organizations", "consumers"].contains(&name)
}

pub(super) fn issuer(core: &Core<OpenId>, switches: &Switches, tenant: bool) -> String {
    if tenant { format!("{}/{}/v2.0", core.base, switches.tenant) } else { core.base.clone() }
}
