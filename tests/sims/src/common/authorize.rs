//! The browser's way through an authorize page: who, whether, and back with a code.

use serde_json::Value;

use super::answer::{Answer, with_query};
use super::bank::Grant;
use super::core::{Account, Core, Serve, World};
use super::page;
use super::request::Request;
use serde::{Deserialize, Serialize};

/// When a person is asked to allow the application.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// Never, unless the request wants it.
    #[default]
    Never,
    /// Once per person and application.
    Once,
    /// Every time.
    Always,
}

/// What becomes of `state` on the way back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateEcho {
    /// It comes back.
    #[default]
    Echo,
    /// It does not.
    Drop,
    /// Another one comes back.
    Wrong,
}

/// How a simulator's authorize page behaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    pub(crate) title: &'static str,
    /// Whoever is signed in in this browser is taken without asking, whatever the request hints at.
    pub(crate) session_wins: bool,
    pub(crate) consent: Consent,
    pub(crate) state: StateEcho,
    /// A hint signs in at once; otherwise it only puts its person first on the page.
    pub(crate) hint_signs_in: bool,
    /// Everybody is sent back with `access_denied`.
    pub(crate) deny: bool,
}

/// An authorization request whose client and redirect address are known to be good.
#[derive(Clone, Debug, Default)]
pub(crate) struct AuthRequest {
    pub(crate) client: String,
    pub(crate) redirect_uri: String,
    pub(crate) state: Option<String>,
    pub(crate) scope: Vec<String>,
    pub(crate) challenge: Option<String>,
    pub(crate) prompt: Vec<String>,
    /// Id or mail address of the person, from `login_hint`; machines sign in with it.
    pub(crate) hint: Option<String>,
    /// Goes into the grant.
    pub(crate) more: Value,
    /// Chosen on the page.
    person: Option<String>,
    allowed: bool,
}

impl AuthRequest {
    fn wants(&self, prompt: &str) -> bool {
        self.prompt.iter().any(|p| p == prompt)
    }

    /// Back to the application.
    pub(crate) fn back(&self, echo: StateEcho, pairs: &[(&str, &str)]) -> Answer {
        let mut address = with_query(&self.redirect_uri, pairs);
        let state = match echo {
            StateEcho::Echo => self.state.as_deref(),
            StateEcho::Drop => None,
            StateEcho::Wrong => Some("not-the-state-you-sent"),
        };
        if let Some(state) = state {
            address = with_query(&address, &[("state", state)]);
        }
        Answer::redirect(&address)
    }

    /// Back with an error.
    pub(crate) fn refuse(&self, echo: StateEcho, error: &str, text: &str) -> Answer {
        self.back(echo, &[("error", error), ("error_description", text)])
    }
}

