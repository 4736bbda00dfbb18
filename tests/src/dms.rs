//! DMSs of every kind behind one face, for tests that ask the same of all of them: settings, what they hold, and trouble on demand.
//! Each has the matter [`MATTER`](crate::world::MATTER) with a place for its letters.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use postroom_sims::{highq, imanage, netdocuments};

use crate::folder::{self, Deposit};
use crate::process::free_port;
use crate::wait;
use crate::world::sample;

/// How often uploads go wrong, each by chance.
#[derive(Debug, Clone, Copy)]
pub struct Storm {
    /// The work is done and the answer is lost.
    pub lost: f64,
    /// 503 before the work.
    pub unavailable: f64,
    /// 429 with a second to wait.
    pub throttled: f64,
}

/// One DMS of a world. Its destination is called `dms`.
pub trait Dms: Send + Sync {
    /// The word in the settings.
    fn kind(&self) -> &'static str;
    /// Its address.
    fn url(&self) -> String;
    /// Sections of the settings: destination and repository for the documents of matters. What has to lie on the disk goes below
    /// `root`.
    fn settings(&self, root: &Path, concurrency: usize) -> String;
    /// The sections of a linked service of the same name.
    fn service(&self) -> String;
    /// Everything it holds, the newest versions only.
    fn deposits(&self) -> Vec<Deposit>;
    /// Everything that it ever stored, in order: a document twice for two versions.
    fn stored(&self) -> usize;
    /// Lets uploads go wrong; none calms it.
    fn storm(&self, storm: Option<Storm>);
    /// Ends all sign-ins; they can be renewed.
    fn expire(&self);
    /// Ids of the place into which documents of the matter go, as the DMS's ledger tells them.
    fn place(&self) -> String;
    /// Moves that place to another one of the matter, and gives it another name.
    fn move_place(&self);
    /// Closes the matter to new documents.
    fn close_matter(&self);
    /// Hides the matter from Mina Patel.
    fn hide_matter(&self);
    /// All accounts of people.
    fn accounts(&self) -> Vec<Account>;
    /// Locks an account by its id.
    fn lock(&self, id: &str);
    /// The next account is made, and the answer is lost.
    fn lose_new_account(&self);
}

/// An account as a DMS holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: String,
    /// The e-mail, in small letters.
    pub email: String,
    /// Whether it belongs to somebody outside of the firm, where the DMS tells such apart.
    pub external: bool,
}

/// Adds the rules of a storm to a control of any simulator.
macro_rules! storm {
    ($control:expr, $sim:ident, $storm:expr) => {{
        let control = $control;
        control.clear_faults();
        if let Some(storm) = $storm {
            use $sim::{Action, Fire, Rule};
            let status = |status: u16, headers: &[(&str, &str)]| Action::Status {
                status,
                headers: headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
                body: None,
            };
            let chances: [(f64, Action); 3] = [
                (storm.lost, Action::LoseAnswer {}),
                (storm.unavailable, status(503, &[])),
                (storm.throttled, status(429, &[("Retry-After", "1")])),
            ];
            for (chance, action) in chances {
                control.add_fault(Rule::on("upload", action).fire(Fire::Probability(chance)));
            }
        }
    }};
}

/// The next call of an operation is carried out, and its answer is lost.
macro_rules! lose {
    ($control:expr, $sim:ident, $operation:literal) => {{
        use $sim::{Action, Fire, Rule};
        $control.add_fault(Rule::on($operation, Action::LoseAnswer {}).fire(Fire::First(1)));
    }};
}

fn repository(library: &str, resolver: &str, folder: &str) -> String {
    format!(
        "\n[[repositories]]\nname = \"matters\"\narea = \"matter_documents\"\nservice = \"dms\"\nlibrary = \"{library}\"\n\
         resolver = \"search\"\nresolver_config = \"{resolver}\"\nfolder = \"{folder}\"\n"
    )
}

/// The fake iManage.
pub struct Imanage(imanage::SimHandle);

impl Imanage {
    /// Starts one.
    pub fn start(seed: u64) -> Box<Self> {
        let mut options = sample();
        options.random_seed = seed;
        Box::new(Self(imanage::Sim::start(options).expect("the fake iManage starts")))
    }
}

