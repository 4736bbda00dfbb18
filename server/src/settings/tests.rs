use super::*;

const GOOD: &str = r#"
[data]
dir = "/var/lib/postroom"
[vault]
passphrase_file = "/run/secrets/passphrase"
private_key_file = "/run/secrets/key.pem"
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
        ("service = \"files\"", "service = \"fils\"", "postroom.toml:12:"),
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

/// Sections about people: each with one mistake, and what is said about it. All but the mistake is good.
#[test]
fn mistakes_about_people_are_told_too() {
    let people = r#"
[server]
public_url = "https://postroom.firm.example"
[people]
session_hours = 9
[[people.domain_rules]]
domain = "firm.example"
site = "london"
role = "scan-desk"
status = "pending"
[[roles]]
name = "scan-desk"
permissions = ["file", "see_all"]
[[tokens]]
name = "scanner"
role = "scan-desk"
site = "london"
also_sites = ["leeds"]
sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
[[services]]
name = "entra"
kind = "entra"
tenant = "7d3f0c52-6a1b-4e0e-9a54-2f5b1f6f0a11"
client_id = "b51c2e0a"
client_secret = "a secret of the application"
sign_in = "visible"
"#;
    let good = format!("{GOOD}{people}");
    let settings = read(&good).unwrap();
    let role = "scan-desk".parse().unwrap();
    let allowed = settings.all_roles().get(&role).unwrap().list();
    assert_eq!(
        allowed,
        [postroom_domain::person::Permission::File, postroom_domain::person::Permission::SeeAll]
    );
    let sites = settings.tokens[0].get_ref().sites();
    assert!(sites.has(&"leeds".parse().unwrap()) && !sites.has(&main_site()));
    assert_eq!(settings.people.limits().absolute, std::time::Duration::from_hours(9));
    assert_eq!(settings.server.public_url_planned(), "https://postroom.firm.example");
    assert!(!format!("{settings:?}").contains("a secret of the application"), "a secret is shown");
    for (from, to, wanted) in [
        (
            "role = \"scan-desk\"\nstatus",
            "role = \"scan-dask\"\nstatus",
            "there is no role \"scan-dask\" (did you mean \"scan-desk\"?)",
        ),
        ("domain = \"firm.example\"", "domain = \"gmail.com\"", "anybody gets an e-mail of gmail.com"),
        ("\"see_all\"", "\"see_al\"", "see_al"),
        ("name = \"scan-desk\"", "name = \"operator\"", "roles \"operator\": the name is taken"),
        (
            "role = \"scan-desk\"\nsite",
            "role = \"scanner\"\nsite",
            "tokens \"scanner\": role: there is no role",
        ),
        ("session_hours = 9", "session_hours = 0", "people.session_hours: 1 to 744"),
        ("session_hours", "session_hour", "did you mean \"session_hours\"?"),
        ("https://postroom.firm", "http://postroom.firm", "server.public_url: must begin with https://"),
        ("postroom.firm.example\"", "postroom.firm.example/postroom\"", "must end with the host or port"),
        (
            "client_secret = \"a secret of the application\"",
            "",
            "services \"entra\": client_secret is missing",
        ),
        ("tenant = \"7d3f0c52-6a1b-4e0e-9a54-2f5b1f6f0a11\"", "", "services \"entra\": tenant is missing"),
        ("kind = \"entra\"", "kind = \"entar\"", "unknown variant `entar`"),
        ("name = \"entra\"", "name = \"files\"", "the destination of that name is of kind \"folder\""),
        (
            "[vault]\npassphrase_file = \"/run/secrets/passphrase\"\nprivate_key_file = \"/run/secrets/key.pem\"\n",
            "",
            "the section [vault] is missing",
        ),
    ] {
        assert!(good.contains(from), "{from}");
        let error = read(&good.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(wanted), "{wanted:?} not in:\n{error}");
        assert!(!error.contains("a secret of the application"), "a secret is shown: {error}");
    }
    let open =
        good.replacen("public_url = \"https://postroom.firm.example\"", "listen = \"0.0.0.0:8440\"", 1);
    assert!(read(&open).unwrap_err().to_string().contains("server.public_url: is needed"));
}

