//! Live checks of a WebDAV connection, with what to do about each finding.

use postroom_domain::cause::Cause;
use postroom_domain::dms::DmsError;
use postroom_outbound::Shown;

use super::WebDav;
use super::home::Home;
use super::settings::{Auth, Versions};
use crate::doctor::Finding;
use crate::share::ids::HIDDEN;

/// What an operator can do about a failure, by its cause.
fn advice(error: &DmsError) -> &'static str {
    match error.trouble().cause {
        Cause::Unreachable => "Check base_url, name resolution, firewall and proxy.",
        Cause::BadCertificate => {
            "Install the whole chain on the server, or name the firm's own authority in connection.ca_file."
        }
        Cause::LoginPage => "A proxy or a single sign-on stands between; let this address pass without it.",
        Cause::Redirected => "Put the address that the server redirects to into base_url.",
        Cause::LoginNeeded | Cause::LinkBroken => "Check user and password, or the token's file.",
        Cause::NoRight => "Give the account the right to read and write below base_url.",
        Cause::TargetNotFound => "Correct base_url or workspaces: there is no collection at that address.",
        Cause::Unsupported => "The address answers, but not as a WebDAV server; correct base_url.",
        Cause::Misconfigured => "Correct the settings named in the text.",
        _ => "Try again later; if it stays, give the text to the team that runs the server.",
    }
}

impl WebDav {
    /// Checks address, sign-in, classes, workspaces and room. Nothing is written.
    pub(super) async fn examine(&self) -> Vec<Finding> {
        let mut findings = vec![self.check_address()];
        let said = match self.options().await {
            Ok(said) => said,
            Err(e) => {
                findings.push(Finding::bad("server", e.to_string(), advice(&e)));
                return findings;
            }
        };
        let classes = said.classes.join(", ");
        let text =
            format!("{}, classes {classes}", said.server.as_deref().unwrap_or("a server without a name"));
        findings.push(if !said.has("1") {
            Finding::bad("server", text, "The address answers, but not as a WebDAV server; correct base_url.")
        } else if !said.has("2") && self.settings.versions == Versions::Copies {
            let advice = "Without locks others can write to a document while it gets a new version; only its etag is compared.";
            Finding::warning("server", text, advice)
        } else {
            Finding::good("server", text)
        });
        let workspaces = match self.workspaces().await {
            Ok(names) => names,
            Err(e) => {
                findings.push(Finding::bad("workspaces", e.to_string(), advice(&e)));
                return findings;
            }
        };
        findings.push(if workspaces.is_empty() {
            let advice = "Create a collection per matter; its name is the workspace's title.";
            Finding::warning("workspaces", "there is none", advice)
        } else {
            Finding::good("workspaces", format!("{} found", workspaces.len()))
        });
        findings.push(self.check_room().await);
        findings
    }

    fn check_address(&self) -> Finding {
        let base = self.wire.http.base();
        let shown = Shown(base).to_string();
        match (base.scheme(), &self.settings.auth) {
            ("https", _) => Finding::good("address", shown),
            (_, Auth::None) => {
                Finding::warning("address", shown, "Use https: documents can be read on the way.")
            }
            _ => Finding::warning(
                "address",
                shown,
                "Use https: the password and documents can be read on the way.",
            ),
        }
    }

    async fn check_room(&self) -> Finding {
        match self.entry(&[], true).await {
            Ok(entry) => match entry.and_then(|entry| entry.props.available) {
                Some(0) => Finding::bad(
                    "room",
                    "the server says that it is full",
                    "Give it more space, or raise the quota.",
                ),
                Some(bytes) => Finding::good("room", format!("{bytes} bytes left")),
                None => Finding::good("room", "the server does not tell"),
            },
            Err(e) => Finding::bad("room", e.to_string(), advice(&e)),
        }
    }

    /// Puts small documents below a workspace's `.postroom/tmp`, moves them and removes them: it shows whether the server moves over
    /// nothing when told so, and whether it keeps properties. What was found out counts from then on.
    pub async fn try_writing(&self, workspace: &str) -> Finding {
        let nonce = self.nonce();
        let tried = async {
            let home = Home::of(workspace)?;
            let scratch = ["tmp", &nonce];
            self.ensure(&home, &scratch).await?;
            *self.abilities.lock().await = None;
            let result = self.abilities(&home.ours(&scratch)).await;
            self.wire.remove(&home.ours(&scratch), true).await?;
            result
        };
        let place = format!("{workspace}/{HIDDEN}");
        match tried.await {
            Ok(can) => {
                let marks = if can.property {
                    "properties are kept"
                } else {
                    "no properties are kept: marks are in files"
                };
                let locks = if can.locks { "locks" } else { "no locks" };
                Finding::good(
                    "writing",
                    format!("{place} takes files, moves replace nothing, {marks}, {locks}"),
                )
            }
            Err(e) => Finding::bad("writing", format!("{place}: {e}"), advice(&e)),
        }
    }
}
