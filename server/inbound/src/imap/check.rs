//! Looks whether a mailbox can be read as it is wanted, and says what helps where it cannot. Changes nothing.

use super::connect::connect;
use super::security::Tls;
use super::talk::{Talk, Trouble};
use super::{After, ImapMailbox, ImapOptions, Security};
use crate::checked::Checked;

const CONNECTION: &str = "connection";
const FOLDER: &str = "folder";

impl ImapMailbox {
    /// Looks at a mailbox, without reading any message.
    pub async fn check(options: &ImapOptions) -> Vec<Checked> {
        let tls = match &options.security {
            Security::Tls(trust) | Security::StartTls(trust) => match Tls::new(trust, &options.host) {
                Ok(tls) => Some(tls),
                Err(error) => {
                    let advice = "look at ca_file: it holds the certificate authority in PEM form";
                    return vec![Checked::bad(CONNECTION, error.to_string(), advice)];
                }
            },
            Security::Plain => None,
        };
        let mut talk = match connect(options, tls.as_ref()).await {
            Ok(talk) => talk,
            Err(no) => {
                let advice = if no.refused {
                    "compare user and password with the server's; where it wants OAuth, give a token_file, and where it wants an app password, make one"
                } else {
                    "look whether host, port and security are right, whether the firewall lets it through, and whether the server's certificate is \
                     one that this machine trusts (ca_file)"
                };
                return vec![Checked::bad(CONNECTION, no.why, advice)];
            }
        };
        let server = format!("{}:{} lets {} in", options.host, options.port, options.user);
        let mut all = vec![Checked::good(CONNECTION, server)];
        all.extend(folders(&mut talk, options).await);
        if options.idle && !talk.can("IDLE") {
            let detail =
                format!("the server does not tell of news; looked at every {} s", options.poll.as_secs());
            all.push(Checked::poor(
                "news",
                detail,
                "nothing, or fewer poll_seconds where letters are in a hurry",
            ));
        }
        talk.close().await;
        all
    }
}

async fn folders(talk: &mut Talk, options: &ImapOptions) -> Vec<Checked> {
    let mut all = Vec::new();
    for folder in &options.folders {
        all.push(match talk.open(folder, false).await {
            Ok(opened) => {
                Checked::good(FOLDER, format!("{folder} can be read, with {} messages", opened.exists))
            }
            Err(Trouble::Refused(why)) => {
                let advice = "compare the name with the server's own; some want INBOX. or INBOX/ before it";
                Checked::bad(FOLDER, format!("{folder}: {why}"), advice)
            }
            Err(Trouble::Lost(why)) => {
                all.push(Checked::bad(CONNECTION, why, "look at the server's log"));
                return all;
            }
        });
    }
    if let After::Move(to) = &options.after {
        all.push(match talk.has_folder(to).await {
            Ok(true) => Checked::good(FOLDER, format!("{to} is there")),
            Ok(false) => Checked::good(FOLDER, format!("{to} is made when it is needed")),
            Err(Trouble::Refused(why) | Trouble::Lost(why)) => {
                Checked::bad(FOLDER, why, "look at the server's log")
            }
        });
    }
    all
}