impl Dms for Imanage {
    fn kind(&self) -> &'static str {
        "imanage"
    }
    fn url(&self) -> String {
        self.0.url()
    }
    fn settings(&self, _: &Path, concurrency: usize) -> String {
        let url = self.0.url();
        format!(
            "\n[[destinations]]\nname = \"dms\"\nkind = \"imanage\"\nconcurrency = {concurrency}\n\
             [destinations.imanage]\nbase_url = \"{url}\"\nlibrary = \"ACTIVE\"\nprobe_lag_seconds = 1\ncreate_users = true\n\
             [destinations.imanage.auth]\ngrant = \"password\"\nclient_id = \"postroom\"\n\
             client_secret = \"postroom-client-secret\"\nusername = \"POSTROOM\"\npassword = \"postroom-pass\"\n"
        ) + &repository(
            "ACTIVE",
            "custom1=[workitem.client.reference], custom2=[workitem.attributes.matter]",
            "Documents/Correspondence",
        )
    }
    fn service(&self) -> String {
        crate::browser::imanage_service("dms", &self.0.url())
    }
    fn deposits(&self) -> Vec<Deposit> {
        let entries = self.0.control().ledger().into_iter();
        let deposit = |entry: imanage::Entry| Deposit {
            mark: crate::world::find_mark(&[entry.field.as_deref().unwrap_or_default(), &entry.comment]),
            hash: entry.blake3,
            place: entry.container,
            name: entry.name,
        };
        entries.map(deposit).collect()
    }
    fn stored(&self) -> usize {
        self.0.control().ledger().len()
    }
    fn storm(&self, storm: Option<Storm>) {
        storm!(self.0.control(), imanage, storm);
    }
    fn expire(&self) {
        self.0.control().apply(&imanage::Action::ExpireTokens {});
    }
    fn place(&self) -> String {
        "ACTIVE!3652".to_owned()
    }
    fn move_place(&self) {
        let control = self.0.control();
        assert!(control.apply(&imanage::Action::MoveFolder { folder: 3652, to: 3654 }));
        assert!(control.apply(&imanage::Action::RenameFolder { folder: 3652, name: "Post".to_owned() }));
    }
    fn close_matter(&self) {
        assert!(self.0.control().apply(&imanage::Action::CloseWorkspace { workspace: 3650 }));
    }
    fn hide_matter(&self) {
        assert!(self.0.control().set_access(3650, Some("MPATEL"), imanage::Access::NoAccess));
    }
    fn accounts(&self) -> Vec<Account> {
        let account = |it: imanage::User| Account {
            id: it.id,
            email: it.email.to_lowercase(),
            external: it.is_external,
        };
        self.0.control().users().into_iter().map(account).collect()
    }
    fn lock(&self, id: &str) {
        assert!(self.0.control().update_user(id, |it| it.allow_logon = false));
    }
    fn lose_new_account(&self) {
        lose!(self.0.control(), imanage, "create_user");
    }
}

/// The fake NetDocuments.
pub struct Netdocuments(netdocuments::SimHandle);

impl Netdocuments {
    /// Starts one.
    pub fn start(seed: u64) -> Box<Self> {
        let mut options = netdocuments::Options::sample();
        options.random_seed = seed;
        Box::new(Self(netdocuments::Sim::start(options).expect("the fake NetDocuments starts")))
    }
}

