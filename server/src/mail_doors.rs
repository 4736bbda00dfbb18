//! The doors that letters come in by, and the reader behind them.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use postroom_domain::control::SourceStatus;
use postroom_domain::mailroom::Mailroom;
use postroom_domain::reception::Reception;
use postroom_domain::spool::Spool;
use postroom_inbound::reader::{self, ReaderHandle};
use postroom_inbound::smtp::{self, SmtpHandle};

use crate::foundation::Foundation;
use crate::settings::Settings;

/// What runs; nothing where the settings name no door for letters.
#[derive(Default)]
pub(crate) struct MailDoors {
    smtp: Option<SmtpHandle>,
    reader: Option<ReaderHandle>,
}

/// The room where letters are opened.
pub(crate) fn mailroom(
    settings: &Settings,
    foundation: &Foundation,
    reception: &Arc<Reception>,
) -> anyhow::Result<Mailroom> {
    let luggage = settings.mail.luggage(&*foundation.seals);
    let matching = match &settings.smtp {
        Some(smtp) => Some(settings.mail.matching(luggage.clone(), Some(smtp))?),
        None => None,
    };
    Ok(Mailroom {
        reception: reception.clone(),
        luggage,
        matching,
        split: settings.mail.split()?,
        zone: reception.rules.zone.clone(),
    })
}

impl MailDoors {
    /// Opens the doors. Letters that were taken in before are read also where no door is open any more.
    pub(crate) async fn open(
        settings: &Settings,
        mailroom: &Arc<Mailroom>,
        spool: &Arc<dyn Spool>,
    ) -> anyhow::Result<Self> {
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
        let reader = Some(reader::start(settings.mail.reader(), mailroom.clone(), spool.clone()));
        Ok(Self { smtp, reader })
    }

    /// Where the SMTP door listens.
    #[cfg(feature = "demo")]
    pub(crate) fn smtp(&self) -> Option<std::net::SocketAddr> {
        self.smtp.as_ref().map(SmtpHandle::address)
    }

    /// What the mailboxes say.
    pub(crate) fn sources(&self) -> Vec<SourceStatus> {
        let reading = self.reader.as_ref().and_then(|reader| reader.status().refusing);
        let Some(smtp) = &self.smtp else { return Vec::new() };
        let refusing = smtp.status().refusing;
        let reading = reading.map(|why| format!("letters wait to be read: {why}"));
        let note: Vec<String> = refusing.into_iter().chain(reading).collect();
        let status = |mailbox: &smtp::SmtpMailbox| SourceStatus {
            name: mailbox.source.clone(),
            reachable: true,
            note: note.join("; "),
        };
        smtp.mailboxes().iter().map(status).collect()
    }

    /// The door first, then the reader.
    pub(crate) async fn stop(self, grace: Duration) {
        if let Some(smtp) = self.smtp {
            smtp.stop(grace).await;
        }
        if let Some(reader) = self.reader {
            reader.stop().await;
        }
    }
}
