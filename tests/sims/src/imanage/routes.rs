//! Which operation a method and path mean. The names are those of the statistics and of fault patterns.

use percent_encoding::percent_decode_str;

macro_rules! operations {
    ($($variant:ident => $name:literal),+ $(,)?) => {
        /// An operation of the server.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Op { $($variant),+ }

        impl Op {
            pub(super) fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

operations! {
    Unknown => "unknown", Discovery => "discovery", Authorize => "authorize", Token => "token",
    Revoke => "revoke_token", Logout => "logout", LegacyLogin => "legacy_login", Ping => "ping",
    Features => "features", DialogToken => "dialog_token", Libraries => "libraries",
    LibraryOperations => "operations", SearchWorkspaces => "search_workspaces",
    SearchWorkspacesPost => "search_workspaces_post", CreateWorkspace => "create_workspace",
    GetWorkspace => "get_workspace", UpdateWorkspace => "update_workspace",
    WorkspaceChildren => "workspace_children", CreateFolder => "create_folder",
    NameValuePairs => "name_value_pairs", RecentWorkspaces => "recent_workspaces",
    SearchFolders => "search_folders", SearchFoldersPost => "search_folders_post", GetFolder => "get_folder",
    UpdateFolder => "update_folder", DeleteFolder => "delete_folder", FolderChildren => "folder_children",
    FolderDocuments => "folder_documents", CreateSubfolder => "create_subfolder", MoveFolder => "move_folder",
    FolderOperations => "folder_operations", Upload => "upload", SearchDocuments => "search_documents",
    SearchDocumentsPost => "search_documents_post", GetDocument => "get_document",
    UpdateDocument => "update_document", DeleteDocument => "delete_document", Download => "download",
    Versions => "versions", NewVersion => "new_version", ReplaceFile => "replace_file", Checkout => "checkout",
    Lock => "lock", Unlock => "unlock", MoveDocument => "move_document", History => "history",
    DocumentOperations => "document_operations", CheckedOut => "checked_out", Users => "users",
    GetUser => "get_user", UserLibraries => "user_libraries", Classes => "classes", Types => "types",
    CustomSearch => "custom_search", GetCustom => "get_custom", CreateCustom => "create_custom",
    Groups => "groups", Security => "security", CreateUser => "create_user", Favourites => "favourites",
    CopyDocument => "copy_document", Trash => "trash", Restore => "restore", Purge => "purge",
}

impl Op {
    /// The body is a file that streams through.
    pub(super) fn streams(self) -> bool {
        matches!(self, Self::Upload | Self::NewVersion | Self::ReplaceFile)
    }

    /// Answers without a token.
    pub(super) fn is_open(self) -> bool {
        matches!(
            self,
            Self::Discovery
                | Self::Authorize
                | Self::Token
                | Self::Revoke
                | Self::Logout
                | Self::LegacyLogin
                | Self::DialogToken
                | Self::Unknown
        )
    }
}

/// An operation with the ids of its path.
#[derive(Clone, Debug)]
pub(super) struct Route {
    pub(super) op: Op,
    pub(super) customer: Option<String>,
    pub(super) library: Option<String>,
    /// Ids in order; a moved document comes after its folder.
    pub(super) ids: Vec<String>,
}

impl Route {
    fn plain(op: Op) -> Self {
        Self { op, customer: None, library: None, ids: Vec::new() }
    }

    /// The first id.
    pub(super) fn id(&self) -> &str {
        self.ids.first().map_or("", String::as_str)
    }

    /// The second id.
    pub(super) fn second(&self) -> &str {
        self.ids.get(1).map_or("", String::as_str)
    }
}

/// Roots under which the v2 API is published.
const ROOTS: [&str; 3] = ["/work/api/v2", "/work/web/api/v2", "/api/v2"];

pub(super) fn route(method: &str, path: &str) -> Route {
    let path = path.strip_suffix('/').unwrap_or(path);
    match (method, path) {
        ("GET", "/api") => return Route::plain(Op::Discovery),
        ("GET", "/auth/oauth2/authorize") => return Route::plain(Op::Authorize),
        ("POST", "/auth/oauth2/token") => return Route::plain(Op::Token),
        ("POST", "/auth/oauth2/revoke-token") => return Route::plain(Op::Revoke),
        ("GET", "/auth/logout") => return Route::plain(Op::Logout),
        ("PUT", "/api/v1/session/login" | "/imanage/api/v1/session/login") => {
            return Route::plain(Op::LegacyLogin);
        }
        _ => {}
    }
    let Some(rest) = ROOTS.iter().find_map(|root| path.strip_prefix(root)) else {
        return Route::plain(Op::Unknown);
    };
    let decoded: Vec<String> =
        rest.split('/').skip(1).map(|s| percent_decode_str(s).decode_utf8_lossy().into_owned()).collect();
    let parts: Vec<&str> = decoded.iter().map(String::as_str).collect();
    let ["customers", customer, rest @ ..] = parts.as_slice() else { return Route::plain(Op::Unknown) };
    let (library, (op, ids)) = match rest {
        ["libraries", library, rest @ ..] => (Some((*library).to_owned()), in_library(method, rest)),
        _ => (None, across(method, rest)),
    };
    let ids = ids.into_iter().map(str::to_owned).collect();
    Route { op, customer: Some((*customer).to_owned()), library, ids }
}

fn across<'a>(method: &str, rest: &[&'a str]) -> (Op, Vec<&'a str>) {
    match (method, rest) {
        ("GET", ["ping"]) => (Op::Ping, vec![]),
        ("GET", ["features"]) => (Op::Features, vec![]),
        ("GET", ["dialog-tokens", token]) => (Op::DialogToken, vec![token]),
        ("GET", ["libraries"]) => (Op::Libraries, vec![]),
        ("GET", ["workspaces"]) => (Op::SearchWorkspaces, vec![]),
        ("GET", ["folders"]) => (Op::SearchFolders, vec![]),
        ("GET", ["documents"]) => (Op::SearchDocuments, vec![]),
        ("GET", ["documents", "checked-out"]) => (Op::CheckedOut, vec![]),
        ("GET", ["users"]) => (Op::Users, vec![]),
        ("POST", ["users"]) => (Op::CreateUser, vec![]),
        ("GET", ["users", id]) => (Op::GetUser, vec![id]),
        ("GET", ["users", id, "libraries"]) => (Op::UserLibraries, vec![id]),
        ("GET", ["groups"]) => (Op::Groups, vec![]),
        _ => (Op::Unknown, vec![]),
    }
}

fn in_library<'a>(method: &str, rest: &[&'a str]) -> (Op, Vec<&'a str>) {
    match (method, rest) {
        ("GET", ["operations"]) => (Op::LibraryOperations, vec![]),
        ("GET", ["workspaces"]) => (Op::SearchWorkspaces, vec![]),
        ("POST", ["workspaces", "search"]) => (Op::SearchWorkspacesPost, vec![]),
        ("POST", ["workspaces"]) => (Op::CreateWorkspace, vec![]),
        ("GET", ["recent-workspaces"]) => (Op::RecentWorkspaces, vec![]),
        ("GET", ["my-favorites", "children"]) => (Op::Favourites, vec![]),
        ("GET", ["workspaces", id]) => (Op::GetWorkspace, vec![id]),
        ("PATCH", ["workspaces", id]) => (Op::UpdateWorkspace, vec![id]),
        ("GET", ["workspaces" | "folders", id, "security"]) => (Op::Security, vec![id]),
        ("GET", ["workspaces", id, "children"]) => (Op::WorkspaceChildren, vec![id]),
        ("POST", ["workspaces", id, "folders"]) => (Op::CreateFolder, vec![id]),
        ("GET", ["workspaces" | "folders" | "documents", id, "name-value-pairs"]) => {
            (Op::NameValuePairs, vec![id])
        }
        ("GET", ["folders"]) => (Op::SearchFolders, vec![]),
        ("POST", ["folders", "search"]) => (Op::SearchFoldersPost, vec![]),
        ("GET", ["folders", id]) => (Op::GetFolder, vec![id]),
        ("PATCH", ["folders", id]) => (Op::UpdateFolder, vec![id]),
        ("DELETE", ["folders", id]) => (Op::DeleteFolder, vec![id]),
        ("GET", ["folders", id, "children"]) | ("POST", ["folders", id, "children", "browse"]) => {
            (Op::FolderChildren, vec![id])
        }
        ("GET", ["folders", id, "documents"]) => (Op::FolderDocuments, vec![id]),
        ("POST", ["folders", id, "documents"]) => (Op::Upload, vec![id]),
        ("POST", ["folders", id, "subfolders"]) => (Op::CreateSubfolder, vec![id]),
        ("POST", ["folders", id, "move"]) => (Op::MoveFolder, vec![id]),
        ("GET", ["folders", id, "operations"]) => (Op::FolderOperations, vec![id]),
        ("POST", ["folders", folder, "documents", id, "move"]) => (Op::MoveDocument, vec![folder, id]),
        ("GET", ["documents"]) => (Op::SearchDocuments, vec![]),
        ("GET", ["documents", "checked-out"]) => (Op::CheckedOut, vec![]),
        ("POST", ["documents", "search"]) => (Op::SearchDocumentsPost, vec![]),
        ("GET", ["documents", id]) => (Op::GetDocument, vec![id]),
        ("PATCH", ["documents", id]) => (Op::UpdateDocument, vec![id]),
        ("DELETE", ["documents", id]) => (Op::DeleteDocument, vec![id]),
        ("GET", ["documents", id, "download"]) => (Op::Download, vec![id]),
        ("GET", ["documents", id, "versions"]) => (Op::Versions, vec![id]),
        ("POST", ["documents", id, "versions"]) => (Op::NewVersion, vec![id]),
        ("PUT", ["documents", id, "file"]) => (Op::ReplaceFile, vec![id]),
        ("POST", ["documents", id, "copy"]) => (Op::CopyDocument, vec![id]),
        ("GET", ["trash-bin", "documents"]) => (Op::Trash, vec![]),
        ("POST", ["trash-bin", "documents", id, "restore"]) => (Op::Restore, vec![id]),
        ("DELETE", ["trash-bin", "documents", id]) => (Op::Purge, vec![id]),
        ("POST", ["documents", id, "checkout"]) => (Op::Checkout, vec![id]),
        ("POST", ["documents", id, "lock"]) => (Op::Lock, vec![id]),
        ("DELETE", ["documents", id, "lock"]) => (Op::Unlock, vec![id]),
        ("GET", ["documents", id, "history"]) => (Op::History, vec![id]),
        ("GET", ["documents", id, "operations"]) => (Op::DocumentOperations, vec![id]),
        ("GET", ["users"]) => (Op::Users, vec![]),
        ("GET", ["groups"]) => (Op::Groups, vec![]),
        ("GET", ["classes"]) => (Op::Classes, vec![]),
        ("GET", ["types"]) => (Op::Types, vec![]),
        ("GET", ["customs", field, "search"]) => (Op::CustomSearch, vec![field]),
        ("GET", ["customs", field, alias]) => (Op::GetCustom, vec![field, alias]),
        ("POST", ["customs", field]) => (Op::CreateCustom, vec![field]),
        _ => (Op::Unknown, vec![]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_root_leads_to_the_same_operation_and_ids_are_decoded() {
        for root in ROOTS {
            let found =
                route("POST", &format!("{root}/customers/1/libraries/ACTIVE/folders/ACTIVE%2112/documents"));
            assert_eq!(found.op, Op::Upload);
            assert_eq!(found.id(), "ACTIVE!12");
            assert_eq!(found.library.as_deref(), Some("ACTIVE"));
        }
        assert_eq!(route("GET", "/nowhere").op, Op::Unknown);
    }
}
