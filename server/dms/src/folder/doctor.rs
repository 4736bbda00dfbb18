//! Live checks of a folder DMS.

use std::io;
use std::path::Path;

use super::dir::Dir;
use super::workspace;
use crate::doctor::Finding;

/// Checks the root, the right to write into it, and that renames replace nothing; blocks.
pub(super) fn check(root: &Path) -> Vec<Finding> {
    let shown = root.display();
    let dir = match Dir::root(root) {
        Ok(dir) => dir,
        Err(e) => {
            let advice =
                "Create the folder, or mount the share, and give Postroom's user the right to enter it.";
            return vec![Finding::bad("root", format!("{shown}: {e}"), advice)];
        }
    };
    let mut findings = vec![Finding::good("root", format!("{shown} can be opened"))];
    let test = format!(".postroom-doctor.{}", std::process::id());
    let other = format!("{test}.2");
    let tried = (|| {
        dir.create(&test)?.sync_all()?;
        dir.create(&other)?;
        match dir.give(&test, &dir, &other) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => dir.flush(),
            Err(e) => Err(e),
            Ok(()) => Err(io::Error::other("a rename replaced a file although it was told not to")),
        }
    })();
    let _ = dir.remove(&test);
    let _ = dir.remove(&other);
    findings.push(match tried {
        Ok(()) => Finding::good("writing", format!("{shown} takes files, and renames replace nothing")),
        Err(e) => Finding::bad(
            "writing",
            format!("{shown}: {e}"),
            "Give Postroom's user the right to write, and use a file system with hard links or RENAME_NOREPLACE.",
        ),
    });
    match workspace::folders(&dir) {
        Ok(names) if names.is_empty() => findings.push(Finding::warning(
            "workspaces",
            "there is none",
            "Create a folder per matter; its name is the workspace's title.",
        )),
        Ok(names) => findings.push(Finding::good("workspaces", format!("{} found", names.len()))),
        Err(e) => {
            findings.push(Finding::bad("workspaces", e.to_string(), "Check the rights on the folders."));
        }
    }
    findings
}
