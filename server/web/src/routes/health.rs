//! Health, readiness, metrics and the description.

use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpResponse, get, web};
use postroom_api::health::{Check, Health, Ready};
use postroom_api::problem::Problem;

use crate::app::Shared;
use crate::auth::{Administer, Allowed};
use crate::fault::Answer;

/// How long a proof holds.
const FRESH: Duration = Duration::from_secs(1);
/// A proof that takes longer than this does not count.
const PATIENCE: Duration = Duration::from_secs(5);

/// Alive.
#[utoipa::path(tag = "machine", operation_id = "health", responses((status = 200, description = "Alive.", body = Health)))]
#[get("/healthz")]
pub(crate) async fn healthz(app: web::Data<Shared>) -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "ok".to_owned(), version: app.version.clone() })
}

/// Ready: writes something and tells how long that took.
#[utoipa::path(tag = "machine", operation_id = "ready", responses(
    (status = 200, description = "Ready to take documents in.", body = Ready),
    (status = 503, description = "Not ready, and why.", body = Ready),
))]
#[get("/readyz")]
pub(crate) async fn readyz(app: web::Data<Shared>) -> HttpResponse {
    let checks = vec![store(&app).await, spool(&app)];
    let ready = checks.iter().all(|check| check.ok) && !*app.stopping.borrow();
    let mut answer = if ready { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    answer.json(Ready { ready, checks })
}

async fn store(app: &Shared) -> Check {
    let name = "store".to_owned();
    // The text of a failure stays in the log: this route is open.
    if let Some(why) = app.store.failed() {
        tracing::error!(error = why, "the store has failed");
        return Check { name, ok: false, detail: "takes no more writes".to_owned(), millis: None };
    }
    let mut last = app.proof.lock().await;
    let now = app.clock.monotonic();
    if let Some((at, check)) = last.as_ref()
        && now.saturating_sub(*at) < FRESH
    {
        return check.clone();
    }
    let check = prove(app, name).await;
    *last = Some((now, check.clone()));
    check
}

async fn prove(app: &Shared, name: String) -> Check {
    match tokio::time::timeout(PATIENCE, app.store.prove()).await {
        Ok(Ok(took)) => {
            let millis = u64::try_from(took.as_millis()).ok();
            Check { name, ok: true, detail: "a write is durable".to_owned(), millis }
        }
        Ok(Err(error)) => {
            tracing::warn!(error = %error, "the store did not prove a write");
            Check { name, ok: false, detail: "did not take a write".to_owned(), millis: None }
        }
        Err(_) => {
            let detail = format!("did not take a write within {} s", PATIENCE.as_secs());
            Check { name, ok: false, detail, millis: None }
        }
    }
}

fn spool(app: &Shared) -> Check {
    let name = "spool".to_owned();
    if let Some(why) = app.spool.failed() {
        tracing::error!(error = why, "the spool has failed");
        return Check { name, ok: false, detail: "the disk for documents failed".to_owned(), millis: None };
    }
    match app.spool.door(0) {
        Ok(()) => Check { name, ok: true, detail: "has room".to_owned(), millis: None },
        Err(error) => Check { name, ok: false, detail: error.to_string(), millis: None },
    }
}

/// Metrics in Prometheus's text format.
#[utoipa::path(tag = "machine", operation_id = "metrics", security(("token" = [])), responses(
    (status = 200, description = "The metrics.", body = String, content_type = "text/plain"),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/metrics")]
pub(crate) async fn metrics_text(app: web::Data<Shared>, _: Allowed<Administer>) -> Answer {
    #[expect(clippy::cast_precision_loss, reason = "requests under way are few")]
    metrics::gauge!("postroom_http_open_requests").set(app.open.load(Ordering::Relaxed) as f64);
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"))
        .body((app.metrics)()))
}

/// This description.
#[utoipa::path(tag = "machine", operation_id = "openapi", responses(
    (status = 200, description = "OpenAPI 3.1.", body = Object),
))]
#[get("/api/openapi.json")]
pub(crate) async fn description(app: web::Data<Shared>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(app.openapi.clone())
}
