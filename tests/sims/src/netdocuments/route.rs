//! Which operation a call is: paths match in any letters, ids keep theirs.

use percent_encoding::percent_decode_str;

use crate::common::request::Request;

/// A call, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Route {
    /// Name, for statistics and rules.
    pub(super) op: &'static str,
    /// What a token must allow; empty for calls without one.
    pub(super) scope: &'static str,
    /// Ids and keys of the path.
    pub(super) ids: Vec<String>,
}

impl Route {
    fn new(op: &'static str, scope: &'static str, ids: &[&String]) -> Self {
        Self { op, scope, ids: ids.iter().map(|id| (*id).clone()).collect() }
    }

    pub(super) fn id(&self, at: usize) -> &str {
        self.ids.get(at).map(String::as_str).unwrap_or_default()
    }
}

fn is_multipart(request: &Request) -> bool {
    request.header("Content-Type").is_some_and(|kind| kind.to_ascii_lowercase().starts_with("multipart/"))
}

/// What a call is.
pub(super) fn route(request: &Request) -> Route {
    let parts: Vec<String> = request
        .path
        .trim_matches('/')
        .split('/')
        .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
        .collect();
    let small: Vec<String> = parts.iter().map(|part| part.to_ascii_lowercase()).collect();
    let small: Vec<&str> = small.iter().map(String::as_str).collect();
    let ids: Vec<&String> = parts.iter().skip(2).collect();
    let method = request.method.as_str();
    let id = |at: usize| ids.get(at).copied().into_iter().collect::<Vec<_>>();
    match small.as_slice() {
        ["neweb2", "oauth.aspx"] => Route::new("authorize", "", &[]),
        ["v1", "oauth"] => Route::new("token", "", &[]),
        ["v1", "user", ..] => user(method, &small[2..], &ids),
        ["v1", "repository", _, ..] => repository(method, &small[3..], &ids),
        ["v1", "group", _, what] => match (method, *what) {
            ("GET", "info") => Route::new("group", "read", &id(0)),
            ("GET", "members") => Route::new("group_members", "read", &id(0)),
            ("POST", "members") => Route::new("change_group", "admin", &id(0)),
            _ => Route::default().unknown(),
        },
        ["v1" | "v2", "cabinet", _, ..] => cabinet(method, small[0], &small[3..], &ids),
        ["v1", "attributes", _, ..] => attributes(method, &small[3..], &ids),
        ["v1", "workspace", ..] => workspace(method, &small[2..], &ids),
        ["v1", "folder", ..] => folder(method, &small[2..], &ids),
        ["v2", "container", _] if method == "GET" => Route::new("container_contents", "read", &id(0)),
        ["v2", "container", _, "info"] if method == "GET" => Route::new("container", "read", &id(0)),
        ["v1" | "v2", "search", ..] if method == "GET" => Route::new("search", "read", &id(0)),
        ["v1" | "v2", "document", ..] => document(request, method, &small[2..], &ids),
        _ => Route::default().unknown(),
    }
}

impl Route {
    fn unknown(mut self) -> Self {
        self.op = "unknown";
        self
    }
}

fn user(method: &str, rest: &[&str], ids: &[&String]) -> Route {
    match (method, rest) {
        ("GET", ["info"]) => Route::new("user_info", "read", &[]),
        ("GET", ["cabinets"]) => Route::new("cabinets", "read", &[]),
        ("GET", ["wsrecent"]) => Route::new("recent", "read", &[]),
        ("GET", ["wsfav"]) => Route::new("favourites", "read", &[]),
        ("GET", [_, "info"]) => Route::new("user_info", "read", &ids[..1]),
        ("POST", []) => Route::new("create_user", "admin", &[]),
        _ => Route::default().unknown(),
    }
}

fn repository(method: &str, rest: &[&str], ids: &[&String]) -> Route {
    let own = &ids[..1];
    match (method, rest) {
        ("GET", ["info"]) => Route::new("repository", "read", own),
        ("GET", ["users"]) => Route::new("users", "read", own),
        ("POST", ["members"]) => Route::new("change_repository", "admin", own),
        ("GET", ["groups"]) => Route::new("groups", "read", own),
        ("POST", ["group"]) => Route::new("create_group", "admin", own),
        ("DELETE", ["group", _]) => Route::new("delete_group", "admin", &[ids[0], ids[2]]),
        ("GET", ["log"]) => Route::new("log", "read", own),
        _ => Route::default().unknown(),
    }
}

