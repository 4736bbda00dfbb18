//! Live checks of a NetDocuments connection, with what to do about each finding. Nothing is written.

use postroom_domain::cause::Cause;
use postroom_domain::dms::DmsError;

use super::seat::{Cabinet, Seat};
use super::settings::{Auth, VersionMark};
use crate::doctor::Finding;

/// What an operator can do about a failure, by its cause.
fn advice(error: &DmsError) -> &'static str {
    match error.trouble().cause {
        Cause::Unreachable => "Check region or base_url, name resolution, firewall and proxy.",
        Cause::BadCertificate => {
            "A proxy replaces the certificate: name its authority in connection.ca_file."
        }
        Cause::LoginPage | Cause::Redirected => "A proxy stands between; let the API's host pass without it.",
        Cause::LinkBroken | Cause::LoginNeeded => "Link the account again.",
        Cause::Misconfigured => {
            "Check the application's registration in this region, its secret, and its mapping to the service account."
        }
        Cause::NoRight => "Give the account the right, or the application the scope.",
        Cause::TargetNotFound => "Correct cabinet, or give the account access to it.",
        _ => "Try again later; if it stays, give the text to the team that runs NetDocuments.",
    }
}

impl Seat {
    /// Checks address, sign-in, cabinets, attributes and the mark against the live server.
    pub(super) async fn doctor(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let base = self.http.base();
        let shown = postroom_outbound::Shown(base).to_string();
        findings.push(if base.scheme() == "https" {
            Finding::good("address", shown)
        } else {
            Finding::warning("address", shown, "Use https: tokens and documents can be read on the way.")
        });
        if let Err(e) = self.tokens.get(&self.http).await {
            findings.push(Finding::bad("sign-in", e.to_string(), advice(&e)));
            return findings;
        }
        findings.push(Finding::good("sign-in", "a token was granted"));
        let home = match self.arrive().await {
            Ok(home) => home,
            Err(e) => {
                findings.push(Finding::bad("account", e.to_string(), advice(&e)));
                return findings;
            }
        };
        let text = format!("{} ({}), {} cabinets", home.account.name, home.account.id, home.cabinets.len());
        findings.push(Finding::good("account", text));
        let cabinet = match self.cabinet("").await {
            Ok(cabinet) => cabinet,
            Err(e @ DmsError::Rejected { .. }) => {
                let advice = "Set cabinet, or name one in every repository.";
                findings.push(Finding::warning("cabinet", e.to_string(), advice));
                return findings;
            }
            Err(e) => {
                findings.push(Finding::bad("cabinet", e.to_string(), advice(&e)));
                return findings;
            }
        };
        findings.push(Finding::good("cabinet", format!("{} ({})", cabinet.name, cabinet.id)));
        if let Auth::ClientCredentials { repository, .. } = &self.settings.auth
            && !cabinet.repository.eq_ignore_ascii_case(repository)
        {
            let text = format!("the cabinet is in {}, the settings say {repository}", cabinet.repository);
            findings.push(Finding::warning(
                "repository",
                text,
                "Name the repository of the cabinet in auth.repository.",
            ));
        }
        findings.extend(self.check_attributes(&cabinet).await);
        findings
    }

    async fn check_attributes(&self, cabinet: &Cabinet) -> Vec<Finding> {
        let mut findings = Vec::new();
        let names: Vec<String> = cabinet.workspace.iter().map(|it| self.settings.field(*it)).collect();
        findings.push(if names.is_empty() {
            let advice = "Set workspace_attributes, or pin workspaces by id.";
            Finding::warning("workspaces", "nothing tells which attributes define workspaces", advice)
        } else {
            Finding::good("workspaces", format!("defined by {}", names.join(" and ")))
        });
        let definitions = match self.definitions(&cabinet.id).await {
            Ok(found) => found,
            Err(e) => {
                findings.push(Finding::bad("attributes", e.to_string(), advice(&e)));
                return findings;
            }
        };
        let required: Vec<&str> = definitions
            .iter()
            .filter(|it| it.required && !cabinet.workspace.contains(&it.number))
            .map(|it| it.name.as_str())
            .collect();
        findings.push(if definitions.is_empty() {
            let advice = "Required attributes then show only when a document is refused.";
            Finding::warning("attributes", "the cabinet does not tell its attributes", advice)
        } else if required.is_empty() {
            Finding::good(
                "attributes",
                format!("{} attributes, none required beyond the workspace's", definitions.len()),
            )
        } else {
            let advice =
                "Every target of this cabinet has to fill them in (profile), or its folders have to.";
            Finding::warning("attributes", format!("required: {}", required.join(", ")), advice)
        });
        findings.push(self.check_mark(cabinet, &definitions));
        if self.settings.version_mark == VersionMark::None {
            let advice = "Set version_mark, so that a lost answer of a new version can be settled.";
            findings.push(Finding::warning("version mark", "versions carry no mark", advice));
        }
        findings
    }

    fn check_mark(&self, cabinet: &Cabinet, definitions: &[super::attributes::Definition]) -> Finding {
        let Some(mark) = self.settings.mark() else {
            let advice = "Name a free text attribute in mark_attribute. Until then a lost answer waits for a person, who looks in \
                NetDocuments before the document is sent again.";
            return Finding::warning("mark", "no attribute holds the mark", advice);
        };
        let name = self.settings.field(mark);
        if cabinet.workspace.contains(&mark) {
            return Finding::bad("mark", format!("{name} defines workspaces"), "Choose another attribute.");
        }
        match definitions.iter().find(|it| it.number == mark) {
            Some(found) if found.lookup => {
                let text = format!("{} ({name}) takes only values of a table", found.name);
                Finding::bad("mark", text, "Choose an attribute of free text.")
            }
            Some(found) => Finding::good("mark", format!("kept in {} ({name})", found.name)),
            None if definitions.is_empty() => {
                let advice = "File a test document and look for it.";
                Finding::warning("mark", format!("{name} cannot be looked at"), advice)
            }
            None => Finding::bad(
                "mark",
                format!("the cabinet has no attribute {name}"),
                "Choose one that it has.",
            ),
        }
    }
}
