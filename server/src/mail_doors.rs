//! The doors that letters come in by, and the reader behind them.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use postroom_domain::control::SourceStatus;
use postroom_domain::mailbox::{FetchesLetters, MailNotice};
use postroom_domain::mailroom::Mailroom;
use postroom_domain::reception::Reception;
use postroom_domain::spool::Spool;
use postroom_domain::time::{Clock, Entropy};
use postroom_inbound::graph::{
    GraphApp, GraphHandle, GraphMailbox, GraphOptions, GraphPost, GraphStatus, SentHandle, look_after_sent,
};
use postroom_inbound::imap::{ImapHandle, ImapMailbox, ImapStatus};
use postroom_inbound::pages::CoverKey;
use postroom_inbound::reader::{self, BatchOptions, ReaderHandle, ReaderOptions};
use postroom_inbound::smtp::{self, SmtpHandle};

use crate::foundation::Foundation;
use crate::settings::Settings;

/// What runs; nothing where the settings name no door for letters.
#[derive(Default)]
pub(crate) struct MailDoors {
    smtp: Option<SmtpHandle>,
    imap: Vec<ImapHandle>,
    graph: Vec<GraphHandle>,
    sent: Option<SentHandle>,
    reader: Option<ReaderHandle>,
}

/// The application that reads people's own mailboxes, where the settings name one.
fn peoples_app(settings: &Settings, all: &[(GraphOptions, Arc<GraphApp>)]) -> Option<Arc<GraphApp>> {
    let name = settings.outlook.graph.as_ref()?;
    all.iter().find(|(options, _)| options.source == *name).map(|(_, app)| app.clone())
}

/// The room where letters are opened.
pub(crate) fn mailroom(
    settings: &Settings,
    foundation: &Foundation,
    reception: &Arc<Reception>,
) -> anyhow::Result<Mailroom> {
    let luggage = settings.mail.luggage(&*foundation.seals);
    // Also where no mailbox is read: people ask where the letter belongs that they have open. That needs to be set up, as for mailboxes.
    let matching = if settings.takes_letters() || !settings.mail.matching.own_domains.is_empty() {
        Some(settings.mail.matching(luggage.clone(), settings.own_mailboxes())?)
    } else {
        None
    };
    Ok(Mailroom {
        reception: reception.clone(),
        luggage,
        matching,
        split: settings.mail.split()?,
        zone: reception.rules.zone.clone(),
    })
}

