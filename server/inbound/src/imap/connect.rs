//! From a name and a port to a session: the connection, its protection, the sign-in, and what the server can do.

use std::collections::BTreeSet;
use std::time::Duration;

use async_imap::imap_proto::{Capability, Response, ResponseCode, Status};
use async_imap::{Client, Session};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::net::TcpStream;

use super::security::Tls;
use super::sign_in::{Answer, SignIn};
use super::talk::{Talk, Trouble, told};
use super::wire::{Duplex, Wire};
use super::{ImapOptions, Security};

/// What a server may say until somebody is signed in.
const FEW: u64 = 64 * 1024;

/// Why there is no session.
#[derive(Debug)]
pub(super) struct Unreachable {
    /// In words.
    pub(super) why: String,
    /// Whether it is the sign-in: trying again soon may lock the account.
    pub(super) refused: bool,
}

fn unreachable(why: String) -> Unreachable {
    Unreachable { why, refused: false }
}

/// Why a sign-in came to nothing.
enum NoSignIn {
    /// The server knows no such way.
    Unknown(String),
    /// It says no.
    Refused(String),
    /// There is no connection any more.
    Lost(String),
}

/// Makes a session.
pub(super) async fn connect(options: &ImapOptions, tls: Option<&Tls>) -> Result<Talk, Unreachable> {
    let token = match &options.sign_in {
        SignIn::Password(_) => None,
        SignIn::Tokens(tokens) => Some(token(&**tokens, false).await?),
    };
    match (try_once(options, tls, token).await, &options.sign_in) {
        // A token may have been withdrawn before its time.
        (Err(no), SignIn::Tokens(tokens)) if no.refused => {
            let token = token_renewed(&**tokens).await?;
            try_once(options, tls, Some(token)).await
        }
        (done, _) => done,
    }
}

async fn token(tokens: &dyn super::MailboxTokens, renew: bool) -> Result<SecretString, Unreachable> {
    tokens.token(renew).await.map_err(|why| unreachable(format!("there is no access token: {why}")))
}

async fn token_renewed(tokens: &dyn super::MailboxTokens) -> Result<SecretString, Unreachable> {
    token(tokens, true).await
}

async fn try_once(
    options: &ImapOptions,
    tls: Option<&Tls>,
    token: Option<SecretString>,
) -> Result<Talk, Unreachable> {
    let (client, known) = greeted(options, tls).await?;
    let signing_in = sign_in(options, client, &known, token.as_ref());
    let session = match tokio::time::timeout(options.patience.answer, signing_in).await {
        Ok(Ok(session)) => session,
        Ok(Err(NoSignIn::Refused(why) | NoSignIn::Unknown(why))) => {
            return Err(Unreachable { why: format!("the server refuses the sign-in: {why}"), refused: true });
        }
        Ok(Err(NoSignIn::Lost(why))) => return Err(unreachable(format!("the sign-in broke off: {why}"))),
        Err(_) => return Err(unreachable(silence(options.patience.answer))),
    };
    Talk::new(session, options.patience.answer).await.map_err(|trouble| match trouble {
        Trouble::Lost(why) | Trouble::Refused(why) => unreachable(why),
    })
}

fn silence(patience: Duration) -> String {
    format!("the server did not answer within {} s", patience.as_secs())
}

/// A connection that is protected as it should be, and what the server said that it can do.
async fn greeted(
    options: &ImapOptions,
    tls: Option<&Tls>,
) -> Result<(Client<Wire>, BTreeSet<String>), Unreachable> {
    let patience = options.patience.connect;
    let within = |what: &str| unreachable(format!("{what} took longer than {} s", patience.as_secs()));
    let place = format!("{}:{}", options.host, options.port);
    let connecting = TcpStream::connect((options.host.as_str(), options.port));
    let stream = tokio::time::timeout(patience, connecting)
        .await
        .map_err(|_| within(&format!("connecting to {place}")))?
        .map_err(|error| unreachable(format!("{place} cannot be reached: {error}")))?;
    let _nodelay = stream.set_nodelay(true);
    let secured = async |stream: Box<dyn Duplex>| match tls {
        Some(tls) => match tokio::time::timeout(patience, tls.over(stream)).await {
            Ok(Ok(stream)) => Ok(Wire::new(stream, FEW)),
            Ok(Err(error)) => Err(unreachable(format!("TLS with {place} failed: {error}"))),
            Err(_) => Err(within("agreeing on TLS")),
        },
        None => Err(unreachable("there is no TLS".to_owned())),
    };
    let first = match options.security {
        Security::Tls(_) => secured(Box::new(stream)).await?,
        Security::StartTls(_) | Security::Plain => Wire::new(stream, FEW),
    };
    let mut client = Client::new(first);
    let greeting = tokio::time::timeout(patience, greeting(&mut client));
    let known = greeting.await.map_err(|_| within("the server's greeting"))?.map_err(unreachable)?;
    if let Security::StartTls(_) = options.security {
        let asking = client.run_command_and_check_ok("STARTTLS", None);
        match tokio::time::timeout(patience, asking).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(unreachable(format!("the server offers no STARTTLS: {error}"))),
            Err(_) => return Err(within("asking for STARTTLS")),
        }
        // What came before the handshake is dropped with the reader, and so is what the server said that it can do.
        let wire = secured(client.into_inner().into_inner()).await?;
        return Ok((Client::new(wire), BTreeSet::new()));
    }
    Ok((client, known))
}

