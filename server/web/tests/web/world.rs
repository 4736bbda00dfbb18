//! A server with everything around it, built in one place.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use postroom_domain::Fut;
use postroom_domain::backoff::RetryPolicy;
use postroom_domain::capability::{Diagnosis, Finding, Level};
use postroom_domain::cause::Fixer;
use postroom_domain::control::{Control, DestinationStatus, Gate};
use postroom_domain::ids::{IdMint, ServiceName, WorkItemId};
use postroom_domain::keys::{Keys, KeysStatus, Rotate, RotateError};
use postroom_domain::luggage::{Luggage, LuggageSecret, LuggageSettings};
use postroom_domain::mailbox::{MailNotice, NoticeKind};
use postroom_domain::mailroom::{Mailroom, ReadsLetters};
use postroom_domain::person::{Actor, Principal, Role};
use postroom_domain::plan::Rules;
use postroom_domain::query::{FilingQuery, IntakeQuery, Window};
use postroom_domain::reception::Reception;
use postroom_domain::repository::{Area, Repository, ResolverConfig};
use postroom_domain::resolve::{Look, LookAt, Looks};
use postroom_domain::split;
use postroom_domain::store::Store;
use postroom_domain::target::WhenAmbiguous;
use postroom_domain::testing::{ManualClock, SeededEntropy};
use postroom_domain::time::Clock;
use postroom_domain::uploads::{UploadLimits, Uploads};
use postroom_domain::work_item::{Client, WorkItem};
use postroom_store::MemoryStore;
use postroom_store::spool::{FileSpool, SpoolOptions};
use postroom_web::{
    App, Limits, ServeOptions, ServerHandle, Source, TokenHash, TokenTable, serve, serve_local,
};
use reqwest::{Method, RequestBuilder, Response};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Everything a test looks at.
pub(crate) struct World {
    pub(crate) address: SocketAddr,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) control: Arc<Engine>,
    /// The next look at the metrics panics.
    pub(crate) panics: Arc<AtomicBool>,
    pub(crate) server: Option<ServerHandle>,
    /// Persons, sessions and tokens, in the same store.
    pub(crate) desk: crate::desk_world::Desk,
    /// The server on the socket in the data folder.
    pub(crate) local: Option<ServerHandle>,
    pub(crate) socket: std::path::PathBuf,
    data: tempfile::TempDir,
    http: reqwest::Client,
    /// Uploads that come piece by piece: at most three of a person, 250 kB together.
    pub(crate) resumable: Arc<Uploads>,
    /// What DMSs hand over.
    pub(crate) hatch: Arc<crate::send_to::Hatch>,
}

/// An engine that only remembers that it was woken.
#[derive(Default)]
pub(crate) struct Engine {
    pub(crate) woken: AtomicUsize,
    /// What a look at a place brings; none when nothing runs there.
    pub(crate) look: Mutex<Option<Look>>,
    /// What was looked at last.
    pub(crate) looked_at: Mutex<Option<LookAt>>,
    /// The notices that had the right secret, which is `s3cret`.
    pub(crate) notices: Mutex<Vec<(String, NoticeKind)>>,
    /// The news of sites that were told, with the service.
    pub(crate) news: Mutex<Vec<(String, Vec<String>)>>,
}

impl Looks for Engine {
    fn look(&self, at: LookAt) -> Fut<'_, Option<Look>> {
        let look = self.look.lock().unwrap_or_else(PoisonError::into_inner).clone();
        *self.looked_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(at);
        Box::pin(async move { look })
    }
}

