//! The WebDAV connector with a real server behind it.

use std::sync::Arc;

use postroom_dms::webdav::{Settings, WebDav};
use postroom_domain::dms::Dms;
use postroom_domain::testing::ManualClock;

use crate::webdav::proxy::{Harm, Proxy, Which};
use crate::webdav::servers::{Kind, PASSWORD, Server, USER};
use crate::world::{Held, Moment, Sending, Traits, World};
use crate::worlds::folder::walk;

/// A connector, a server, and the proxy between them.
pub(crate) struct Dav {
    pub(crate) dms: WebDav,
    pub(crate) proxy: Proxy,
    pub(crate) server: Server,
    pub(crate) kind: Kind,
    pub(crate) clock: Arc<ManualClock>,
}

/// Correspondence of "Harrow v Teal".
pub(crate) const FOLDER: &str = "Harrow v Teal/Correspondence";

/// Settings for a server, with short time limits.
pub(crate) fn settings(address: std::net::SocketAddr, more: &str) -> Settings {
    let usual = ["page = 100", "fields_cache_seconds = 0"];
    let usual = usual.into_iter().filter(|line| {
        let key = line.split_once('=').map_or(*line, |(key, _)| key);
        !more.lines().any(|line| line.starts_with(key))
    });
    let usual = usual.collect::<Vec<_>>().join("\n");
    let text = format!(
        r#"
        base_url = "http://{address}/"
        {usual}
        {more}
        [auth]
        kind = "basic"
        username = "{USER}"
        password = "{PASSWORD}"
        [connection]
        proxy = "none"
        connect_seconds = 2
        first_byte_seconds = 10.0
        idle_seconds = 10.0
        total_seconds = 60
        parallel = 32
        "#
    );
    toml::from_str(&text).unwrap()
}

impl Dav {
    pub(crate) async fn new(kind: Kind) -> Self {
        Self::with(kind, "").await
    }

