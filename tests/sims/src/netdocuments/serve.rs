//! Which operation a call is, and NetDocuments' place among the simulators.

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::web::Payload;
use futures_util::future::LocalBoxFuture;
use serde_json::Value;

use super::access::{self, Caller};
use super::flaws::Flaw;
use super::model::{Kind, Tenant};
use super::reply::{Fail, Reply, Result};
use super::route::{self, Route};
use super::switches::{Person, Switches};
use super::{
    calls, control, documents, folders, listing, lookups, people, reply, sample, search, upload, workspaces,
};
use crate::common::answer::Answer;
use crate::common::authorize::Policy;
use crate::common::bank::Limits;
use crate::common::core::{Call, Core, Serve, Vendor};
use crate::common::firm::{ADMIN, LEFT, OUTSIDE, PEOPLE};
use crate::common::options::{App, Options, sample_redirects};
use crate::common::request::Request;

/// Client id of Postroom in the sample.
pub const APP: &str = "AP-P0STR00M";
/// The sample repository.
pub const REPOSITORY: &str = "CA-9Z8Y7X6W";

/// Documents up to this size are kept for download; of larger ones only size and hash stay.
const KEEP_BYTES: u64 = 1 << 20;

/// The simulator, with what its repository holds.
#[derive(Clone, Debug)]
pub struct NetDocuments {
    pub(super) tenant: Tenant,
}

impl NetDocuments {
    /// Keeps documents up to this size for download.
    pub fn keep_bytes(&mut self, bytes: u64) {
        self.tenant.keep_bytes = bytes;
    }
}

impl Call<'_, NetDocuments> {
    /// How far a told size is off.
    pub(super) fn size_delta(&self) -> i64 {
        let delta = |flaw: &Flaw| if let Flaw::WrongSize { delta } = flaw { Some(*delta) } else { None };
        self.flaws.iter().find_map(delta).unwrap_or(0)
    }
}

fn work(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    route: &Route,
    who: &Caller,
) -> Result<Reply> {
    match route.op {
        "user_info" => people::info(core, call, route, who),
        "cabinets" => Ok(people::cabinets(core, call, who)),
        "recent" | "favourites" => Ok(workspaces::shelf(core, call, route, who)),
        "repository" => people::repository(core, call, route, who),
        "users" => people::users(core, call, route, who),
        "change_repository" => people::change_repository(core, call, route, who),
        "groups" => people::groups(core, call, route, who),
        "create_group" => people::create_group(core, call, route, who),
        "delete_group" => people::delete_group(core, call, route),
        "log" => people::log(core, call, route, who),
        "group" | "group_members" => people::group(core, call, route),
        "change_group" => people::change_group(core, call, route),
        "cabinet" => people::cabinet(core, call, route, who),
        "custom_attributes" => people::attributes(core, call, route, who),
        "cabinet_folders" => listing::cabinet_folders(core, call, route, who),
        "membership" => people::membership(core, call, route, who),
        "change_membership" => people::change_membership(core, call, route),
        "cabinet_groups" => people::cabinet_groups(core, call, route, who),
        "lookup" => lookups::get(core, call, route),
        "lookup_pairs" => lookups::pairs(core, route),
        "put_lookup" => lookups::put(core, call, route),
        "delete_lookup" => lookups::delete(core, call, route),
        "workspace" => workspaces::info(core, call, route, who, Some(Kind::Workspace)),
        "workspace_by_keys" => workspaces::by_keys(core, call, route, who),
        "folder" => workspaces::info(core, call, route, who, Some(Kind::Folder)),
        "container" | "refresh_workspace" => workspaces::info(core, call, route, who, None),
        "workspace_contents" | "folder_contents" | "container_contents" => {
            listing::contents(core, call, route, who)
        }
        "create_folder" => folders::create(core, call, who),
        "update_folder" => folders::update(core, call, route, who),
        "ancestry" => folders::ancestry(core, call, route, who),
        "file" => folders::file(core, call, route, who),
        "delete_folder" => folders::delete(core, call, route, who),
        "search" => search::find(core, call, route, who),
        "document" => documents::info(core, call, route, who),
        "update_document" => documents::update(core, call, route, who),
        "download" => documents::download(core, call, route, who),
        "versions" => documents::versions(core, call, route, who),
        "locations" => documents::locations(core, call, route, who),
        "history" => documents::history(core, call, route, who),
        "delete_document" => documents::delete(core, call, route, who),
        "document_action" => documents::action(core, call, route, who),
        "lock" => documents::hold(core, call, who, route.id(0), false),
        "unlock" => documents::release(core, call, who, route.id(0)),
        "create_user" => people::create(core, call, &call.request.form),
        _ => Err(Fail::new(404, "There is no such resource")),
    }
}

impl Vendor for NetDocuments {
    type Switches = Switches;
    type Flaw = Flaw;
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
            admin: human.id == ADMIN,
        });
        let app = App {
            id: APP.into(),
            secret: Some("postroom-netdocuments-secret".into()),
            redirect_uris: sample_redirects(),
            disabled: false,
        };
        let mut options = Options::of(people.collect(), vec![app], Self { tenant: Tenant::default() });
        let tenant = &mut options.vendor.tenant;
        tenant.repository = REPOSITORY.into();
        tenant.repository_name = "Firm LLP".into();
        tenant.keep_bytes = KEEP_BYTES;
        // old enough to be in every index
        tenant.sow(&sample::seed(), 0);
        options
    }

    fn operation(request: &Request) -> &'static str {
        route::route(request).op
    }

    fn answer(core: &Core<Self>, call: &Call<'_, Self>) -> Answer {
        let route = route::route(call.request);
        match route.op {
            "authorize" => calls::authorize(core, call),
            "token" => calls::token(core, call),
            "unknown" => Answer::not_found(),
            _ => {
                let result = access::admit(core, call, &route);
                reply::answer(call, result.and_then(|who| work(core, call, &route, &who)))
            }
        }
    }

    fn streams(request: &Request) -> bool {
        route::streams(request)
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
    ) -> Option<std::result::Result<Value, String>> {
        control::http(core, method, path, body)
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