async fn greeting(client: &mut Client<Wire>) -> Result<BTreeSet<String>, String> {
    let answer = client.read_response().await.map_err(|error| told(&error.to_string()))?;
    let Some(answer) = answer else { return Err("the server closed the connection at once".to_owned()) };
    match answer.parsed() {
        Response::Data { status: Status::Ok | Status::PreAuth, outcome } => {
            let Some(ResponseCode::Capabilities(them)) = &outcome.code else { return Ok(BTreeSet::new()) };
            Ok(them.iter().map(word).collect())
        }
        Response::Data { outcome, .. } => {
            let text = outcome.information.as_deref().unwrap_or("without a reason");
            Err(format!("the server takes nobody in: {}", told(text)))
        }
        _ => Err("whoever answers speaks no IMAP".to_owned()),
    }
}

/// A capability as the server writes it, in capitals.
pub(super) fn word(capability: &Capability<'_>) -> String {
    match capability {
        Capability::Imap4rev1 => "IMAP4REV1".to_owned(),
        Capability::Auth(how) => format!("AUTH={}", how.to_ascii_uppercase()),
        Capability::Atom(atom) => atom.to_ascii_uppercase(),
    }
}

async fn sign_in(
    options: &ImapOptions,
    client: Client<Wire>,
    known: &BTreeSet<String>,
    token: Option<&SecretString>,
) -> Result<Session<Wire>, NoSignIn> {
    let user = options.user.as_str();
    let password = match (&options.sign_in, token) {
        (SignIn::Password(password), _) => password,
        (SignIn::Tokens(_), token) => {
            let token = token.ok_or_else(|| NoSignIn::Unknown("there is no token".to_owned()))?;
            let answer = client.authenticate("XOAUTH2", Answer::oauth(user, token)).await;
            return answer.map_err(|(error, _)| verdict(&error));
        }
    };
    // LOGIN has no way to say anything but ASCII.
    let ascii = user.is_ascii() && password.expose_secret().is_ascii();
    if known.contains("AUTH=PLAIN") || !ascii {
        let answer = client.authenticate("PLAIN", Answer::plain(user, password)).await;
        return answer.map_err(|(error, _)| verdict(&error));
    }
    match client.login(user, password.expose_secret()).await {
        Ok(session) => Ok(session),
        Err((error, client)) => match verdict(&error) {
            // Only where the command itself is not known: a second wrong password would count twice.
            NoSignIn::Unknown(_) => {
                let answer = client.authenticate("PLAIN", Answer::plain(user, password)).await;
                answer.map_err(|(error, _)| verdict(&error))
            }
            other => Err(other),
        },
    }
}

fn verdict(error: &async_imap::error::Error) -> NoSignIn {
    use async_imap::error::Error as E;
    match error {
        // It would say the same of a right password (RFC 5530).
        E::No(text) if text.contains("[UNAVAILABLE]") => NoSignIn::Lost(reason(text)),
        E::No(text) => NoSignIn::Refused(reason(text)),
        E::Bad(text) => NoSignIn::Unknown(reason(text)),
        other => NoSignIn::Lost(told(&other.to_string())),
    }
}

/// The server's own words out of what the crate makes of them.
fn reason(text: &str) -> String {
    let words = text.split_once("info: Some(\"").and_then(|(_, rest)| rest.rsplit_once("\")"));
    told(words.map_or(text, |(words, _)| words))
}