fn cabinet(method: &str, version: &str, rest: &[&str], ids: &[&String]) -> Route {
    let own = &ids[..1];
    match (version, method, rest) {
        ("v1", "GET", ["info" | "settings"]) => Route::new("cabinet", "read", own),
        ("v1", "GET", ["customattributes"]) => Route::new("custom_attributes", "read", own),
        ("v1", "GET", ["folders"]) => Route::new("cabinet_folders", "read", own),
        ("v1", "GET", ["membership"]) => Route::new("membership", "read", own),
        ("v1", "POST", ["membership"]) => Route::new("change_membership", "admin", own),
        ("v2", "GET", ["groups"]) => Route::new("cabinet_groups", "read", own),
        _ => Route::default().unknown(),
    }
}

fn attributes(method: &str, rest: &[&str], ids: &[&String]) -> Route {
    let (all, own) = (ids, &ids[..1]);
    match (method, rest) {
        ("GET", ["all", _]) => Route::new("lookup_pairs", "read", &[ids[0], ids[2]]),
        ("GET", [_] | [_, _] | [_, _, _]) => Route::new("lookup", "read", all),
        ("PUT", [_, _] | [_, _, _]) => Route::new("put_lookup", "lookup", all),
        ("DELETE", [_, _] | [_, _, _]) => Route::new("delete_lookup", "lookup", all),
        _ => Route::new("unknown", "", own),
    }
}

fn workspace(method: &str, rest: &[&str], ids: &[&String]) -> Route {
    match (method, rest) {
        ("GET", [_]) => Route::new("workspace_contents", "read", &ids[..1]),
        ("POST", [_]) => Route::new("refresh_workspace", "organize", &ids[..1]),
        ("GET", [_, "info"]) => Route::new("workspace", "read", &ids[..1]),
        ("GET", [_, _, "info"]) => Route::new("workspace_by_keys", "read", &ids[..2]),
        ("GET", [_, _, _, "info"]) => Route::new("workspace_by_keys", "read", &ids[..3]),
        _ => Route::default().unknown(),
    }
}

fn folder(method: &str, rest: &[&str], ids: &[&String]) -> Route {
    match (method, rest) {
        ("POST", []) => Route::new("create_folder", "organize", &[]),
        ("GET", [_]) => Route::new("folder_contents", "read", &ids[..1]),
        ("POST", [_]) => Route::new("file", "organize", &ids[..1]),
        ("DELETE", [_]) => Route::new("delete_folder", "delete_container", &ids[..1]),
        ("GET", [_, "info"]) => Route::new("folder", "read", &ids[..1]),
        ("PUT", [_, "info"]) => Route::new("update_folder", "edit", &ids[..1]),
        ("GET", [_, "ancestry"]) => Route::new("ancestry", "read", &ids[..1]),
        _ => Route::default().unknown(),
    }
}

fn document(request: &Request, method: &str, rest: &[&str], ids: &[&String]) -> Route {
    match (method, rest) {
        ("POST", [] | ["upload" | "checkin"]) if is_multipart(request) => Route::new("upload", "edit", ids),
        ("POST", [] | ["copy" | "checkout" | "lock" | "unlock"]) => {
            Route::new("document_action", "edit", ids)
        }
        ("POST", [_, "lock"]) => Route::new("lock", "edit", &ids[..1]),
        ("POST", [_, "unlock"]) => Route::new("unlock", "edit", &ids[..1]),
        ("GET", [_, "info"]) => Route::new("document", "read", &ids[..1]),
        ("PUT", [_, "info"]) => Route::new("update_document", "edit", &ids[..1]),
        ("PUT", [_, "new"]) => Route::new("new_version", "edit", &ids[..1]),
        ("PUT", [_]) => Route::new("replace", "edit", &ids[..1]),
        ("GET", [_, "versionlist"]) => Route::new("versions", "read", &ids[..1]),
        ("GET", [_, "locations"]) => Route::new("locations", "read", &ids[..1]),
        ("GET", [_, "history"]) => Route::new("history", "read", &ids[..1]),
        ("DELETE", [_]) => Route::new("delete_document", "delete_doc", &ids[..1]),
        ("GET", [_] | [_, _]) => Route::new("download", "read", ids),
        _ => Route::default().unknown(),
    }
}

/// Whether a body is read as it comes.
pub(super) fn streams(request: &Request) -> bool {
    match route(request).op {
        "upload" | "new_version" | "replace" => true,
        "create_user" => is_multipart(request),
        _ => false,
    }
}
