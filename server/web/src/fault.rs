//! Every error answer: a problem body (RFC 9457), with the headers that belong to it. What only the log may know stays here.

use std::fmt;
use std::time::Duration;

use actix_web::error::{PathError, QueryPayloadError};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use postroom_api::problem::{Code, FieldError, MEDIA_TYPE, Problem};
use postroom_domain::decide::DecideError;
use postroom_domain::desk::DeskError;
use postroom_domain::ids::RoleName;
use postroom_domain::link::LinkError;
use postroom_domain::person::Permission;
use postroom_domain::reception::AssignError;
use postroom_domain::spool::SpoolError;
use postroom_domain::store::StoreError;
use postroom_domain::uploads::UploadError;

/// How long a client waits before it comes back to a busy server, in seconds.
const COME_BACK: u64 = 5;
/// How long it waits for room on the disk, in seconds.
const COME_BACK_FOR_ROOM: u64 = 60;

/// What handlers return.
pub(crate) type Answer<T = HttpResponse> = Result<T, Fault>;

/// An error on its way to the client.
#[derive(Debug, Clone)]
pub(crate) struct Fault(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    problem: Problem,
    retry_after: Option<u64>,
    allow: Option<String>,
    link: Option<String>,
    for_log: Option<String>,
}

impl Fault {
    /// A problem of a kind, with what went wrong this time.
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Problem::new(code, detail).into()
    }

    /// A value that is not accepted, by the name of its field, parameter or part.
    pub(crate) fn value(field: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        Problem::new(Code::BadValue, format!("{field}: {message}"))
            .error(FieldError { field: Some(field.to_owned()), message, ..FieldError::default() })
            .into()
    }

    pub(crate) fn not_found(what: impl fmt::Display) -> Self {
        Self::new(Code::NotFound, format!("There is no {what} here, or you may not see it."))
    }

    pub(crate) fn forbidden(roles: &[RoleName], permission: Permission) -> Self {
        let what = match permission {
            Permission::File => "hand in documents",
            Permission::SeeAll => "see all records",
            Permission::Decide => "decide over filings and intakes",
            Permission::Pause => "pause and resume",
            Permission::EditWorkItems => "change work items",
            Permission::ManagePersons => "look after persons",
            Permission::ManageLinks => "look after links",
            Permission::ReadAudit => "read the audit",
            Permission::Administer => "administer the server",
        };
        // A token may be narrower than its holder's roles, so these are not blamed alone.
        let detail = match roles {
            [role] => format!("The role {role}, or the scope of the token, may not {what}."),
            _ => format!("Your roles, or the scope of the token, may not {what}."),
        };
        Self::new(Code::Forbidden, detail)
    }

    pub(crate) fn internal(for_log: impl Into<String>) -> Self {
        Self::new(Code::Internal, "The request could not be carried out.").log(for_log)
    }

    pub(crate) fn too_many(detail: impl Into<String>, wait: Duration) -> Self {
        Self::new(Code::TooManyRequests, detail).after(wait.as_secs().max(1))
    }

    /// With the pause after which the client may come back, in seconds.
    #[must_use]
    pub(crate) fn after(mut self, seconds: u64) -> Self {
        self.0.retry_after = Some(seconds);
        self
    }

    /// With the methods that are allowed.
    #[must_use]
    pub(crate) fn allow(mut self, methods: String) -> Self {
        self.0.allow = Some(methods);
        self
    }

    /// With the address where it is instead.
    #[must_use]
    pub(crate) fn link(mut self, address: String) -> Self {
        self.0.link = Some(address);
        self
    }

    /// With better advice than the kind has.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.problem.hint = hint.into();
        self
    }

    /// With what only the log may know.
    #[must_use]
    pub(crate) fn log(mut self, for_log: impl Into<String>) -> Self {
        self.0.for_log = Some(for_log.into());
        self
    }

    /// With the name under which the log knows the request.
    pub(crate) fn trace(&mut self, trace_id: &str) {
        trace_id.clone_into(&mut self.0.problem.trace_id);
    }

    pub(crate) fn problem(&self) -> &Problem {
        &self.0.problem
    }

    pub(crate) fn for_log(&self) -> Option<&str> {
        self.0.for_log.as_deref()
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self(Box::new(Inner { problem, retry_after: None, allow: None, link: None, for_log: None }))
    }
}

