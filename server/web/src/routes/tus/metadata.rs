//! `Upload-Metadata`: names with values in Base64.

use actix_web::HttpRequest;
use base64ct::{Base64, Encoding as _};
use postroom_api::problem::{Code, FieldError, Problem};
use postroom_domain::ids::SourceName;
use postroom_domain::repository::Area;
use postroom_domain::uploads::About;

use super::super::upload::{media_type, shortened};
use super::text;
use crate::app::Limits;
use crate::fault::{Answer, Fault};

/// The names that mean something here.
const KNOWN: &str = "filename, filetype, work_item, area, subject, note, source, file_anyway";

/// What a client says of a document before it comes.
#[derive(Debug, Default)]
pub(super) struct Metadata {
    pub(super) about: About,
    pub(super) source: Option<SourceName>,
}

impl Metadata {
    /// Reads the header of a request.
    pub(super) fn of(request: &HttpRequest, limits: &Limits) -> Answer<Self> {
        Self::read(text(request, "upload-metadata").unwrap_or(""), limits)
    }

    fn read(header: &str, limits: &Limits) -> Answer<Self> {
        if header.len() > limits.meta {
            let detail = format!("Upload-Metadata may have at most {} bytes.", limits.meta);
            return Err(Fault::new(Code::TooLarge, detail));
        }
        let mut read = Self::default();
        let mut told = None;
        for pair in header.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once(' ').unwrap_or((pair, ""));
            let bytes = Base64::decode_vec(value.trim()).map_err(|_| {
                Fault::value("Upload-Metadata", format!("{}: is not Base64", shortened(name)))
            })?;
            let value = String::from_utf8(bytes)
                .map_err(|_| Fault::value("Upload-Metadata", format!("{}: is not UTF-8", shortened(name))))?;
            let limit = if name == "filename" || name == "name" { limits.file_name } else { limits.text };
            if value.len() > limit {
                return Err(Fault::value(&shortened(name), format!("is longer than {limit} bytes")));
            }
            read.take(name, value, &mut told)?;
        }
        if read.about.file_name.is_empty() {
            "document-1".clone_into(&mut read.about.file_name);
        }
        if !read.about.area.is_empty()
            && let Err(why) = read.about.area.parse::<Area>()
        {
            return Err(Fault::value("area", why));
        }
        read.about.media_type = media_type(told);
        header.clone_into(&mut read.about.as_sent);
        Ok(read)
    }

    fn take(&mut self, name: &str, value: String, told: &mut Option<String>) -> Answer<()> {
        let about = &mut self.about;
        match name {
            // Both are in use among clients.
            "filename" | "name" => about.file_name = value,
            "filetype" | "type" => *told = Some(value),
            "work_item" => about.work_item = value,
            "area" => about.area = value,
            "subject" => about.subject = value,
            "note" => about.note = value,
            "source" => {
                let source = value.parse().map_err(|error| Fault::value("source", format!("{error}")))?;
                self.source = Some(source);
            }
            "file_anyway" => {
                about.forced = match value.as_str() {
                    "true" => true,
                    "false" => false,
                    _ => return Err(Fault::value("file_anyway", "is true or false")),
                };
            }
            // What browsers' libraries send by themselves, and nobody asked for.
            "relativePath" | "lastModified" | "size" => {}
            unknown => {
                let name = shortened(unknown);
                let detail = format!("\"{name}\" is not known in Upload-Metadata; known are {KNOWN}.");
                let message = "not a name here".to_owned();
                let error = FieldError { field: Some(name), message, ..FieldError::default() };
                return Err(Problem::new(Code::UnknownField, detail).error(error).into());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(pairs: &[(&str, &str)]) -> String {
        let pairs: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{name} {}", Base64::encode_string(value.as_bytes())))
            .collect();
        pairs.join(",")
    }

    #[test]
    fn names_that_mean_nothing_are_refused() {
        let limits = Limits { file_name: 20, text: 15, meta: 400, ..Limits::default() };
        let long = "x".repeat(21);
        let table: Vec<(String, Result<(), &str>)> = vec![
            (String::new(), Ok(())),
            (
                header(&[("filename", "naïve.pdf"), ("filetype", "application/pdf"), ("work_item", "0007")]),
                Ok(()),
            ),
            (header(&[("relativePath", "null"), ("name", "a.pdf"), ("type", "")]), Ok(())),
            ("file_anyway".to_owned(), Err("bad_value")),
            (header(&[("workitem", "0007")]), Err("unknown_field")),
            (header(&[("filename", &long)]), Err("bad_value")),
            (header(&[("note", "more than fifteen bytes")]), Err("bad_value")),
            (header(&[("area", "nowhere")]), Err("bad_value")),
            (header(&[("source", "No Such")]), Err("bad_value")),
            ("filename ???".to_owned(), Err("bad_value")),
            ("filename /w==".to_owned(), Err("bad_value")),
            (header(&[("subject", "x")]).repeat(60), Err("too_large")),
        ];
        for (header, wanted) in table {
            let read = Metadata::read(&header, &limits);
            let got = read.as_ref().map(|_| ()).map_err(|fault| fault.problem().code.as_str());
            assert_eq!(got, wanted, "{header}");
            if let Ok(read) = &read {
                assert_eq!(read.about.as_sent, header);
            }
        }
        let read =
            Metadata::read(&header(&[("filename", "naïve.pdf"), ("filetype", "no type")]), &limits).unwrap();
        assert_eq!(
            (read.about.file_name.as_str(), read.about.media_type.as_str()),
            ("naïve.pdf", "application/octet-stream")
        );
    }
}
