//! Lists of targets against a PostgreSQL server of our own: Debian's, in a folder of its own, on a free port of this machine.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

mod server;

use std::collections::BTreeMap;

use postroom_dms::doctor::Level;
use postroom_dms::lists::{Settings, SqlLists};
use postroom_domain::lists::{Asker, ListError, ListRow, TargetLists as _};

use crate::server::{Postgres, READER, READERS_PASSWORD};

const TABLES: &str = "
    CREATE TABLE matters (id serial, number text, name text, client int, note text);
    INSERT INTO matters (number, name, client, note) VALUES
        ('0007.1', 'Harrow v Teal', 7, NULL),
        ('0007.2', 'Harrow lease', 7, 'an office in ''Leeds'''),
        ('0012.1', 'Ångström patents', 12, ''),
        ('0012.2', E'100% \\\\ O''Neil; DROP TABLE matters', 12, 'x');
    CREATE TABLE team (number text, email text);
    INSERT INTO team VALUES ('0007.1', 'ann@firm.example'), ('0012.1', 'ann@firm.example'), ('0012.2', 'bea@firm.example');
    CREATE TABLE touched (at timestamptz);
    CREATE FUNCTION touch() RETURNS text LANGUAGE sql AS $$ INSERT INTO touched VALUES (now()) RETURNING 'touched' $$;
    GRANT SELECT, INSERT, UPDATE, DELETE ON matters, team, touched TO reader;
";

fn settings(server: &Postgres, name: &str, query: &str, more: &str) -> Settings {
    let (port, ca) = (server.port, server.ca.display());
    let text = format!(
        "name = \"{name}\"\nkind = \"postgres\"\nhost = \"localhost\"\nport = {port}\ndatabase = \"postgres\"\n\
         user = \"{READER}\"\nca_file = \"{ca}\"\nquery = '''{query}'''\n{more}\n"
    );
    // A section may follow only after all keys.
    let password = if more.contains("password") {
        String::new()
    } else {
        format!("password = \"{READERS_PASSWORD}\"\n")
    };
    let columns =
        if more.contains("columns") { "" } else { "[columns]\nkey = \"number\"\ntitle = \"name\"\n" };
    toml::from_str(&format!("{password}{text}{columns}")).unwrap()
}

fn ann() -> Asker {
    Asker { name: "ann".to_owned(), email: Some("ann@firm.example".to_owned()) }
}