impl Control for Engine {
    fn destinations(&self) -> Vec<DestinationStatus> {
        vec![DestinationStatus { name: "dms-eu".parse().unwrap(), gate: Gate::Open, in_flight: 0, limit: 4 }]
    }
    fn wake(&self) {
        self.woken.fetch_add(1, Ordering::Relaxed);
    }
    fn mail_notice(&self, notice: &MailNotice) -> bool {
        let known = notice.secret.expose_secret() == "s3cret";
        if known {
            let mut notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
            notices.push((notice.subscription.clone(), notice.kind));
        }
        known
    }
    fn teller_of_news(&self, token: &SecretString) -> Option<ServiceName> {
        (token.expose_secret() == "a-token-of-highq-alone").then(|| "collab".parse().unwrap())
    }
    fn news(&self, service: &ServiceName, sites: &[String]) {
        let mut news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        news.push((service.to_string(), sites.to_vec()));
    }
}

/// Keys and a report that tell what they were asked, and change nothing.
struct Played;

impl Keys for Played {
    fn status(&self) -> KeysStatus {
        let (master, certificate) = ("m1".to_owned(), "c1".to_owned());
        KeysStatus { master, certificate, current: 1, retiring: Vec::new(), progress: None, trouble: None }
    }
    fn rotate(&self, wanted: Rotate) -> Fut<'_, Result<KeysStatus, RotateError>> {
        assert!(wanted.data && wanted.master.is_none());
        Box::pin(async { Ok(KeysStatus { current: 2, retiring: vec![1], ..self.status() }) })
    }
}

impl Diagnosis for Played {
    fn findings(&self, live: bool) -> Fut<'_, Vec<Finding>> {
        Box::pin(async move {
            vec![Finding {
                about: "service".to_owned(),
                subject: "entra".to_owned(),
                level: Level::Good,
                detail: if live { "asked" } else { "read" }.to_owned(),
                advice: String::new(),
                fixer: Fixer::Administrator,
            }]
        })
    }
}

/// Tokens: the name of the person, who has the role of that name; `other` is an administrator of another site.
pub(crate) const PEOPLE: [(&str, Role, &str); 6] = [
    ("user", Role::User, "london"),
    ("user2", Role::User, "london"),
    ("operator", Role::Operator, "london"),
    ("support", Role::Support, "london"),
    ("admin", Role::Admin, "london"),
    ("other", Role::Admin, "paris"),
];

