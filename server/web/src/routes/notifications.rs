//! Word from Microsoft Graph that something is new in a mailbox. It has no token: whoever sends the secret of a mailbox wakes it, and that
//! is all that happens. The answer leaves at once, and tells nobody whether a secret was right.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, post, web};
use bytes::BytesMut;
use postroom_api::notification::{GraphNotification, GraphNotifications};
use postroom_api::problem::{Code, Problem};
use postroom_domain::mailbox::{MailNotice, NoticeKind};
use serde::Deserialize;

use crate::app::Shared;
use crate::body::{Body, BodyError};
use crate::fault::{Answer, Fault};

/// The largest body, in bytes.
const LARGEST: u64 = 1 << 20;
/// How long it may take: who tells waits three seconds for the answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// Entries that are looked at; one tells as much as a thousand.
const MOST: usize = 1000;
/// The longest token that is given back, in bytes.
const LONGEST_TOKEN: usize = 4096;

/// What stands in the address.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// Sent before a subscription is made: it is given back as it is, decoded.
    #[serde(rename = "validationToken")]
    validation_token: Option<String>,
}

/// Takes change notifications of Microsoft Graph, and proves that this address takes them. For Microsoft alone: each entry carries a
/// secret.
#[utoipa::path(tag = "machine", operation_id = "graph_notifications", params(Asked), request_body = GraphNotifications, responses(
    (status = 200, description = "The validation token.", body = String, content_type = "text/plain"),
    (status = 202, description = "Heard."),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/notifications/graph")]
pub(crate) async fn graph_notifications(
    request: HttpRequest,
    payload: web::Payload,
    app: web::Data<Shared>,
) -> Answer {
    let asked = web::Query::<Asked>::from_query(request.query_string()).ok();
    if let Some(token) = asked.and_then(|it| it.into_inner().validation_token) {
        if token.len() > LONGEST_TOKEN {
            return Err(Fault::new(Code::TooLarge, "The validation token is too long."));
        }
        return Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(token));
    }
    let mut body = Body::new(payload, LARGEST, PATIENCE, PATIENCE);
    let mut bytes = BytesMut::new();
    while let Some(piece) = body.piece().await.map_err(fault)? {
        bytes.extend_from_slice(&piece);
    }
    let unreadable = |_| Fault::new(Code::BadBody, "The body is no list of notifications.");
    let notifications: GraphNotifications = serde_json::from_slice(&bytes).map_err(unreadable)?;
    let (mut heard, mut strange) = (0_u64, 0_u64);
    for one in notifications.entries().take(MOST) {
        match notice(one) {
            Some(notice) if app.control.mail_notice(&notice) => heard += 1,
            Some(_) => strange += 1,
            // Something new: what it is for nobody knows.
            None => {}
        }
    }
    metrics::counter!("postroom_mail_notices_total", "known" => "yes").increment(heard);
    metrics::counter!("postroom_mail_notices_total", "known" => "no").increment(strange);
    if strange > 0 {
        tracing::debug!(
            notices.heard = heard,
            notices.strange = strange,
            "notices came that are for no mailbox here"
        );
    }
    Ok(HttpResponse::Accepted().finish())
}

fn notice(one: GraphNotification) -> Option<MailNotice> {
    let kind = match one.lifecycle_event.as_deref() {
        None | Some("missed") => NoticeKind::Look,
        Some("reauthorizationRequired") => NoticeKind::Renew,
        Some("subscriptionRemoved") => NoticeKind::Ended,
        Some(_) => return None,
    };
    Some(MailNotice { subscription: one.subscription_id, secret: one.client_state.into(), kind })
}

fn fault(error: BodyError) -> Fault {
    match error {
        BodyError::Truncated => Fault::new(Code::BadBody, "The body ended before it was complete."),
        BodyError::Malformed(what) => Fault::new(Code::BadBody, what),
        other => other.into(),
    }
}
