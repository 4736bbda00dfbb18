//! One connection, from the greeting to its end.

use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use postroom_domain::ids::IntakeId;
use postroom_domain::letter::Envelope;
use postroom_domain::person::Actor;
use postroom_domain::reception::letters::Delivery;
use postroom_domain::spool::{Blob, SpoolError};
use postroom_domain::store::{Accepted, IdempotencyKey, StoreError};
use smtp_proto::Request;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::data::{NoLetter, receive};
use super::lines::{Ended, Line, Wire};
use super::{Shared, SmtpMailbox};

/// Who hands in, for the audit.
const PART: &str = "smtp";
/// Recipients of one letter; RFC 5321 asks for 100 at least.
const MOST_RECIPIENTS: usize = 100;
/// After so many commands that are none the other side is no mail server.
const MOST_MISTAKES: u32 = 20;
/// For how long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(30);

/// Tells whoever may not come in, and closes.
pub(super) async fn turn_away(stream: TcpStream, answer: &str) {
    let _gone = Wire::new(stream, Duration::from_secs(5)).say(answer).await;
}

/// How a part of a session ended.
enum Turn {
    /// The connection is done with.
    Close,
    /// From now on it is TLS.
    Secure,
}

/// What came of a command.
enum Next {
    Say(String),
    Data,
    Secure,
    Bye(String),
}

/// A letter that is being announced.
#[derive(Default)]
struct Announced {
    from: Option<String>,
    to: Vec<String>,
    /// Numbers of mailboxes, each once.
    mailboxes: Vec<SmtpMailbox>,
}

/// A connection.
pub(super) struct Session<'a> {
    shared: &'a Shared,
    peer: IpAddr,
    greeted: bool,
    secure: bool,
    letter: Announced,
    mistakes: u32,
}

fn say(answer: &str) -> Next {
    Next::Say(answer.to_owned())
}

impl<'a> Session<'a> {
    pub(super) fn new(shared: &'a Shared, peer: IpAddr) -> Self {
        Self { shared, peer, greeted: false, secure: false, letter: Announced::default(), mistakes: 0 }
    }

    /// Serves the connection to its end.
    pub(super) async fn run(mut self, stream: TcpStream) {
        let options = &self.shared.options;
        let mut wire = Wire::new(stream, options.idle);
        let greeting = format!("220 {} ESMTP Postroom", options.hostname);
        if wire.say(&greeting).await.is_err() {
            return;
        }
        if let Turn::Secure = self.talk(&mut wire).await
            && let Some(certificate) = &options.certificate
        {
            match tokio::time::timeout(HANDSHAKE, certificate.acceptor().accept(wire.stream)).await {
                Ok(Ok(stream)) => {
                    self.secure = true;
                    self.talk(&mut Wire::new(stream, options.idle)).await;
                }
                Ok(Err(error)) => {
                    tracing::warn!(smtp.peer = %self.peer, source.error = %error, "a machine did not agree on TLS with the SMTP door");
                }
                Err(_) => {}
            }
        }
    }

    async fn talk<S: AsyncRead + AsyncWrite + Unpin>(&mut self, wire: &mut Wire<S>) -> Turn {
        loop {
            let line = tokio::select! {
                line = wire.line() => line,
                () = self.shared.stop.cancelled() => {
                    let _gone = wire.say("421 4.3.2 the service is closing, come back later").await;
                    return Turn::Close;
                }
            };
            let next = match line {
                Ok(Line::Whole(line)) => self.command(&line).await,
                Ok(Line::TooLong) => self.mistake("500 5.5.2 the line is too long"),
                Err(Ended::Idle) => Next::Bye("421 4.4.2 nothing was heard for too long".to_owned()),
                Err(Ended::Gone) => return Turn::Close,
            };
            let answer = match next {
                Next::Say(answer) => answer,
                Next::Data => match self.data(wire).await {
                    Ok(answer) => answer,
                    Err(_) => return Turn::Close,
                },
                Next::Bye(answer) => {
                    let _gone = wire.say(&answer).await;
                    return Turn::Close;
                }
                Next::Secure => {
                    // What was sent before the handshake came from whoever stands in between.
                    if wire.has_more() || wire.say("220 2.0.0 go ahead").await.is_err() {
                        return Turn::Close;
                    }
                    (self.greeted, self.letter) = (false, Announced::default());
                    return Turn::Secure;
                }
            };
            if wire.say(&answer).await.is_err() {
                return Turn::Close;
            }
        }
    }

