//! Word from Microsoft Graph that something is new in a mailbox, and from HighQ that something is new in a site. Whoever sends the right
//! secret wakes what looks there, and that is all that happens. Graph has no token, so each entry carries a secret: the answer leaves at
//! once, and tells nobody whether it was right. HighQ sends one token for all it says, and without it nothing is read.

use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, post, web};
use bytes::BytesMut;
use postroom_api::notification::{GraphNotification, GraphNotifications, HighqNotification};
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
    let bytes = whole(payload).await?;
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

/// Takes what workflows of HighQ say: a document was added, a version uploaded, a record changed. It comes with the token of
/// `[[highq_webhooks]]`; what it says is believed in nothing but that something may be new in a site.
#[utoipa::path(tag = "machine", operation_id = "highq_notifications", request_body = HighqNotification, responses(
    (status = 202, description = "Heard."),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/notifications/highq")]
pub(crate) async fn highq_notifications(
    request: HttpRequest,
    payload: web::Payload,
    app: web::Data<Shared>,
) -> Answer {
    let given = request.headers().get(header::AUTHORIZATION).and_then(|it| it.to_str().ok());
    let token =
        given.and_then(|it| it.split_once(' ')).filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer"));
    let service = token.and_then(|(_, token)| app.control.teller_of_news(&token.trim().to_owned().into()));
    let Some(service) = service else {
        metrics::counter!("postroom_site_notices_total", "known" => "no").increment(1);
        return Err(Fault::new(Code::Unauthorized, "No webhook of HighQ has this token."));
    };
    let unreadable = || Fault::new(Code::BadBody, "The body is no notification of HighQ.");
    let body = serde_json::from_slice(&whole(payload).await?).map_err(|_| unreadable())?;
    let heard = HighqNotification::all(body).ok_or_else(unreadable)?;
    metrics::counter!("postroom_site_notices_total", "known" => "yes").increment(heard.len() as u64);
    let named: Option<Vec<String>> = heard.into_iter().take(MOST).map(|it| it.site_id).collect();
    match named {
        Some(sites) if sites.is_empty() => {}
        Some(sites) => app.control.news(&service, &sites),
        // One that names no site may be of any.
        None => app.control.news(&service, &[]),
    }
    Ok(HttpResponse::Accepted().finish())
}

/// The body, within bounds.
async fn whole(payload: web::Payload) -> Result<BytesMut, Fault> {
    let mut body = Body::new(payload, LARGEST, PATIENCE, PATIENCE);
    let mut bytes = BytesMut::new();
    while let Some(piece) = body.piece().await.map_err(fault)? {
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
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