impl Dms for Netdocuments {
    fn kind(&self) -> &'static str {
        "netdocuments"
    }
    fn url(&self) -> String {
        self.0.url().to_owned()
    }
    fn settings(&self, _: &Path, concurrency: usize) -> String {
        let (url, cabinet, app) = (self.0.url(), netdocuments::CABINET, netdocuments::APP);
        let repository_id = netdocuments::REPOSITORY;
        format!(
            "\n[[destinations]]\nname = \"dms\"\nkind = \"netdocuments\"\nconcurrency = {concurrency}\n\
             [destinations.netdocuments]\nbase_url = \"{url}\"\nweb_url = \"{url}\"\ncabinet = \"{cabinet}\"\n\
             mark_attribute = \"postroom\"\nprobe_lag_seconds = 1\ncreate_workspaces = true\n\
             workspace_attributes = [\"client\", \"matter\"]\n\
             attributes = {{ client = 1, matter = 2, postroom = 9 }}\nusers = {{ create = true }}\n\
             [destinations.netdocuments.auth]\ngrant = \"client_credentials\"\nclient_id = \"{app}\"\n\
             client_secret = \"postroom-netdocuments-secret\"\nrepository = \"{repository_id}\"\n"
        ) + &repository(
            cabinet,
            "client=[workitem.client.reference], matter=[workitem.attributes.matter]",
            "Correspondence",
        )
    }
    fn service(&self) -> String {
        crate::browser::netdocuments_service("dms", self.0.url())
    }
    fn deposits(&self) -> Vec<Deposit> {
        let newest = self.0.control().holdings().into_iter().filter(|it| it.official);
        let deposit = |it: netdocuments::Holding| Deposit {
            mark: it.attributes.get(&netdocuments::FREE_ATTRIBUTE).cloned().unwrap_or_default(),
            hash: it.blake3,
            place: it.folders.first().cloned().unwrap_or_default(),
            name: it.name,
        };
        newest.map(deposit).collect()
    }
    fn stored(&self) -> usize {
        self.0.control().ledger().len()
    }
    fn storm(&self, storm: Option<Storm>) {
        storm!(self.0.control(), netdocuments, storm);
    }
    fn expire(&self) {
        self.0.control().expire_access_tokens();
    }
    fn place(&self) -> String {
        "4800-0000-3652".to_owned()
    }
    fn move_place(&self) {
        let (folder, to) = (self.place(), "4800-0000-3654".to_owned());
        assert!(self.0.control().apply(&netdocuments::Flaw::MoveFolder { folder: folder.clone(), to }));
        let name = "Post".to_owned();
        assert!(self.0.control().apply(&netdocuments::Flaw::RenameFolder { folder, name }));
    }
    fn close_matter(&self) {
        let (parent, key) = ("10442".to_owned(), "0007".to_owned());
        let row = netdocuments::Flaw::CloseRow { attribute: 2, parent, key, closed: true };
        assert!(self.0.control().apply(&row));
    }
    fn hide_matter(&self) {
        let container = "4800-0000-3650".to_owned();
        let principal = "DUCOT-MPATEL".to_owned();
        let rights = netdocuments::Rights::NONE;
        assert!(self.0.control().apply(&netdocuments::Flaw::SetRights { container, principal, rights }));
    }
    fn accounts(&self) -> Vec<Account> {
        let account = |it: netdocuments::Person| Account {
            id: it.id,
            email: it.email.to_lowercase(),
            external: it.external,
        };
        self.0.control().people().into_iter().map(account).collect()
    }
    fn lock(&self, id: &str) {
        assert!(self.0.control().update_person(id, |it| it.disabled = true));
    }
    fn lose_new_account(&self) {
        lose!(self.0.control(), netdocuments, "create_user");
    }
}

/// The fake HighQ.
pub struct Highq(highq::SimHandle);

impl Highq {
    /// Starts one.
    pub fn start(seed: u64) -> Box<Self> {
        let mut options = highq::Options::sample();
        options.random_seed = seed;
        Box::new(Self(highq::Sim::start(options).expect("the fake HighQ starts")))
    }

    /// Access to what it holds.
    pub fn control(&self) -> highq::Control {
        self.0.control()
    }
}

impl Dms for Highq {
    fn kind(&self) -> &'static str {
        "highq"
    }
    fn url(&self) -> String {
        self.0.url().to_owned()
    }
    fn settings(&self, root: &Path, concurrency: usize) -> String {
        let (url, app, site) = (self.0.url(), highq::APP, highq::HARROW);
        let file = root.join("highq-token");
        if !file.exists() {
            let (_, refresh) = self.0.control().tokens_of("1801", app);
            std::fs::write(&file, refresh).expect("the refresh token");
        }
        let file = file.display();
        format!(
            "\n[[destinations]]\nname = \"dms\"\nkind = \"highq\"\nconcurrency = {concurrency}\n\
             [destinations.highq]\nbase_url = \"{url}\"\nprobe_lag_seconds = 1\n\
             people = {{ list = \"sites/{{site}}/users\", site = {site} }}\n\
             [destinations.highq.auth]\ngrant = \"refresh_token\"\nclient_id = {app}\n\
             client_secret = \"postroom-highq-secret\"\nrefresh_token_file = \"{file}\"\n"
        ) + &repository(
            "",
            "clientno=[workitem.client.reference], matterno=[workitem.attributes.matter]",
            "Correspondence",
        )
    }
    fn service(&self) -> String {
        let (url, app) = (self.0.url(), highq::APP);
        format!(
            "\n[[services]]\nname = \"dms\"\ntitle = \"HighQ\"\nkind = \"highq\"\nbase_url = \"{url}\"\n\
             client_id = \"{app}\"\nclient_secret = \"postroom-highq-secret\"\nlinks = true\nsystem_account = \"destination\"\n"
        )
    }
    fn deposits(&self) -> Vec<Deposit> {
        let newest = self.0.control().ledger().into_iter().filter(|it| it.newest);
        let deposit = |it: highq::Entry| Deposit {
            mark: it.mark,
            hash: it.blake3,
            place: it.folder.to_string(),
            name: it.name,
        };
        newest.map(deposit).collect()
    }
    fn stored(&self) -> usize {
        self.0.control().ledger().len()
    }
    fn storm(&self, storm: Option<Storm>) {
        storm!(self.0.control(), highq, storm);
    }
    fn expire(&self) {
        self.0.control().expire_access_tokens();
    }
    fn place(&self) -> String {
        highq::CORRESPONDENCE.to_string()
    }
    fn move_place(&self) {
        let (folder, to) = (highq::CORRESPONDENCE, 1012);
        assert!(self.0.control().change(&highq::Flaw::MoveFolder { folder, to }));
        assert!(self.0.control().change(&highq::Flaw::RenameFolder { folder, name: "Post".to_owned() }));
    }
    fn close_matter(&self) {
        let (site, status) = (highq::HARROW, highq::SiteStatus::Archived);
        assert!(self.0.control().change(&highq::Flaw::SetStatus { site, status }));
    }
    fn hide_matter(&self) {
        let people = self.0.control().people();
        let mina = people.iter().find(|it| it.email.eq_ignore_ascii_case("m.patel@firm.example"));
        let person = mina.expect("Mina Patel").id.clone();
        let (site, level) = (highq::HARROW, highq::Level::None);
        assert!(self.0.control().change(&highq::Flaw::SetLevel { site, person, level }));
    }
    fn accounts(&self) -> Vec<Account> {
        let account =
            |it: highq::Person| Account { id: it.id, email: it.email.to_lowercase(), external: false };
        self.0.control().people().into_iter().map(account).collect()
    }
    fn lock(&self, id: &str) {
        assert!(self.0.control().update_person(id, |it| it.disabled = true));
    }
    fn lose_new_account(&self) {
        lose!(self.0.control(), highq, "add_users");
    }
}

