//! People's own mailboxes, read by the application for the person who asks: a letter that they have open, and what they sent.
//!
//! The application may read more than any one person may. So a mailbox is read only for whom it is: the one with their own address, and
//! shared ones for the teams that the settings name.

use std::collections::BTreeMap;
use std::sync::Arc;

use postroom_domain::Fut;
use postroom_domain::mailbox::{FetchError, FetchesLetters, LetterAt};
use postroom_domain::spool::{Blob, Spool};
use serde_json::Value;

use super::GraphApp;
use super::content::{Unkept, keep};
use super::talk::{Talk, Trouble};

/// Whose mailboxes are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PeoplesMailboxes {
    /// Whether everybody's own is.
    pub own: bool,
    /// Shared ones by their address in small letters, and the teams whose members may ask; none named is everybody.
    pub shared: BTreeMap<String, Vec<String>>,
    /// The largest letter that is taken, in bytes.
    pub largest: u64,
}

impl PeoplesMailboxes {
    fn reads(&self, mailbox: &str, email: &str, teams: &[String]) -> bool {
        if self.own && !email.is_empty() && mailbox.eq_ignore_ascii_case(email) {
            return true;
        }
        let shared = self.shared.get(&mailbox.to_lowercase());
        shared.is_some_and(|open_to| open_to.is_empty() || open_to.iter().any(|team| teams.contains(team)))
    }
}

/// Fetches letters out of people's mailboxes.
pub struct GraphPost {
    mailboxes: PeoplesMailboxes,
    app: Arc<GraphApp>,
    spool: Arc<dyn Spool>,
}

impl GraphPost {
    /// Reaches out to nobody yet.
    pub fn new(mailboxes: PeoplesMailboxes, app: Arc<GraphApp>, spool: Arc<dyn Spool>) -> Self {
        Self { mailboxes, app, spool }
    }

    async fn fetched(&self, letter: LetterAt<'_>) -> Result<Blob, FetchError> {
        let talk = Talk::new(&self.app, letter.mailbox);
        self.spool.door(0)?;
        if !letter.item.is_empty() {
            match self.content(&talk, letter.mailbox, letter.item).await {
                // It was moved since, and has another id.
                Err(FetchError::Gone(_)) if !letter.message.is_empty() => {}
                answer => return answer,
            }
        }
        let gone = || FetchError::Gone(letter.mailbox.to_owned());
        if letter.message.is_empty() {
            return Err(gone());
        }
        let found = talk.by_message_id(letter.message).await.map_err(|it| shape(it, letter.mailbox))?;
        let item = found.ok_or_else(gone)?;
        self.content(&talk, letter.mailbox, &item).await
    }

    async fn content(&self, talk: &Talk<'_>, mailbox: &str, item: &str) -> Result<Blob, FetchError> {
        let answer = talk.content(item).await.map_err(|trouble| shape(trouble, mailbox))?;
        let largest = self.mailboxes.largest;
        keep(&*self.spool, answer, largest).await.map_err(|unkept| match unkept {
            Unkept::TooLarge(_) => FetchError::TooLarge(largest),
            Unkept::Empty => later("the mail server gives no content".to_owned()),
            Unkept::Lost(why) => later(why),
            Unkept::Spool(error) => error.into(),
        })
    }
}

const fn later(why: String) -> FetchError {
    FetchError::Later { why, seconds: None }
}

fn shape(trouble: Trouble, mailbox: &str) -> FetchError {
    match trouble {
        Trouble::Wait(why, wait) => FetchError::Later { why, seconds: Some(wait.as_secs()) },
        Trouble::Gone(_) => FetchError::Gone(mailbox.to_owned()),
        Trouble::Refused(why) => FetchError::Closed { mailbox: mailbox.to_owned(), why },
        Trouble::Lost(why) | Trouble::No(why) => later(why),
        Trouble::Stale => later("the mail server lost its place".to_owned()),
    }
}

impl FetchesLetters for GraphPost {
    fn reads(&self, mailbox: &str, email: &str, teams: &[String]) -> bool {
        self.mailboxes.reads(mailbox, email, teams)
    }

    fn fetch<'a>(&'a self, letter: LetterAt<'a>) -> Fut<'a, Result<Blob, FetchError>> {
        Box::pin(self.fetched(letter))
    }
}

impl Talk<'_> {
    /// The id of the message with a Message-ID; none where there is none. Of several, copies of one message, any will do.
    async fn by_message_id(&self, message: &str) -> Result<Option<String>, Trouble> {
        let mut url = self.at(["messages"]);
        let filter = format!("internetMessageId eq '<{}>'", message.replace('\'', "''"));
        url.query_pairs_mut()
            .append_pair("$filter", &filter)
            .append_pair("$select", "id")
            .append_pair("$top", "1");
        let found = self.json("message", postroom_outbound::Method::GET, &url, None).await?;
        Ok(found["value"].get(0).and_then(|it: &Value| it["id"].as_str()).map(str::to_owned))
    }
}

#[cfg(test)]
mod tests {
    use super::PeoplesMailboxes;

    #[test]
    fn a_mailbox_is_read_for_whom_it_is() {
        let shared = [("lit@firm.example", vec!["litigation"]), ("post@firm.example", vec![])];
        let shared =
            shared.map(|(at, teams)| (at.to_owned(), teams.into_iter().map(str::to_owned).collect()));
        let all = PeoplesMailboxes { own: true, shared: shared.into(), largest: 1 };
        let none = PeoplesMailboxes { own: false, ..all.clone() };
        let table = [
            ("Ann@firm.example", "ann@firm.example", "", true, false),
            ("bob@firm.example", "ann@firm.example", "", false, false),
            ("LIT@firm.example", "ann@firm.example", "litigation", true, true),
            ("lit@firm.example", "ann@firm.example", "property", false, false),
            ("post@firm.example", "ann@firm.example", "", true, true),
            ("", "", "", false, false),
        ];
        for (mailbox, email, team, own, without) in table {
            let teams = [team.to_owned()];
            assert_eq!(all.reads(mailbox, email, &teams), own, "{mailbox} for {email}");
            assert_eq!(
                none.reads(mailbox, email, &teams),
                without,
                "{mailbox} for {email}, shared ones only"
            );
        }
    }
}