/// Small limits, so that tests reach them.
pub(crate) fn small() -> Limits {
    Limits {
        document: 100_000,
        request: 300_000,
        documents: 5,
        meta: 1024,
        file_name: 100,
        text: 200,
        json: 4096,
        body_idle: Duration::from_millis(300),
        body_total: Duration::from_secs(20),
        listeners: 8,
        listeners_each: 3,
        heartbeat: Duration::from_millis(200),
        ..Limits::default()
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(small(), 0).await
    }

    /// With these limits, and so many bytes kept free on the disk.
    pub(crate) async fn with(limits: Limits, reserve: u64) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let clock = Arc::new(ManualClock::at("2026-11-23T09:00:00Z"));
        let entropy = Arc::new(SeededEntropy::new(7));
        let data = tempfile::tempdir().unwrap();
        let desk = crate::desk_world::Desk::new();
        let store = desk.store.clone();
        let options = SpoolOptions { reserve_bytes: Some(reserve), ..SpoolOptions::default() };
        let spool = Arc::new(FileSpool::open(data.path(), &options, clock.clone()).unwrap());
        let item = WorkItem {
            id: WorkItemId::from_u128(0x0192_f0c1_5b7e_7000_8000_0000_0000_0001),
            reference: "0007.0001".into(),
            title: "Harrow v Teal".into(),
            work_type: "matter/litigation".into(),
            site: "london".parse().unwrap(),
            open: true,
            phase: String::new(),
            client: Client { reference: "0007".into(), name: "Harrow".into() },
            attributes: BTreeMap::new(),
            participants: Vec::new(),
            origin: None,
            zone: String::new(),
            version: 1,
            changed: clock.now(),
        };
        store.save_work_item(item, Vec::new(), &Actor::person("setup"), clock.now()).await.unwrap();
        let repository = Repository {
            name: "matters".parse().unwrap(),
            area: Area::MatterDocuments,
            work_type: None,
            service: "dms-eu".parse().unwrap(),
            library: "ACTIVE".into(),
            resolver: ResolverConfig::parse("default", "[workitem.title]").unwrap(),
            folder: Vec::new(),
            create_folders: true,
            profile: BTreeMap::new(),
            when_ambiguous: WhenAmbiguous::Ask,
            create_workspace: false,
            required: None,
            blocked: postroom_domain::block_list::BlockList::default(),
            save_mode: postroom_domain::target::SaveMode::Copy,
            duplicate: postroom_domain::repository::DuplicateRule::Skip,
        };
        let reception = Arc::new(Reception {
            store: store.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            mint: Arc::new(IdMint::after(store.greatest_id())),
            rules: Arc::new(Rules { repositories: vec![repository], ..Rules::default() }),
            accounts: Arc::new(postroom_domain::link::SystemOnly),
            spool: spool.clone(),
            opens_all: false,
            allocator: None,
        });
        let resumable = Arc::new(Uploads::new(
            reception.clone(),
            UploadLimits {
                document: limits.document,
                each: 3,
                each_bytes: 250_000,
                life: Duration::from_hours(1),
            },
            Box::new(postroom_web::upload_key),
        ));
        let tokens: TokenTable = PEOPLE
            .iter()
            .map(|(name, role, site)| {
                let principal = Principal::program(name, *role, site.parse().unwrap());
                (TokenHash::of(&format!("token-of-{name}")), principal)
            })
            .collect();
        let control = Arc::new(Engine::default());
        let panics = Arc::new(AtomicBool::new(false));
        let about_to_panic = panics.clone();
        let source = |name: &str, uploads| Source {
            name: name.parse().unwrap(),
            kind: if uploads { "upload".into() } else { "hot folder".into() },
            uploads,
        };
        let hatch = Arc::new(crate::send_to::Hatch::default());
        let app = App {
            store: store.clone(),
            spool,
            mailroom: mailroom(&reception),
            resumable: resumable.clone(),
            data: crate::data_uploads::data(),
            bulk: Arc::new(crate::bulk::Still),
            letters: Arc::new(Blind),
            outlook: crate::letters::outlook(),
            post: None,
            reception,
            control: control.clone(),
            places: Arc::new(crate::places::Cabinet::default()),
            send_to: hatch.clone(),
            frames: vec!["https://dms.example".to_owned()],
            sheets: Arc::new(Drawer),
            previews: Arc::new(Glance),
            lists: Arc::new(crate::places::Matters),
            clock: clock.clone(),
            entropy,
            tokens: Arc::new(tokens),
            identity: postroom_web::Identity {
                people: desk.people.clone(),
                accounts: Some(desk.accounts.clone()),
                keys: Some(Arc::new(Played)),
                diagnosis: Some(Arc::new(Played)),
                home: "london".parse().unwrap(),
            },
            policy: RetryPolicy::default(),
            sources: vec![source("upload", true), source("portal", true), source("scans", false)],
            destination_kinds: BTreeMap::from([("dms-eu".parse().unwrap(), "folder".to_owned())]),
            limits,
            frame_hosts: vec!["https://outlook.example".into()],
            name: "Test".into(),
            version: "0.0.0".into(),
            metrics: Arc::new(move || {
                assert!(!about_to_panic.load(Ordering::Relaxed), "a secret that nobody may read");
                "postroom_up 1\n".to_owned()
            }),
        };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let options = ServeOptions { grace: Duration::from_secs(5), ..ServeOptions::default() };
        let socket = data.path().join("admin.sock");
        let local = Some(serve_local(app.clone(), &socket, &options).unwrap());
        let server = serve(app, listener, &options).unwrap();
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().unwrap();
        Self {
            address: server.address(),
            store,
            clock,
            control,
            panics,
            server: Some(server),
            desk,
            local,
            socket,
            data,
            http,
            resumable,
            hatch,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A request of a person; nobody's when the name is empty.
    pub(crate) fn request(&self, who: &str, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, self.url(path));
        if who.is_empty() { request } else { request.bearer_auth(format!("token-of-{who}")) }
    }

    pub(crate) async fn get(&self, who: &str, path: &str) -> Answer {
        Answer::of(self.request(who, Method::GET, path).send().await.unwrap()).await
    }

    /// A decision with the version that was looked at.
    pub(crate) async fn decide(&self, who: &str, path: &str, if_match: &str, body: &Value) -> Answer {
        let request = self.request(who, Method::POST, path).header("if-match", if_match).json(body);
        Answer::of(request.send().await.unwrap()).await
    }

    /// Hands files in.
    pub(crate) async fn hand_in(
        &self,
        who: &str,
        meta: &Value,
        files: &[(&str, &[u8])],
        key: Option<&str>,
    ) -> Answer {
        let mut form = reqwest::multipart::Form::new().text("meta", meta.to_string());
        for (name, bytes) in files {
            let part = reqwest::multipart::Part::bytes(bytes.to_vec()).file_name((*name).to_owned());
            form = form.part("file", part.mime_str("application/pdf").unwrap());
        }
        let mut request = self.request(who, Method::POST, "/api/v1/intakes").multipart(form);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        Answer::of(request.send().await.unwrap()).await
    }

    /// One document of a person, filed to the known matter; its intake and filing.
    pub(crate) async fn one(&self, who: &str, content: &[u8]) -> (String, String) {
        let meta = serde_json::json!({"work_item": "0007.0001", "subject": "Draft"});
        let answer = self.hand_in(who, &meta, &[("a.pdf", content)], None).await;
        assert_eq!(answer.status, 202, "{}", answer.body);
        (text(&answer.body["intake"]["id"]), text(&answer.body["filings"][0]["id"]))
    }

    /// Sends raw bytes and reads whatever comes back. `close` ends the sending side after them.
    pub(crate) async fn raw(&self, bytes: &[u8], close: bool) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // The server may have answered and closed before all was sent.
        let _ = stream.write_all(bytes).await;
        if close {
            let _ = stream.shutdown().await;
        }
        let answer = tokio::time::timeout(Duration::from_mins(1), read_answer(&mut stream)).await;
        answer.unwrap_or_default()
    }

    /// Nothing came in: no rows, no events but those of the setup, and no drafts.
    pub(crate) async fn assert_untouched(&self, case: &str) {
        let window = Window { before: None, limit: 10 };
        let intakes = self.store.list_intakes(&IntakeQuery::default(), window).await.unwrap();
        assert_eq!(intakes.items, [], "{case}");
        let window = Window { before: None, limit: 10 };
        let filings =
            self.store.list_filings(&FilingQuery::default(), window, self.clock.now()).await.unwrap();
        assert_eq!(filings.items, [], "{case}");
        self.assert_no_drafts(case).await;
    }

    /// Waits until so many uploads have come far enough to have a draft on the disk.
    pub(crate) async fn drafts_are(&self, wanted: usize) {
        let aside = self.data.path().join("spool/tmp");
        while files_below(&aside) != wanted {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Drafts are gone; large ones are removed by a thread, which is given a moment.
    pub(crate) async fn assert_no_drafts(&self, case: &str) {
        let aside = self.data.path().join("spool/tmp");
        for _ in 0..500 {
            if files_below(&aside) == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{case}: {} drafts are left", files_below(&aside));
    }

    /// How many contents lie in the spool.
    pub(crate) fn contents(&self) -> usize {
        let spool = self.data.path().join("spool");
        files_below(&spool) - files_below(&spool.join("tmp")) - usize::from(spool.join("lock").exists())
    }

    pub(crate) async fn stop(mut self) {
        self.server.take().unwrap().stop().await.unwrap();
        self.local.take().unwrap().stop().await.unwrap();
    }
}

/// One answer of a raw connection, which may stay open after it.
pub(crate) async fn read_answer(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&answer).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                return format!("{head}\r\n\r\n{}", &body[..length]);
            }
        }
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return text,
            Ok(n) => answer.extend_from_slice(&piece[..n]),
        }
    }
}