/// A real WebDAV server, rclone's.
pub struct Webdav {
    child: Child,
    url: String,
    home: tempfile::TempDir,
}

impl Webdav {
    /// Starts one.
    pub async fn start(seed: u64) -> Box<Self> {
        let home = tempfile::tempdir().expect("a temporary folder");
        let matter = home.path().join("10442-0007");
        std::fs::create_dir_all(matter.join("Correspondence")).expect("a matter");
        let port = free_port(seed);
        let child = Command::new("rclone")
            .args(["serve", "webdav", "--config", "/dev/null", "--dir-cache-time", "0s", "--addr"])
            .arg(format!("127.0.0.1:{port}"))
            .args(["--user", "postroom", "--pass", "postroom-pass"])
            .arg(home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("rclone starts (Debian package rclone)");
        let this = Self { child, url: format!("http://127.0.0.1:{port}/"), home };
        wait::until("rclone serves", Duration::from_secs(30), || async {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok().map(drop)
        })
        .await;
        Box::new(this)
    }
}

impl Drop for Webdav {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Dms for Webdav {
    fn kind(&self) -> &'static str {
        "webdav"
    }
    fn url(&self) -> String {
        self.url.clone()
    }
    fn settings(&self, _: &Path, concurrency: usize) -> String {
        let url = &self.url;
        format!(
            "\n[[destinations]]\nname = \"dms\"\nkind = \"webdav\"\nconcurrency = {concurrency}\n\
             [destinations.webdav]\nbase_url = \"{url}\"\nversions = \"copies\"\n\
             [destinations.webdav.auth]\nkind = \"basic\"\nusername = \"postroom\"\npassword = \"postroom-pass\"\n\
             \n[[repositories]]\nname = \"matters\"\narea = \"matter_documents\"\nservice = \"dms\"\n\
             resolver = \"default\"\nresolver_config = \"[workitem.reference]\"\nfolder = \"Correspondence\"\n"
        )
    }
    fn service(&self) -> String {
        String::new()
    }
    fn deposits(&self) -> Vec<Deposit> {
        folder::deposits(self.home.path())
    }
    fn stored(&self) -> usize {
        self.deposits().len()
    }
    fn storm(&self, _: Option<Storm>) {}
    fn expire(&self) {}
    fn place(&self) -> String {
        "10442-0007/Correspondence".to_owned()
    }
    fn move_place(&self) {}
    fn close_matter(&self) {}
    fn hide_matter(&self) {}
    fn accounts(&self) -> Vec<Account> {
        Vec::new()
    }
    fn lock(&self, _: &str) {}
    fn lose_new_account(&self) {}
}

/// The three DMSs of law firms, fresh.
pub fn vendors(seed: u64) -> Vec<Box<dyn Dms>> {
    vec![Imanage::start(seed), Netdocuments::start(seed), Highq::start(seed)]
}