impl From<Box<Problem>> for Fault {
    fn from(problem: Box<Problem>) -> Self {
        (*problem).into()
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { found } => {
                Self::new(Code::Changed, format!("Its version is {found} now."))
            }
            StoreError::KeyReused => Self::new(
                Code::KeyReused,
                "This Idempotency-Key came before with other content. Nothing was taken in this time.",
            ),
            StoreError::Exists(what) => Self::new(Code::Exists, format!("{what} exists already.")),
            StoreError::Busy => Self::new(Code::Busy, "Too many writes are waiting.").after(COME_BACK),
            StoreError::Closed => Self::new(Code::Stopping, "The store is closing.").after(COME_BACK),
            StoreError::Fatal(why) => {
                Self::new(Code::StoreFailed, "The store failed while it was asked.").log(why)
            }
            StoreError::Damaged(why) => Self::internal(format!("damaged record: {why}")),
        }
    }
}

impl From<SpoolError> for Fault {
    fn from(error: SpoolError) -> Self {
        match error {
            SpoolError::NoRoom { free, wanted } => Self::new(
                Code::NoRoom,
                format!("{free} bytes are free; {wanted} are kept in reserve so that the queue can drain."),
            )
            .after(COME_BACK_FOR_ROOM),
            SpoolError::Missing(hash) => {
                Self::new(Code::Internal, "The stored bytes are missing.").log(format!("no content {hash}"))
            }
            SpoolError::Damaged(hash) => Self::new(Code::Internal, "The stored bytes are damaged.")
                .log(format!("content {hash} is damaged")),
            SpoolError::Disk(why) => Self::new(Code::StoreFailed, "The disk for documents failed.").log(why),
        }
    }
}

impl From<UploadError> for Fault {
    fn from(error: UploadError) -> Self {
        let code = match error {
            UploadError::Store(error) => return error.into(),
            UploadError::Spool(error) => return error.into(),
            UploadError::NotFound => return Self::not_found("such upload"),
            UploadError::InUse => Code::InUse,
            UploadError::Offset { .. } => Code::WrongOffset,
            UploadError::TooMuch { .. } | UploadError::TooLarge { .. } => Code::TooLarge,
            UploadError::TooMany(_) => Code::TooManyUploads,
            UploadError::Refused(_) => Code::Released,
        };
        let fault = Self::new(code, sentence(&error.to_string()));
        match error {
            UploadError::Refused(_) => fault.hint("Begin the upload anew."),
            _ => fault,
        }
    }
}

impl From<DecideError> for Fault {
    fn from(error: DecideError) -> Self {
        match error {
            DecideError::NotFound(_) => Self::not_found("such filing"),
            DecideError::Stale(filing) => Self::new(
                Code::Changed,
                format!("It is {} now, version {}.", filing.progress.state, filing.progress.version),
            ),
            DecideError::NotAllowed(why) => Self::new(Code::NotAllowedNow, sentence(&why.to_string())),
            DecideError::ReasonMissing => Self::value("reason", "must not be blank for this"),
            DecideError::Unsure => Self::new(Code::NotAllowedNow, sentence(&error.to_string())),
            DecideError::Store(error) => error.into(),
        }
    }
}

impl From<AssignError> for Fault {
    fn from(error: AssignError) -> Self {
        match error {
            AssignError::NotFound(_) => Self::not_found("such intake"),
            AssignError::Stale { state, version } => {
                Self::new(Code::Changed, format!("It is {state} now, version {version}."))
            }
            AssignError::NotAllowed(_) => Self::new(Code::NotAllowedNow, sentence(&error.to_string())),
            AssignError::ReasonMissing => Self::value("reason", "must not be blank for this"),
            AssignError::WorkItemNeeded(_) => Self::new(Code::NotAllowedNow, sentence(&error.to_string()))
                .hint("Give it a place with POST /api/v1/intakes/{id}/assign; it is filed unread then. Or dismiss it."),
            AssignError::Nobody(_) => Self::value("person", error.to_string()),
            AssignError::NoPlace(needs) => Self::value("work_item", needs.text)
                .hint("Nothing was changed. Name another work item, or have this one put right."),
            AssignError::Store(error) => error.into(),
        }
    }
}

impl From<DeskError> for Fault {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::NotFound => Self::not_found("such person, session, token or link"),
            DeskError::Changed { version } => {
                Self::new(Code::Changed, format!("Its version is {version} now."))
            }
            DeskError::NotAllowed(permission) => Self::forbidden(&[], permission),
            DeskError::Beyond(why) => Self::new(Code::Forbidden, sentence(&why))
                .hint("Nobody gives, or rules over, more than they may themselves."),
            DeskError::Bad { field, message } => Self::value(field, message),
            DeskError::LastAdministrator => {
                Self::new(Code::NotAllowedNow, "This is the last active person who may administer.")
                    .hint("Make somebody else an administrator first.")
            }
            DeskError::EmailTaken => {
                Self::new(Code::Exists, "Another person has this e-mail, or had it when they were added.")
            }
            DeskError::WrongPassword => Self::value("old", "is not right, or there is no password yet"),
            DeskError::NotActive => Self::new(Code::NotAllowedNow, "The person is not active."),
            DeskError::NotMadeHere(_) => Self::new(Code::NotAllowedNow, sentence(&error.to_string()))
                .hint("`create` of [destinations.accounts] is \"never\"; an administrator changes that."),
            DeskError::Link(LinkError::Changed) => Self::new(Code::Changed, "The link changed meanwhile."),
            DeskError::Link(LinkError::NotFound) => Self::not_found("such link"),
            DeskError::Link(LinkError::Store(error)) | DeskError::Store(error) => error.into(),
            DeskError::Link(error @ (LinkError::NotOffered(_) | LinkError::Taken { .. })) => {
                Self::new(Code::NotAllowedNow, sentence(&error.to_string()))
            }
            DeskError::Seal(error) => Self::internal(error.to_string()),
        }
    }
}

