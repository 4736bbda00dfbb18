//! Which operation a call is, and HighQ's place among the simulators.

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::web::Payload;
use futures_util::future::LocalBoxFuture;
use serde_json::Value;

use super::flaws::Flaw;
use super::model::Tenant;
use super::switches::{Person, Switches};
use super::{calls, control, desk, sample, upload};
use crate::common::answer::Answer;
use crate::common::authorize::Policy;
use crate::common::bank::Limits;
use crate::common::core::{Call, Core, Serve, Vendor};
use crate::common::firm::{ADMIN, LEFT, PEOPLE};
use crate::common::options::{App, Options, sample_redirects};
use crate::common::request::Request;

/// Client id of Postroom in the sample.
pub const APP: &str = "17";

/// The simulator, and what the instance holds.
#[derive(Clone, Debug, Default)]
pub struct HighQ {
    /// Files up to this many bytes are kept for download; of larger ones only the hash.
    pub keep_bytes: u64,
    pub(super) tenant: Tenant,
}

impl Vendor for HighQ {
    type Switches = Switches;
    type Flaw = Flaw;
    type Person = Person;
}

impl Serve for HighQ {
    const NAME: &'static str = "sim-highq";
    const PREFIX: &'static str = "hq";
    const ROOT: &'static str = "/firm";

    fn sample() -> Options<Self> {
        let people = PEOPLE.iter().zip(1801..).map(|(human, number)| Person {
            id: number.to_string(),
            name: human.name.into(),
            email: human.email.into(),
            disabled: human.id == LEFT,
            admin: human.id == ADMIN,
        });
        let app = App {
            id: APP.into(),
            secret: Some("postroom-highq-secret".into()),
            redirect_uris: sample_redirects(),
            disabled: false,
        };
        Options::of(people.collect(), vec![app], Self { keep_bytes: 1 << 20, tenant: sample::tenant() })
    }

    fn operation(request: &Request) -> &'static str {
        let path = request.path.strip_prefix(Self::ROOT).unwrap_or_default();
        match path.trim_matches('/') {
            "authorize.action" => "authorize",
            "api/oauth2/token" => "token",
            _ => desk::parts(&request.path).map_or("unknown", |it| desk::operation(&request.method, &it)),
        }
    }

    fn answer(core: &Core<Self>, call: &Call<'_, Self>) -> Answer {
        match Self::operation(call.request) {
            "authorize" => calls::authorize(core, call),
            "token" => calls::token(core, call),
            "unknown" => Answer::not_found(),
            op => desk::answer(core, call, op),
        }
    }

    fn streams(request: &Request) -> bool {
        matches!(Self::operation(request), "upload" | "new_version")
    }

    fn receive<'a>(
        core: &'a Core<Self>,
        call: Call<'a, Self>,
        req: &'a HttpRequest,
        payload: Payload,
    ) -> LocalBoxFuture<'a, Option<Answer>> {
        Box::pin(upload::receive(core, call, req, payload))
    }

    fn control(
        core: &Arc<Core<Self>>,
        method: &str,
        path: &str,
        body: &[u8],
    ) -> Option<Result<Value, String>> {
        control::http(core, method, path, body)
    }

    fn limits(switches: &Switches) -> Limits {
        const DAY_MS: i64 = 86_400_000;
        Limits {
            code_ms: i64::from(switches.code_minutes) * 60_000,
            replay: switches.code_replay,
            access_idle_ms: switches.idle_minutes.map(|minutes| i64::from(minutes) * 60_000),
            access_life_ms: Some(i64::from(switches.access_seconds) * 1000),
            refresh_life_ms: Some(i64::from(switches.refresh_days) * DAY_MS),
            refresh_idle_ms: switches.refresh_idle_days.map(|days| i64::from(days) * DAY_MS),
            reuse: switches.refresh_reuse,
            grace_ms: i64::from(switches.refresh_grace_ms),
        }
    }

    fn policy(switches: &Switches) -> Policy {
        Policy {
            title: "the simulated HighQ",
            session_wins: switches.session_wins,
            consent: switches.consent,
            state: switches.state,
            hint_signs_in: false,
            deny: switches.deny,
        }
    }

    fn skew_ms(switches: &Switches) -> i64 {
        switches.skew_ms
    }
}
