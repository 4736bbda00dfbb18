//! An upload as its bytes, so that a test can bend every one of them.

use serde_json::{Map, Value, json};

const BOUNDARY: &str = "postroom-test-boundary-3f9a";

/// A multipart upload: `meta`, then files.
#[derive(Debug, Clone)]
pub struct Upload {
    /// The `meta` part.
    pub meta: Value,
    /// Name, media type, bytes.
    pub files: Vec<(String, String, Vec<u8>)>,
    /// `Idempotency-Key`.
    pub key: Option<String>,
}

impl Upload {
    /// Documents for a work item; empty names none.
    pub fn to(work_item: &str) -> Self {
        let mut meta = Map::new();
        if !work_item.is_empty() {
            meta.insert("work_item".into(), json!(work_item));
        }
        Self { meta: Value::Object(meta), files: Vec::new(), key: None }
    }

    /// With a file more.
    #[must_use]
    pub fn file(mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.push((name.to_owned(), "application/pdf".to_owned(), bytes.into()));
        self
    }

    /// With a field of `meta` more.
    #[must_use]
    pub fn meta(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.meta[field] = value.into();
        self
    }

    /// With an idempotency key.
    #[must_use]
    pub fn key(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    /// The request's `Content-Type`.
    pub fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={BOUNDARY}")
    }

    /// The body, whole.
    pub fn body(&self) -> Vec<u8> {
        let mut body = self.open();
        body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        body
    }

    /// The body without its end mark: what a broken connection leaves.
    pub fn open(&self) -> Vec<u8> {
        let mut body = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"meta\"\r\nContent-Type: application/json\r\n\r\n{}\r\n",
            self.meta
        )
        .into_bytes();
        for (name, media_type, bytes) in &self.files {
            // As browsers do: a backslash stands for itself.
            let quoted = name.replace('"', "%22");
            body.extend_from_slice(
                format!(
                    "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{quoted}\"\r\n\
                     Content-Type: {media_type}\r\n\r\n"
                )
                .as_bytes(),
            );
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body
    }

    /// The BLAKE3 of each file, as the API and the simulators write it.
    pub fn hashes(&self) -> Vec<String> {
        self.files.iter().map(|(_, _, bytes)| blake3::hash(bytes).to_hex().to_string()).collect()
    }
}