    fn mistake(&mut self, answer: &str) -> Next {
        self.mistakes += 1;
        if self.mistakes >= MOST_MISTAKES {
            return Next::Bye("421 4.7.0 too many mistakes".to_owned());
        }
        say(answer)
    }

    async fn command(&mut self, line: &[u8]) -> Next {
        match Request::parse(&mut line.iter()) {
            Ok(Request::Ehlo { host }) => self.hello(&host, true),
            Ok(Request::Helo { host }) => self.hello(&host, false),
            Ok(Request::StartTls) => self.start_tls(),
            Ok(Request::Mail { from }) => self.mail(&from.address, from.size as u64),
            Ok(Request::Rcpt { to }) => self.recipient(&to.address).await,
            Ok(Request::Data) if self.letter.from.is_none() => self.mistake("503 5.5.1 MAIL comes first"),
            Ok(Request::Data) if self.letter.to.is_empty() => self.mistake("554 5.5.1 nobody is to have it"),
            Ok(Request::Data) => Next::Data,
            Ok(Request::Rset) => {
                self.letter = Announced::default();
                say("250 2.0.0 forgotten")
            }
            Ok(Request::Noop { .. }) => say("250 2.0.0 as you say"),
            Ok(Request::Vrfy { .. } | Request::Expn { .. }) => say("252 2.5.0 send it, and see"),
            Ok(Request::Help { .. }) => {
                say("214 2.0.0 this is the post room; it takes letters and sends none")
            }
            Ok(Request::Quit) => Next::Bye("221 2.0.0 goodbye".to_owned()),
            Ok(_) => self.mistake("502 5.5.1 that is not done here"),
            Err(smtp_proto::Error::InvalidSenderAddress | smtp_proto::Error::InvalidRecipientAddress) => {
                self.mistake("501 5.1.3 that is no address")
            }
            Err(
                smtp_proto::Error::UnsupportedParameter { .. } | smtp_proto::Error::InvalidParameter { .. },
            ) => self.mistake("555 5.5.4 that parameter is not known here"),
            Err(_) => self.mistake("500 5.5.2 that is no command"),
        }
    }

    fn hello(&mut self, host: &str, extended: bool) -> Next {
        self.greeted = true;
        self.letter = Announced::default();
        let options = &self.shared.options;
        if !extended {
            return Next::Say(format!("250 {}", options.hostname));
        }
        tracing::debug!(smtp.peer = %self.peer, smtp.host = %host.chars().take(100).collect::<String>(), "a machine greeted the SMTP door");
        let mut lines = vec![
            options.hostname.clone(),
            format!("SIZE {}", options.largest),
            "8BITMIME".to_owned(),
            "SMTPUTF8".to_owned(),
            "PIPELINING".to_owned(),
            "ENHANCEDSTATUSCODES".to_owned(),
        ];
        if options.certificate.is_some() && !self.secure {
            lines.push("STARTTLS".to_owned());
        }
        let last = lines.len() - 1;
        let line =
            |(number, line): (usize, &String)| format!("250{}{line}", if number == last { ' ' } else { '-' });
        Next::Say(lines.iter().enumerate().map(line).collect::<Vec<_>>().join("\r\n"))
    }

    fn start_tls(&mut self) -> Next {
        if self.secure || self.shared.options.certificate.is_none() {
            return self.mistake("502 5.5.1 there is no other TLS here");
        }
        Next::Secure
    }

    fn mail(&mut self, from: &str, size: u64) -> Next {
        let options = &self.shared.options;
        if !self.greeted {
            return self.mistake("503 5.5.1 EHLO comes first");
        }
        if options.require_tls && !self.secure {
            return self.mistake("530 5.7.0 STARTTLS comes first");
        }
        if self.letter.from.is_some() {
            return self.mistake("503 5.5.1 a letter is announced already");
        }
        if size > options.largest {
            self.shared.refuse();
            return Next::Say(format!(
                "552 5.3.4 larger than the {} bytes that are taken here",
                options.largest
            ));
        }
        if let Err(error) = self.shared.spool.door(size) {
            return self.no_room(&error);
        }
        self.shared.set_refusing(None);
        self.letter.from = Some(from.to_owned());
        say("250 2.1.0 from whom is noted")
    }

    fn no_room(&self, error: &SpoolError) -> Next {
        self.shared.refuse();
        self.shared.set_refusing(Some(error.to_string()));
        say(match error {
            SpoolError::NoRoom { .. } => "452 4.3.1 there is too little room at present, come back later",
            _ => "451 4.3.0 letters cannot be kept at present, come back later",
        })
    }

