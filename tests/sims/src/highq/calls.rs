//! What HighQ answers.

use serde_json::{Value, json};

use super::serve::HighQ;
use crate::common::answer::Answer;
use crate::common::authorize;
use crate::common::core::{Call, Core, Serve};
use crate::common::request::Credentials;
use crate::common::token::{self, Refusal};

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
