//! Which operation a call is, and NetDocuments' place among the simulators.

use super::calls;
use super::switches::{Person, Switches};
use crate::common::answer::Answer;
use crate::common::authorize::Policy;
use crate::common::bank::Limits;
use crate::common::core::{Call, Core, Serve, Vendor};
use crate::common::firm::{LEFT, OUTSIDE, PEOPLE};
use crate::common::mischief::NoFlaw;
use crate::common::options::{App, Options, sample_redirects};
use crate::common::request::Request;

/// Client id of Postroom in the sample.
pub const APP: &str = "AP-P0STR00M";
/// The sample repository.
pub const REPOSITORY: &str = "CA-9Z8Y7X6W";

/// The simulator.
#[derive(Clone, Copy, Debug)]
pub struct NetDocuments;

impl Vendor for NetDocuments {
    type Switches = Switches;
    type Flaw = NoFlaw;
    type Person = Person;
}

impl Serve for NetDocuments {
    const NAME: &'static str = "sim-netdocuments";
    const PREFIX: &'static str = "nd";

    fn sample() -> Options<Self> {
        let people = PEOPLE.iter().map(|human| Person {
            id: format!("DUCOT-{}", human.id),
            name: human.name.into(),
            email: human.email.into(),
            external: human.id == OUTSIDE,
            disabled: human.id == LEFT,
        });
        let app = App {
            id: APP.into(),
            secret: Some("postroom-netdocuments-secret".into()),
            redirect_uris: sample_redirects(),
            disabled: false,
        };
        Options::of(people.collect(), vec![app], Self)
    }

    fn operation(request: &Request) -> &'static str {
        match request.path.to_ascii_lowercase().as_str() {
            "/neweb2/oauth.aspx" => "authorize",
            "/v1/oauth" => "token",
            "/v1/user/info" => "user_info",
            "/v1/user/cabinets" => "cabinets",
            _ => "unknown",
        }
    }

    fn answer(core: &Core<Self>, call: &Call<'_, Self>) -> Answer {
        match Self::operation(call.request) {
            "authorize" => calls::authorize(core, call),
            "token" => calls::token(core, call),
            "user_info" => calls::user_info(core, call),
            "cabinets" => calls::cabinets(core, call),
            _ => Answer::not_found(),
        }
    }

    fn limits(switches: &Switches) -> Limits {
        const DAY_MS: i64 = 86_400_000;
        let days = |days: Option<u32>| days.map(|days| i64::from(days) * DAY_MS);
        Limits {
            code_ms: i64::from(switches.code_seconds) * 1000,
            replay: switches.code_replay,
            access_idle_ms: Some(i64::from(switches.idle_minutes) * 60_000),
            access_life_ms: Some(i64::from(switches.absolute_hours) * 3_600_000),
            refresh_life_ms: days(switches.refresh_days),
            refresh_idle_ms: days(switches.refresh_idle_days),
            reuse: switches.refresh_reuse,
            grace_ms: i64::from(switches.refresh_grace_ms),
        }
    }

    fn policy(switches: &Switches) -> Policy {
        Policy {
            title: "the simulated NetDocuments",
            session_wins: false,
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
