//! Commands and their answers.
//!
//! The session of the crate loses two things that matter here: whether a FETCH was answered with OK, and whether the answer ended because
//! the connection did. A message that is not in an answer counts as gone, so both are looked at here, answer by answer.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use async_imap::Session;
use async_imap::imap_proto::{AttributeValue, MailboxDatum, Response, ResponseCode, Status};
use bytes::Bytes;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::connect::word;
use super::names::quoted;
use super::wire::Wire;

/// The most of a message that is asked for at a time.
pub(super) const CHUNK: u32 = 512 * 1024;
/// The longest answer besides messages: lists of numbers, flags, folders.
const ANSWER: u64 = 4 * 1024 * 1024;
/// The longest text of a server that is shown.
const SHOWN: usize = 200;
/// For how long a goodbye is waited for.
const GOODBYE: Duration = Duration::from_secs(3);

/// Why a command came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The connection is of no use any more.
    Lost(String),
    /// The server says no to this one.
    Refused(String),
}

/// A folder as it is at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Opened {
    /// Its validity.
    pub(super) validity: u32,
    /// The number that the next message gets, where the server tells.
    pub(super) next: Option<u32>,
    /// How many messages there are.
    pub(super) exists: u32,
    /// Whether messages can be given keywords that the server has not seen yet.
    pub(super) keywords: bool,
}

impl Opened {
    /// Whether something may have come since it was as then.
    pub(super) fn is_new_beside(self, then: Self) -> bool {
        let more = self.next.is_none() && self.exists > then.exists;
        self.validity != then.validity || self.next != then.next || more
    }
}

/// A session.
pub(super) struct Talk {
    session: Session<Wire>,
    can: BTreeSet<String>,
    patience: Duration,
}

/// What a server says, fit to be shown.
pub(super) fn told(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(SHOWN).collect()
}

fn lost(error: &dyn std::fmt::Display) -> Trouble {
    Trouble::Lost(told(&error.to_string()))
}

fn set(uids: &[u32]) -> String {
    let mut set = String::new();
    for uid in uids {
        let comma = if set.is_empty() { "" } else { "," };
        let _infallible = write!(set, "{comma}{uid}");
    }
    set
}

/// A message as its server lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Listed {
    /// Its number in the folder.
    pub(super) uid: u32,
    /// Its size in bytes; some servers estimate.
    pub(super) size: u64,
    /// When it came into the mailbox, where the server tells a time that can be read.
    pub(super) arrived: Option<Timestamp>,
}

/// A time as IMAP writes it: `17-Jul-1996 02:44:25 -0700`, the day with a blank or a zero before it.
fn arrival(date: &str) -> Option<Timestamp> {
    Timestamp::strptime("%d-%b-%Y %H:%M:%S %z", date.trim()).ok()
}

impl Talk {
    /// Asks what the server can do.
    pub(super) async fn new(session: Session<Wire>, patience: Duration) -> Result<Self, Trouble> {
        let mut talk = Self { session, can: BTreeSet::new(), patience };
        let mut can = BTreeSet::new();
        talk.ask("CAPABILITY", ANSWER, |answer| {
            if let Response::Capabilities(them) = answer {
                can.extend(them.iter().map(word));
            }
        })
        .await?;
        talk.can = can;
        Ok(talk)
    }

    /// Whether the server can do something.
    pub(super) fn can(&self, what: &str) -> bool {
        self.can.contains(what)
    }

