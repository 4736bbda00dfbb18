//! One call at the fake instance's API: who asks, what is allowed, and the way to its answer.

use serde_json::{Value, json};

use super::body;
use super::model::{File, Folder, Level, Site, SiteStatus, Tenant};
use super::render::{element, refuse, show};
use super::serve::HighQ;
use super::switches::Person;
use super::{files, folders, people, sheets, sites, tasks};
use crate::common::answer::Answer;
use crate::common::core::{Call, Core, Serve};

/// A refusal is an answer too.
pub(super) type Outcome = Result<Answer, Answer>;

/// A call whose token is good, with the tenant at hand.
pub(super) struct Desk<'a> {
    pub(super) call: &'a Call<'a, HighQ>,
    pub(super) tenant: &'a mut Tenant,
    pub(super) people: &'a mut Vec<Person>,
    /// Id of who asks.
    pub(super) who: String,
}

/// The segments after `{base}/api/{version}`, if the path is one of the API.
pub(super) fn parts(path: &str) -> Option<Vec<&str>> {
    let rest = path.strip_prefix(HighQ::ROOT)?.strip_prefix("/api/")?;
    let mut parts = rest.trim_matches('/').split('/');
    parts.next()?.parse::<u32>().ok()?;
    Some(parts.collect())
}

/// The operation of a call, as statistics and rules name it.
pub(super) fn operation(method: &str, parts: &[&str]) -> &'static str {
    match (method, parts) {
        ("GET", ["sites"]) => "sites",
        ("GET", ["sites", _]) => "site",
        ("GET", ["sites", _, "users"]) => "site_users",
        ("POST", ["sites", _, "users"]) => "add_users",
        ("PUT", ["sites", _, "users", "email"]) => "email_users",
        ("POST", ["progressivekeystatus", _]) => "progress",
        ("GET", ["folders", _]) => "folder",
        ("GET", ["folders", _, "items"]) => "folders",
        ("GET", ["folders", _, "isheetRecordID"]) => "folder_record_id",
        ("POST", ["folders"]) => "create_folder",
        ("POST", ["files", "content"]) => "upload",
        ("POST", ["files", _, "content"]) => "new_version",
        ("GET", ["files"]) => "files",
        ("GET", ["files", _]) => "file",
        ("GET", ["files", _, "content"]) => "download",
        ("GET", ["files", _, "versions"]) => "versions",
        ("GET", ["files", _, "isheetRecordID"]) => "record_id",
        ("PUT", ["files", "move"]) => "move_files",
        ("PUT", ["files", _, "parent"]) => "move_file",
        ("POST", ["files", _, "parent"]) => "copy_file",
        ("DELETE", ["files", _]) => "delete_file",
        ("GET", ["changes"]) => "changes",
        ("GET", ["isheets"]) => "sheets",
        ("GET", ["isheets", "admin"]) => "sheets_admin",
        ("GET", ["isheets", "admin", _, "columns"]) => "columns_admin",
        ("GET", ["isheets", _, "columns"]) => "columns",
        ("GET", ["isheets", "admin", _, "views"]) => "views",
        ("GET", ["isheet", _, "items"]) => "items",
        ("POST", ["isheet", _, "items"]) => "add_items",
        ("GET", ["isheet", _, "items", _]) => "item",
        ("PUT", ["isheet", _, "items", _]) => "put_item",
        ("GET", ["organisations"]) => "organisations",
        ("POST", ["organisations"]) => "create_organisation",
        ("POST", ["domains"]) => "create_domain",
        ("GET", ["groups"]) => "groups",
        ("POST", ["groups"]) => "create_group",
        ("GET", ["tasks", "lists"]) => "task_lists",
        ("GET", ["tasks", "status"]) => "task_status",
        ("POST", ["tasks"]) => "create_task",
        _ => "unknown",
    }
}

/// Whether a call may be made at all: within the rate limit, and by whom. Gives the person's id.
pub(super) fn admit(core: &Core<HighQ>, call: &Call<'_, HighQ>) -> Result<String, Answer> {
    let bearer = call.request.bearer().unwrap_or_default();
    if let Some(limit) = call.switches.throttle {
        let client = call.request.query.get("sourceclient").unwrap_or_default();
        let mut world = core.world();
        if let Some(reset) = world.vendor.tenant.over_limit(&format!("{bearer} {client}"), limit, call.now) {
            let summary = json!({ "summary": "Too many requests" });
            let answer = Answer::new(429, "application/xml", element("error", &summary));
            return Err(if limit.reset {
                answer.header("X-Ratelimit-Reset", &reset.to_string())
            } else {
                answer
            });
        }
    }
    let grant = core.bank().check(bearer, call.now, &HighQ::limits(call.switches));
    let person = grant.and_then(|grant| core.world().find(&grant.person).cloned());
    match person.filter(|person| !person.disabled) {
        Some(person) => Ok(person.id),
        None => Err(refuse(call, call.switches.expired_status, 100, "Unauthorised")),
    }
}

