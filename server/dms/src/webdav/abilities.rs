//! What a server can do, tried out once, before the first document: what it says of itself is not enough.

use postroom_domain::cause::Cause;
use postroom_domain::dms::{DmsError, DmsResult, Trouble};
use postroom_outbound::Method;
use tracing::info;

use super::settings::MarkPlace;
use super::wire::{Names, Over, done};
use super::{WebDav, errors};

/// What was found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Abilities {
    /// It has locks.
    pub(super) locks: bool,
    /// Marks are properties; otherwise they are in sidecars.
    pub(super) property: bool,
}

/// What a server says about itself.
pub(super) struct Said {
    /// The classes of RFC 4918 that it names.
    pub(super) classes: Vec<String>,
    /// Its name and version.
    pub(super) server: Option<String>,
}

impl Said {
    pub(super) fn has(&self, class: &str) -> bool {
        self.classes.iter().any(|it| it == class)
    }
}

impl WebDav {
    /// What the server says about itself.
    pub(super) async fn options(&self) -> DmsResult<Said> {
        let reply = self.wire.ask("options", Method::OPTIONS, self.wire.collection(&[]), &[], None).await?;
        done(&reply, "asking the server what it can do")?;
        let classes = reply.header("dav").unwrap_or_default().split(',');
        let server =
            reply.header("server").map(|name| name.chars().filter(|c| !c.is_control()).take(100).collect());
        Ok(Said { classes: classes.map(|class| class.trim().to_owned()).collect(), server })
    }

    /// What the server can do; tried out in `scratch`, a collection of ours, where that was not done yet.
    pub(super) async fn abilities(&self, scratch: &Names<'_>) -> DmsResult<Abilities> {
        let mut known = self.abilities.lock().await;
        if let Some(abilities) = *known {
            return Ok(abilities);
        }
        let locks = self.options().await?.has("2");
        let property = self.try_out(scratch).await?;
        let abilities = Abilities { locks, property };
        info!(dms.service = %self.name, webdav.locks = locks, webdav.property = property, "A WebDAV server was tried out.");
        *known = Some(abilities);
        Ok(abilities)
    }

    /// Moves must not replace anything when told so, and properties must stay with what is moved. Whether marks are properties.
    async fn try_out(&self, scratch: &Names<'_>) -> DmsResult<bool> {
        let name = |name: &'static str| [scratch, &[name]].concat();
        let (one, two, three) = (name("check-1"), name("check-2"), name("check-3"));
        self.wire.write(&one, b"1").await?;
        self.wire.write(&two, b"2").await?;
        let onto = self.wire.transfer("move", &one, &two, Over::Nothing, None).await?;
        if onto.is_success() && onto.status != 207 {
            let detail =
                "the server moves a document over another one although it is told not to (Overwrite: F)";
            return Err(DmsError::from_trouble(Trouble::new(Cause::Misconfigured, detail)));
        }
        if !matches!(onto.status, 207 | 403 | 405 | 409 | 412) {
            return Err(errors::shape(&onto, "trying to move onto a name that is taken"));
        }
        let wanted = "tried out";
        let set = match self.settings.mark {
            MarkPlace::Sidecar => false,
            MarkPlace::Auto | MarkPlace::Property => self.wire.set(&one, &[("mark", wanted)], None).await?,
        };
        let away = self.wire.transfer("move", &one, &three, Over::Nothing, None).await?;
        done(&away, "trying to move a document to a free name")?;
        // A probe relies on it: what was removed gets no name any more.
        let gone = self.wire.remove(&two, false).await;
        if gone.as_ref().is_err_and(|error| matches!(error.trouble().status, Some(403 | 405 | 501))) {
            let detail = "the server removes nothing (DELETE), which a filing needs for what it lays aside";
            return Err(DmsError::from_trouble(Trouble::new(Cause::Misconfigured, detail)));
        }
        gone?;
        let kept = set
            && self
                .entry(&three, false)
                .await?
                .is_some_and(|entry| entry.props.mark.as_deref() == Some(wanted));
        if !kept && self.settings.mark == MarkPlace::Property {
            let detail = "the server does not keep properties of ours; set mark = \"auto\" or \"sidecar\"";
            return Err(DmsError::from_trouble(Trouble::new(Cause::Misconfigured, detail)));
        }
        Ok(kept)
    }
}
