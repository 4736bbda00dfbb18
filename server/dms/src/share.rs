//! What connectors to plain files have in common: ids that are paths, and what they keep hidden beside documents. The folder and the
//! WebDAV connector use one layout, so that a share filed into over one way can be read over the other.
//!
//! ```text
//! <workspace>/.postroom/workspace.json          fields of the workspace, and whether it is closed
//! <container>/.postroom/<name>.json             the sidecar of the document <name>
//! <container>/.postroom/marks/<filing>          which name the document of a filing has
//! <container>/.postroom/versions/<name>/<n>     an older version, with its sidecar <n>.json
//! <container>/.postroom/tmp/                    what has no name yet
//! ```

pub(crate) mod ids;
pub(crate) mod profile;
pub(crate) mod sidecar;
