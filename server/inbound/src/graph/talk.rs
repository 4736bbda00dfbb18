//! What is asked of Microsoft Graph about one mailbox, and what its refusals mean.

use std::sync::Arc;
use std::time::Duration;

use postroom_domain::dms::RetryAfter;
use postroom_outbound::{Answer, AppTokenError, Failure, Method, Outbound, Reply};
use serde_json::{Value, json};
use url::Url;

use super::app::GraphApp;
use super::page::{Onward, Page};

/// Ids that stay the same wherever in the mailbox a message goes, on every call.
const IMMUTABLE: &str = "IdType=\"ImmutableId\"";
/// The same for a page, of at most so many messages.
const PAGED: &str = "odata.maxpagesize=50, IdType=\"ImmutableId\"";
/// Refusals that are ordinary answers here.
const EXPECTED: &[u16] = &[404, 410];
/// How long is waited where the server says "too many" and not for how long.
const UNSAID: Duration = Duration::from_mins(1);
/// The longest wait that is believed.
const LONGEST: Duration = Duration::from_hours(1);

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The server cannot be asked at present.
    Lost(String),
    /// It asks to wait.
    Wait(String, Duration),
    /// It lets us in nowhere in this mailbox, or not at all: a person has to do something.
    Refused(String),
    /// It is not there, or not any more.
    Gone(String),
    /// The link is too old.
    Stale,
    /// No to this one.
    No(String),
}

impl Trouble {
    /// In words.
    pub(super) fn words(&self) -> &str {
        match self {
            Self::Lost(why) | Self::Wait(why, _) | Self::Refused(why) | Self::Gone(why) | Self::No(why) => {
                why
            }
            Self::Stale => "the place in the folder is too old",
        }
    }
}

/// One mailbox as Microsoft Graph has it.
pub(super) struct Talk<'a> {
    app: Arc<GraphApp>,
    outbound: Outbound,
    user: &'a str,
}

impl<'a> Talk<'a> {
    pub(super) fn new(app: &Arc<GraphApp>, user: &'a str) -> Self {
        Self { app: app.clone(), outbound: app.outbound.for_account(user), user }
    }