fn files_below(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap())
        .map(|entry| if entry.file_type().unwrap().is_dir() { files_below(&entry.path()) } else { 1 })
        .sum()
}

/// An answer, read.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) async fn of(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.unwrap();
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Self { status, headers, body }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// A problem of this status and code, complete and traceable.
    pub(crate) fn assert_problem(&self, status: u16, code: &str, case: &str) {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{case}: {}", self.body);
        assert_eq!(self.header("content-type"), "application/problem+json", "{case}");
        assert_eq!(self.body["status"], status, "{case}");
        assert_eq!(self.body["trace_id"], self.header("x-request-id"), "{case}");
        assert_eq!(self.header("x-request-id").len(), 16, "{case}");
        assert_eq!(self.header("x-content-type-options"), "nosniff", "{case}");
        assert_eq!(self.header("cache-control"), "no-store", "{case}");
        for field in ["type", "title", "detail"] {
            assert!(!text(&self.body[field]).is_empty(), "{case}: {field} of {}", self.body);
        }
    }
}

/// A JSON value that is a text.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// Reads no letter.
pub(crate) struct Blind;

impl ReadsLetters for Blind {
    fn read(&self, _: bytes::Bytes) -> postroom_domain::Fut<'_, Result<postroom_domain::mail::Mail, String>> {
        Box::pin(async { Err("nobody reads letters here".to_owned()) })
    }
}

