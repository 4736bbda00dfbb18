//! Real WebDAV servers, each on a port of its own with a folder of its own: Apache's `mod_dav` and `rclone serve webdav`.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

/// Where Debian keeps Apache's modules.
const MODULES: &str = "/usr/lib/apache2/modules";
/// The user whose password the servers know.
pub(crate) const USER: &str = "postroom";
pub(crate) const PASSWORD: &str = "a pass:word ü";

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Apache,
    Rclone,
}

/// A server that runs until it is dropped.
pub(crate) struct Server {
    process: Mutex<Child>,
    kind: Kind,
    pub(crate) address: SocketAddr,
    /// The folder that it serves.
    pub(crate) root: PathBuf,
    _home: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(mut process) = self.process.lock() {
            kill(&mut process);
        }
    }
}

fn kill(process: &mut Child) {
    // Apache's first process has children of its own; the whole group ends.
    let group = rustix::process::Pid::from_child(process);
    let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    let _ = process.wait();
}

fn program(names: &[&str], package: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/bin".into()]);
    let found =
        folders.flat_map(|folder| names.iter().map(move |name| folder.join(name))).find(|it| it.is_file());
    found.unwrap_or_else(|| panic!("{} is missing: apt-get install {package}", names.join(" or ")))
}

/// A port that was free a moment ago.
fn free_port() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

impl Server {
    pub(crate) async fn start(kind: Kind) -> Self {
        // Another process may take the port between our look and the server's.
        for _ in 0..5 {
            if let Some(server) = Self::try_start(kind).await {
                return server;
            }
        }
        panic!("{kind:?} did not start");
    }

