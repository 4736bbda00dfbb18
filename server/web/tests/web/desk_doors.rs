//! The doors: tokens of the desk, vouched tokens, browsers' cookies, the socket in the data folder.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use postroom_domain::backoff::RetryPolicy;
use postroom_domain::desk::{MadeToken, NewToken, PersonChange};
use postroom_domain::link::SystemOnly;
use postroom_domain::people::Status;
use postroom_domain::person::{Permission, Principal, Role};
use postroom_domain::plan::Rules;
use postroom_domain::reception::Reception;
use postroom_domain::sign_in::ProviderError;
use postroom_store::spool::{FileSpool, SpoolOptions};
use postroom_web::{
    App, Identity, Limits, ServeOptions, ServerHandle, Source, TokenHash, TokenTable, serve, serve_local,
};
use reqwest::header::{AUTHORIZATION, COOKIE};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use secrecy::ExposeSecret as _;

use crate::desk_world::{Desk, claims};
use crate::world::Engine;

const SUMMARY: &str = "/api/v1/summary";
const PAUSE: &str = "/api/v1/sources/upload/pause";

/// A desk behind a server on a port and one on a socket.
struct Doors {
    desk: Desk,
    server: ServerHandle,
    local: ServerHandle,
    socket: PathBuf,
    http: Client,
    data: tempfile::TempDir,
}

impl Doors {
    fn open() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let desk = Desk::new();
        let data = tempfile::tempdir().unwrap();
        let options = SpoolOptions { reserve_bytes: Some(0), ..SpoolOptions::default() };
        let spool = Arc::new(FileSpool::open(data.path(), &options, desk.clock.clone()).unwrap());
        let reception = Arc::new(Reception {
            store: desk.store.clone(),
            clock: desk.clock.clone(),
            entropy: desk.entropy.clone(),
            mint: desk.people.mint.clone(),
            rules: Arc::new(Rules::default()),
            accounts: Arc::new(SystemOnly),
            spool: spool.clone(),
            opens_all: false,
            allocator: None,
        });
        let program = Principal::program("scanner", Role::Operator, "london".parse().unwrap());
        let tokens: TokenTable = [(TokenHash::of("token-of-settings"), program)].into_iter().collect();
        let app = App {
            store: desk.store.clone(),
            spool,
            mailroom: crate::world::mailroom(&reception),
            data: crate::data_uploads::data(),
            bulk: Arc::new(crate::bulk::Still),
            resumable: Arc::new(postroom_domain::uploads::Uploads::new(
                reception.clone(),
                postroom_domain::uploads::UploadLimits::default(),
                Box::new(postroom_web::upload_key),
            )),
            letters: Arc::new(crate::world::Blind),
            outlook: crate::letters::outlook(),
            post: None,
            reception,
            control: Arc::new(Engine::default()),
            places: Arc::new(crate::places::Cabinet::default()),
            send_to: Arc::new(crate::send_to::Hatch::default()),
            frames: Vec::new(),
            sheets: Arc::new(postroom_domain::sheets::NoSheets),
            previews: Arc::new(postroom_domain::preview::NoPreviews),
            lists: Arc::new(postroom_domain::lists::NoLists),
            clock: desk.clock.clone(),
            entropy: desk.entropy.clone(),
            tokens: Arc::new(tokens),
            identity: Identity {
                people: desk.people.clone(),
                accounts: None,
                keys: None,
                diagnosis: None,
                home: "london".parse().unwrap(),
            },
            policy: RetryPolicy::default(),
            sources: vec![Source { name: "upload".parse().unwrap(), kind: "upload".into(), uploads: true }],
            destination_kinds: BTreeMap::new(),
            limits: Limits { heartbeat: Duration::from_millis(50), ..Limits::default() },
            frame_hosts: Vec::new(),
            name: "Test".into(),
            version: "0.0.0".into(),
            metrics: Arc::new(String::new),
        };
        let options = ServeOptions { grace: Duration::from_secs(2), ..ServeOptions::default() };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = data.path().join("admin.sock");
        // One that a killed process left behind.
        drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
        let local = serve_local(app.clone(), &socket, &options).unwrap();
        let server = serve(app, listener, &options).unwrap();
        let http = Client::builder().no_proxy().build().unwrap();
        Self { desk, server, local, socket, http, data }
    }

    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("http://{}{path}", self.server.address()))
    }

    async fn token(&self, email: &str, role: &str, scope: Option<Vec<Permission>>) -> MadeToken {
        let who = self.desk.who(&self.desk.member(email, role, "london").await).await.principal;
        let life = Duration::from_hours(1);
        let new = NewToken { name: "script".to_owned(), scope, life, at_most: None };
        self.desk.people.make_token(&who, new).await.unwrap()
    }

    async fn close(self) {
        self.local.stop().await.unwrap();
        self.server.stop().await.unwrap();
        drop(self.data);
    }
}