/// A mail room that reads nothing: work items have their tags.
pub(crate) fn mailroom(reception: &Arc<Reception>) -> Arc<Mailroom> {
    let secret = LuggageSecret::new([7; 32]);
    Arc::new(Mailroom {
        reception: reception.clone(),
        luggage: Luggage::new(secret, &LuggageSettings::default()),
        matching: None,
        split: split::Rules::new(split::SplitSettings::default()).unwrap(),
        zone: jiff::tz::TimeZone::UTC,
    })
}

/// Draws and prints what need not be looked at.
struct Drawer;

impl postroom_domain::sheets::Sheets for Drawer {
    fn picture(
        &self,
        _: postroom_domain::spool::Blob,
        page: usize,
    ) -> postroom_domain::Fut<'_, Result<Vec<u8>, postroom_domain::sheets::NoPicture>> {
        use postroom_domain::sheets::NoPicture;
        Box::pin(async move {
            match page {
                1 => Ok(b"a picture".to_vec()),
                2 => Err(NoPicture::Undrawable("it asks for a password".to_owned())),
                3 => Err(NoPicture::Later("others are being drawn".to_owned())),
                _ => Err(NoPicture::NoSuchPage(format!("page {page}"))),
            }
        })
    }

    fn print(
        &self,
        sheets: &[postroom_domain::sheets::Sheet],
    ) -> Result<Vec<u8>, postroom_domain::sheets::NoSheet> {
        Ok(format!("%PDF-{sheets:?}").into_bytes())
    }
}

/// Tells a document's name, and nothing of programs; the bytes are another room's.
struct Glance;

impl postroom_domain::preview::Previews for Glance {
    fn preview<'a>(
        &'a self,
        document: &'a postroom_domain::intake::Document,
    ) -> postroom_domain::Fut<
        'a,
        Result<postroom_domain::preview::Preview, postroom_domain::preview::NoPreview>,
    > {
        use postroom_domain::preview::{NoPreview, Preview, Shown};
        Box::pin(async move {
            match document.file_name.as_str() {
                "a.exe" => Err(NoPreview::Nothing("Files of this kind are not shown as text.".to_owned())),
                "busy.txt" => Err(NoPreview::Later("others are being read".to_owned())),
                name => Ok(Preview {
                    shown: Shown::Text,
                    head: Vec::new(),
                    text: format!("what {name} says"),
                    more: false,
                    parts: Vec::new(),
                    pages: None,
                }),
            }
        })
    }
}
