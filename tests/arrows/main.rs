//! The arrows between the crates: a row per crate names every crate of ours that it may depend on, and why the
//! rest is forbidden stands in `ARCHITECTURE.md`. A crate without a row fails, so that a new room states its place.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Crate, what it may use, what its own tests may use besides.
type Row = (&'static str, &'static [&'static str], &'static [&'static str]);

#[rustfmt::skip]
const ARROWS: &[Row] = &[
    ("postroom-domain",   &[], &[]),
    // The vault knows nothing of what it seals; the server introduces it to the rest.
    ("postroom-vault",    &[], &[]),
    ("postroom-outbound", &["postroom-vault", "postroom-domain"], &["postroom-sims", "postroom-store"]),
    ("postroom-api",      &["postroom-domain"], &[]),
    ("postroom-store",    &["postroom-domain"], &[]),
    // The engine's and the doors' tests run over a real store, a connector's over its simulator.
    ("postroom-engine",   &["postroom-domain"], &["postroom-store"]),
    ("postroom-dms",      &["postroom-outbound", "postroom-domain"], &["postroom-sims", "postroom-store"]),
    ("postroom-inbound",  &["postroom-outbound", "postroom-domain"], &["postroom-sims", "postroom-store"]),
    ("postroom-web",      &["postroom-api", "postroom-vault", "postroom-domain", "postroom-addin-manifest"], &["postroom-store"]),
    // What is put into other people's programs: written by the server, its icons shown by the pages.
    ("postroom-addin-manifest", &[], &[]),
    ("postroom-tui",      &["postroom-api"], &[]),
    ("postroom",          &["postroom-domain", "postroom-vault", "postroom-api", "postroom-outbound", "postroom-store", "postroom-dms",
                            "postroom-inbound", "postroom-engine", "postroom-web", "postroom-addin-manifest", "postroom-sims"], &[]),
    // Simulators know nothing of what they test.
    ("postroom-sims",     &[], &[]),
    ("postroom-tests",    &["postroom-domain", "postroom-api", "postroom-outbound", "postroom-store", "postroom-dms",
                            "postroom-inbound", "postroom-engine", "postroom-web", "postroom-sims"], &[]),
];

#[test]
fn arrows_point_down_only() {
    let metadata = MetadataCommand::new().no_deps().other_options(vec!["--offline".into()]).exec().unwrap();
    let ours: BTreeSet<String> = metadata.packages.iter().map(|package| package.name.to_string()).collect();
    let table: BTreeMap<&str, &Row> = ARROWS.iter().map(|row| (row.0, row)).collect();
    let mut wrong = Vec::new();

    for row in ARROWS {
        if !ours.contains(row.0) {
            wrong.push(format!("the table has a row for {}, which is no member of the workspace", row.0));
        }
    }
    for package in &metadata.packages {
        let name = package.name.as_str();
        let Some((_, normal, dev)) = table.get(name) else {
            wrong.push(format!("{name} has no row in the table: say what it may depend on"));
            continue;
        };
        for dependency in package.dependencies.iter().filter(|d| ours.contains(d.name.as_str())) {
            let to = dependency.name.as_str();
            let allowed = match dependency.kind {
                // A crate may use itself, with more features, in its own tests.
                DependencyKind::Development => to == name || normal.contains(&to) || dev.contains(&to),
                _ => normal.contains(&to),
            };
            if !allowed {
                wrong.push(format!("{name} must not depend on {to} ({})", dependency.kind));
            }
        }
    }

    // The one arrow that turns round: the binary shows itself with the simulators, behind a feature that can be left out.
    let server = metadata.packages.iter().find(|package| package.name.as_str() == "postroom").unwrap();
    let sims = server.dependencies.iter().find(|dependency| dependency.name == "postroom-sims");
    if sims.is_some_and(|sims| !sims.optional) {
        wrong.push("postroom must depend on postroom-sims only through its optional feature \"demo\"".into());
    }
    for (feature, enables) in &server.features {
        if enables.iter().any(|e| e.contains("postroom-sims")) && feature != "demo" {
            wrong
                .push(format!("postroom's feature \"{feature}\" brings in postroom-sims; only \"demo\" may"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
