//! What the header fields of a part say about it (RFC 2045, 2183), in small letters where letters do not count.

use mail_parser::HeaderName;

use super::fields::Fields;
use super::transfer::Encoding;

/// What a part is in the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Shape {
    #[default]
    Leaf,
    Multipart,
    Message,
}

/// How a part wants to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Disposition {
    #[default]
    Unsaid,
    Inline,
    Attachment,
}

/// What a part says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Told {
    main: String,
    sub: String,
    pub(super) shape: Shape,
    pub(super) boundary: Option<String>,
    pub(super) charset: Option<String>,
    /// The file name as it came, decoded.
    pub(super) name: Option<String>,
    pub(super) disposition: Disposition,
    pub(super) encoding: Encoding,
    pub(super) content_id: Option<String>,
    pub(super) location: Option<String>,
    /// `report-type` and `smime-type`.
    pub(super) report: String,
    pub(super) smime: String,
}

impl Told {
    /// Reads them; in a digest, what says nothing is a message.
    pub(super) fn read(fields: &Fields<'_>, digest: bool) -> Self {
        let kind = fields.first(&HeaderName::ContentType).and_then(|it| it.as_content_type());
        let how = fields.first(&HeaderName::ContentDisposition).and_then(|it| it.as_content_type());
        let kind_text = |name| kind.and_then(|it| it.attribute(name)).map(str::to_owned);
        let small = |name| kind_text(name).unwrap_or_default().trim().to_ascii_lowercase();
        let (main, sub) = match kind {
            Some(kind) => (
                kind.ctype().trim().to_ascii_lowercase(),
                kind.subtype().unwrap_or_default().trim().to_ascii_lowercase(),
            ),
            None if digest => ("message".to_owned(), "rfc822".to_owned()),
            None => ("text".to_owned(), "plain".to_owned()),
        };
        let shape = match (main.as_str(), sub.as_str()) {
            ("multipart", _) => Shape::Multipart,
            ("message", "rfc822" | "global") => Shape::Message,
            _ => Shape::Leaf,
        };
        let disposition = match how.map(|how| how.ctype().trim().to_ascii_lowercase()) {
            Some(how) if how == "inline" => Disposition::Inline,
            Some(how) if how == "attachment" => Disposition::Attachment,
            // RFC 2183, section 2.8: what nobody knows is an attachment.
            Some(how) if !how.is_empty() => Disposition::Attachment,
            _ => Disposition::Unsaid,
        };
        let name = how.and_then(|it| it.attribute("filename")).map(str::to_owned);
        let text = |name: &HeaderName<'_>| fields.text(name).filter(|text| !text.is_empty());
        Self {
            shape,
            boundary: kind_text("boundary").map(|it| it.trim_end().to_owned()).filter(|it| !it.is_empty()),
            charset: kind_text("charset").map(|it| it.trim().to_owned()).filter(|it| !it.is_empty()),
            name: name.or_else(|| kind_text("name")).filter(|name| !name.trim().is_empty()),
            disposition,
            encoding: text(&HeaderName::ContentTransferEncoding)
                .map_or(Encoding::Plain, |it| Encoding::named(&it)),
            content_id: text(&HeaderName::ContentId).map(|it| bare(&it)).filter(|it| !it.is_empty()),
            location: text(&HeaderName::ContentLocation),
            report: small("report-type"),
            smime: small("smime-type"),
            main,
            sub,
        }
    }

    pub(super) fn is(&self, main: &str, sub: &str) -> bool {
        self.main == main && self.sub == sub
    }

    pub(super) fn is_multipart(&self, sub: &str) -> bool {
        self.shape == Shape::Multipart && self.sub == sub
    }

    /// A text that is read, not kept: without a type, plain or HTML.
    pub(super) fn is_text(&self) -> bool {
        self.main.is_empty() || self.is("text", "plain") || self.is_html() || self.is("text", "")
    }

    pub(super) fn is_html(&self) -> bool {
        self.is("text", "html")
    }

    pub(super) fn is_picture(&self) -> bool {
        self.main == "image"
    }

    /// A part for machines of a report of this type, or the multipart that says so.
    pub(super) fn is_report(&self, what: &str) -> bool {
        (self.is_multipart("report") && self.report == what)
            || (self.main == "message" && self.sub.trim_start_matches("global-") == what)
    }

    /// `type/subtype`; for what says none, that of bytes.
    pub(super) fn media_type(&self) -> String {
        if self.main.is_empty() || self.sub.is_empty() || self.shape == Shape::Multipart {
            return "application/octet-stream".to_owned();
        }
        format!("{}/{}", self.main, self.sub)
    }
}

/// A Content-ID without its brackets.
fn bare(id: &str) -> String {
    id.trim().trim_start_matches('<').trim_end_matches('>').to_owned()
}