async fn status(request: RequestBuilder) -> u16 {
    request.send().await.unwrap().status().as_u16()
}

fn pause() -> serde_json::Value {
    serde_json::json!({"reason": "a test"})
}

#[actix_web::test]
async fn tokens_open_what_their_holder_and_their_scope_allow() {
    let doors = Doors::open();
    let wide = doors.token("otto@harrow.example", "operator", None).await;
    let narrow = doors.token("nora@harrow.example", "operator", Some(vec![Permission::File])).await;
    let user = doors.token("mary@harrow.example", "user", None).await;
    let table = [
        ("token-of-settings", 200, 200),
        (wide.secret.expose_secret(), 200, 200),
        (narrow.secret.expose_secret(), 200, 403),
        (user.secret.expose_secret(), 200, 403),
        ("pr_0000000000000000000000000000000000000000000000000000000000000000", 401, 401),
        (wide.token.secret.0.as_str(), 401, 401),
    ];
    for (token, reads, pauses) in table {
        let read = status(doors.ask(Method::GET, SUMMARY).bearer_auth(token)).await;
        let paused = status(doors.ask(Method::POST, PAUSE).bearer_auth(token).json(&pause())).await;
        assert_eq!((read, paused / 100), (reads, pauses / 100), "{token}");
    }
    let otto = wide.token.made_by;
    let (persons, _) = doors.desk.people.persons(&doors.desk.root(), &otto, None, 1).await.unwrap();
    let out = PersonChange { status: Some(Status::Disabled), ..Default::default() };
    doors.desk.people.change_person(&doors.desk.root(), persons[0].id, None, out).await.unwrap();
    assert_eq!(status(doors.ask(Method::GET, SUMMARY).bearer_auth(wide.secret.expose_secret())).await, 401);
    doors.close().await;
}

#[actix_web::test]
async fn tokens_that_a_client_got_elsewhere_are_checked() {
    let doors = Doors::open();
    {
        let mut tokens = doors.desk.check.tokens.lock().unwrap();
        tokens.insert("a.b.new".to_owned(), Ok(claims("n", "n@harrow.example")));
        tokens.insert("a.b.waits".to_owned(), Ok(claims("t", "t@teal.example")));
        tokens.insert("a.b.nobody".to_owned(), Ok(claims("x", "x@nowhere.example")));
        tokens.insert("a.b.later".to_owned(), Err(ProviderError::Unavailable("keys".to_owned())));
        tokens.insert("no-parts".to_owned(), Ok(claims("n", "n@harrow.example")));
    }
    let table = [
        ("a.b.new", 200),
        ("a.b.waits", 403),
        ("a.b.nobody", 403),
        ("a.b.later", 503),
        ("a.b.forged", 401),
        ("no-parts", 401),
    ];
    for (token, wanted) in table {
        assert_eq!(status(doors.ask(Method::GET, SUMMARY).bearer_auth(token)).await, wanted, "{token}");
    }
    doors.close().await;
}

#[actix_web::test]
async fn a_cookie_reads_and_changes_only_from_a_page_of_ours() {
    let doors = Doors::open();
    let session = doors.desk.member("otto@harrow.example", "operator", "london").await;
    let secret = session.secret.expose_secret();
    let cookie = format!("__Host-postroom={secret}");
    let with = |method, path, cookie: &str| doors.ask(method, path).header(COOKIE, cookie);
    assert_eq!(status(with(Method::GET, SUMMARY, &cookie)).await, 200);
    for wrong in [
        format!("postroom={secret}"),
        format!("__Host-flow={secret}"),
        format!("__Host-postroom={}", "0".repeat(64)),
    ] {
        assert_eq!(status(with(Method::GET, SUMMARY, &wrong)).await, 401, "{wrong}");
    }
    let table: [(Option<(&str, &str)>, u16); 6] = [
        (None, 403),
        (Some(("sec-fetch-site", "cross-site")), 403),
        (Some(("sec-fetch-site", "same-site")), 403),
        (Some(("origin", "https://evil.example")), 403),
        (Some(("origin", "https://postroom.example")), 200),
        (Some(("sec-fetch-site", "same-origin")), 200),
    ];
    for (header, wanted) in table {
        let mut request = with(Method::POST, PAUSE, &cookie).json(&pause());
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        assert_eq!(status(request).await / 100, wanted / 100, "{header:?}");
    }
    // A token in the same request wins: a wrong one is not made good by the cookie.
    let both = with(Method::GET, SUMMARY, &cookie).header(AUTHORIZATION, "Bearer wrong");
    assert_eq!(status(both).await, 401);
    doors.desk.people.sign_out(secret).await.unwrap();
    assert_eq!(status(with(Method::GET, SUMMARY, &cookie)).await, 401);
    doors.close().await;
}

