//! Locks, while a document is replaced or named. They are short, and end by themselves should we not be there to end them.

use std::time::Duration;

use postroom_domain::cause::Cause;
use postroom_domain::dms::{DmsError, DmsResult, Trouble};
use postroom_domain::ids::Mark;
use tracing::debug;

use super::multistatus;
use super::wire::{Names, verb};
use super::{WebDav, errors};

/// A lock of ours.
#[derive(Debug)]
pub(super) struct Lock {
    pub(super) token: String,
}

/// What came of asking for a lock.
pub(super) enum Locking {
    /// It is ours.
    Done {
        lock: Lock,
        /// Whether there was nothing of that name, and now is.
        made: bool,
        /// How long it lasts, as the server says; none where it says nothing, or that it has no end.
        lasts: Option<Duration>,
    },
    /// Somebody has one.
    Taken,
    /// The server has no locks after all.
    None,
    /// The collection above is not there.
    NoPlace,
}

impl WebDav {
    /// Asks for an exclusive lock on one resource.
    pub(super) async fn ask_lock(&self, names: &Names<'_>, seconds: u32, owner: &str) -> DmsResult<Locking> {
        let owner = quick_xml::escape::escape(owner);
        let xml = format!(
            r#"<?xml version="1.0" encoding="utf-8"?><lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype><owner>{owner}</owner></lockinfo>"#
        );
        let timeout = format!("Second-{seconds}");
        let headers = [("depth", "0"), ("timeout", timeout.as_str())];
        let doing = format!("locking {:?}", names.join("/"));
        let reply = self.wire.ask("lock", verb("LOCK"), self.wire.url(names), &headers, Some(&xml)).await?;
        match reply.status {
            200 | 201 => {}
            404 | 409 => return Ok(Locking::NoPlace),
            405 | 501 => return Ok(Locking::None),
            423 => return Ok(Locking::Taken),
            _ => return Err(errors::shape(&reply, &doing)),
        }
        let told = multistatus::lock(&reply.body).ok().flatten();
        let header = reply.header("lock-token").map(|token| token.trim().trim_matches(['<', '>']).to_owned());
        let token = header.or_else(|| told.as_ref()?.token.clone());
        let Some(token) =
            token.filter(|token| !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic()))
        else {
            let detail = format!("{doing}: status {}, but no token", reply.status);
            return Err(DmsError::from_trouble(Trouble::new(Cause::ServerFault, detail)));
        };
        let lasts = told.and_then(|told| told.lasts);
        Ok(Locking::Done { lock: Lock { token }, made: reply.status == 201, lasts })
    }

    /// Locks a document that is there. None where the server has no locks after all.
    pub(super) async fn lock(&self, names: &Names<'_>, mark: Mark) -> DmsResult<Option<Lock>> {
        let doing = || format!("locking {:?}", names.join("/"));
        let asked = self.ask_lock(names, self.settings.lock_seconds, &format!("Postroom ({mark})")).await?;
        let (lock, made) = match asked {
            Locking::Done { lock, made, .. } => (lock, made),
            Locking::None => return Ok(None),
            Locking::Taken => return Err(self.locked(names, &doing()).await),
            Locking::NoPlace => return Err(errors::missing(&format!("{:?}", names.join("/")))),
        };
        if made {
            // The document went away in this moment, and the lock made an empty one of its name.
            let reply = self.drop_empty(names, &lock).await;
            debug!(dms.service = %self.name, removed = reply.is_ok(), "A lock made an empty document.");
            return Err(errors::missing(&format!("{:?}", names.join("/"))));
        }
        Ok(Some(lock))
    }

    async fn drop_empty(&self, names: &Names<'_>, lock: &Lock) -> DmsResult<()> {
        let condition = self.condition(names, Some(lock), None).unwrap_or_default();
        let method = postroom_outbound::Method::DELETE;
        let reply =
            self.wire.ask("delete", method, self.wire.url(names), &[("if", &condition)], None).await?;
        super::wire::done(&reply, "removing an empty document")
    }

    /// The error for a document that somebody else has locked, with their name where the server tells.
    pub(super) async fn locked(&self, names: &Names<'_>, doing: &str) -> DmsError {
        let entry = self.entry(names, false).await.ok().flatten();
        let by = entry.and_then(|entry| entry.props.locks.into_iter().find_map(|lock| lock.owner));
        let trouble =
            Trouble { status: Some(423), ..Trouble::new(Cause::Locked, format!("{doing}: status 423")) };
        DmsError::Locked { by, trouble }
    }

    /// Starts the lock's time anew. A lock that is gone means that somebody may have changed the document.
    pub(super) async fn refresh(&self, names: &Names<'_>, lock: &Lock, seconds: u32) -> DmsResult<()> {
        let condition = format!("(<{}>)", lock.token);
        let timeout = format!("Second-{seconds}");
        let headers = [("if", condition.as_str()), ("timeout", timeout.as_str())];
        let reply = self.wire.ask("lock", verb("LOCK"), self.wire.url(names), &headers, None).await?;
        if reply.status == 200 {
            return Ok(());
        }
        let detail = format!("the lock on {:?} was lost: status {}", names.join("/"), reply.status);
        Err(DmsError::from_trouble(Trouble {
            status: Some(reply.status),
            ..Trouble::new(Cause::Changed, detail)
        }))
    }

    /// Gives a lock back. One that cannot be given back ends by its time.
    pub(super) async fn unlock(&self, names: &Names<'_>, lock: &Lock) {
        let token = format!("<{}>", lock.token);
        let done = self
            .wire
            .ask("unlock", verb("UNLOCK"), self.wire.url(names), &[("lock-token", &token)], None)
            .await;
        if let Err(error) = done {
            debug!(dms.service = %self.name, %error, "A lock could not be given back; it ends by itself.");
        }
    }

    /// The condition under which something may happen to a document: it is locked by us, and is what we saw.
    pub(super) fn condition(
        &self,
        names: &Names<'_>,
        lock: Option<&Lock>,
        etag: Option<&str>,
    ) -> Option<String> {
        let lock = lock.map(|lock| format!("<{}>", lock.token));
        let etag = etag.filter(|etag| !etag.contains(['[', ']'])).map(|etag| format!("[{etag}]"));
        let parts: Vec<String> = lock.into_iter().chain(etag).collect();
        (!parts.is_empty())
            .then(|| format!("<{}> ({})", self.wire.target(&self.wire.url(names)), parts.join(" ")))
    }
}