/// Accounts of persons are set at each destination: nothing is made where nothing is said.
#[test]
fn accounts_of_persons_are_set_at_their_destination() {
    use postroom_domain::dms_account::{AccountPolicy, CreateAccounts};
    let policy = |settings: &Settings| settings.destinations[0].get_ref().accounts.clone();
    assert_eq!(policy(&read(GOOD).unwrap()), AccountPolicy::default());
    let section = "[destinations.accounts]\ncreate = \"automatic\"\nexternal_domains = [\"client.example\"]\n\
        invite = true\nlibrary = \"ACTIVE\"\n[destinations.folder]";
    let good = GOOD.replacen("[destinations.folder]", section, 1);
    let wanted = AccountPolicy {
        create: CreateAccounts::Automatic,
        external_domains: vec!["client.example".to_owned()],
        invite: true,
        library: "ACTIVE".to_owned(),
    };
    assert_eq!(policy(&read(&good).unwrap()), wanted);
    for (from, to, wanted) in [
        ("\"automatic\"", "\"allways\"", "unknown variant `allways`"),
        ("invite =", "invit =", "did you mean \"invite\"?"),
        ("client.example", "gmail.com", "destinations \"files\": accounts.external_domains: anybody gets"),
        ("client.example", "Client.example", "is not a domain such as client.example"),
        ("\"ACTIVE\"", "\"ACTIVE \"", "accounts.library: no blanks"),
    ] {
        let error = read(&good.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(wanted), "{wanted:?} not in:\n{error}");
    }
    let asked = good.replacen("automatic", "on_request", 1).replacen("client.example", "gmail.com", 1);
    assert!(read(&asked).is_ok());
}

