//! Looks whether a mailbox can be read as it is wanted, and says what helps where it cannot. Changes nothing.

use std::sync::Arc;

use super::talk::{Talk, Trouble};
use super::{GraphAfter, GraphApp, GraphMailbox, GraphOptions, Notifications};
use crate::checked::Checked;

const CONNECTION: &str = "connection";
const FOLDER: &str = "folder";

impl GraphMailbox {
    /// Looks at a mailbox, without reading any message.
    pub async fn check(options: &GraphOptions, app: &Arc<GraphApp>) -> Vec<Checked> {
        let talk = Talk::new(app, &options.user);
        if let Err(error) = app.tokens.token().await {
            let advice = "compare tenant, client_id and the secret or certificate with the app registration in Entra ID: a secret has an \
                          end date, and its value is shown only once; where nothing answers, look at the proxy and the firewall";
            return vec![Checked::bad("access token", error.to_string(), advice)];
        }
        let mut all = Vec::new();
        for folder in &options.folders {
            match look(&talk, folder).await {
                Ok(()) => all.push(Checked::good(FOLDER, format!("{folder} can be read"))),
                Err(Trouble::Gone(why)) => {
                    let advice = "use the folder's name as Outlook shows it, with / between a folder and the one in it, or a name such as inbox";
                    all.push(Checked::bad(FOLDER, why, advice));
                }
                Err(trouble) => {
                    all.push(Checked::bad(CONNECTION, trouble.words(), advice(&trouble)));
                    return all;
                }
            }
        }
        if let GraphAfter::Move(to) = &options.after {
            all.push(match talk.folder(to).await {
                Ok(_) => Checked::good(FOLDER, format!("{to} is there")),
                Err(Trouble::Gone(_)) => Checked::good(FOLDER, format!("{to} is made when it is needed")),
                Err(trouble) => Checked::bad(FOLDER, trouble.words(), advice(&trouble)),
            });
        }
        all.push(match &options.notifications {
            Notifications::At { url, .. } => {
                Checked::good("notifications", format!("asked for at {}", postroom_outbound::Shown(url)))
            }
            Notifications::Off(why) => {
                Checked::good("notifications", format!("{why}; looked at every {} s", options.poll.as_secs()))
            }
        });
        all
    }
}

/// A folder is there, and its messages may be listed.
async fn look(talk: &Talk<'_>, folder: &str) -> Result<(), Trouble> {
    let place = talk.folder(folder).await?;
    talk.changes(&place, "").await.map(drop)
}

fn advice(trouble: &Trouble) -> &'static str {
    match trouble {
        Trouble::Refused(why) if why.contains("(403") => {
            "grant the application the permission Mail.ReadWrite (application, with an administrator's consent), and add the mailbox to the group \
             of its access policy in Exchange Online; such a change may take more than an hour"
        }
        Trouble::Refused(why) if why.contains("(404") => {
            "compare the address with the mailbox's own in Exchange Online; one that is still on a server of the firm is read by IMAP"
        }
        Trouble::Refused(_) => {
            "look at the app registration in Entra ID: is it enabled, and was consent given?"
        }
        Trouble::Wait(..) => "nothing: it goes on by itself; fewer programs on this mailbox help",
        _ => "look whether the address, the proxy and the firewall are right, and whether the service is up",
    }
}