/// Read an authorization request; the answer is for one that must not be sent back to its redirect address.
///
/// `sim_person` in the query, or `approve_as` of the switches, stands for a person who clicks through all pages.
/// `open` lets an application without registered redirect addresses return anywhere.
pub(crate) fn begin<V: Serve>(
    core: &Core<V>,
    browser: &Request,
    policy: Policy,
    approve_as: Option<&str>,
    open: bool,
) -> Result<AuthRequest, Answer> {
    let query = &browser.query;
    let bad = |text: &str| Answer::html(400, page::message(policy.title, text));
    let world = core.world();
    let app = query.get("client_id").and_then(|id| world.app(id)).filter(|app| !app.disabled);
    let app = app.ok_or_else(|| bad("This application is not registered, or is switched off."))?;
    let only = app.redirect_uris.first().filter(|uri| open && !uri.ends_with('*')).map(String::as_str);
    let redirect = query.get("redirect_uri").or(only).unwrap_or_default();
    let anywhere = open && app.redirect_uris.is_empty() && redirect.starts_with("http");
    if !anywhere && !app.may_return_to(redirect) {
        return Err(bad("The redirect address is not registered for this application."));
    }
    let person = query.get("sim_person").or(approve_as).map(str::to_owned);
    let words = |name: &str| {
        let text = query.get(name).unwrap_or_default();
        text.split([' ', ',']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let request = AuthRequest {
        client: app.id.clone(),
        redirect_uri: redirect.to_owned(),
        state: query.get("state").map(str::to_owned),
        scope: words("scope"),
        challenge: query.get("code_challenge").map(str::to_owned),
        prompt: words("prompt"),
        hint: query.get("login_hint").map(str::to_owned),
        more: Value::Null,
        allowed: person.is_some(),
        person,
    };
    if query.get("response_type") == Some("code") {
        Ok(request)
    } else {
        Err(request.refuse(policy.state, "unsupported_response_type", "Only response_type=code is served"))
    }
}

/// Decide what the browser gets: a page, or the way back.
pub(crate) fn authorize<V: Serve>(
    core: &Core<V>,
    request: AuthRequest,
    browser: &Request,
    flaws: &[V::Flaw],
    policy: Policy,
) -> Answer {
    if policy.deny {
        return request.refuse(policy.state, "access_denied", "The person said no");
    }
    let now = core.now();
    let mut world = core.world();
    let session = browser.cookie(V::NAME).and_then(|cookie| world.sessions.get(cookie).cloned());
    let Some(person) = who(&world, &request, session, policy).cloned() else {
        if request.wants("none") {
            return request.refuse(policy.state, "login_required", "Nobody is signed in in this browser");
        }
        return ask_who(core, &mut world, request, policy);
    };
    if !person.may_sign_in() {
        return request.refuse(policy.state, "access_denied", "The account may not sign in");
    }
    let key = (person.id().to_owned(), request.client.clone());
    let open = match policy.consent {
        Consent::Never => request.wants("consent"),
        Consent::Once => request.wants("consent") || !world.consented.contains(&key),
        Consent::Always => true,
    };
    if open && !request.allowed {
        if request.wants("none") {
            return request.refuse(policy.state, "consent_required", "The application has not been allowed");
        }
        return ask_whether(core, &mut world, request, &person, policy);
    }
    if request.allowed {
        world.consented.insert(key);
    }
    let grant = Grant {
        person: person.id().to_owned(),
        client: request.client.clone(),
        scope: request.scope.clone(),
        more: request.more.clone(),
    };
    let mut bank = core.bank();
    let issued = bank.code(grant, &request.redirect_uri, request.challenge.as_deref(), now);
    let cookie = format!("{}-{}", V::NAME, bank.random());
    drop(bank);
    world.sessions.insert(cookie.clone(), person.id().to_owned());
    drop(world);
    let along = V::along(core, &request, flaws);
    let mut pairs = vec![("code", issued.as_str())];
    pairs.extend(along.iter().map(|(key, value)| (key.as_str(), value.as_str())));
    request
        .back(policy.state, &pairs)
        .header("Set-Cookie", &format!("{}={cookie}; Path=/; HttpOnly; SameSite=Lax", V::NAME))
}

/// The person, if it is clear who it is.
fn who<'a, V: Serve>(
    world: &'a World<V>,
    request: &AuthRequest,
    session: Option<String>,
    policy: Policy,
) -> Option<&'a V::Person> {
    if let Some(chosen) = &request.person {
        return world.find(chosen);
    }
    let again = request.wants("login") || request.wants("select_account");
    let session = session.filter(|_| !again || policy.session_wins);
    let session = session.as_deref().and_then(|id| world.people.iter().find(|p| p.id() == id));
    let hint = request.hint.as_deref().filter(|_| policy.hint_signs_in);
    let hinted = hint.and_then(|hint| world.find(hint));
    if policy.session_wins { session.or(hinted) } else { hinted.or(session) }
}

fn ask_who<V: Serve>(core: &Core<V>, world: &mut World<V>, request: AuthRequest, policy: Policy) -> Answer {
    let hint = request.hint.clone().unwrap_or_default();
    let action = keep(core, world, request);
    let mut people: Vec<&V::Person> = world.people.iter().filter(|p| p.may_sign_in()).collect();
    // the sort is stable: the others keep their order
    people.sort_by_key(|p| !(p.id().eq_ignore_ascii_case(&hint) || p.email().eq_ignore_ascii_case(&hint)));
    let people: Vec<_> = people.iter().map(|p| (p.id(), p.name(), p.email())).collect();
    Answer::html(200, page::chooser(&format!("Sign in to {}", policy.title), &action, &people))
}

fn ask_whether<V: Serve>(
    core: &Core<V>,
    world: &mut World<V>,
    mut request: AuthRequest,
    person: &V::Person,
    policy: Policy,
) -> Answer {
    request.person = Some(person.id().to_owned());
    let (client, scope) = (request.client.clone(), request.scope.clone());
    let action = keep(core, world, request);
    let who = format!("{} ({})", person.name(), person.email());
    let title = format!("Allow access to {}", policy.title);
    Answer::html(200, page::consent(&title, &action, &who, &client, &scope))
}

/// Remember the request while a person decides; gives where the page posts to.
fn keep<V: Serve>(core: &Core<V>, world: &mut World<V>, request: AuthRequest) -> String {
    let id = core.bank().random();
    world.pending.insert(id.clone(), request);
    format!("/_page/{id}")
}

/// `POST /_page/{id}`: what the person chose.
pub(crate) fn decide<V: Serve>(core: &Core<V>, id: &str, browser: &Request, flaws: &[V::Flaw]) -> Answer {
    let policy = V::policy(&core.switches());
    let Some(mut request) = core.world().pending.remove(id) else {
        let text = "This page was used already. Start again from the application.";
        return Answer::html(400, page::message(policy.title, text));
    };
    match (browser.form.get("decision"), browser.form.get("person")) {
        (Some("allow"), _) => request.allowed = true,
        (None, Some(person)) => request.person = Some(person.to_owned()),
        _ => return request.refuse(policy.state, "access_denied", "The person said no"),
    }
    authorize(core, request, browser, flaws, policy)
}