/// The socket is its owner's alone, and nothing that a request says makes a port into it.
#[actix_web::test]
async fn the_socket_in_the_data_folder_is_the_local_administrators() {
    use std::os::unix::fs::PermissionsExt as _;
    let doors = Doors::open();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&doors.socket), 0o600);
    assert!(!doors.socket.with_extension("aside").exists());
    let local = Client::builder().no_proxy().unix_socket(doors.socket.clone()).build().unwrap();
    let ask = |path: &str| local.get(format!("http://localhost{path}"));
    let answer = ask(SUMMARY).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.text().await.unwrap().contains("local administrator"));
    // Who shows a token is who it says, here too.
    assert_eq!(status(ask(SUMMARY).bearer_auth("wrong")).await, 401);
    let scanner = ask(SUMMARY).bearer_auth("token-of-settings").send().await.unwrap().text().await.unwrap();
    assert!(scanner.contains("scanner") && !scanner.contains("local administrator"));
    for (name, value) in [
        ("host", "localhost"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-real-ip", "127.0.0.1"),
        ("forwarded", "for=unix"),
    ] {
        assert_eq!(status(doors.ask(Method::GET, SUMMARY).header(name, value)).await, 401, "{name}");
    }
    let socket = doors.socket.clone();
    doors.local.stop().await.unwrap();
    assert!(!socket.exists());
    doors.server.stop().await.unwrap();
}

/// Who follows the events is sent away when the session ends or the token goes, and not only at the next request.
#[actix_web::test]
async fn a_stream_ends_with_what_opened_it() {
    let doors = Doors::open();
    let session = doors.desk.member("otto@harrow.example", "operator", "london").await;
    let token = doors.token("nora@harrow.example", "operator", None).await;
    let cookie = format!("__Host-postroom={}", session.secret.expose_secret());
    let by_cookie = doors.ask(Method::GET, "/api/v1/events").header(COOKIE, cookie).send().await.unwrap();
    let by_token = doors.ask(Method::GET, "/api/v1/events").bearer_auth(token.secret.expose_secret());
    let by_token = by_token.send().await.unwrap();
    assert_eq!((by_cookie.status(), by_token.status()), (StatusCode::OK, StatusCode::OK));
    doors.desk.people.sign_out(session.secret.expose_secret()).await.unwrap();
    doors.desk.people.revoke_token(&doors.desk.root(), token.token.id).await.unwrap();
    let ends = async { (by_cookie.text().await.is_ok(), by_token.text().await.is_ok()) };
    let ended = tokio::time::timeout(Duration::from_secs(20), ends).await;
    assert_eq!(ended.unwrap(), (true, true));
    doors.close().await;
}

#[actix_web::test]
async fn answers_bound_what_a_browser_does_with_them() {
    let doors = Doors::open();
    for path in [SUMMARY, "/healthz", "/nowhere"] {
        let answer = doors.ask(Method::GET, path).send().await.unwrap();
        let header = |name: &str| answer.headers().get(name).map(|it| it.to_str().unwrap().to_owned());
        assert_eq!(
            [
                header("content-security-policy"),
                header("referrer-policy"),
                header("x-content-type-options"),
                header("cache-control"),
                header("strict-transport-security"),
            ]
            .map(Option::unwrap),
            [
                "default-src 'none'; frame-ancestors 'none'",
                "no-referrer",
                "nosniff",
                "no-store",
                "max-age=31536000",
            ],
            "{path}"
        );
    }
    doors.close().await;
}