impl From<PathError> for Fault {
    fn from(error: PathError) -> Self {
        Self::new(Code::BadValue, format!("The address cannot be read: {error}."))
    }
}

impl From<QueryPayloadError> for Fault {
    fn from(error: QueryPayloadError) -> Self {
        let text = match &error {
            QueryPayloadError::Deserialize(why) => why.to_string(),
            other => other.to_string(),
        };
        let unknown = text.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next());
        match unknown {
            Some(field) => {
                let field: String = field.chars().take(80).collect();
                let known = text.split_once("expected ").map_or("", |(_, known)| known).replace('`', "");
                Problem::new(Code::UnknownField, format!("\"{field}\" is not a parameter here: {known}."))
                    .error(FieldError {
                        field: Some(field),
                        message: "not a parameter here".to_owned(),
                        ..FieldError::default()
                    })
                    .into()
            }
            None => Self::new(Code::BadValue, format!("A parameter of the address is wrong: {text}.")),
        }
    }
}

/// A message of the domain as a sentence.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    first + letters.as_str() + "."
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.problem.fmt(f)
    }
}

impl ResponseError for Fault {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status_code());
        answer.insert_header((header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE)));
        if let Some(seconds) = self.0.retry_after {
            answer.insert_header((header::RETRY_AFTER, seconds));
        }
        if let Some(methods) = &self.0.allow {
            answer.insert_header((header::ALLOW, methods.as_str()));
        }
        // An address that no header can hold is left out; it stands in the text.
        if let Some(link) = self.0.link.as_ref().filter(|link| !link.contains(['<', '>', '"']))
            && let Ok(value) = HeaderValue::from_str(&format!("<{link}>; rel=\"alternate\""))
        {
            answer.insert_header((header::LINK, value));
        }
        if self.status_code() == StatusCode::UNAUTHORIZED {
            answer.insert_header((header::WWW_AUTHENTICATE, "Bearer realm=\"postroom\""));
        }
        answer.insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
        answer.insert_header((header::CACHE_CONTROL, "no-store"));
        if !self.0.problem.trace_id.is_empty() {
            answer.insert_header(("x-request-id", self.0.problem.trace_id.as_str()));
        }
        answer.body(serde_json::to_vec(&self.0.problem).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use postroom_domain::ids::BlobHash;

    use super::*;

    /// What went wrong behind the door: code, Retry-After, and that its text stays behind it.
    #[test]
    fn what_fails_inside_is_told_without_its_text() {
        let hash = BlobHash::new([1; 32]);
        let secret = || "pread /srv/secret: EIO".to_owned();
        let table: Vec<(Fault, u16, &str, Option<u64>)> = vec![
            (StoreError::Conflict { found: 3 }.into(), 412, "changed", None),
            (StoreError::KeyReused.into(), 409, "key_reused", None),
            (StoreError::Exists("0007".into()).into(), 409, "exists", None),
            (StoreError::Busy.into(), 503, "busy", Some(5)),
            (StoreError::Closed.into(), 503, "stopping", Some(5)),
            (StoreError::Fatal(secret()).into(), 500, "store_failed", None),
            (StoreError::Damaged(secret()).into(), 500, "internal", None),
            (SpoolError::NoRoom { free: 1, wanted: 2 }.into(), 503, "no_room", Some(60)),
            (SpoolError::Missing(hash).into(), 500, "internal", None),
            (SpoolError::Damaged(hash).into(), 500, "internal", None),
            (SpoolError::Disk(secret()).into(), 500, "store_failed", None),
        ];
        for (fault, status, code, retry_after) in table {
            let Inner { problem, retry_after: wait, .. } = fault.0.as_ref();
            assert_eq!((problem.status, problem.code.as_str(), *wait), (status, code, retry_after));
            assert!(!problem.to_string().contains("secret"), "{problem}");
            if code == "store_failed" {
                assert!(problem.hint.contains("same Idempotency-Key"), "{problem}");
                assert_eq!(fault.for_log(), Some(secret().as_str()));
            }
        }
    }
}
