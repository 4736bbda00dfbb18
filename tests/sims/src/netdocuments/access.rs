//! Who calls, and what they may see and change.

use super::flaws::Flaw;
use super::model::{Document, Node, Rights, Tenant};
use super::reply::{Fail, Result};
use super::route::Route;
use super::serve::NetDocuments;
use super::switches::{Person, Switches};
use crate::common::core::{Call, Core, Serve, World};
use crate::common::throttle;

/// Who calls; of empty id for a service account that is not mapped yet.
pub(super) type Caller = Person;

/// Checks the token, its scope and the limit of calls.
pub(super) fn admit(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    route: &Route,
) -> Result<Caller> {
    if let Some(limit) = call.switches.throttle
        && let Err(seconds) = core.world().vendor.tenant.bucket.take(&limit, call.now)
    {
        let mut fail = Fail::new(429, "Too many requests");
        let wait = throttle::retry_after(limit.retry_after, seconds, call.now);
        fail.headers.extend(wait.map(|wait| ("Retry-After", wait)));
        return Err(fail);
    }
    let limits = NetDocuments::limits(call.switches);
    let grant = call.request.bearer().and_then(|text| core.bank().check(text, call.now, &limits));
    let refused = || Fail::new(401, "The access token is not valid");
    let grant = grant.filter(|_| !call.switches.other_region).ok_or_else(refused)?;
    if !route.scope.is_empty() && !grant.scope.iter().any(|s| s == route.scope || s == "full") {
        return Err(Fail::new(
            403,
            format!("The token's scope does not allow this: {} is missing", route.scope),
        ));
    }
    if grant.person.is_empty() {
        return Ok(Person::default());
    }
    let mut world = core.world();
    for flaw in call.flaws {
        Flaw::apply(flaw, &mut world.vendor.tenant);
    }
    world.find(&grant.person).filter(|person| !person.disabled).cloned().ok_or_else(refused)
}

/// What somebody may do in a cabinet without a word of a container's own.
pub(super) fn in_cabinet(tenant: &Tenant, caller: &Caller, cabinet: &str) -> Rights {
    let Some(cabinet) = tenant.cabinet(cabinet) else { return Rights::NONE };
    if caller.id.is_empty() {
        return Rights::NONE;
    }
    if caller.admin {
        return Rights { administer: true, ..Rights::EDIT };
    }
    let default = if caller.external { Rights::NONE } else { Rights::EDIT };
    pick(tenant, caller, |principal| cabinet.members.get(principal).copied()).unwrap_or(default)
}

/// The entry for a person, or the sum of those for the person's groups.
fn pick(tenant: &Tenant, caller: &Caller, entry: impl Fn(&str) -> Option<Rights>) -> Option<Rights> {
    if let Some(own) = entry(&caller.id) {
        return Some(own);
    }
    let groups = tenant.groups.iter().filter(|group| group.members.contains(&caller.id));
    let found: Vec<Rights> = groups.filter_map(|group| entry(&group.id)).collect();
    let any = |get: fn(&Rights) -> bool| found.iter().any(get);
    (!found.is_empty()).then(|| Rights {
        view: any(|r| r.view),
        edit: any(|r| r.edit),
        share: any(|r| r.share),
        administer: any(|r| r.administer),
        no_access: any(|r| r.no_access),
    })
}

/// What somebody may do at a container: the nearest entry going up counts.
pub(super) fn at_node(tenant: &Tenant, caller: &Caller, node: &Node) -> Rights {
    let found = tenant
        .up(node.number)
        .find_map(|node| pick(tenant, caller, |principal| node.rights.get(principal).copied()));
    found.unwrap_or_else(|| in_cabinet(tenant, caller, &node.cabinet))
}

pub(super) fn at_document(tenant: &Tenant, caller: &Caller, doc: &Document) -> Rights {
    let place = doc.folders.first().or(doc.workspace.as_ref()).and_then(|it| tenant.nodes.get(it));
    place.map_or_else(|| in_cabinet(tenant, caller, &doc.cabinet), |node| at_node(tenant, caller, node))
}

pub(super) fn sees(rights: Rights) -> bool {
    rights.view && !rights.no_access
}

impl Tenant {
    /// A container that the caller sees.
    pub(super) fn seen_node(&self, caller: &Caller, id: &str, switches: &Switches) -> Result<&Node> {
        let node = self.node(id).ok_or_else(|| Fail::missing("container", switches))?;
        if sees(at_node(self, caller, node)) { Ok(node) } else { Err(hidden("container", switches)) }
    }

    /// A document that the caller sees.
    pub(super) fn seen_doc(&self, caller: &Caller, id: &str, switches: &Switches) -> Result<&Document> {
        let doc = self.doc(id).filter(|doc| !doc.deleted);
        let doc = doc.ok_or_else(|| Fail::missing("document", switches))?;
        if sees(at_document(self, caller, doc)) { Ok(doc) } else { Err(hidden("document", switches)) }
    }

    /// A container that the caller may change, or file into.
    pub(super) fn writable(&self, caller: &Caller, id: &str, switches: &Switches) -> Result<&Node> {
        let node = self.seen_node(caller, id, switches)?;
        if !at_node(self, caller, node).edit {
            return Err(Fail::new(403, "You do not have rights to change this"));
        }
        if self.closed(node.number) {
            return Err(Fail::new(switches.closed_status, switches.closed_message.clone()));
        }
        Ok(node)
    }

    /// A document that the caller may change.
    pub(super) fn changeable(&self, caller: &Caller, id: &str, switches: &Switches) -> Result<&Document> {
        let doc = self.seen_doc(caller, id, switches)?;
        if !at_document(self, caller, doc).edit {
            return Err(Fail::new(403, "You do not have rights to change this"));
        }
        if let Some(lock) = doc.lock.as_ref().filter(|lock| lock.user != caller.id) {
            let message = switches.locked_message.replace("{user}", &lock.user);
            return Err(Fail::new(switches.locked_status, message));
        }
        if doc.workspace.is_some_and(|it| self.closed(it)) {
            return Err(Fail::new(switches.closed_status, switches.closed_message.clone()));
        }
        Ok(doc)
    }
}

fn hidden(what: &str, switches: &Switches) -> Fail {
    Fail { status: switches.hidden_status, ..Fail::missing(what, switches) }
}

/// A person's name by id, as answers show it.
pub(super) fn name_of(world: &World<NetDocuments>, id: &str) -> String {
    world.find(id).map_or_else(|| id.to_owned(), |person| person.name.clone())
}