/// The mailboxes at Microsoft 365, each with the application that reads it: one for all of them that name the same one, because what it
/// may ask at once is counted for the application. Reaches out to nobody.
pub(crate) fn graph_mailboxes(
    settings: &Settings,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> anyhow::Result<Vec<(GraphOptions, Arc<GraphApp>)>> {
    let mut apps = Vec::new();
    let mut all = Vec::with_capacity(settings.graph.len());
    for it in &settings.graph {
        let it = it.get_ref();
        let known = apps.iter().find(|(id, _)| *id == it.app()).map(|(_, app)| Arc::clone(app));
        let app = match known {
            Some(app) => app,
            None => {
                let app = GraphApp::new(it.app_options()?, clock.clone(), entropy.clone());
                let app = Arc::new(app.with_context(|| format!("graph \"{}\"", it.name))?);
                apps.push((it.app(), app.clone()));
                app
            }
        };
        all.push((it.options(settings.server.public_url.as_ref()), app));
    }
    Ok(all)
}

impl MailDoors {
    /// Opens the doors, and gives whoever reads people's own mailboxes for them. Letters that were taken in before are read also where no door
    /// is open any more.
    pub(crate) async fn open(
        settings: &Settings,
        mailroom: &Arc<Mailroom>,
        spool: &Arc<dyn Spool>,
        covers: CoverKey,
    ) -> anyhow::Result<(Self, Option<Arc<dyn FetchesLetters>>)> {
        let smtp = match &settings.smtp {
            Some(smtp) => {
                let options = smtp.options()?;
                let (listen, reception) = (options.listen, mailroom.reception.clone());
                let door = smtp::open(options, reception, spool.clone()).await;
                let door = door.with_context(|| format!("smtp.listen: cannot listen on {listen}"))?;
                tracing::info!(smtp.address = %door.address(), "Letters are taken by SMTP.");
                Some(door)
            }
            None => None,
        };
        let mut imap = Vec::with_capacity(settings.imap.len());
        for it in &settings.imap {
            let (name, options) = (&it.get_ref().name, it.get_ref().options()?);
            let mailbox = ImapMailbox::new(options, mailroom.reception.clone(), spool.clone());
            imap.push(mailbox.with_context(|| format!("imap \"{name}\""))?.start());
        }
        let mut graph = Vec::with_capacity(settings.graph.len());
        let reception = &mailroom.reception;
        let all = graph_mailboxes(settings, &reception.clock, &reception.entropy)?;
        let peoples = peoples_app(settings, &all);
        let sent = peoples
            .clone()
            .map(|app| look_after_sent(settings.outlook.sent(), app, reception.clone(), spool.clone()));
        let post = peoples.map(|app| GraphPost::new(settings.outlook.mailboxes(), app, spool.clone()));
        for (options, app) in all {
            let name = options.source.clone();
            let mailbox = GraphMailbox::new(options, app, reception.clone(), spool.clone());
            graph.push(mailbox.with_context(|| format!("graph \"{name}\""))?.start());
        }
        let batches = Some(BatchOptions { key: covers, rules: settings.batch_rules() });
        let options = ReaderOptions {
            batches,
            screener: settings.screening.screener(spool)?,
            archives: settings.screening.archives(),
            ..settings.mail.reader()
        };
        let reader = Some(reader::start(options, mailroom.clone(), spool.clone()));
        let post = post.map(|post| Arc::new(post) as Arc<dyn FetchesLetters>);
        Ok((Self { smtp, imap, graph, sent, reader }, post))
    }

    /// Where the SMTP door listens.
    #[cfg(feature = "demo")]
    pub(crate) fn smtp(&self) -> Option<std::net::SocketAddr> {
        self.smtp.as_ref().map(SmtpHandle::address)
    }

    /// What the mailboxes say.
    pub(crate) fn sources(&self) -> Vec<SourceStatus> {
        let reading = self.reader.as_ref().and_then(|reader| reader.status().refusing);
        let reading = reading.map(|why| format!("letters wait to be read: {why}"));
        let note = |own: Vec<String>| own.into_iter().chain(reading.clone()).collect::<Vec<_>>().join("; ");
        let smtp = self.smtp.iter().flat_map(|door| {
            let refusing = Vec::from_iter(door.status().refusing);
            let status = |mailbox: &smtp::SmtpMailbox| SourceStatus {
                name: mailbox.source.clone(),
                reachable: true,
                note: note(refusing.clone()),
            };
            door.mailboxes().iter().map(status).collect::<Vec<_>>()
        });
        let imap = self.imap.iter().map(|mailbox| {
            let status = mailbox.status();
            let reachable = status.unreachable.is_none();
            SourceStatus { name: mailbox.source().clone(), reachable, note: note(in_words(status)) }
        });
        let graph = self.graph.iter().map(|mailbox| {
            let (status, poll) = (mailbox.status(), mailbox.poll());
            let reachable = status.unreachable.is_none();
            SourceStatus { name: mailbox.source().clone(), reachable, note: note(told(status, poll)) }
        });
        smtp.chain(imap).chain(graph).collect()
    }

    /// Word from a mail server. Whether it was for one of the mailboxes.
    pub(crate) fn notice(&self, notice: &MailNotice) -> bool {
        // All are asked: how long it takes tells nothing of whom it was for.
        self.graph.iter().filter(|mailbox| mailbox.notice(notice)).count() > 0
    }

    /// Why everything that comes in waits unscreened, while it does.
    pub(crate) fn unscreened(&self) -> Option<String> {
        self.reader.as_ref().and_then(|reader| reader.status().scanner)
    }

    /// The door first, then the reader.
    pub(crate) async fn stop(self, grace: Duration) {
        if let Some(smtp) = self.smtp {
            smtp.stop(grace).await;
        }
        for mailbox in self.imap {
            mailbox.stop().await;
        }
        for mailbox in self.graph {
            mailbox.stop().await;
        }
        if let Some(sent) = self.sent {
            sent.stop().await;
        }
        // A scanner may take minutes over one document; what is not decided is looked at again after the next start.
        if let Some(reader) = self.reader
            && tokio::time::timeout(grace, reader.stop()).await.is_err()
        {
            tracing::info!("What was being read is read again after the next start.");
        }
    }
}

/// What an operator should read about a mailbox, the gravest thing first.
fn in_words(status: ImapStatus) -> Vec<String> {
    let skipped = match status.skipped.as_slice() {
        [] => None,
        [one, ..] => Some(format!(
            "{} left in the mailbox, such as number {} in {}: {}",
            status.skipped.len(),
            one.uid,
            one.folder,
            one.why
        )),
    };
    status.unreachable.into_iter().chain(status.refusing).chain(status.troubles).chain(skipped).collect()
}

/// The same about one at Microsoft 365.
fn told(status: GraphStatus, poll: Duration) -> Vec<String> {
    let left = match status.left.as_slice() {
        [] => None,
        [one, ..] => Some(format!(
            "{} left in the mailbox, such as one in {}: {}",
            status.left.len(),
            one.folder,
            one.why
        )),
    };
    let clock = status.by_the_clock.map(|why| format!("looked at every {} s: {why}", poll.as_secs()));
    let gravest = status.unreachable.into_iter().chain(status.refusing).chain(status.troubles);
    gravest.chain(left).chain(clock).collect()
}
