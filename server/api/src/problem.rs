//! The body of every error answer: RFC 9457, `application/problem+json`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Something wrong at one place of what was sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// The field, parameter or part, where it has a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Where it begins: characters from the start of the field or parameter, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<usize>,
    /// How many characters it covers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// What was probably meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
}

/// An error answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// A name of the kind of problem: `urn:postroom:problem:` and the code.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// The kind in words; the same for each problem of the kind.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What went wrong this time, in plain words.
    #[serde(default)]
    pub detail: String,
    /// Stable name of the kind, for programs.
    #[serde(default)]
    pub code: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hint: String,
    /// Finds this request in the server's log.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub trace_id: String,
    /// Each single mistake, where there may be several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

macro_rules! codes {
    ($($code:ident $name:literal $status:literal $title:literal $hint:literal;)*) => {
        /// The kinds of problem.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code {
            $(#[doc = concat!($title, " (", stringify!($status), ").")] $code),*
        }

        impl Code {
            /// All kinds.
            pub const ALL: &[Self] = &[$(Self::$code),*];

            /// Its stable name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$code => $name),* }
            }

            /// Its HTTP status.
            pub const fn status(self) -> u16 {
                match self { $(Self::$code => $status),* }
            }

            /// The kind in words.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$code => $title),* }
            }

            /// What to do about it, when nothing better is known.
            pub const fn hint(self) -> &'static str {
                match self { $(Self::$code => $hint),* }
            }
        }
    };
}

#[rustfmt::skip]
codes! {
    BadBody         "bad_body"          400 "The body cannot be read"                    "";
    UnknownField    "unknown_field"     400 "A field is not known"                       "Fields that are not known are refused, so that a misspelt one is not ignored.";
    BadValue        "bad_value"         400 "A value is not accepted"                    "";
    BadFilter       "bad_filter"        400 "The filter cannot be read"                  "Example: state:failed dest:dms-eu age>2h \"share purchase\"";
    BadCursor       "bad_cursor"        400 "The cursor is not one of ours"              "Pass the `next` of the page before, unchanged.";
    BadUpload       "bad_upload"        400 "The upload is incomplete or malformed"      "Nothing was taken in. Send it again, whole.";
    EmptyDocument   "empty_document"    400 "A document has no bytes"                    "Nothing was taken in.";
    Unauthorized    "unauthorized"      401 "A valid token is needed"                    "Send `Authorization: Bearer …` with a token that is still valid.";
    Forbidden       "forbidden"         403 "The role does not allow this"               "Ask an administrator for the role that does.";
    LinkNeeded      "link_needed"       403 "No account may be used for this"             "Link your own account.";
    NotFound        "not_found"         404 "Not found"                                  "";
    MethodNotAllowed "method_not_allowed" 405 "The method is not allowed here"           "";
    Stalled         "stalled"           408 "The upload stood still for too long"        "Nothing was taken in. Send it again with the same Idempotency-Key.";
    NotAllowedNow   "not_allowed_now"   409 "The present state does not allow this"      "Read it again: it may have moved on by itself.";
    KeyReused       "key_reused"        409 "The idempotency key was used with other content" "Use a new key for a new request.";
    Exists          "exists"            409 "It exists already"                          "";
    Released        "released"          410 "Its source was given up for a link"         "Open the document in the DMS.";
    Changed         "changed"           412 "It changed meanwhile"                       "Read it again, look whether you still want this, and send the new version in If-Match.";
    TooLarge        "too_large"         413 "Larger than this server takes"              "";
    TooManyParts    "too_many_parts"    413 "More parts than this server takes"          "";
    WrongMediaType  "wrong_media_type"  415 "This media type is not taken here"          "";
    NotDrawable     "not_drawable"      422 "There is no picture of it"                  "The bytes as they came: GET /api/v1/intakes/{id}/original";
    VersionNeeded   "version_needed"    428 "The version is needed"                      "Send the ETag that you read in If-Match, so that nobody's change is overwritten.";
    TooManyRequests "too_many_requests" 429 "Too many requests"                          "Wait as long as Retry-After says.";
    Internal        "internal"          500 "Postroom made a mistake"                    "Tell the administrator the trace_id.";
    Busy            "busy"              503 "The server is busy"                         "Wait as long as Retry-After says and send it again with the same Idempotency-Key.";
    Stopping        "stopping"          503 "The server is stopping"                     "Send it again with the same Idempotency-Key when the server is back.";
    StoreFailed     "store_failed"      500 "The store takes no writes"                  "What was sent may or may not be stored. Send it again with the same Idempotency-Key after the restart.";
    NotOffered      "not_offered"       501 "This DMS has nothing of the kind"            "GET /api/v1/destinations tells what each destination offers.";
    DmsFailed       "dms_failed"        502 "The DMS cannot be used now"                  "Try again later. What is to be filed waits by itself; the page of destinations tells how the DMS is doing.";
    DmsBusy         "dms_busy"          503 "The DMS asks to wait"                        "Wait as long as Retry-After says.";
    DmsSlow         "dms_slow"          504 "The DMS took too long"                       "Ask for less: more words, or one folder. If it stays so, tell the team that runs the DMS.";
    NoRoom          "no_room"           503 "The server's disk has too little room"      "Nothing was taken in. Free some space, or wait until the queue has drained.";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Problem {
    /// A problem of a kind, with what went wrong this time.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:postroom:problem:{code}"),
            title: code.title().to_owned(),
            status: code.status(),
            detail: detail.into(),
            code: code.as_str().to_owned(),
            hint: code.hint().to_owned(),
            trace_id: String::new(),
            errors: Vec::new(),
        }
    }

    /// With better advice than the kind has.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// With a single mistake.
    #[must_use]
    pub fn error(mut self, error: FieldError) -> Self {
        self.errors.push(error);
        self
    }

    /// Whether it is of this kind.
    pub fn is(&self, code: Code) -> bool {
        self.code == code.as_str()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.detail.is_empty() { &self.title } else { &self.detail })?;
        if !self.hint.is_empty() {
            write!(f, " {}", self.hint)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}
