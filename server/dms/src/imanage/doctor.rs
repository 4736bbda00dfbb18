//! Live checks of an iManage connection, with what to do about each finding.

use postroom_domain::cause::Cause;
use postroom_domain::dms::DmsError;
use postroom_outbound::Method;

use super::Seat;
use super::wire::Envelope;
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
        findings.extend(self.check_library(&tenant).await);
        findings
    }

    async fn check_library(&self, tenant: &super::tenant::Tenant) -> Vec<Finding> {
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
        let list = match self.ask("libraries", Method::GET, tenant.url(&["libraries"], &[]), None).await {
            Ok(reply) if reply.is_success() => {
                reply.json::<Envelope>().map(|mut e| e.items()).unwrap_or_default()
            }
            Ok(reply) => {
                let error = super::errors::shape(&reply, "listing libraries", &self.settings);
                return vec![Finding::bad("library", error.to_string(), advice(&error))];
            }
            Err(e) => return vec![Finding::bad("library", e.to_string(), advice(&e))],
        };
        let names: Vec<String> = list.iter().filter_map(|item| item.text("id")).collect();
        if !names.iter().any(|name| name.eq_ignore_ascii_case(&library)) {
            let text = format!("{library} is not among {}", names.join(", "));
            return vec![Finding::bad("library", text, "Correct library, or give the account access to it.")];
        }
        let mut findings = vec![Finding::good("library", format!("{library} is there"))];
        let url = tenant.url(&["libraries", &library, "operations"], &[]);
        if let Ok(reply) = self.ask("operations", Method::GET, url, None).await
            && reply.is_success()
            && let Ok(body) = reply.json::<serde_json::Value>()
        {
            let import = body.pointer("/data/m1_bits/import").and_then(serde_json::Value::as_bool);
            findings.push(match import {
                Some(true) => Finding::good("rights", "the account may import documents"),
                Some(false) => Finding::bad(
                    "rights",
                    "the account may not import documents",
                    "Give its role the right to import in Control Center.",
                ),
                None => Finding::warning("rights", "the server does not tell", "File a test document."),
            });
        }
        findings
    }
}