    /// One command with all its answers, within the patience.
    async fn ask(
        &mut self,
        command: &str,
        most: u64,
        hear: impl FnMut(&Response<'_>) + Send,
    ) -> Result<(), Trouble> {
        let patience = self.patience;
        match tokio::time::timeout(patience, self.exchange(command, most, hear)).await {
            Ok(done) => done,
            Err(_) => {
                Err(Trouble::Lost(format!("the server did not answer within {} s", patience.as_secs())))
            }
        }
    }

    async fn exchange(
        &mut self,
        command: &str,
        most: u64,
        mut hear: impl FnMut(&Response<'_>) + Send,
    ) -> Result<(), Trouble> {
        self.session.get_mut().allow(most);
        let tag = self.session.run_command(command).await.map_err(|error| lost(&error))?;
        let mut goodbye = None;
        loop {
            let Some(answer) = self.session.read_response().await.map_err(|error| lost(&error))? else {
                let why = goodbye.unwrap_or_else(|| "without a reason".to_owned());
                return Err(Trouble::Lost(format!("the server closed the connection: {why}")));
            };
            match answer.parsed() {
                Response::Done { tag: own, status, outcome } if *own == tag => {
                    return if *status == Status::Ok {
                        Ok(())
                    } else {
                        let text = outcome.information.as_deref().unwrap_or("without a reason");
                        Err(Trouble::Refused(told(text)))
                    };
                }
                Response::Data { status: Status::Bye, outcome } => {
                    goodbye = outcome.information.as_deref().map(told);
                }
                other => hear(other),
            }
        }
    }

    async fn command(&mut self, command: &str) -> Result<(), Trouble> {
        self.ask(command, ANSWER, |_| {}).await
    }

    /// Opens a folder, to look at it or to change something in it. Looking changes nothing, not even what counts as recent.
    pub(super) async fn open(&mut self, folder: &str, change: bool) -> Result<Opened, Trouble> {
        let (mut opened, mut validity) = (Opened { keywords: true, ..Opened::default() }, None);
        let verb = if change { "SELECT" } else { "EXAMINE" };
        self.ask(&format!("{verb} {}", quoted(folder)), ANSWER, |answer| match answer {
            Response::MailboxData(MailboxDatum::Exists(count)) => opened.exists = *count,
            Response::Data { status: Status::Ok, outcome } => match &outcome.code {
                Some(ResponseCode::UidValidity(number)) => validity = Some(*number),
                Some(ResponseCode::UidNext(number)) => opened.next = Some(*number),
                Some(ResponseCode::PermanentFlags(flags)) => {
                    opened.keywords = flags.iter().any(|flag| flag == "\\*");
                }
                _ => {}
            },
            _ => {}
        })
        .await?;
        opened.validity = validity.ok_or_else(|| {
            Trouble::Refused("its messages have no lasting numbers (UIDVALIDITY)".to_owned())
        })?;
        Ok(opened)
    }

    /// Whether there is a folder of that name.
    pub(super) async fn has_folder(&mut self, folder: &str) -> Result<bool, Trouble> {
        let mut there = false;
        self.ask(&format!("LIST \"\" {}", quoted(folder)), ANSWER, |answer| {
            there |= matches!(answer, Response::MailboxData(MailboxDatum::List { .. }));
        })
        .await?;
        Ok(there)
    }

    /// The messages of a range of numbers, with their sizes, by growing number. No end means all from there on.
    pub(super) async fn list(&mut self, from: u32, to: Option<u32>) -> Result<Vec<Listed>, Trouble> {
        let to = to.map_or_else(|| "*".to_owned(), |to| to.to_string());
        let mut listed = self.sizes(&format!("{from}:{to}")).await?;
        // A range up to the last one always has the last one, however small its number.
        listed.retain(|it| it.uid >= from);
        Ok(listed)
    }

    /// Those of some messages that are there, with their sizes, by growing number.
    pub(super) async fn there(&mut self, uids: &[u32]) -> Result<Vec<Listed>, Trouble> {
        // Until then a server may go on showing what others have removed.
        self.command("NOOP").await?;
        let mut there = self.sizes(&set(uids)).await?;
        there.retain(|it| uids.contains(&it.uid));
        Ok(there)
    }

    async fn sizes(&mut self, set: &str) -> Result<Vec<Listed>, Trouble> {
        let mut listed = Vec::new();
        self.ask(&format!("UID FETCH {set} (UID RFC822.SIZE INTERNALDATE)"), ANSWER, |answer| {
            let Response::Fetch(_, attributes) = answer else { return };
            let (mut uid, mut size, mut arrived) = (None, None, None);
            for attribute in attributes {
                match attribute {
                    AttributeValue::Uid(number) => uid = Some(*number),
                    AttributeValue::Rfc822Size(bytes) => size = Some(u64::from(*bytes)),
                    AttributeValue::InternalDate(date) => arrived = arrival(date),
                    _ => {}
                }
            }
            if let (Some(uid), Some(size)) = (uid, size) {
                listed.push(Listed { uid, size, arrived });
            }
        })
        .await?;
        listed.sort_unstable_by_key(|it| it.uid);
        listed.dedup_by_key(|it| it.uid);
        Ok(listed)
    }

    /// A part of a message as it is, at most [`CHUNK`] bytes; fewer are its end. None when the answer has no such part.
    pub(super) async fn part(&mut self, uid: u32, from: u32) -> Result<Option<Bytes>, Trouble> {
        let command = format!("UID FETCH {uid} (UID BODY.PEEK[]<{from}.{CHUNK}>)");
        let mut found = None;
        self.ask(&command, u64::from(CHUNK) + ANSWER, |answer| {
            let Response::Fetch(_, attributes) = answer else { return };
            let own = |it: &AttributeValue<'_>| matches!(it, AttributeValue::Uid(number) if *number == uid);
            if !attributes.iter().any(own) {
                return;
            }
            for attribute in attributes {
                if let AttributeValue::BodySection { section: None, index, data: Some(data) } = attribute
                    && index.unwrap_or(0) == from
                {
                    found = Some(Bytes::copy_from_slice(data));
                }
            }
        })
        .await?;
        if found.as_ref().is_some_and(|part: &Bytes| part.len() > CHUNK as usize) {
            return Err(Trouble::Refused("the server gives more of it than was asked for".to_owned()));
        }
        Ok(found)
    }

    /// Gives messages a flag.
    pub(super) async fn flag(&mut self, uids: &[u32], flag: &str) -> Result<(), Trouble> {
        self.command(&format!("UID STORE {} +FLAGS.SILENT ({flag})", set(uids))).await
    }

    /// Removes messages that have the flag for it, where the server can do that without removing what others have flagged.
    pub(super) async fn expunge(&mut self, uids: &[u32]) -> Result<(), Trouble> {
        if !self.can("UIDPLUS") {
            return Ok(());
        }
        self.command(&format!("UID EXPUNGE {}", set(uids))).await
    }

    /// Moves messages, in one step where the server can. Where it cannot, a connection that breaks in between leaves a copy more.
    pub(super) async fn relocate(&mut self, uids: &[u32], to: &str) -> Result<(), Trouble> {
        if self.can("MOVE") {
            return self.command(&format!("UID MOVE {} {}", set(uids), quoted(to))).await;
        }
        self.command(&format!("UID COPY {} {}", set(uids), quoted(to))).await?;
        self.flag(uids, "\\Deleted").await?;
        self.expunge(uids).await
    }

    /// Makes a folder.
    pub(super) async fn create(&mut self, folder: &str) -> Result<(), Trouble> {
        self.command(&format!("CREATE {}", quoted(folder))).await?;
        // Else some people never see it.
        match self.command(&format!("SUBSCRIBE {}", quoted(folder))).await {
            Err(Trouble::Refused(_)) | Ok(()) => Ok(()),
            lost => lost,
        }
    }

    /// Waits for news of the open folder: until a message comes, at most so long.
    pub(super) async fn idle(&mut self, most: Duration, stop: &CancellationToken) -> Result<(), Trouble> {
        let patience = self.patience;
        let silent = || Trouble::Lost(format!("the server did not answer within {} s", patience.as_secs()));
        self.session.get_mut().allow(ANSWER);
        let tag = self.session.run_command("IDLE").await.map_err(|error| lost(&error))?;
        let end = tokio::time::Instant::now() + most;
        let (mut idling, mut news) = (false, false);
        let mut accept_by = Some(tokio::time::Instant::now() + patience);
        while !(idling && news) {
            let answer = tokio::select! {
                answer = self.session.read_response() => answer.map_err(|error| lost(&error))?,
                () = stop.cancelled(), if idling => break,
                () = tokio::time::sleep_until(accept_by.unwrap_or(end)) => {
                    if accept_by.is_some() {
                        return Err(silent());
                    }
                    break;
                }
            };
            let Some(answer) = answer else {
                return Err(Trouble::Lost("the server closed the connection".to_owned()));
            };
            match answer.parsed() {
                Response::Continue(_) => (idling, accept_by) = (true, None),
                Response::MailboxData(MailboxDatum::Exists(_)) => news = true,
                Response::Done { tag: own, outcome, .. } if *own == tag => {
                    return Err(Trouble::Refused(told(outcome.information.as_deref().unwrap_or(""))));
                }
                Response::Data { status: Status::Bye, .. } => {
                    return Err(Trouble::Lost("the server says goodbye".to_owned()));
                }
                _ => {}
            }
            self.session.get_mut().allow(ANSWER);
        }
        let ending = async {
            self.session.run_command_untagged("DONE").await.map_err(|error| lost(&error))?;
            loop {
                let Some(answer) = self.session.read_response().await.map_err(|error| lost(&error))? else {
                    return Err(Trouble::Lost("the server closed the connection".to_owned()));
                };
                if matches!(answer.parsed(), Response::Done { tag: own, .. } if *own == tag) {
                    return Ok(());
                }
            }
        };
        tokio::time::timeout(patience, ending).await.unwrap_or_else(|_| Err(silent()))
    }

    /// Says goodbye, and does not mind.
    pub(super) async fn close(mut self) {
        let _gone = tokio::time::timeout(GOODBYE, self.exchange("LOGOUT", ANSWER, |_| {})).await;
    }
}

#[cfg(test)]
mod tests {
    use super::arrival;

    #[test]
    fn times_are_read_as_servers_write_them() {
        for (text, wanted) in [
            ("17-Jul-1996 02:44:25 -0700", Some("1996-07-17T09:44:25Z")),
            (" 7-Nov-2026 00:00:01 +0000", Some("2026-11-07T00:00:01Z")),
            ("07-Nov-2026 00:00:01 +0130", Some("2026-11-06T22:30:01Z")),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(arrival(text), wanted.map(|it| it.parse().unwrap()), "{text}");
        }
    }
}