    async fn recipient(&mut self, address: &str) -> Next {
        if self.letter.from.is_none() {
            return self.mistake("503 5.5.1 MAIL comes first");
        }
        if self.letter.to.len() >= MOST_RECIPIENTS {
            return say("452 4.5.3 that is enough; send the others a letter of their own");
        }
        let Some(mailbox) = self.shared.mailbox(address) else {
            self.shared.refuse();
            return self.mistake("550 5.1.1 nobody of that address is here");
        };
        if self.is_paused(mailbox).await {
            return say("451 4.3.2 this mailbox is stopped at present, come back later");
        }
        if !self.letter.mailboxes.iter().any(|it| it.source == mailbox.source) {
            self.letter.mailboxes.push(mailbox.clone());
        }
        self.letter.to.push(address.to_owned());
        say("250 2.1.5 for whom is noted")
    }

    /// What a person stopped stays stopped while the store cannot be asked.
    async fn is_paused(&self, mailbox: &SmtpMailbox) -> bool {
        let (door, reception) = (format!("source/{}", mailbox.source), &self.shared.reception);
        let now = reception.clock.now();
        match reception.store.pauses().await {
            Ok(pauses) => {
                pauses.iter().any(|pause| pause.door == door && pause.until.is_none_or(|until| until > now))
            }
            Err(_) => true,
        }
    }

    /// Takes the letter in. Its answer, or how the connection ended before there was one to give.
    async fn data<S: AsyncRead + AsyncWrite + Unpin>(&mut self, wire: &mut Wire<S>) -> Result<String, Ended> {
        let letter = std::mem::take(&mut self.letter);
        wire.say("354 go on, and end with a dot on a line of its own").await?;
        let received = receive(wire, &*self.shared.spool, self.shared.options.largest).await;
        let blob = match received {
            Ok(blob) => blob,
            Err(NoLetter::Ended(ended)) => return Err(ended),
            Err(NoLetter::TooLarge) => {
                self.shared.refuse();
                let largest = self.shared.options.largest;
                return Ok(format!("552 5.3.4 larger than the {largest} bytes that are taken here"));
            }
            Err(NoLetter::Spool(error)) => {
                let Next::Say(answer) = self.no_room(&error) else { return Err(Ended::Gone) };
                return Ok(answer);
            }
        };
        // One answer for all: whoever hears that it failed sends to all again, and those who have it say so.
        let mut last = None;
        for mailbox in &letter.mailboxes {
            match self.hand_in(mailbox, &letter, blob).await {
                Ok(intake) => last = Some(intake),
                Err(error) => {
                    self.shared.refuse();
                    self.shared.set_refusing(Some(error.to_string()));
                    tracing::warn!(source.name = %mailbox.source, source.error = %error, "a letter could not be taken in; its sender is told to come back");
                    return Ok("451 4.3.0 it cannot be kept at present, come back later".to_owned());
                }
            }
        }
        self.shared.set_refusing(None);
        self.shared.taken.fetch_add(1, Ordering::Relaxed);
        Ok(last.map_or_else(
            || "451 4.3.0 it has no mailbox".to_owned(),
            |intake| format!("250 2.0.0 it is here as {intake}"),
        ))
    }

    async fn hand_in(
        &self,
        mailbox: &SmtpMailbox,
        letter: &Announced,
        blob: Blob,
    ) -> Result<IntakeId, StoreError> {
        let source = &mailbox.source;
        let own =
            letter.to.iter().filter(|to| self.shared.mailbox(to).is_some_and(|its| its.source == *source));
        let delivery = Delivery {
            site: mailbox.site.clone(),
            source: source.clone(),
            submitted_by: PART.to_owned(),
            envelope: Envelope {
                from: letter.from.clone().unwrap_or_default(),
                to: own.cloned().collect(),
                arrived: None,
            },
            blob,
            // The same bytes in the same mailbox are the same letter, whose answer was lost.
            key: IdempotencyKey { key: format!("mail/{source}/{}", blob.hash), fingerprint: blob.hash },
            records: Vec::new(),
        };
        match self.shared.reception.deliver(delivery, &Actor::system(PART, None)).await? {
            Accepted::Fresh(intake, _) => {
                tracing::info!(source.name = %source, smtp.peer = %self.peer, intake.id = %intake.id, "a letter was taken in");
                Ok(intake.id)
            }
            Accepted::Again(intake) => {
                tracing::info!(source.name = %source, smtp.peer = %self.peer, intake.id = %intake, "a letter had been taken in before");
                Ok(intake)
            }
        }
    }
}
