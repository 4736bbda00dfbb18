//! What HighQ answers.

use serde_json::{Value, json};

use super::serve::HighQ;
use crate::common::answer::Answer;
use crate::common::authorize;
use crate::common::core::{Call, Core, Serve};
use crate::common::request::Credentials;
use crate::common::token::{self, Refusal};
use crate::common::xml::element;

/// `GET {base}/authorize.action`.
pub(super) fn authorize(core: &Core<HighQ>, call: &Call<'_, HighQ>) -> Answer {
    let policy = HighQ::policy(call.switches);
    match authorize::begin(core, call.request, policy, call.switches.approve_as.as_deref(), true) {
        Err(answer) => answer,
        Ok(request) => authorize::authorize(core, request, call.request, call.flaws, policy),
    }
}

/// `POST {base}/api/oauth2/token`.
pub(super) fn token(core: &Core<HighQ>, call: &Call<'_, HighQ>) -> Answer {
    match token::count(core, call, exchange(core, call)) {
        Ok(body) => Answer::tokens(200, &body),
        Err(refusal) => refusal.answer(call.switches.token_error),
    }
}

fn exchange(core: &Core<HighQ>, call: &Call<'_, HighQ>) -> Result<Value, Refusal> {
    let (form, switches) = (&call.request.form, call.switches);
    // form fields only
    let given = form.get("client_id").map(|id| Credentials {
        id: id.to_owned(),
        secret: form.get("client_secret").map(str::to_owned),
        basic: false,
    });
    let app = token::client(core, given)?;
    let granted = match form.get("grant_type") {
        Some("authorization_code") => token::by_code(core, call, &app, false)?,
        Some("refresh_token") => token::by_refresh(core, call, &app)?,
        _ => return Err(Refusal::new(400, "unsupported_grant_type", "The grant type is not supported")),
    };
    let number = |n: i64| token::number(n, switches.numbers_as_text);
    let access = core.bank().access(granted.id, call.now);
    let mut body = json!({
        "access_token": access,
        "token_type": "bearer",
        "expires_in": number(i64::from(switches.access_seconds)),
    });
    let refresh =
        token::refresh_token(core, &granted, switches.refresh_tokens, switches.rotate_refresh, call.now);
    if let Some(refresh) = refresh {
        body["refresh_token"] = refresh;
        body["refresh_token_expires_in"] = number(i64::from(switches.refresh_days) * 86_400);
    }
    if switches.user_email {
        let email = core.world().find(&granted.grant.person).map(|p| p.email.clone());
        body["useremail"] = json!(email);
    }
    Ok(body)
}

/// `GET {base}/api/{version}/sites`: one site, as a probe of the token.
pub(super) fn sites(core: &Core<HighQ>, call: &Call<'_, HighQ>) -> Answer {
    let limits = HighQ::limits(call.switches);
    let grant = call.request.bearer().and_then(|text| core.bank().check(text, call.now, &limits));
    let person = grant.and_then(|grant| core.world().find(&grant.person).cloned());
    if person.is_none_or(|p| p.disabled) {
        return show(call, 401, "error", &json!({ "summary": "Unauthorised", "link": null }));
    }
    // a list of one is a bare object in JSON
    let site = json!({
        "id": "12", "sitename": "Project Falcon", "status": "Active", "clientno": "C-100", "matterno": "M-17",
        // whoever asks: this is not who one is
        "siteowner": { "userid": "1807", "firstname": "Work", "lastname": "Admin", "email": "w.admin@firm.example" },
    });
    show(call, 200, "sites", &json!({ "site": site }))
}

fn show(call: &Call<'_, HighQ>, status: u16, root: &str, body: &Value) -> Answer {
    if call.request.wants_json() {
        Answer::json(status, body)
    } else {
        Answer::new(status, "application/xml", element(root, body))
    }
}
