//! What an operator does besides deciding over single filings: sets, ages, notes, intakes, saved views, exports.

use postroom_domain::ids::{BulkId, FilingId, IntakeId};
use reqwest::Method;
use reqwest::header::IF_MATCH;

use super::people::Download;
use super::{CALL, Client, ClientResult, of_reqwest, refusal};
use crate::ages::Ages;
use crate::bulk::{BulkBody, BulkItem, BulkItemList, BulkList, BulkView, RunBody};
use crate::data_upload::{DataUploadList, DataUploadView};
use crate::decision::etag;
use crate::filing::FilingItem;
use crate::intake::{AssignBody, DismissBody, GiveBody, IntakeDetail, ReleaseIntakeBody};
use crate::page::{FilingExport, Page};
use crate::preview::{Preview, PreviewList};
use crate::remark::NoteBody;
use crate::view::{ViewBody, ViewItem, Views};

impl Client {
    /// How long what is open has been waiting, by destination.
    pub async fn ages(&self) -> ClientResult<Ages> {
        self.get(&["ages"], &[(); 0]).await
    }

    /// Freezes a set of filings.
    pub async fn freeze(&self, body: &BulkBody) -> ClientResult<BulkView> {
        Self::send(self.request(Method::POST, &["bulk"]).json(body)).await
    }

    /// Sets, newest first.
    pub async fn bulks(&self, list: &BulkList) -> ClientResult<Page<BulkView>> {
        self.get(&["bulk"], list).await
    }

    /// One set, and how far it is.
    pub async fn bulk(&self, id: BulkId) -> ClientResult<BulkView> {
        self.get(&["bulk", &id.to_string()], &[(); 0]).await
    }

    /// Filings of a set, in the order in which they are taken.
    pub async fn bulk_items(&self, id: BulkId, list: &BulkItemList) -> ClientResult<Page<BulkItem>> {
        self.get(&["bulk", &id.to_string(), "items"], list).await
    }

    /// Runs a set that was frozen, after the grace.
    pub async fn run_bulk(&self, id: BulkId, body: &RunBody) -> ClientResult<BulkView> {
        let id = id.to_string();
        Self::send(self.request(Method::POST, &["bulk", &id, "run"]).json(body).timeout(CALL)).await
    }

    /// Leaves what has not been done.
    pub async fn stop_bulk(&self, id: BulkId) -> ClientResult<BulkView> {
        let id = id.to_string();
        Self::send(self.request(Method::POST, &["bulk", &id, "stop"]).timeout(CALL)).await
    }

    /// Takes all of it back, within the grace.
    pub async fn undo_bulk(&self, id: BulkId) -> ClientResult<BulkView> {
        let id = id.to_string();
        Self::send(self.request(Method::POST, &["bulk", &id, "undo"]).timeout(CALL)).await
    }

    /// Files a duplicate although the same content is there.
    pub async fn file_anyway(
        &self,
        id: FilingId,
        version: u64,
        body: &crate::decision::CancelBody,
    ) -> ClientResult<FilingItem> {
        self.decide(crate::decision::DecisionKind::FileAnyway, id, version, body).await
    }

    /// Writes a note on a filing.
    pub async fn note_filing(&self, id: FilingId, body: &NoteBody) -> ClientResult<()> {
        Self::done(self.request(Method::POST, &["filings", &id.to_string(), "note"]).json(body)).await
    }

    /// Takes a filing to work on, or gives it back.
    pub async fn take_filing(&self, id: FilingId, take: bool) -> ClientResult<()> {
        let what = if take { "take" } else { "give-back" };
        Self::done(self.request(Method::POST, &["filings", &id.to_string(), what])).await
    }

    /// Writes a note on an intake.
    pub async fn note_intake(&self, id: IntakeId, body: &NoteBody) -> ClientResult<()> {
        Self::done(self.request(Method::POST, &["intakes", &id.to_string(), "note"]).json(body)).await
    }

    async fn decide_intake(
        &self,
        what: &str,
        id: IntakeId,
        version: u64,
        body: &impl serde::Serialize,
    ) -> ClientResult<IntakeDetail> {
        let request = self
            .request(Method::POST, &["intakes", &id.to_string(), what])
            .header(IF_MATCH, etag(version))
            .json(body)
            .timeout(CALL);
        Self::send(request).await
    }

    /// Gives an intake a work item.
    pub async fn assign(&self, id: IntakeId, version: u64, body: &AssignBody) -> ClientResult<IntakeDetail> {
        self.decide_intake("assign", id, version, body).await
    }

    /// Takes an intake, or gives it to somebody.
    pub async fn give(&self, id: IntakeId, version: u64, body: &GiveBody) -> ClientResult<IntakeDetail> {
        self.decide_intake("give", id, version, body).await
    }

    /// Closes an intake.
    pub async fn dismiss(
        &self,
        id: IntakeId,
        version: u64,
        body: &DismissBody,
    ) -> ClientResult<IntakeDetail> {
        self.decide_intake("dismiss", id, version, body).await
    }

    /// Lets an intake out of quarantine.
    pub async fn release_intake(
        &self,
        id: IntakeId,
        version: u64,
        body: &ReleaseIntakeBody,
    ) -> ClientResult<IntakeDetail> {
        self.decide_intake("release", id, version, body).await
    }

    /// What is in a document of an intake, as text.
    pub async fn preview(&self, id: IntakeId, list: &PreviewList) -> ClientResult<Preview> {
        self.get(&["intakes", &id.to_string(), "preview"], list).await
    }

    /// The untouched bytes of an intake.
    pub async fn original(&self, id: IntakeId) -> ClientResult<Download> {
        let id = id.to_string();
        download(self.request(Method::GET, &["intakes", &id, "original"])).await
    }

    /// All filings that match, as CSV or as one JSON object a line.
    pub async fn export_filings(&self, list: &FilingExport) -> ClientResult<Download> {
        download(self.request(Method::GET, &["filings", "export"]).query(list)).await
    }

    /// Tables of data, newest first.
    pub async fn data_uploads(&self, list: &DataUploadList) -> ClientResult<Page<DataUploadView>> {
        self.get(&["data-uploads"], list).await
    }

    /// The caller's saved views.
    pub async fn views(&self) -> ClientResult<Views> {
        self.get(&["views"], &[(); 0]).await
    }

    /// Saves a view, or replaces the one of that name.
    pub async fn save_view(&self, name: &str, body: &ViewBody) -> ClientResult<ViewItem> {
        Self::send(self.request(Method::PUT, &["views", name]).json(body).timeout(CALL)).await
    }

    /// Forgets a view.
    pub async fn remove_view(&self, name: &str) -> ClientResult<()> {
        Self::done(self.request(Method::DELETE, &["views", name])).await
    }
}

async fn download(request: reqwest::RequestBuilder) -> ClientResult<Download> {
    let response = request.send().await.map_err(|error| of_reqwest(&error))?;
    if response.status().is_success() { Ok(Download(response)) } else { Err(refusal(response).await) }
}
