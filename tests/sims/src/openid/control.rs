//! Control that only a provider has: its keys, and tokens without a sign-in.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::claims::{self, About};
use super::flaws::Flaw;
use super::keys::OpenId;
use super::serve::issuer;
use super::{ADDIN_APP, Control, ENTRA_APP};
use crate::common::bank::Grant;
use crate::common::control_http::parse;
use crate::common::core::Core;

/// An access token of the tenant, as nested app authentication in Office gives it to an add-in for its own server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mint {
    /// Id or e-mail.
    pub person: String,
    /// Client id of the server it is for (`aud`).
    pub audience: String,
    /// What it allows there (`scp`), separated by spaces; empty leaves the claim out.
    pub scope: String,
    /// Client id of the add-in (`azp`).
    pub azp: String,
    /// For a program instead of a person: `roles` instead of `scp`.
    pub app_only: bool,
    /// What is wrong with it.
    pub flaws: Vec<Flaw>,
}

impl Default for Mint {
    fn default() -> Self {
        Self {
            person: "m.patel@firm.example".into(),
            audience: ENTRA_APP.into(),
            scope: "Filing.ReadWrite".into(),
            azp: ADDIN_APP.into(),
            app_only: false,
            flaws: Vec::new(),
        }
    }
}

impl Control {
    /// Sign with new keys from now on; the ones before stay published, older ones go.
    pub fn rotate_keys(&self) {
        self.core.world().vendor.rotate();
    }

    /// Publish only the keys that sign now.
    pub fn retire_keys(&self) {
        self.core.world().vendor.retire();
    }

    /// An access token of the tenant for somebody; none if there is nobody of that name.
    pub fn mint(&self, mint: &Mint) -> Option<String> {
        let core = &self.core;
        let (switches, now) = (core.switches(), core.now());
        let world = core.world();
        let person = world.find(&mint.person)?.clone();
        let mut bank = core.bank();
        let (issuer, id) = (issuer(core, &switches, true), bank.random());
        let scope: Vec<String> = mint.scope.split(' ').map(str::to_owned).collect();
        let about =
            About { person: &person, client: &mint.azp, scope: &scope, issuer: &issuer, tenant: true, now };
        let mut claims = claims::access(&about, &switches, &mint.audience, &mint.scope, &id);
        if let Some(claims) = claims.as_object_mut()
            && (mint.app_only || mint.scope.is_empty())
        {
            claims.remove("scp");
        }
        if mint.app_only {
            claims["roles"] = json!(["Filing.All"]);
            claims["idtyp"] = json!("app");
        }
        claims::spoil(&mut claims, &mint.flaws, &core.base);
        let text = world.vendor.sign(&claims, switches.algorithm, &mint.flaws, None);
        let more = json!({ "tenant": true });
        let grant = bank.grant(Grant { person: person.id.clone(), client: mint.azp.clone(), scope, more });
        bank.keep_access(grant, &text, now);
        Some(text)
    }
}

/// Control routes of the provider's own.
pub(super) fn answer(
    core: &Arc<Core<OpenId>>,
    method: &str,
    path: &str,
    body: &[u8],
) -> Option<Result<Value, String>> {
    let control = Control { core: Arc::clone(core) };
    Some(match (method, path) {
        ("POST", "keys/rotate") => {
            control.rotate_keys();
            Ok(json!({ "ok": true }))
        }
        ("POST", "keys/retire") => {
            control.retire_keys();
            Ok(json!({ "ok": true }))
        }
        ("POST", "mint") => parse::<Mint>(body).and_then(|mint| {
            let token = control.mint(&mint).ok_or_else(|| "nobody of that name".to_owned())?;
            Ok(json!({ "access_token": token }))
        }),
        _ => return None,
    })
}