/// A repository's keys besides, and what is told of them; an empty text when they are good.
#[test]
fn what_a_repository_says_of_its_documents_is_checked() {
    let table = [
        ("", ""),
        ("save_mode = \"replace_with_link\"\nduplicate = \"file\"", ""),
        ("save_mode = \"move\"", "unknown variant `move`"),
        ("duplicate = \"perhaps\"", "unknown variant `perhaps`"),
        ("blocked_extensions = [\"exe\", \".JS\"]", ""),
        ("blocked_extensions = [\"*.exe\"]", "blocked_extensions: \"*.exe\" is not an extension"),
        ("profile = { class = \"LETTER\" }\nrequired = [\"class\"]", ""),
        ("required = [\"class\"]", "required: \"class\" has no value in the profile"),
        ("profile = { class = \"[workitem.kind]\" }", "profile.class: [workitem.kind] is not known"),
        ("when_ambiguous = \"first_match\"", "when_ambiguous: first_match is for general workspaces only"),
        (
            "create_workspace = true",
            "create_workspace: a destination of kind \"folder\" does not make workspaces",
        ),
        ("create_workspace = true", "create_workspace: needs the resolver \"search\""),
    ];
    for (more, wanted) in table {
        match read(&format!("{GOOD}{more}\n")) {
            Ok(_) => assert_eq!(wanted, "", "{more}"),
            Err(error) => {
                assert!(!wanted.is_empty() && error.to_string().contains(wanted), "{more}: {error}");
            }
        }
    }
    let origin = GOOD
        .replace("resolver = \"default\"\nresolver_config = \"[workitem.title]\"", "resolver = \"origin\"");
    assert!(read(&origin).is_ok());
    let general = GOOD.replace("matter_documents", "inbound_email");
    assert!(read(&format!("{general}when_ambiguous = \"first_match\"\n")).is_ok());
    let hosts = |hosts: &str| read(&format!("[server]\nframe_hosts = [\"{hosts}\"]\n{GOOD}"));
    for good in ["https://outlook.office.com", "https://*.sharepoint.com", "https://mail.firm.example:8443"] {
        assert!(hosts(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "*",
        "https://",
        "https://*",
        "http://mail.firm.example",
        "https://a; script-src *",
        "https://a b",
        "https://a/b",
    ] {
        assert!(hosts(bad).unwrap_err().to_string().contains("server.frame_hosts"), "{bad}");
    }
    let zone = |zone: &str| read(&format!("[server]\ntime_zone = \"{zone}\"\n{GOOD}"));
    assert_eq!(zone("Europe/London").unwrap().rules().zone.iana_name(), Some("Europe/London"));
    assert!(zone("Mars/Olympus").unwrap_err().to_string().contains("server.time_zone"));
}

/// A mailbox at Microsoft 365: what is said of each mistake; an empty text when it is good.
#[test]
fn what_a_mailbox_at_microsoft_says_is_checked() {
    let mailbox = r#"
[[graph]]
name = "post"
tenant = "firm.example"
client_id = "c2f1a7d0"
client_secret = "a secret of the application"
mailbox = "post@firm.example"
addresses = ["letters@firm.example"]
folders = ["inbox", "Inbox/Clients"]
after = "move"
after_folder = "Filed"
"#;
    let good = format!("{GOOD}\n[mail.matching]\nown_domains = [\"own.example\"]\n{mailbox}");
    let settings = read(&good).unwrap();
    assert!(settings.takes_letters());
    assert_eq!(settings.own_mailboxes(), ["post@firm.example", "letters@firm.example"]);
    assert!(!format!("{settings:?}").contains("a secret of the application"), "a secret is shown");
    let it = settings.graph[0].get_ref();
    assert_eq!(it.endpoint.as_str(), "https://graph.microsoft.com/");
    assert_eq!(it.authority.as_str(), "https://login.microsoftonline.com/");
    // Where Microsoft tells of changes.
    let told = |more: &str, public: Option<&str>| {
        let settings = read(&format!("{good}{more}\n")).unwrap();
        let public = public.map(|it| it.parse().unwrap());
        match settings.graph[0].get_ref().options(public.as_ref()).notifications {
            postroom_inbound::graph::Notifications::At { url, .. } => url.to_string(),
            postroom_inbound::graph::Notifications::Off(why) => why,
        }
    };
    let route = "/api/v1/notifications/graph";
    let nowhere = "there is no public address that Microsoft could tell of changes";
    let public = Some("https://post.firm.example");
    assert_eq!(told("", public), format!("https://post.firm.example{route}"));
    assert_eq!(told("", Some("http://localhost:8440")), nowhere);
    assert_eq!(told("", None), nowhere);
    assert_eq!(told("notifications = false", public), "notifications are turned off");
    let elsewhere = format!("https://hooks.firm.example{route}");
    assert_eq!(told(&format!("notification_url = \"{elsewhere}\""), public), elsewhere);
    for (from, to, wanted) in [
        ("\"firm.example\"", "\"\"", "graph \"post\": tenant and client_id: neither may be empty"),
        ("client_secret =", "client_secrt =", "did you mean \"client_secret\"?"),
        ("client_secret = \"a secret of the application\"", "", "one of them is needed, and one only"),
        ("client_id", "certificate_file = \"x\"\nclient_id", "one of them is needed, and one only"),
        ("\"post@firm.example\"", "\"post\"", "mailbox: \"post\" is no address"),
        ("\"post@firm.example\"", "\"o'neil@firm.example\"", "give the object id of its user in user"),
        ("[\"inbox\", \"Inbox/Clients\"]", "[]", "folders: names none"),
        ("\"Filed\"", "\"Inbox\"", "after_folder: is read"),
        ("after_folder = \"Filed\"", "", "after_folder: is needed with after = \"move\""),
        ("after = \"move\"", "after = \"mark\"", "unknown variant `mark`"),
        ("after = \"move\"", "category = \"a,b\"\nafter = \"move\"", "category: the name of a category"),
        ("after = \"move\"", "property = \"Filed\"\nafter = \"move\"", "property: must look like"),
        ("after = \"move\"", "poll_seconds = 0\nafter = \"move\"", "poll_seconds and sweep_hours: 1 or more"),
        (
            "after = \"move\"",
            "notification_minutes = 9\nafter = \"move\"",
            "notification_minutes: 60 to 10080",
        ),
        (
            "after = \"move\"",
            "endpoint = \"http://graph.example\"\nafter = \"move\"",
            "endpoint: must be an address",
        ),
        (
            "after = \"move\"",
            "authority = \"https://x.example/y\"\nafter = \"move\"",
            "authority: must be an address",
        ),
        (
            "after = \"move\"",
            "notification_url = \"http://x.example/\"\nafter = \"move\"",
            "notification_url: must begin with https://",
        ),
        ("name = \"post\"", "name = \"Post!\"", "is not a source name"),
    ] {
        assert!(good.contains(from), "{from}");
        let error = read(&good.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(wanted), "{wanted:?} not in:\n{error}");
        assert!(!error.contains("a secret of the application"), "a secret is shown: {error}");
    }
    let twice = read(&format!("{good}{mailbox}")).unwrap_err().to_string();
    assert!(twice.contains("graph \"post\": the name stands twice"), "{twice}");
    // A national cloud.
    let national =
        "authority = \"https://login.microsoftonline.us\"\nendpoint = \"https://graph.microsoft.us\"\n";
    assert!(read(&format!("{good}{national}")).is_ok());
}

#[test]
fn screening_is_off_until_it_is_turned_on_and_its_mistakes_are_told() {
    use postroom_domain::screening::Mode;
    use postroom_inbound::screen::WhenClosed;
    let plain = read(GOOD).unwrap().screening;
    assert_eq!(
        (plain.mode, plain.opens_all(), plain.scanner().unwrap().is_some()),
        (Mode::Off, false, false)
    );
    assert_eq!(plain.archives(), None);
    let good = format!(
        "{GOOD}\n[screening]\nmode = \"required\"\nclamd = \"tcp:127.0.0.1:3310\"\nlargest_bytes = 1000000\n\
         at_once = 2\nsignatures_days = 3\n[screening.archives]\nopen = true\nwhen_closed = \"file\"\n"
    );
    let on = read(&good).unwrap().screening;
    assert_eq!((on.mode, on.opens_all()), (Mode::Required, true));
    assert_eq!(on.scanner().unwrap().unwrap().address().to_string(), "tcp:127.0.0.1:3310");
    assert_eq!(on.archives().unwrap().when_closed, WhenClosed::File);
    for (from, to, wanted) in [
        ("tcp:127.0.0.1:3310", "127.0.0.1:3310", "is neither unix:/path/to/socket nor tcp:host:port"),
        ("\"required\"", "\"require\"", "unknown variant `require`"),
        ("mode =", "mod =", "did you mean \"mode\"?"),
        ("at_once = 2", "at_once = 0", "screening.at_once: 1 to 64"),
        ("largest_bytes = 1000000", "largest_bytes = 0", "screening.largest_bytes: 1 or more"),
        ("largest_bytes = 1000000", "largest_bytes = 5000000000", "less than 4 GiB"),
        ("signatures_days = 3", "signatures_days = 0", "screening.signatures_days: 1 or more"),
        ("signatures_days = 3", "total_seconds = 10", "screening.total_seconds: not less than"),
        ("when_closed = \"file\"", "when_closed = \"pass\"", "unknown variant `pass`"),
        ("open = true", "opn = true", "did you mean \"open\"?"),
    ] {
        assert!(good.contains(from), "{from}");
        let error = read(&good.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(wanted), "{wanted:?} not in:\n{error}");
    }
}

#[test]
fn links_at_highq_are_off_and_each_mistake_is_named() {
    const HIGHQ: &str = r#"
[server]
public_url = "https://postroom.firm.example"
[[destinations]]
name = "collab"
kind = "highq"
[destinations.highq]
base_url = "https://collab.firm.example/collab"
[destinations.highq.auth]
grant = "refresh_token"
client_id = 17
refresh_token_file = "/var/lib/postroom/highq"
[[highq_links]]
name = "highq-folders"
service = "collab"
sites = [101, 102]
kind = "folder"
column = "Postroom"
folder_id_column = "Folder ID"
[[highq_links]]
name = "highq-documents"
service = "collab"
all_sites = true
kind = "document"
column = "Send to"
text = "Senden an"
poll_seconds = 60
[[highq_webhooks]]
service = "collab"
secret = "a-token-of-highq-alone"
[[scan_folders]]
name = "drop"
service = "collab"
container = "folder:345"
work_item = "{clientno}-{matterno}"
"#;
    assert_eq!(read(GOOD).unwrap().highq_links.len(), 0);
    let text = format!("{GOOD}{HIGHQ}");
    let settings = read(&text).unwrap();
    let public = "https://postroom.firm.example".parse().unwrap();
    let told: Vec<_> = settings.highq_links.iter().map(|it| it.get_ref().options(&public)).collect();
    assert_eq!(
        (told[0].sites.join(" "), told[0].text.as_str(), told[0].poll.as_secs()),
        ("site:101 site:102".to_owned(), "Open in Postroom", 3600)
    );
    assert_eq!((told[1].sites.len(), told[1].text.as_str(), told[1].poll.as_secs()), (0, "Senden an", 60));
    for (from, to, wanted) in [
        ("sites = [101, 102]\n", "", "highq_links \"highq-folders\": sites: name them"),
        (
            "all_sites = true",
            "all_sites = true\nsites = [1]",
            "highq_links \"highq-documents\": sites: name them",
        ),
        ("[101, 102]", "[0]", "0 is no site"),
        ("[101, 102]", "[\"x\"]", "invalid type"),
        ("kind = \"folder\"\ncolumn", "kind = \"folders\"\ncolumn", "unknown variant `folders`"),
        ("column = \"Postroom\"", "column = \" \"", "column: must not be blank"),
        ("column = \"Postroom\"", "column = \"a\\nb\"", "one line of at most 200"),
        ("\"Folder ID\"", "\"Postroom\"", "folder_id_column: is the column of the links itself"),
        (
            "text = \"Senden an\"",
            "folder_id_column = \"X\"",
            "folder_id_column: belongs to kind = \"folder\"",
        ),
        ("poll_seconds = 60", "poll_seconds = 0", "poll_seconds: 1 to 86400"),
        ("service = \"collab\"\nsites", "service = \"colab\"\nsites", "did you mean \"collab\"?"),
        ("service = \"collab\"\nall", "service = \"files\"\nall", "it must be one of kind \"highq\""),
        ("name = \"highq-documents\"", "name = \"highq-folders\"", "the name stands twice"),
        (
            "public_url = \"https://postroom.firm.example\"",
            "",
            "base_url: needed where server.public_url is not set",
        ),
        (
            "poll_seconds = 60",
            "base_url = \"http://postroom.firm.example\"",
            "base_url: must be an https:// address",
        ),
        ("secret = \"a-token-of-highq-alone\"", "secret = \"short\"", "secret: at least 20 characters"),
        ("secret = \"a-token-of-highq-alone\"", "", "secret_file: name the file with the token"),
        ("{clientno}-{matterno}", "{clientno", "scan_folders \"drop\": work_item: a brace is not closed"),
    ] {
        assert!(text.contains(from), "{from}");
        let error = read(&text.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(wanted), "{to}: {error}");
    }
}

#[test]
fn scans_are_set_at_their_folders() {
    use postroom_inbound::reader::BatchRules;

    const SCANS: &str = r#"
[[hot_folders]]
name = "scans"
path = "/srv/scans"
batches = true
[hot_folders.pages]
separators = ["qr", "patch_t"]
remove_blank = "at_end"
behind_separator = "nobody"
most_pages = 50
[[hot_folders]]
name = "others"
path = "/srv/others"
[[scan_folders]]
name = "dms-scans"
service = "files"
container = "Scans/In"
batches = true
when_done = "move"
move_to = "Scans/Done"
"#;
    let text = format!("{GOOD}{SCANS}");
    let settings = read(&text).unwrap();
    let rules = settings.batch_rules();
    assert_eq!(rules.keys().map(SourceName::as_str).collect::<Vec<_>>(), ["dms-scans", "scans"]);
    let (own, usual) = (rules[&"scans".parse().unwrap()], rules[&"dms-scans".parse().unwrap()]);
    assert_eq!(usual, BatchRules::default());
    assert_eq!(
        (own.kinds.qr, own.kinds.code_128, own.kinds.patch_t, own.limits.pages),
        (true, false, true, 50)
    );
    assert!(settings.hot_folders.iter().all(|folder| folder.get_ref().events));
    for (from, to, wanted) in [
        ("separators = [\"qr\", \"patch_t\"]", "separators = []", "pages.separators: names none"),
        ("\"patch_t\"", "\"patch\"", "unknown variant `patch`"),
        ("most_pages = 50", "most_pages = 0", "hot_folders \"scans\": pages: limits are 1 or more"),
        ("name = \"others\"", "name = \"scans\"", "hot_folders \"scans\": the name stands twice"),
        ("name = \"dms-scans\"", "name = \"scans\"", "scan_folders \"scans\": the name stands twice"),
        ("service = \"files\"\ncontainer", "service = \"fils\"\ncontainer", "did you mean \"files\"?"),
        ("container = \"Scans/In\"", "container = \" \"", "container: must not be blank"),
        ("move_to = \"Scans/Done\"", "move_to = \"Scans/In\"", "move_to: is the folder itself"),
        ("move_to = \"Scans/Done\"", "", "move_to: belongs to when_done = \"move\""),
        ("when_done = \"move\"", "when_done = \"mark\"", "mark: belongs to when_done = \"mark\""),
        ("when_done = \"move\"", "when_done = \"burn\"", "unknown variant `burn`"),
    ] {
        assert!(text.contains(from), "{from}");
        let error = read(&text.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(wanted), "{to}: {error}");
    }
}

#[test]
fn what_people_start_and_add_to_is_checked() {
    const SEND_TO: &str = r#"
[[repositories]]
name = "requests"
area = "matter_documents"
work_type = "request"
service = "files"
resolver = "origin"
[[workflows]]
name = "it"
title = "Ask IT"
work_type = "request/it"
reference_prefix = "IT-"
teams = ["disputes"]
[[collections]]
name = "precedents"
title = "Precedents"
work_item = "KH-0001"
[send_to]
frames = ["https://work.firm.example", "https://cloud.example:8443/"]
"#;
    let text = format!("{GOOD}{SEND_TO}");
    let settings = read(&text).unwrap();
    assert_eq!(settings.send_to.frames(), ["https://work.firm.example", "https://cloud.example:8443"]);
    for (from, to, wanted) in [
        ("name = \"it\"", "name = \"I T\"", "workflows \"I T\": name: 1 to 63"),
        ("\"IT-\"", "\"IT/\"", "workflows \"it\": reference_prefix"),
        (
            "area = \"matter_documents\"\nwork_type = \"request\"",
            "area = \"matter_documents\"\nwork_type = \"requests\"",
            "",
        ),
        (
            "title = \"Ask IT\"",
            "title = \"Ask IT\"\narea = \"scanning\"",
            "no repository serves scanning of work type request/it",
        ),
        (
            "work_item = \"KH-0001\"",
            "work_item = \"\"",
            "collections \"precedents\": work_item: must not be blank",
        ),
        (
            "[[collections]]",
            "[[collections]]\nname = \"precedents\"\ntitle = \"x\"\nwork_item = \"x\"\n[[collections]]",
            "collections \"precedents\": the name stands twice",
        ),
        (
            "https://work.firm.example",
            "https://work.firm.example/x",
            "send_to.frames: \"https://work.firm.example/x\" is not an origin",
        ),
        ("https://work.firm.example", "https: 'unsafe-inline'", "is not an origin"),
        ("https://work.firm.example", "javascript:x", "is not an origin"),
        ("frames =", "frame =", "frames"),
    ] {
        assert!(text.contains(from), "{from}");
        let changed = text.replacen(from, to, 1);
        match read(&changed) {
            // A repository without a work type serves the rest.
            Ok(_) => assert_eq!(wanted, "", "{to}"),
            Err(error) => assert!(error.to_string().contains(wanted) && !wanted.is_empty(), "{to}: {error}"),
        }
    }
}