async fn ask(
    lists: &SqlLists,
    by: &Asker,
    list: &str,
    given: &[(&str, &str)],
) -> Result<Vec<String>, ListError> {
    let given: BTreeMap<_, _> = given.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let rows = lists.rows(by, &list.parse().unwrap(), &given).await?;
    Ok(rows.rows.into_iter().map(|row| row.key).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_found_by_values_that_never_become_part_of_the_query() {
    let server = Postgres::start(TABLES);
    let search = "SELECT number, name, client, note FROM matters
        WHERE (name ILIKE '%' || :text || '%' OR number = :text) AND (:client = '' OR client = nullif(:client, '')::int)
        ORDER BY number DESC; -- newest first";
    let own = "SELECT m.number, m.name FROM matters m JOIN team t USING (number) WHERE t.email = :person_email ORDER BY 1";
    let columns = "title = \"All matters\"\n[columns]\nkey = \"number\"\ntitle = \"name\"\nsubtitle = \"note\"\nworkspace = \"number\"\nfields = { client = \"client\" }";
    let lists =
        SqlLists::new(&[settings(&server, "all", search, columns), settings(&server, "own", own, "")]);
    let lists = lists.unwrap();
    let offered: Vec<_> = lists.lists().into_iter().map(|it| (it.title, it.parameters)).collect();
    let parameters = vec!["text".to_owned(), "client".to_owned()];
    assert_eq!(offered, [("All matters".to_owned(), parameters), ("own".to_owned(), vec![])]);

    for (given, wanted) in [
        (&[][..], &["0012.2", "0012.1", "0007.2", "0007.1"][..]),
        (&[("text", "harrow")], &["0007.2", "0007.1"]),
        (&[("text", "0012.1")], &["0012.1"]),
        (&[("text", "ångström")], &["0012.1"]),
        (&[("client", "12")], &["0012.2", "0012.1"]),
        (&[("text", "lease"), ("client", "7")], &["0007.2"]),
        (&[("text", "lease"), ("client", "12")], &[]),
        // Whatever a value looks like, it is one.
        (&[("text", "' OR '1'='1")], &[]),
        (&[("text", "'; DROP TABLE matters; --")], &[]),
        (&[("text", "O'Neil; DROP TABLE")], &["0012.2"]),
        (&[("text", "$1")], &[]),
        (&[("text", ":client")], &[]),
        (&[("text", "\\")], &[]),
    ] {
        assert_eq!(ask(&lists, &ann(), "all", given).await.unwrap(), wanted, "{given:?}");
    }
    let given = BTreeMap::from([("text".to_owned(), "0007.2".to_owned())]);
    let found = lists.rows(&ann(), &"all".parse().unwrap(), &given).await.unwrap();
    let row = ListRow {
        key: "0007.2".to_owned(),
        title: "Harrow lease".to_owned(),
        subtitle: Some("an office in 'Leeds'".to_owned()),
        workspace: Some("0007.2".to_owned()),
        fields: BTreeMap::from([("client".to_owned(), "7".to_owned())]),
    };
    assert_eq!((found.rows, found.more), (vec![row], false));

    // Whose list it is comes from who asks and from nowhere else.
    assert_eq!(ask(&lists, &ann(), "own", &[]).await.unwrap(), ["0007.1", "0012.1"]);
    let bea = Asker { name: "bea".to_owned(), email: Some("bea@firm.example".to_owned()) };
    assert_eq!(ask(&lists, &bea, "own", &[]).await.unwrap(), ["0012.2"]);
    let program = Asker { name: "scanner".to_owned(), email: None };
    assert_eq!(ask(&lists, &program, "own", &[]).await, Err(ListError::NotAPerson));
    for name in ["person_email", "person", "client"] {
        let refused = Err(ListError::NoParameter(name.to_owned()));
        assert_eq!(ask(&lists, &ann(), "own", &[(name, "bea@firm.example")]).await, refused);
    }
    let none = "none".parse().unwrap();
    assert_eq!(ask(&lists, &ann(), "none", &[]).await, Err(ListError::NoList(none)));
    // A number that is none, and what no value may hold.
    assert_eq!(
        ask(&lists, &ann(), "all", &[("client", "x")]).await,
        Err(ListError::BadValue("client".into()))
    );
    for value in ["a\0b", "a\nb", &"x".repeat(1001)] {
        let refused = Err(ListError::BadValue("text".to_owned()));
        assert_eq!(ask(&lists, &ann(), "all", &[("text", value)]).await, refused);
    }
    assert_eq!(server.ask("SELECT count(*) FROM matters"), "4");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_and_nothing_takes_long() {
    let server = Postgres::start(TABLES);
    // Made row by row as they are read: without the limit it would never end.
    let endless =
        "SELECT n::text AS number, '' AS name FROM (SELECT generate_series(1, 1000000000) AS n) AS s";
    let lists = SqlLists::new(&[
        settings(&server, "writes", "SELECT touch() AS number, '' AS name", ""),
        settings(
            &server,
            "unlocks",
            "SELECT set_config('transaction_read_only', 'off', true) AS number, touch() AS name",
            "",
        ),
        settings(&server, "lasts", "SELECT number, name FROM matters, pg_sleep(60)", "seconds = 1"),
        settings(&server, "endless", endless, "rows = 3"),
        settings(
            &server,
            "heavy",
            "SELECT n::text AS number, repeat('x', 1000000) AS name FROM generate_series(1, 1000) AS n",
            "rows = 900",
        ),
        settings(&server, "fine", "SELECT number, name FROM matters", ""),
    ]);
    let lists = lists.unwrap();
    for list in ["writes", "unlocks"] {
        let refused = ask(&lists, &ann(), list, &[]).await;
        assert!(matches!(&refused, Err(ListError::Failed(why)) if !why.is_empty()), "{list}: {refused:?}");
    }
    assert_eq!(server.ask("SELECT count(*) FROM touched"), "0");
    // More than there are connections: each is given back or given up, and who gets none is told.
    let by = ann();
    let slow = futures_util::future::join_all((0..6).map(|_| ask(&lists, &by, "lasts", &[]))).await;
    assert!(slow.iter().all(|it| *it == Err(ListError::Slow)), "{slow:?}");
    assert_eq!(ask(&lists, &ann(), "lasts", &[]).await, Err(ListError::Slow));
    assert_eq!(server.ask("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND state = 'active' AND pid <> pg_backend_pid()"), "0", "the server has stopped it");
    assert_eq!(ask(&lists, &ann(), "endless", &[]).await.unwrap(), ["1", "2", "3"]);
    let none = BTreeMap::new();
    assert!(lists.rows(&ann(), &"endless".parse().unwrap(), &none).await.unwrap().more);
    // What is larger than anybody reads is not read to its end.
    let heavy = lists.rows(&ann(), &"heavy".parse().unwrap(), &none).await.unwrap();
    assert!(heavy.more && heavy.rows.len() < 10, "{} rows", heavy.rows.len());
    assert_eq!(ask(&lists, &ann(), "fine", &[]).await.unwrap().len(), 4);
    // A server that went away and came back is found again.
    server.restart();
    assert_eq!(ask(&lists, &ann(), "fine", &[]).await.unwrap().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_says_what_will_not_work_and_no_secret() {
    let server = Postgres::start(TABLES);
    let query = "SELECT number, name, client FROM matters WHERE number = :text AND client = :client::int";
    let with = |name: &str, query: &str, more: &str| {
        let mut one = settings(&server, name, query, "");
        if more == "owner" {
            server::OWNER.clone_into(&mut one.user);
            one.password = Some(server::OWNERS_PASSWORD.into());
        }
        one
    };
    let mut wrong_password = with("wrong-password", query, "");
    wrong_password.password = Some("hush-hush".into());
    let mut stranger = with("stranger", query, "");
    stranger.ca_file = None;
    let mut gone = with("gone", query, "");
    gone.port = Some(server::free_port());
    let mut other_name = with("other-name", query, "");
    "127.0.0.1".clone_into(&mut other_name.host);
    let mut plain = with("plain", query, "");
    plain.tls = postroom_dms::lists::Tls::Off;
    plain.ca_file = None;
    let all = [
        with("good", query, ""),
        with("powerful", query, "owner"),
        with("no-table", "SELECT number, name FROM elsewhere", ""),
        with("no-column", "SELECT number FROM matters", ""),
        with("no-right", "SELECT rolname AS number, rolpassword AS name FROM pg_authid", ""),
        wrong_password,
        stranger,
        gone,
        other_name,
        plain,
    ];
    let lists = SqlLists::new(&all).unwrap();
    let mut found: BTreeMap<String, Vec<(&str, Level, String)>> = BTreeMap::new();
    for (list, finding) in lists.doctor().await {
        assert!(finding.level == Level::Good || !finding.advice.is_empty());
        found.entry(list.to_string()).or_default().push((finding.subject, finding.level, finding.detail));
    }
    assert_eq!(found.len(), all.len());
    for (list, subject, level, word) in [
        ("good", "account", Level::Good, ""),
        ("powerful", "account", Level::Warning, "everything"),
        ("no-table", "query", Level::Bad, "elsewhere"),
        ("no-column", "query", Level::Bad, "name"),
        ("no-right", "query", Level::Bad, "permission denied"),
        ("wrong-password", "query", Level::Bad, "password authentication failed"),
        ("stranger", "query", Level::Bad, "certificate"),
        ("gone", "query", Level::Bad, "refused"),
        ("other-name", "query", Level::Bad, "certificate"),
        // The server of this test takes nobody without TLS.
        ("plain", "query", Level::Bad, "no encryption"),
    ] {
        let findings = &found[list];
        let fits = findings.iter().any(|it| it.0 == subject && it.1 == level && it.2.contains(word));
        assert!(fits, "{list}: {findings:?}");
        assert!(!format!("{findings:?}").contains("hush-hush"), "{list}: {findings:?}");
    }
}

#[test]
fn settings_that_cannot_work_are_refused_by_list_and_key() {
    let text = |change: (&str, &str)| {
        let good = "name = \"m\"\nkind = \"postgres\"\nhost = \"db\"\ndatabase = \"d\"\nuser = \"u\"\npassword = \"p\"\n\
                    query = \"SELECT a, b FROM t\"\nrows = 5\nseconds = 2\ntls = \"verify\"\n[columns]\nkey = \"a\"\ntitle = \"b\"\n";
        good.replace(change.0, change.1)
    };
    let read = |change| toml::from_str::<Settings>(&text(change));
    assert!(SqlLists::new(&[read(("", "")).unwrap()]).is_ok());
    for (change, key) in [
        (("host = \"db\"", "host = \" \""), "host"),
        (("key = \"a\"", "key = \"\""), "columns.key"),
        (("rows = 5", "rows = 0"), "rows"),
        (("rows = 5", "rows = 1001"), "rows"),
        (("seconds = 2", "seconds = 16"), "seconds"),
        (("SELECT a, b FROM t", "DELETE FROM t"), "query"),
        (("password = \"p\"", ""), "password"),
        (("password = \"p\"", "password_file = \"/nonexistent\""), "password"),
        (("tls = \"verify\"", "ca_file = \"/nonexistent.pem\""), "ca_file"),
        (("tls = \"verify\"", "ca_file = \"/dev/null\""), "ca_file"),
        (("tls = \"verify\"", "tls = \"off\"\nca_file = \"/dev/null\""), "ca_file"),
    ] {
        let error = SqlLists::new(&[read(change).unwrap()]).err().unwrap().to_string();
        assert!(error.starts_with(&format!("lists \"m\": {key}: ")), "{change:?}: {error}");
    }
    for change in [("rows = 5", "row = 5"), ("\"postgres\"", "\"oracle\""), ("\"verify\"", "\"prefer\"")] {
        assert!(read(change).is_err(), "{change:?}");
    }
    let one = read(("", "")).unwrap();
    assert!(SqlLists::new(&[one.clone(), one]).err().unwrap().to_string().contains("twice"));
}