    async fn try_start(kind: Kind) -> Option<Self> {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("root");
        std::fs::create_dir(&root).unwrap();
        let address = free_port();
        let (mut command, log) = match kind {
            Kind::Apache => (apache(home.path(), address), home.path().join("error.log")),
            Kind::Rclone => (rclone(&root, address), home.path().join("rclone.log")),
        };
        let output = std::fs::File::create(home.path().join("rclone.log")).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(output).process_group(0);
        let process = command.spawn().unwrap();
        let server = Self { process: Mutex::new(process), kind, address, root, _home: home };
        for _ in 0..6_000 {
            let ended = server.process.lock().unwrap().try_wait().unwrap();
            if let Some(status) = ended {
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                assert!(
                    said.to_lowercase().contains("address already in use"),
                    "{kind:?} ended with {status}: {said}"
                );
                return None;
            }
            if tokio::net::TcpStream::connect(address).await.is_ok() {
                return Some(server);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("{kind:?} does not answer: {}", std::fs::read_to_string(&log).unwrap_or_default());
    }

    /// Asks as another client; status and body of the answer.
    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (u16, String) {
        let mut url: url::Url = format!("http://{}/", self.address).parse().unwrap();
        url.path_segments_mut().unwrap().pop_if_empty().extend(path.split('/'));
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut request = client.request(method.parse().unwrap(), url).basic_auth(USER, Some(PASSWORD));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.body(body.to_owned()).send().await.unwrap();
        let token = answer.headers().get("lock-token").map(|token| token.to_str().unwrap().to_owned());
        (answer.status().as_u16(), token.unwrap_or(answer.text().await.unwrap()))
    }

    /// Locks a document as another client; the token.
    pub(crate) async fn lock(&self, document: &str, owner: &str) -> String {
        let body = format!(
            r#"<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype><owner>{owner}</owner></lockinfo>"#
        );
        let (status, token) =
            self.ask("LOCK", document, &[("depth", "0"), ("timeout", "Second-3600")], &body).await;
        assert_eq!(status, 200, "{token}");
        token
    }

    /// Ends a document's lock, as time would.
    pub(crate) async fn end_lock(&self, document: &str) {
        let (_, body) = self.ask("PROPFIND", document, &[("depth", "0")], "").await;
        let token = body.split("opaquelocktoken:").nth(1).and_then(|rest| rest.split('<').next());
        if let Some(token) = token {
            let token = format!("<opaquelocktoken:{token}>");
            let (status, body) = self.ask("UNLOCK", document, &[("lock-token", &token)], "").await;
            assert_eq!(status, 204, "{body}");
        }
    }

    /// Ends rclone and starts it again on its address: what it kept in memory (locks, listings) is gone.
    pub(crate) fn restart(&self) {
        assert_eq!(self.kind, Kind::Rclone);
        let mut process = self.process.lock().unwrap();
        kill(&mut process);
        let mut command = rclone(&self.root, self.address);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        *process = command.spawn().unwrap();
        while std::net::TcpStream::connect(self.address).is_err() {
            assert!(process.try_wait().unwrap().is_none(), "rclone ended");
            std::thread::yield_now();
        }
    }

    /// Makes what a test put into the folder the server's own.
    pub(crate) fn hand_over(&self) {
        match self.kind {
            Kind::Apache => give_to_server(&self.root),
            // It remembers listings.
            Kind::Rclone => self.restart(),
        }
    }
}

/// The user that Apache's children run as when it was started by root.
fn give_to_server(path: &Path) {
    if is_root() {
        let status = Command::new("chown").args(["-R", "www-data:www-data"]).arg(path).status().unwrap();
        assert!(status.success(), "chown to www-data failed");
    }
}

fn apache(home: &Path, address: SocketAddr) -> Command {
    let binary = program(&["apache2", "httpd"], "apache2-bin");
    assert!(
        Path::new(MODULES).join("mod_dav_fs.so").is_file(),
        "mod_dav_fs is missing: apt-get install apache2-bin"
    );
    std::fs::create_dir_all(home.join("locks")).unwrap();
    // SHA-1 is all that htpasswd's format offers without a program of Apache's; it guards nothing here.
    std::fs::write(home.join("users"), format!("{USER}:{{SHA}}{}\n", sha1_of_password())).unwrap();
    let modules = [
        "mpm_event",
        "authn_core",
        "authn_file",
        "authz_core",
        "authz_user",
        "auth_basic",
        "dav",
        "dav_fs",
        "setenvif",
        "headers",
        "dir",
        "mime",
    ]
    .map(|name| format!("LoadModule {name}_module {MODULES}/mod_{name}.so\n"))
    .concat();
    let user = if is_root() { "User www-data\nGroup www-data\n" } else { "" };
    let home_text = home.display();
    let config = format!(
        r#"ServerRoot "{home_text}"
ServerName 127.0.0.1
Listen {address}
PidFile "{home_text}/pid"
ErrorLog "{home_text}/error.log"
Mutex file:{home_text}/locks default
{modules}{user}StartServers 1
ThreadsPerChild 40
MaxRequestWorkers 80
KeepAliveTimeout 5
TypesConfig /dev/null
DocumentRoot "{home_text}/root"
DavLockDB "{home_text}/locks/dav"
<Directory "{home_text}/root">
    Dav On
    DavMinTimeout 1
    AllowOverride All
    AuthType Basic
    AuthName postroom
    AuthUserFile "{home_text}/users"
    Require valid-user
</Directory>
"#
    );
    std::fs::write(home.join("httpd.conf"), config).unwrap();
    give_to_server(home);
    let mut command = Command::new(binary);
    command.arg("-f").arg(home.join("httpd.conf")).arg("-DFOREGROUND");
    command
}

fn rclone(root: &Path, address: SocketAddr) -> Command {
    let mut command = Command::new(program(&["rclone"], "rclone"));
    command.args(["serve", "webdav", "--config", "/dev/null", "--addr", &address.to_string()]);
    command.args(["--user", USER, "--pass", PASSWORD]).arg(root);
    command
}

/// Base64 of SHA-1 of [`PASSWORD`], computed once by hand: `printf %s 'a pass:word ü' | openssl sha1 -binary | base64`.
fn sha1_of_password() -> &'static str {
    "ulUdmgSkTE7uvxMzE7hkMQnPR5A="
}