    /// An address within the mailbox.
    pub(super) fn at<'p>(&self, parts: impl IntoIterator<Item = &'p str>) -> Url
    where
        'a: 'p,
    {
        self.app.at(["users", self.user].into_iter().chain(parts))
    }

    /// An address of the application's own.
    pub(super) fn own<'p>(&self, parts: impl IntoIterator<Item = &'p str>) -> Url {
        self.app.at(parts)
    }

    /// What a subscription to a folder's messages is for.
    pub(super) fn resource(&self, place: &str) -> String {
        format!("/users/{}/mailFolders('{}')/messages", self.user, place.replace('\'', "''"))
    }

    /// What of this mailbox subscriptions may be for begins so.
    pub(super) fn resources(&self) -> String {
        format!("/users/{}/", self.user)
    }

    async fn send(
        &self,
        operation: &'static str,
        method: &Method,
        url: &Url,
        prefer: &str,
        body: Option<&Value>,
    ) -> Result<Answer, Trouble> {
        let request = self.request_id();
        let mut again = false;
        loop {
            let token = self.app.tokens.token().await.map_err(|error| self.no_token(error))?;
            let call = self.outbound.call(operation, method.clone(), url.clone()).bearer(&token);
            let call = call.header("accept", "application/json").header("prefer", prefer);
            let mut call = call.header("client-request-id", &request).expecting(EXPECTED);
            if let Some(body) = body {
                call = call.json(body);
            }
            let answer = call.send().await.map_err(|failure| self.no_answer(failure))?;
            // It may have been withdrawn before its time.
            if answer.status() == 401 && !again {
                again = true;
                self.app.tokens.refused(&token).await;
                continue;
            }
            return Ok(answer);
        }
    }

    /// An id by which a call is found in Microsoft's logs.
    fn request_id(&self) -> String {
        let mut bytes = [0; 16];
        self.app.entropy.fill(&mut bytes);
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let hex = format!("{:032x}", u128::from_be_bytes(bytes));
        [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
    }

    async fn read(&self, operation: &'static str, answer: Answer) -> Result<Reply, Trouble> {
        let reply = answer.read().await.map_err(|failure| self.no_answer(failure))?;
        if reply.is_success() {
            return Ok(reply);
        }
        let code = code(&reply.body);
        let header = |name| reply.header(name).unwrap_or_default().to_owned();
        tracing::info!(
            graph.operation = operation,
            http.status = reply.status,
            graph.code = code,
            graph.request_id = header("request-id"),
            graph.client_request_id = header("client-request-id"),
            "Microsoft Graph refused a call"
        );
        Err(refusal(reply.status, &code, reply.retry_after().map(|wait| self.wait(wait))))
    }

    async fn ask(
        &self,
        operation: &'static str,
        method: Method,
        url: &Url,
        body: Option<&Value>,
    ) -> Result<Reply, Trouble> {
        let answer = self.send(operation, &method, url, IMMUTABLE, body).await?;
        self.read(operation, answer).await
    }

    /// An answer in JSON.
    pub(super) async fn json(
        &self,
        operation: &'static str,
        method: Method,
        url: &Url,
        body: Option<&Value>,
    ) -> Result<Value, Trouble> {
        let reply = self.ask(operation, method, url, body).await?;
        reply.json().map_err(|failure| self.no_answer(failure))
    }

    /// Something whose answer says nothing more.
    pub(super) async fn done(
        &self,
        operation: &'static str,
        method: Method,
        url: &Url,
        body: Option<&Value>,
    ) -> Result<(), Trouble> {
        self.ask(operation, method, url, body).await.map(drop)
    }

    /// What changed in a folder since a link, or what is in it where the link is empty. A page of it. A link that leads elsewhere is never
    /// followed: one that was kept is of another endpoint, and is as good as too old.
    pub(super) async fn changes(&self, place: &str, link: &str) -> Result<Page, Trouble> {
        let url = if link.is_empty() {
            let mut url = self.at(["mailFolders", place, "messages", "delta"]);
            url.set_query(Some("$select=id,isDraft,receivedDateTime"));
            url
        } else {
            self.link(link).map_err(|_| Trouble::Stale)?
        };
        let answer = self.send("changes", &Method::GET, &url, PAGED, None).await?;
        let reply = self.read("changes", answer).await?;
        let page: Value = reply.json().map_err(|failure| self.no_answer(failure))?;
        let page = Page::read(&page).map_err(Trouble::Lost)?;
        let (Onward::Next(onward) | Onward::End(onward)) = &page.onward;
        self.link(onward).map(|_| page)
    }

    /// A link of the server's, as it is. It is followed with our token, so only to where we are anyway.
    pub(super) fn link(&self, link: &str) -> Result<Url, Trouble> {
        let base = &self.app.base;
        let below = |url: &Url| url.origin() == base.origin() && url.path().starts_with(base.path());
        let url = Url::parse(link).ok().filter(below);
        url.ok_or_else(|| Trouble::Lost("Microsoft Graph gave a link that leads elsewhere".to_owned()))
    }

    /// A message as it was delivered; its bytes are still to come.
    pub(super) async fn content(&self, item: &str) -> Result<Answer, Trouble> {
        let url = self.at(["messages", item, "$value"]);
        let answer = self.send("content", &Method::GET, &url, IMMUTABLE, None).await?;
        if answer.is_success() {
            return Ok(answer);
        }
        match self.read("content", answer).await {
            Err(trouble) => Err(trouble),
            Ok(_) => Err(Trouble::Lost("Microsoft Graph answered in two ways".to_owned())),
        }
    }

    /// Some properties of a message.
    pub(super) async fn message(&self, item: &str, select: &str) -> Result<Value, Trouble> {
        let mut url = self.at(["messages", item]);
        url.set_query(Some(&format!("$select={select}")));
        self.json("message", Method::GET, &url, None).await
    }

    /// Changes a message.
    pub(super) async fn change(&self, item: &str, change: &Value) -> Result<(), Trouble> {
        self.done("mark", Method::PATCH, &self.at(["messages", item]), Some(change)).await
    }

    /// Moves a message.
    pub(super) async fn relocate(&self, item: &str, to: &str) -> Result<(), Trouble> {
        let url = self.at(["messages", item, "move"]);
        self.done("move", Method::POST, &url, Some(&json!({"destinationId": to}))).await
    }

    /// Deletes a message.
    pub(super) async fn delete(&self, item: &str) -> Result<(), Trouble> {
        self.done("delete", Method::DELETE, &self.at(["messages", item]), None).await
    }

    fn wait(&self, wait: RetryAfter) -> Duration {
        let wait = match wait {
            RetryAfter::Seconds(seconds) => Duration::from_secs(seconds),
            RetryAfter::At(at) => postroom_domain::time::age(at, self.app.clock.now()),
        };
        wait.min(LONGEST)
    }

    fn no_answer(&self, failure: Failure) -> Trouble {
        match failure {
            Failure::Throttled { until, .. } => {
                let wait = until.map_or(UNSAID, |until| self.wait(until));
                Trouble::Wait(asked_to_wait(wait), wait)
            }
            Failure::NotAllowed(why) => Trouble::Refused(why),
            Failure::Content(why) | Failure::Symptom { detail: why, .. } => {
                Trouble::Lost(format!("Microsoft Graph cannot be asked: {why}"))
            }
        }
    }

    fn no_token(&self, error: AppTokenError) -> Trouble {
        match error {
            AppTokenError::Refused(why) => {
                Trouble::Refused(format!("Microsoft gives the application no access token: {why}"))
            }
            AppTokenError::Unavailable { reason, wait: None } => {
                Trouble::Lost(format!("there is no access token: {reason}"))
            }
            AppTokenError::Unavailable { wait: Some(wait), .. } => {
                let wait = self.wait(wait);
                Trouble::Wait(asked_to_wait(wait), wait)
            }
        }
    }
}