/// Answers a call of the API that carries no document.
pub(super) fn answer(core: &Core<HighQ>, call: &Call<'_, HighQ>, op: &str) -> Answer {
    let who = match admit(core, call) {
        Ok(who) => who,
        Err(answer) => return answer,
    };
    with(core, call, who, |desk| desk.answer(op)).unwrap_or_else(|answer| answer)
}

/// Lets `work` at the tenant, after the changes that flaws make.
pub(super) fn with<T>(
    core: &Core<HighQ>,
    call: &Call<'_, HighQ>,
    who: String,
    work: impl FnOnce(&mut Desk<'_>) -> T,
) -> T {
    let mut guard = core.world();
    let world = &mut *guard;
    for flaw in call.flaws {
        flaw.apply(&mut world.vendor.tenant);
    }
    let mut desk = Desk { call, tenant: &mut world.vendor.tenant, people: &mut world.people, who };
    work(&mut desk)
}

impl Desk<'_> {
    fn answer(&mut self, op: &str) -> Outcome {
        let path = self.call.request.path.clone();
        let parts = parts(&path).unwrap_or_default();
        let id = |at: usize| parts.get(at).and_then(|text| text.parse().ok()).unwrap_or(0_u64);
        match op {
            "sites" => sites::list(self),
            "site" => sites::one(self, id(1)),
            "folder" => folders::one(self, id(1)),
            "folders" => folders::list(self, id(1)),
            "folder_record_id" => folders::record_id(self, id(1)),
            "create_folder" => folders::create(self),
            "files" => files::list(self),
            "file" => files::one(self, id(1)),
            "download" => files::download(self, id(1)),
            "versions" => files::versions(self, id(1)),
            "move_file" => files::move_to(self, id(1)),
            "move_files" => files::move_several(self),
            "copy_file" => files::copy(self, id(1)),
            "delete_file" => files::delete(self, id(1)),
            "changes" => files::changes(self),
            "record_id" => sheets::record_id(self, id(1)),
            "sheets" | "sheets_admin" => sheets::list(self, op == "sheets_admin"),
            "columns" => sheets::columns(self, id(1), false),
            "columns_admin" => sheets::columns(self, id(2), true),
            "views" => sheets::views(self, id(2)),
            "items" => sheets::items(self, id(1)),
            "item" => sheets::item(self, id(1), id(3)),
            "put_item" => sheets::put(self, id(1), Some(id(3))),
            "add_items" => sheets::put(self, id(1), None),
            "site_users" => people::in_site(self, id(1)),
            "add_users" => people::add(self, id(1)),
            "email_users" => people::write_to(self, id(1)),
            "progress" => people::progress(self, parts.get(1).copied().unwrap_or_default()),
            "organisations" => people::organisations(self),
            "create_organisation" => people::create_organisation(self),
            "create_domain" => people::create_domain(self),
            "groups" | "create_group" => people::groups(self, op == "create_group"),
            "task_lists" => tasks::lists(self),
            "task_status" => tasks::status(self),
            "create_task" => tasks::create(self),
            _ => Err(Answer::not_found()),
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "it is what every operation ends with")]
    pub(super) fn show(&self, root: &str, body: &Value) -> Outcome {
        Ok(show(self.call, 200, root, body))
    }

    pub(super) fn refuse(&self, status: u16, number: u32, summary: &str) -> Answer {
        refuse(self.call, status, number, summary)
    }

    /// A number as this instance writes it.
    pub(super) fn number(&self, number: u64) -> Value {
        crate::common::token::number(i64::try_from(number).unwrap_or(0), self.call.switches.numbers_as_text)
    }

    pub(super) fn missing(&self, what: &str) -> Answer {
        self.refuse(self.call.switches.missing_status, 404, &format!("{what} not found"))
    }

    pub(super) fn denied(&self) -> Answer {
        self.refuse(403, 130, "Access denied")
    }

    pub(super) fn param(&self, name: &str) -> Option<&str> {
        self.call.request.query.get(name)
    }

    pub(super) fn numeric(&self, name: &str) -> Option<i64> {
        self.param(name)?.parse().ok()
    }

    /// Offset and limit of a listing; a limit of -1 means all.
    pub(super) fn window(&self, usual: i64) -> (usize, usize) {
        let offset = self.numeric("offset").and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
        let limit = self.numeric("limit").unwrap_or(usual);
        (offset, usize::try_from(limit).unwrap_or(usize::MAX))
    }

    pub(super) fn site(&self, id: u64) -> Result<&Site, Answer> {
        let site = self.tenant.sites.get(&id).ok_or_else(|| self.missing("Site"))?;
        match self.site_level(site) {
            Level::None => Err(self.refuse(self.call.switches.hidden_status, 404, "Site not found")),
            _ => Ok(site),
        }
    }

    pub(super) fn site_level(&self, site: &Site) -> Level {
        site.rights.get(&self.who).copied().unwrap_or(site.everyone)
    }

    /// A folder that the caller may see.
    pub(super) fn folder(&self, id: u64) -> Result<&Folder, Answer> {
        let found = self.tenant.folders.get(&id).filter(|it| !it.deleted);
        let folder = found.ok_or_else(|| self.missing("Folder"))?;
        match self.tenant.level(&self.who, folder) {
            Level::None => Err(self.refuse(self.call.switches.hidden_status, 404, "Folder not found")),
            _ => Ok(folder),
        }
    }

    /// A folder whose documents the caller may see.
    pub(super) fn served(&self, id: u64) -> Result<&Folder, Answer> {
        let folder = self.folder(id)?;
        if self.tenant.sites.get(&folder.site).is_some_and(|site| site.restricted) {
            return Err(self.refuse(403, 130, &self.call.switches.restricted_summary));
        }
        Ok(folder)
    }

    /// A folder that the caller may put something into.
    pub(super) fn writable(&self, id: u64) -> Result<&Folder, Answer> {
        let folder = self.served(id)?;
        let open = self.tenant.sites.get(&folder.site).is_some_and(|it| it.status == SiteStatus::Active);
        if !open {
            let switches = self.call.switches;
            return Err(self.refuse(switches.closed_status, 131, &switches.closed_summary));
        }
        if folder.smart || self.tenant.level(&self.who, folder) < Level::Update {
            return Err(self.denied());
        }
        Ok(folder)
    }

    pub(super) fn file(&self, id: u64) -> Result<&File, Answer> {
        let found = self.tenant.files.get(&id).filter(|it| !it.deleted);
        let file = found.ok_or_else(|| self.missing("File"))?;
        self.served(file.folder).map(|_| file)
    }

    /// A file that the caller may change.
    pub(super) fn changeable(&self, id: u64) -> Result<&File, Answer> {
        let file = self.file(id)?;
        self.writable(file.folder)?;
        match &file.lock {
            Some(person) if *person != self.who => {
                let name = self.person(person).map_or("somebody", |it| it.name.as_str());
                let summary = format!("The file is checked out by {name}");
                Err(self.refuse(self.call.switches.locked_status, 140, &summary))
            }
            _ => Ok(file),
        }
    }

    pub(super) fn person(&self, id: &str) -> Option<&Person> {
        self.people.iter().find(|it| it.id == id)
    }

    /// Somebody as answers show them.
    pub(super) fn shown_person(&self, id: &str) -> Value {
        let Some(person) = self.person(id) else { return Value::Null };
        let (first, last) = person.name.split_once(' ').unwrap_or((&person.name, ""));
        json!({ "userid": person.id, "firstname": first, "lastname": last, "email": person.email })
    }

    /// A body of XML. JSON is refused.
    pub(super) fn xml(&self) -> Result<Value, Answer> {
        if self.call.request.header("Content-Type").is_none_or(|kind| !kind.contains("xml")) {
            let status = self.call.switches.json_refused_status;
            return Err(self.refuse(status, 415, "Only XML is accepted"));
        }
        body::xml(&self.call.request.body).ok_or_else(|| self.refuse(400, 400, "The body is not XML"))
    }

    /// A body of JSON or XML.
    pub(super) fn body(&self) -> Result<Value, Answer> {
        let bytes = &self.call.request.body;
        let json = self.call.request.header("Content-Type").is_some_and(|kind| kind.contains("json"));
        let read = if json { serde_json::from_slice(bytes).ok() } else { body::xml(bytes) };
        read.ok_or_else(|| self.refuse(400, 400, "The body cannot be read"))
    }
}
