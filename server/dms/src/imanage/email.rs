//! An e-mail that iManage refuses because it is there already: which one that is.
//!
//! iManage compares subject, date of sending and the message's own id, within a workspace. What it answers is not documented, so a
//! conflict is taken for it where the document is an e-mail, and the workspace is searched for the one with the same subject and date.

use jiff::Timestamp;
use postroom_domain::dms::{DmsError, DmsResult, Receipt, Upload};
use postroom_outbound::Method;
use tracing::debug;

use super::profile::is_email;
use super::wire::{Envelope, Item};
use super::{Seat, errors, ids};
use crate::names;

impl Seat {
    /// The refusal of an e-mail, with the one that is there where exactly one can be meant.
    pub(super) async fn duplicate_of(&self, upload: &Upload<'_>, error: DmsError) -> DmsError {
        let DmsError::Conflict { existing: None, trouble } = error else { return error };
        let subject = upload.profile.get("subject").filter(|subject| !subject.is_empty());
        let Some(subject) = subject.filter(|_| is_email(upload.media_type, names::split(upload.name).1))
        else {
            return DmsError::Conflict { existing: None, trouble };
        };
        let found = self.mails(upload, subject).await.unwrap_or_else(|e| {
            debug!(dms.service = %self.name, error = %e, "The e-mail that is there already cannot be looked for.");
            Vec::new()
        });
        let existing = if let [only] = found.as_slice() { Some(only.clone()) } else { None };
        DmsError::Conflict { existing, trouble }
    }

    /// E-mails of the workspace with a subject, and the date of sending where it is known.
    async fn mails(&self, upload: &Upload<'_>, subject: &str) -> DmsResult<Vec<Receipt>> {
        let folder = self.by_id(upload.container, &[super::places::Kind::Folder]).await?;
        let place = folder.workspace.as_deref().unwrap_or(upload.container);
        let library = ids::container(place)?.library;
        let query = [
            ("container_id", place),
            ("include_subtree", "true"),
            ("email_only", "true"),
            ("subject", subject),
            ("latest", "true"),
            ("paging_mode", "standard"),
            ("limit", "20"),
        ];
        let url = self.tenant().await?.url(&["libraries", library, "documents"], &query);
        let reply = self.ask("search_documents", Method::GET, url, None).await?;
        if errors::is_nothing_found(&reply) {
            return Ok(Vec::new());
        }
        if !reply.is_success() {
            return Err(errors::shape(&reply, "searching e-mails by their subject", &self.settings));
        }
        let sent = upload.profile.get("sent_date").and_then(|text| text.parse::<Timestamp>().ok());
        let same = |item: &&Item| {
            let told = item.text("sent_date").and_then(|text| text.parse::<Timestamp>().ok());
            item.text("subject").as_deref() == Some(subject)
                && (sent.is_none() || told.is_none() || sent == told)
        };
        let items = reply.json::<Envelope>()?.items();
        let found = items.iter().filter(same).filter_map(|item| {
            let id = item.text("id").filter(|id| ids::document(id).is_ok())?;
            let folder = item.text("parent_id").unwrap_or_else(|| place.to_owned());
            Some(self.receipt(&id, &folder, item))
        });
        Ok(found.collect())
    }
}
