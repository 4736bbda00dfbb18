//! A Dovecot server of the test's own: a folder that goes with it, ports that nobody else has, one user.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The user and their password.
pub(crate) const USER: &str = "post@firm.example";
pub(crate) const PASSWORD: &str = "gehe im\"\\";

/// Who the server's parts run as: when the test is root they must be others, else they are the test.
struct Account {
    name: String,
    uid: u32,
    gid: u32,
    group: String,
}

pub(crate) struct Dovecot {
    folder: tempfile::TempDir,
    child: Option<Child>,
    mail: Account,
    pub(crate) port: u16,
    pub(crate) tls_port: u16,
}

fn program() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into()])
        .map(|folder| folder.join("dovecot"))
        .find(|it| it.exists())
        .expect("dovecot is missing: apt-get install dovecot-imapd")
}

fn account(matches: impl Fn(&str, u32) -> bool) -> Option<Account> {
    let groups = fs::read_to_string("/etc/group").unwrap();
    fs::read_to_string("/etc/passwd").unwrap().lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let (name, uid, gid) = (*fields.first()?, fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?);
        let wanted = format!(":{gid}:");
        let group = groups.lines().find(|it| it.contains(&wanted))?.split(':').next()?.to_owned();
        matches(name, uid).then(|| Account { name: name.to_owned(), uid, gid, group })
    })
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Dovecot {
    /// A server with the user's empty mailbox. With a certificate (PEM, chain and key) it speaks TLS, and STARTTLS too.
    pub(crate) fn start(certificate: Option<(&str, &str)>) -> Self {
        let folder = tempfile::Builder::new().prefix("imap").tempdir().unwrap();
        let me = rustix::process::getuid().as_raw();
        let named = |name: &str| account(|it, _| it == name).expect("Debian's users of dovecot");
        let own = || account(|_, uid| uid == me).expect("the test's own account");
        let (login, internal, mail) = if me == 0 {
            (named("dovenull"), named("dovecot"), named("nobody"))
        } else {
            (own(), own(), own())
        };
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["run", "state", "mail"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let (port, tls_port) = (free_port(), free_port());
        let server = Self { folder, child: None, mail, port, tls_port };
        server.give(&server.path("mail"));
        fs::write(server.path("users"), format!("{USER}:{{PLAIN}}{PASSWORD}\n")).unwrap();
        let ssl = certificate.map_or_else(
            || "ssl = no\n".to_owned(),
            |(chain, key)| {
                fs::write(server.path("chain.pem"), chain).unwrap();
                fs::write(server.path("key.pem"), key).unwrap();
                let at = server.folder.path().display();
                format!("ssl = yes\nssl_cert = <{at}/chain.pem\nssl_key = <{at}/key.pem\n")
            },
        );
        let config = format!(
            "protocols = imap\nlisten = 127.0.0.1\nbase_dir = {at}/run\nstate_dir = {at}/state\nlog_path = {at}/log\n\
             default_login_user = {login}\ndefault_internal_user = {internal}\ndefault_internal_group = {group}\n\
             disable_plaintext_auth = no\nmail_location = maildir:{at}/mail/%n\nfirst_valid_uid = 1\nfirst_valid_gid = 0\n\
             mail_fsync = never\nauth_verbose = yes\nmailbox_idle_check_interval = 1 s\n{ssl}\
             passdb {{\n driver = passwd-file\n args = username_format=%u {at}/users\n}}\n\
             userdb {{\n driver = static\n args = uid={uid} gid={gid} home={at}/mail/%n\n}}\n\
             service imap-login {{\n chroot =\n inet_listener imap {{\n port = {port}\n }}\n\
             inet_listener imaps {{\n port = {tls}\n ssl = yes\n }}\n}}\n\
             service anvil {{\n chroot =\n}}\n",
            at = server.folder.path().display(),
            login = login.name,
            internal = internal.name,
            group = internal.group,
            uid = server.mail.uid,
            gid = server.mail.gid,
            tls = if certificate.is_some() { tls_port } else { 0 },
        );
        fs::write(server.path("conf"), config).unwrap();
        let mut server = server;
        server.resume();
        server
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn give(&self, path: &Path) {
        if rustix::process::getuid().is_root() {
            chown(path, Some(self.mail.uid), Some(self.mail.gid)).unwrap();
        }
    }

    /// Starts again after [`Self::halt`].
    pub(crate) fn resume(&mut self) {
        let child = Command::new(program())
            .arg("-F")
            .arg("-c")
            .arg(self.path("conf"))
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.child = Some(child);
    }

    /// Ends it as a machine does that loses its power: with all its parts, which would go on with their connections for half a minute.
    pub(crate) fn halt(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let pid = rustix::process::Pid::from_child(&child);
        let _gone = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        child.wait().unwrap();
        // Whoever comes next would wait two minutes for locks of the dead.
        let folders = fs::read_dir(self.maildir("")).into_iter().flatten().map(|it| it.unwrap().path());
        for folder in folders.chain([self.maildir("")]) {
            for file in fs::read_dir(folder).into_iter().flatten().map(|it| it.unwrap().path()) {
                if file.extension().is_some_and(|it| it == "lock") {
                    fs::remove_file(file).unwrap();
                }
            }
        }
    }

    /// The Maildir of a folder, by the name that the protocol has for it; empty is INBOX.
    pub(crate) fn maildir(&self, folder: &str) -> PathBuf {
        let home = self.path("mail").join("post");
        if folder.is_empty() { home } else { home.join(format!(".{folder}")) }
    }

    /// Puts a message into a folder's Maildir, as a mail server does.
    pub(crate) fn drop_in(&self, folder: &str, name: &str, message: &[u8]) {
        let (home, maildir) = (self.maildir(""), self.maildir(folder));
        for folder in [&home, &maildir] {
            for part in ["", "tmp", "new", "cur"] {
                let path = folder.join(part);
                if !path.exists() {
                    fs::create_dir(&path).unwrap();
                    self.give(&path);
                }
            }
        }
        let (aside, place) = (maildir.join("tmp").join(name), maildir.join("new").join(name));
        fs::write(&aside, message).unwrap();
        self.give(&aside);
        fs::rename(&aside, &place).unwrap();
    }

    /// Everything in a folder's Maildir, byte for byte, in no order.
    pub(crate) fn messages(&self, folder: &str) -> Vec<Vec<u8>> {
        let maildir = self.maildir(folder);
        let files = ["new", "cur"].map(|part| fs::read_dir(maildir.join(part)).into_iter().flatten());
        files.into_iter().flatten().map(|file| fs::read(file.unwrap().path()).unwrap()).collect()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
        self.halt();
    }
}
