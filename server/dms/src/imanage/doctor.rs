//! Live checks of an iManage connection, with what to do about each finding.

use postroom_domain::cause::Cause;
use postroom_domain::dms::DmsError;
use postroom_outbound::Method;

use super::settings::Auth;
use super::tenant::Tenant;
use super::wire::Envelope;
use super::{Seat, errors};
use crate::doctor::Finding;

/// What an operator can do about a failure, by its cause.
fn advice(error: &DmsError) -> &'static str {
    match error.trouble().cause {
        Cause::Unreachable => {
            "Check base_url, name resolution, firewall and proxy; on-premises servers often want allow-listing."
        }
        Cause::BadCertificate => {
            "Install the whole chain on the server, or name the firm's own authority in connection.ca_file."
        }
        Cause::LoginPage => {
            "A proxy or a single sign-on stands between; let the API's paths pass without it."
        }
        Cause::Redirected => "Put the address the server redirects to into base_url.",
        Cause::LinkBroken | Cause::LoginNeeded => {
            "Check user and password, or link again. In Control Center see that the application and the user are enabled."
        }
        Cause::Misconfigured => "Correct the settings named in the text.",
        Cause::NoRight => "Give the account the right, in Control Center or on the workspace.",
        _ => "Try again later; if it stays, give the text to the team that runs iManage.",
    }
}

impl Seat {
    /// Checks address, sign-in, version, library and rights against the live server. Nothing is written.
    pub(super) async fn doctor(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let base = self.http().base();
        if base.scheme() == "https" {
            findings.push(Finding::good("address", postroom_outbound::Shown(base).to_string()));
        } else {
            let advice = "Use https: tokens and documents can be read on the way.";
            findings.push(Finding::warning("address", postroom_outbound::Shown(base).to_string(), advice));
        }
        if !base.path().trim_matches('/').is_empty() {
            let advice = "Usually the address ends with the host; the API's path goes into api_root.";
            findings.push(Finding::warning(
                "address",
                format!("base_url has a path: {}", base.path()),
                advice,
            ));
        }
        // A person asks, so a password that was refused before is tried once more.
        self.tokens.forgive().await;
        if let Err(e) = self.tokens.get(self.http()).await {
            findings.push(Finding::bad("sign-in", e.to_string(), advice(&e)));
            return findings;
        }
        findings.push(Finding::good("sign-in", "a token was granted"));
        if !self.tokens.has_refresh().await {
            findings.push(Finding::warning(
                "refresh token",
                "the server grants none",
                "Set \"Allow Refresh Token\" for the application in Control Center (its default is No); until then the password is sent each time.",
            ));
        }
        let tenant = match self.discover().await {
            Ok(tenant) => tenant,
            Err(e) => {
                findings.push(Finding::bad("server", e.to_string(), advice(&e)));
                return findings;
            }
        };
        let version = tenant.account.dms_version.as_deref().unwrap_or("not told");
        let text = format!("version {version}, customer {}, user {}", tenant.customer, tenant.account.id);
        findings.push(Finding::good("server", text));
        if let Auth::Session { .. } = self.settings.auth {
            findings.push(Finding::warning(
                "session login",
                "the old session login is used",
                "Register Postroom as an application and use OAuth where the server has it; the password goes over the wire each time.",
            ));
        }
        findings.extend(self.check_library(&tenant).await);
        findings
    }

    async fn check_library(&self, tenant: &Tenant) -> Vec<Finding> {
        let library = match self.library("").await {
            Ok(library) => library,
            Err(e) => {
                return vec![Finding::warning(
                    "library",
                    e.to_string(),
                    "Set library, or name one in every repository.",
                )];
            }
        };
        let names: Vec<String> = match self.all_libraries().await {
            Ok(list) => list.items.into_iter().map(|it| it.id).collect(),
            Err(e) => return vec![Finding::bad("library", e.to_string(), advice(&e))],
        };
        if !names.iter().any(|name| name.eq_ignore_ascii_case(&library)) {
            let text = format!("{library} is not among {}", names.join(", "));
            return vec![Finding::bad("library", text, "Correct library, or give the account access to it.")];
        }
        let mut findings = vec![Finding::good("library", format!("{library} is there"))];
        findings.extend(self.check_rights(tenant, &library).await);
        findings.extend(self.check_classes(tenant, &library).await);
        findings
    }

    /// What the account's role may do in the library, as far as Postroom needs it.
    async fn check_rights(&self, tenant: &Tenant, library: &str) -> Vec<Finding> {
        let url = tenant.url(&["libraries", library, "operations"], &[]);
        let body = match self.ask("operations", Method::GET, url, None).await {
            Ok(reply) if reply.is_success() => reply.json::<serde_json::Value>().ok(),
            _ => None,
        };
        let may = |bit: &str| body.as_ref()?.pointer(&format!("/data/{bit}"))?.as_bool();
        let mut findings = vec![match may("m1_bits/import") {
            Some(true) => Finding::good("rights", "the account may import documents"),
            Some(false) => Finding::bad(
                "rights",
                "the account may not import documents",
                "Give its role the right to import in Control Center.",
            ),
            None => Finding::warning("rights", "the server does not tell", "File a test document."),
        }];
        if may("m3_bits/search_workspace") == Some(false) {
            findings.push(Finding::bad(
                "rights",
                "the account may not search workspaces",
                "Give its role the right to search workspaces in Control Center.",
            ));
        }
        if may("m1_bits/delete") == Some(false) {
            let text = "the account may not delete documents";
            let help = "Leave it so where nobody is to delete through Postroom.";
            findings.push(Finding::warning("rights", text, help));
        }
        if self.settings.create_users && may("m2_bits/use_admin_tool") == Some(false) {
            findings.push(Finding::bad(
                "rights",
                "the account is no administrator, and create_users is on",
                "Making users wants NRTADMIN or an administrator of tier 1 or 2; give the account that, or switch create_users off.",
            ));
        }
        findings
    }

    /// Whether the classes that the settings name are there.
    async fn check_classes(&self, tenant: &Tenant, library: &str) -> Option<Finding> {
        let wanted = [&self.settings.class, &self.settings.email_class];
        let wanted: Vec<&String> = wanted.into_iter().flatten().collect();
        let url = tenant.url(&["libraries", library, "classes"], &[("limit", "500")]);
        let reply = self.ask("classes", Method::GET, url, None).await.ok()?;
        // A list that the account does not see proves nothing.
        if wanted.is_empty() || !reply.is_success() || errors::is_nothing_found(&reply) {
            return None;
        }
        let there: Vec<String> =
            reply.json::<Envelope>().ok()?.items().iter().filter_map(|it| it.text("id")).collect();
        let missing: Vec<&str> = wanted
            .into_iter()
            .filter(|class| !there.iter().any(|it| it.eq_ignore_ascii_case(class)))
            .map(String::as_str)
            .collect();
        Some(if missing.is_empty() {
            Finding::good("classes", "the classes of the settings are there")
        } else {
            let text = format!("the library has no class {}", missing.join(", "));
            Finding::bad(
                "classes",
                text,
                "Correct class and email_class, or have the classes made in Control Center.",
            )
        })
    }
}
