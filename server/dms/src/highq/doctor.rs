//! Live checks of a HighQ connection, with what to do about each finding. Nothing is written.

use postroom_domain::cause::Cause;
use postroom_domain::dms::DmsError;
use postroom_outbound::Shown;

use super::seat::Seat;
use super::sites::Site;
use crate::doctor::Finding;

/// What an operator can do about a failure, by its cause.
fn advice(error: &DmsError) -> &'static str {
    match error.trouble().cause {
        Cause::Unreachable => "Check base_url, name resolution, firewall and proxy.",
        Cause::BadCertificate => {
            "Install the whole chain on the server, or name the firm's own authority in connection.ca_file."
        }
        Cause::LoginPage => {
            "The address answers with a page: check base_url (with the application's name at its end), and that no single sign-on stands before /api."
        }
        Cause::Redirected => "Put the address the server redirects to into base_url.",
        Cause::LinkBroken | Cause::LoginNeeded => {
            "Link the account again, and see in System admin, API application registration, that the application is active."
        }
        Cause::TargetNotFound => {
            "Check base_url: the application's name belongs to it; and the versions of the API."
        }
        Cause::Misconfigured => "Correct the settings named in the text.",
        Cause::NoRight => "Give the account the right at HighQ.",
        Cause::Throttled => "HighQ limits how often the application may ask; try again later.",
        _ => "Try again later; if it stays, give the text to HighQ's support.",
    }
}

/// Sites that are named in one finding.
const NAMED: usize = 10;

fn named(sites: &[&Site]) -> String {
    let names = sites.iter().take(NAMED).map(|site| format!("{} ({})", site.name, site.id));
    let more = sites.len().saturating_sub(NAMED);
    let list = names.collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{list} and {more} more") } else { list }
}

impl Seat {
    /// Checks address, sign-in, sites, their matters, and which of them serve no documents.
    pub(super) async fn doctor(&self, email: Option<String>) -> Vec<Finding> {
        let mut findings = Vec::new();
        let base = self.http.base();
        if base.scheme() == "https" {
            findings.push(Finding::good("address", Shown(base).to_string()));
        } else {
            let advice = "Use https: tokens and documents can be read on the way.";
            findings.push(Finding::warning("address", Shown(base).to_string(), advice));
        }
        if base.path().trim_matches('/').is_empty() {
            let advice = "An instance's address usually ends with the application's name, such as https://firm.highq.com/firm.";
            findings.push(Finding::warning("address", "base_url has no path", advice));
        }
        if let Err(e) = self.tokens.get(&self.http).await {
            findings.push(Finding::bad("sign-in", e.to_string(), advice(&e)));
            return findings;
        }
        findings.push(Finding::good("sign-in", "a token was granted"));
        let all = match self.list_sites(&[("filterby", "all"), ("status", "active")], "listing sites").await {
            Ok(all) => all,
            Err(e) => {
                findings.push(Finding::bad("sites", e.to_string(), advice(&e)));
                return findings;
            }
        };
        findings.push(match email.as_deref() {
            Some(email) => Finding::good("account", format!("the token belongs to {email}; it must be the service account")),
            None => Finding::warning(
                "account",
                "HighQ does not tell whose the token is",
                "See under linked accounts whose it is: a person logged in to HighQ in the same browser is taken silently when linking.",
            ),
        });
        findings.extend(self.check_sites(&all).await);
        findings
    }

    async fn check_sites(&self, all: &[Site]) -> Vec<Finding> {
        let mut findings = Vec::new();
        if all.is_empty() {
            let advice = "Add the account to the sites that Postroom files into.";
            return vec![Finding::bad("sites", "the account sees no active site", advice)];
        }
        findings.push(Finding::good("sites", format!("{} active sites", all.len())));
        let without =
            all.iter().filter(|it| it.item.text("clientno").is_none() || it.item.text("matterno").is_none());
        let without: Vec<&Site> = without.collect();
        findings.push(if without.len() == all.len() {
            Finding::bad(
                "matters",
                "no site shows a client and a matter number to this account",
                "Enter them in the sites' settings, or give the account a role that is shown them; workspaces cannot be found by fields until then.",
            )
        } else if without.is_empty() {
            Finding::good("matters", "all sites have client and matter numbers")
        } else {
            let advice = "These are not found by client and matter; enter the numbers if they should be.";
            Finding::warning("matters", format!("without numbers: {}", named(&without)), advice)
        });
        let query = [("filterby", "all"), ("status", "active"), ("callFrom", "HIGHQDRIVE")];
        match self.list_sites(&query, "listing sites as HighQ's drive").await {
            Ok(served) => {
                let missing = all.iter().filter(|it| !served.iter().any(|other| other.id == it.id));
                let missing: Vec<&Site> = missing.collect();
                findings.push(if missing.is_empty() {
                    Finding::good("restricted sites", "all sites serve documents")
                } else {
                    Finding::warning(
                        "restricted sites",
                        format!("these serve no documents to the API: {}", named(&missing)),
                        "They ask for a password, a second factor, terms or DRM. Take that off in the site's settings, or do not file there.",
                    )
                });
            }
            Err(e) => findings.push(Finding::warning("restricted sites", e.to_string(), advice(&e))),
        }
        let documents = all.iter().filter(|it| {
            let module = it.item.inner("module").and_then(|it| it.inner("document"));
            module.is_some_and(|it| it.text("enable").as_deref() == Some("0"))
        });
        let documents: Vec<&Site> = documents.collect();
        if !documents.is_empty() {
            let advice = "Switch the module Files on in the site's settings.";
            findings.push(Finding::warning("files", format!("no files in: {}", named(&documents)), advice));
        }
        if let Some(first) = all.first().filter(|_| self.settings.metadata.on) {
            let profile = std::collections::BTreeMap::from([(String::new(), String::new())]);
            let outcome = self.profile(first.id, &profile).await;
            findings.push(match outcome {
                Err(DmsError::Rejected { message, .. }) if message.contains("no metadata iSheet") => {
                    let advice =
                        "Add a document metadata iSheet to the sites whose documents have a profile.";
                    Finding::warning("metadata", format!("site {}: {message}", first.id), advice)
                }
                Err(DmsError::Rejected { .. }) | Ok(_) => {
                    Finding::good("metadata", format!("site {} has a metadata iSheet", first.id))
                }
                Err(e) => Finding::warning("metadata", e.to_string(), advice(&e)),
            });
        }
        findings
    }
}
