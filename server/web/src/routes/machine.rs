//! The vault's keys, and the report of what will not work.

use actix_web::{HttpResponse, get, post, web};
use postroom_api::capability::{Capabilities, CapabilityList, FindingView};
use postroom_api::keys::{KeysView, RotateBody};
use postroom_api::problem::{Code, Problem};
use postroom_domain::keys::{Keys, Rotate, RotateError};
use secrecy::SecretString;

use super::asked::Asked;
use crate::app::Shared;
use crate::auth::{Administer, Allowed};
use crate::body::Json;
use crate::fault::{Answer, Fault};

fn keys(app: &Shared) -> Answer<&dyn Keys> {
    app.identity.keys.as_deref().ok_or_else(|| Fault::not_found("vault"))
}

/// Which keys there are, and how far a change of them is. No key is shown, only numbers and names.
#[utoipa::path(tag = "machine", operation_id = "show_keys", security(("token" = [])), responses(
    (status = 200, description = "The keys.", body = KeysView),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/keys")]
pub(crate) async fn show_keys(_: Allowed<Administer>, app: web::Data<Shared>) -> Answer {
    Ok(HttpResponse::Ok().json(KeysView::from(keys(&app)?.status())))
}

/// Begins a change of keys. Only through the socket in the data folder: the new secrets never cross a network.
#[utoipa::path(tag = "machine", operation_id = "rotate_keys", security(("token" = [])), request_body = RotateBody, responses(
    (status = 202, description = "The change has begun; a new master key is in force.", body = KeysView),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/keys/rotate")]
pub(crate) async fn rotate_keys(
    caller: Allowed<Administer>,
    Json(body): Json<RotateBody>,
    app: web::Data<Shared>,
) -> Answer {
    if !caller.is_local() {
        return Err(Fault::new(Code::Forbidden, "Keys are changed on the machine itself only.")
            .hint("Run `postroom keys rotate` where the server runs."));
    }
    if !body.data && body.master.is_none() {
        return Err(Fault::new(Code::BadValue, "The request changes no key.")
            .hint("Ask for a new data key, a new master key, or both."));
    }
    let keys = keys(&app)?;
    let master = body
        .master
        .map(|it| (SecretString::from(it.passphrase.expose()), SecretString::from(it.private_key.expose())));
    let status = keys.rotate(Rotate { data: body.data, master }).await.map_err(|error| match error {
        RotateError::UnderWay => Fault::new(Code::NotAllowedNow, "The keys are being changed already.")
            .hint("GET /api/v1/keys tells how far that is."),
        RotateError::Unusable(why) => Fault::value("master", why),
        RotateError::Disk(why) => {
            Fault::new(Code::StoreFailed, "The keyring could not be written. The keys are as before.")
                .hint("Look at the disk of the data folder, then ask again.")
                .log(why)
        }
    })?;
    // Whoever changes the keys writes it to the history, in one order with the keyring.
    Ok(HttpResponse::Accepted().json(KeysView::from(status)))
}

/// What will not work, why, and who can mend it.
#[utoipa::path(tag = "machine", operation_id = "capabilities", security(("token" = [])), params(CapabilityList), responses(
    (status = 200, description = "The report.", body = Capabilities),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/capabilities")]
pub(crate) async fn capabilities(
    _: Allowed<Administer>,
    Asked(asked): Asked<CapabilityList>,
    app: web::Data<Shared>,
) -> Answer {
    let diagnosis = app.identity.diagnosis.as_ref().ok_or_else(|| Fault::not_found("report"))?;
    let items = diagnosis.findings(asked.live).await.into_iter().map(FindingView::from).collect();
    Ok(HttpResponse::Ok().json(Capabilities { items }))
}
