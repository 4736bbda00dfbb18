//! Tables of data.

use postroom_domain::ids::DataUploadId;
use reqwest::Method;
use reqwest::multipart::{Form, Part};

use super::people::Download;
use super::{CALL, Client, ClientError, ClientResult, of_reqwest, refusal};
use crate::data_upload::{DataUploadView, ExportList, RowList, RowView};
use crate::page::Page;

impl Client {
    /// Hands a table in, streamed from a file. `mapping` is the name of one of the settings, or one as JSON.
    pub async fn hand_in_table(
        &self,
        name: &str,
        file: tokio::fs::File,
        mapping: &str,
    ) -> ClientResult<DataUploadView> {
        let length = file.metadata().await.map_err(|error| ClientError::Setup(error.to_string()))?.len();
        let part = Part::stream_with_length(file, length).file_name(name.to_owned());
        let form = Form::new().text("mapping", mapping.to_owned()).part("file", part);
        Self::send(self.request(Method::POST, &["data-uploads"]).multipart(form)).await
    }

    /// One table, and how far it is.
    pub async fn data_upload(&self, id: DataUploadId) -> ClientResult<DataUploadView> {
        self.get(&["data-uploads", &id.to_string()], &[(); 0]).await
    }

    /// Looks at every row without changing anything (`dry-run`), loads them (`run`), or stops either (`stop`).
    async fn tell_table(&self, id: DataUploadId, what: &str) -> ClientResult<DataUploadView> {
        let id = id.to_string();
        Self::send(self.request(Method::POST, &["data-uploads", &id, what]).timeout(CALL)).await
    }

    /// Begins to look at every row; nothing is changed.
    pub async fn check_table(&self, id: DataUploadId) -> ClientResult<DataUploadView> {
        self.tell_table(id, "dry-run").await
    }

    /// Begins to load every row, or goes on.
    pub async fn load_table(&self, id: DataUploadId) -> ClientResult<DataUploadView> {
        self.tell_table(id, "run").await
    }

    /// Rows with their results.
    pub async fn data_rows(&self, id: DataUploadId, list: &RowList) -> ClientResult<Page<RowView>> {
        self.get(&["data-uploads", &id.to_string(), "rows"], list).await
    }

    /// The work items as a table, by a mapping of the settings.
    pub async fn unload_table(&self, mapping: &str) -> ClientResult<Download> {
        let list = ExportList { mapping: mapping.to_owned() };
        let request = self.request(Method::GET, &["data-uploads", "export"]).query(&list);
        let response = request.send().await.map_err(|error| of_reqwest(&error))?;
        if response.status().is_success() { Ok(Download(response)) } else { Err(refusal(response).await) }
    }
}
