use super::*;

const GOOD: &str = r#"
[data]
dir = "/var/lib/postroom"
[[destinations]]
name = "files"
kind = "folder"
[destinations.folder]
root = "/srv/dms"
[[repositories]]
name = "matters"
area = "matter_documents"
service = "files"
resolver = "default"
resolver_config = "[workitem.title]"
folder = "Correspondence"
"#;

fn read(text: &str) -> Result<Settings, SettingsError> {
    Settings::parse("postroom.toml", text, std::iter::empty())
}

#[test]
fn good_settings_are_read_with_safe_defaults() {
    let settings = read(GOOD).unwrap();
    assert_eq!(settings.server.listen, "127.0.0.1:8440");
    assert_eq!(settings.rules().repositories.len(), 1);
    assert_eq!(main_site().as_str(), "main");
}

#[test]
fn the_environment_overrides_key_by_key() {
    let variables = [
        ("POSTROOM__SERVER__WORKERS", "3"),
        ("POSTROOM__DESTINATIONS__0__CONCURRENCY", "9"),
        ("POSTROOM__RETRY__SOFT_MODE", "true"),
        ("POSTROOM_URL", "not ours"),
    ]
    .map(|(k, v)| (k.to_owned(), v.to_owned()));
    let settings = Settings::parse("postroom.toml", GOOD, variables.into_iter()).unwrap();
    assert_eq!(settings.server.workers, 3);
    assert_eq!(settings.destinations[0].get_ref().concurrency, 9);
    assert!(settings.retry.soft_mode);
    let wrong = [("POSTROOM__DESTINATIONS__7__NAME".to_owned(), "x".to_owned())];
    let error = Settings::parse("postroom.toml", GOOD, wrong.into_iter()).unwrap_err().to_string();
    assert_eq!(error, "POSTROOM__DESTINATIONS__7__NAME: \"7\" is not an entry of a list of 1 (from 0)");
}

#[test]
fn every_mistake_names_line_key_and_remedy() {
    for (from, to, wanted) in [
        ("dir =", "dri =", "postroom.toml:3:1: unknown field `dri`"),
        ("dir =", "dri =", "did you mean \"dir\"?"),
        ("[data]", "[dta]", "unknown field `dta`"),
        (
            "service = \"files\"",
            "service = \"fils\"",
            "there is no destination \"fils\" (did you mean \"files\"?)",
        ),
        ("service = \"files\"", "service = \"fils\"", "postroom.toml:9:"),
        ("kind = \"folder\"", "kind = \"imanage\"", "needs a section [destinations.imanage]"),
        ("[workitem.title]", "[workitem.", "resolver_config: at character 11"),
        ("\"default\"", "\"fuzzy\"", "\"fuzzy\" is not a resolver mode"),
        ("matter_documents", "matters", "unknown variant `matters`"),
        ("\"Correspondence\"", "\"[x|y]\"", "folder: at character 4"),
        ("dir = \"/var/lib/postroom\"", "dir = 3", "invalid type"),
        ("name = \"files\"", "name = \"Files!\"", "is not a service name"),
    ] {
        let text = GOOD.replacen(from, to, 1);
        let error = read(&text).unwrap_err().to_string();
        assert!(error.contains(wanted), "{wanted:?} not in:\n{error}");
    }
}