fn asked_to_wait(wait: Duration) -> String {
    format!("Microsoft asks to wait {} s", wait.as_secs().max(1))
}

/// The deepest code of an error, without what spellings differ in.
fn code(body: &[u8]) -> String {
    let said: Value = serde_json::from_slice(body).unwrap_or_default();
    let (mut at, mut found) = (&said["error"], "");
    for _ in 0..8 {
        if let Some(code) = at["code"].as_str() {
            found = code;
        }
        at = if at["innerError"].is_object() { &at["innerError"] } else { &at["innererror"] };
        if !at.is_object() {
            break;
        }
    }
    let bare = found.strip_prefix("Error").or_else(|| found.strip_prefix("error")).unwrap_or(found);
    bare.chars().filter(char::is_ascii_alphanumeric).take(60).collect()
}

/// What a refusal means: the status decides, the code is a hint.
fn refusal(status: u16, code: &str, wait: Option<Duration>) -> Trouble {
    let known = code.to_ascii_lowercase();
    let said = if code.is_empty() { status.to_string() } else { format!("{status}, {code}") };
    let words = |what: &str| format!("{what} ({said})");
    match (status, known.as_str()) {
        (_, "syncstatenotfound" | "syncstateinvalid" | "resyncrequired") | (410, _) => Trouble::Stale,
        (401, _) => Trouble::Refused(words("Microsoft Graph does not take the application's access token")),
        (403, _) => Trouble::Refused(words("the application may not do that in this mailbox")),
        (404, "mailboxnotenabledforrestapi" | "mailboxnothostedinexchangeonline") => {
            Trouble::Refused(words("the mailbox is not in the cloud, or is not active"))
        }
        (404, "invaliduser" | "requestresourcenotfound" | "resourcenotfound" | "nonexistentmailbox") => {
            Trouble::Refused(words("Microsoft knows no such mailbox"))
        }
        (404, _) | (400, "invalididmalformed") => Trouble::Gone(words("it is not there")),
        (429, _) | (_, "applicationthrottled") => {
            let wait = wait.unwrap_or(UNSAID);
            Trouble::Wait(asked_to_wait(wait), wait)
        }
        (500.., _) if status != 501 && status != 507 => match wait {
            Some(wait) => Trouble::Wait(asked_to_wait(wait), wait),
            None => Trouble::Lost(words("Microsoft Graph does not do its work at present")),
        },
        (408, _) => Trouble::Lost(words("Microsoft Graph waited for us in vain")),
        _ => Trouble::No(words("Microsoft Graph refuses it")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_mean_what_the_status_says_and_the_code_hints_at() {
        let minute = Duration::from_mins(1);
        let table = [
            (r#"{"error":{"code":"ErrorItemNotFound"}}"#, 404, "Gone"),
            (r#"{"error":{"code":"itemNotFound"}}"#, 404, "Gone"),
            (r#"{"error":{"code":"ErrorInvalidIdMalformed"}}"#, 400, "Gone"),
            (
                r#"{"error":{"code":"BadRequest","innerError":{"code":"ErrorInvalidIdMalformed"}}}"#,
                400,
                "Gone",
            ),
            (r#"{"error":{"code":"ErrorInvalidUser"}}"#, 404, "Refused"),
            (r#"{"error":{"code":"MailboxNotEnabledForRESTAPI"}}"#, 404, "Refused"),
            (r#"{"error":{"code":"ErrorAccessDenied"}}"#, 403, "Refused"),
            (r#"{"error":{"code":"InvalidAuthenticationToken"}}"#, 401, "Refused"),
            (r#"{"error":{"code":"SyncStateNotFound"}}"#, 410, "Stale"),
            (r#"{"error":{"code":"badRequest","innererror":{"code":"resyncRequired"}}}"#, 400, "Stale"),
            ("gone", 410, "Stale"),
            (r#"{"error":{"code":"ApplicationThrottled"}}"#, 429, "Wait"),
            ("<html>", 503, "Lost"),
            ("", 504, "Lost"),
            ("", 501, "No"),
            (r#"{"error":{"code":"ErrorIrresolvableConflict"}}"#, 409, "No"),
            ("", 400, "No"),
        ];
        for (body, status, wanted) in table {
            let trouble = refusal(status, &code(body.as_bytes()), None);
            let name = format!("{trouble:?}");
            assert!(name.starts_with(wanted), "{body} {status}: {name}");
        }
        assert_eq!(refusal(429, "", None), Trouble::Wait("Microsoft asks to wait 60 s".to_owned(), minute));
        assert_eq!(refusal(503, "", Some(minute)), refusal(429, "", Some(minute)));
        // Nothing of a hostile answer shows.
        assert_eq!(code(br#"{"error":{"code":"Error<script>\u0000x"}}"#), "scriptx");
    }
}