    /// With further settings, as lines of TOML.
    pub(crate) async fn with(kind: Kind, more: &str) -> Self {
        postroom_outbound::install_crypto();
        let server = Server::start(kind).await;
        let workspace = |name: &str, json: &str| {
            let home = server.root.join(name).join(".postroom");
            std::fs::create_dir_all(&home).unwrap();
            std::fs::create_dir_all(server.root.join(name).join("Correspondence")).unwrap();
            std::fs::write(home.join("workspace.json"), json).unwrap();
        };
        workspace("Harrow v Teal", r#"{"custom1":"10442","custom2":"0007"}"#);
        workspace("Harrow", r#"{"custom1":"10442","custom2":"0099"}"#);
        workspace("Harrow share purchase 2019", r#"{"custom1":"10442","custom2":"0003","closed":true}"#);
        server.hand_over();
        let proxy = Proxy::start(server.address).await;
        let clock = Arc::new(ManualClock::at("2026-11-23T09:00:00Z"));
        let dms = WebDav::new("dav-test", settings(proxy.address, more), Arc::clone(&clock) as _).unwrap();
        Self { dms, proxy, server, kind, clock }
    }

    /// A second connector to the same server, as another process would have it.
    pub(crate) fn another(&self, more: &str) -> WebDav {
        WebDav::new("dav-test", settings(self.proxy.address, more), Arc::clone(&self.clock) as _).unwrap()
    }

    /// Lets the lock on a document run out.
    pub(crate) async fn end_lock(&self, document: &str) {
        match self.kind {
            Kind::Apache => self.server.end_lock(document).await,
            Kind::Rclone => self.server.restart(),
        }
    }

    /// What lies below a path of the server's folder, hidden things too, as paths from there.
    pub(crate) fn files(&self, below: &str) -> Vec<String> {
        fn go(dir: &std::path::Path, at: &str, all: &mut Vec<String>) {
            for entry in std::fs::read_dir(dir).into_iter().flatten() {
                let entry = entry.unwrap();
                let name = format!("{at}{}", entry.file_name().to_string_lossy());
                if entry.path().is_dir() {
                    go(&entry.path(), &format!("{name}/"), all);
                } else {
                    all.push(name);
                }
            }
        }
        let mut all = Vec::new();
        go(&self.server.root.join(below), "", &mut all);
        // Apache keeps properties in files of its own.
        all.retain(|name| !name.contains(".DAV/"));
        all.sort();
        all
    }
}

impl World for Dav {
    fn dms(&self) -> &dyn Dms {
        &self.dms
    }
    fn traits(&self) -> Traits {
        Traits {
            unique_folders: true,
            equal_titles: false,
            stores_twice: false,
            rights: self.kind == Kind::Apache,
        }
    }
    fn folder(&self) -> String {
        FOLDER.to_owned()
    }
    fn closed_folder(&self) -> String {
        "Harrow share purchase 2019/Correspondence".to_owned()
    }
    fn missing_folder(&self) -> String {
        "Harrow v Teal/Nowhere".to_owned()
    }
    fn forbid(&self) {
        let rules = "<LimitExcept GET OPTIONS PROPFIND>\nRequire all denied\n</LimitExcept>\n";
        std::fs::write(self.server.root.join("Harrow v Teal/.htaccess"), rules).unwrap();
        self.server.hand_over();
    }
    fn held(&self) -> Vec<Held> {
        let mut held = Vec::new();
        walk(&self.server.root, &self.server.root, &mut held);
        held
    }
    fn with_folders(&self, count: usize) -> String {
        for n in 0..count {
            std::fs::create_dir_all(self.server.root.join(format!("Large/folder-{n:04}"))).unwrap();
        }
        self.server.hand_over();
        "Large".to_owned()
    }
    fn other_folder(&self) -> Option<String> {
        std::fs::create_dir_all(self.server.root.join("Harrow v Teal/Scans")).unwrap();
        self.server.hand_over();
        Some("Harrow v Teal/Scans".to_owned())
    }
    fn with_documents(&self, count: usize) -> Option<String> {
        let folder = self.server.root.join("Many");
        std::fs::create_dir_all(&folder).unwrap();
        for n in 0..count {
            std::fs::write(folder.join(format!("document-{n:04}.txt")), "x").unwrap();
        }
        self.server.hand_over();
        Some("Many".to_owned())
    }
    fn lose_next_answer(&self, sending: Sending, moment: Moment) -> bool {
        let (which, harm) = match (moment, sending) {
            (Moment::First, _) => (Which::Content, Harm::CutRequest(0)),
            (Moment::Middle, _) => (Which::Content, Harm::CutRequest(300_000)),
            (Moment::Last, Sending::New) => (Which::Naming, Harm::SwallowAnswer),
            (Moment::Last, Sending::Version) => (Which::Replacing, Harm::SwallowAnswer),
        };
        self.proxy.harm(which, 1, harm);
        true
    }
    fn throttle_next(&self, seconds: u64) -> bool {
        self.proxy.heal();
        self.proxy.harm(Which::Content, 1, Harm::Answer(429, vec![("retry-after", seconds.to_string())]));
        true
    }
    fn calm(&self) {
        self.proxy.heal();
    }
    fn vanish_folder(&self) -> bool {
        let gone = std::fs::remove_dir_all(self.server.root.join(FOLDER)).is_ok();
        self.server.hand_over();
        gone
    }
    fn close_workspace(&self) -> bool {
        let profile = self.server.root.join("Harrow v Teal/.postroom/workspace.json");
        let written =
            std::fs::write(profile, r#"{"custom1":"10442","custom2":"0007","closed":true}"#).is_ok();
        self.server.hand_over();
        written
    }
    fn lock(&self, document: &str) -> Option<String> {
        // rclone locks, and does not tell of it.
        if self.kind == Kind::Rclone {
            return None;
        }
        let lock = self.server.lock(document, "m.patel");
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(lock));
        Some("m.patel".to_owned())
    }
    fn profile_change(&self) -> Option<(&'static str, &'static str)> {
        Some(("custom1", "10443"))
    }
}

/// A fresh world, made while the test's runtime waits.
#[expect(clippy::unnecessary_wraps, reason = "worlds are made by functions of one shape")]
pub(crate) fn world(kind: Kind) -> Option<Box<dyn World>> {
    // Further pages come from one answer, so pages are small and listings are read once.
    let made = Dav::with(kind, "versions = \"copies\"");
    let made = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(made));
    Some(Box::new(made))
}
