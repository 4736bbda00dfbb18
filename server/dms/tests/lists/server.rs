//! A PostgreSQL server for one test: a data folder that vanishes with it, run by somebody who is not root, as PostgreSQL demands.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// The account that owns everything.
pub(crate) const OWNER: &str = "owner";
pub(crate) const OWNERS_PASSWORD: &str = "owner's password";
/// The account of the lists.
pub(crate) const READER: &str = "reader";
pub(crate) const READERS_PASSWORD: &str = "reader's password";

pub(crate) struct Postgres {
    pub(crate) port: u16,
    /// Who vouches for the server.
    pub(crate) ca: PathBuf,
    programs: PathBuf,
    folder: tempfile::TempDir,
    child: Mutex<Option<Child>>,
}

/// A port that nothing listens on.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The folder of `initdb` and `postgres`, of the newest version that is there.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, folder)| folder.join("initdb").is_file() && folder.join("postgres").is_file())
        .collect();
    found.sort();
    found.pop().expect("PostgreSQL is needed: apt-get install postgresql").1
}

/// Who runs it where we are root, as user and group.
fn runner() -> Option<(u32, u32)> {
    let me = Command::new("id").arg("-u").output().unwrap();
    if String::from_utf8_lossy(&me.stdout).trim() != "0" {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let of = |name: &str| {
        let line = users.lines().find(|line| line.starts_with(&format!("{name}:")))?;
        let mut parts = line.split(':').skip(2).map(str::parse);
        Some((parts.next()?.ok()?, parts.next()?.ok()?))
    };
    Some(of("postgres").or_else(|| of("nobody")).expect("a user who is not root"))
}

impl Postgres {
    /// Starts a server with these tables, and an account that may read the standard ones.
    pub(crate) fn start(tables: &str) -> Self {
        postroom_outbound::install_crypto();
        let folder = tempfile::tempdir().unwrap();
        let programs = programs();
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("server.pem"), made.cert.pem()).unwrap();
        std::fs::write(at("server.key"), made.signing_key.serialize_pem()).unwrap();
        std::fs::write(at("password"), OWNERS_PASSWORD).unwrap();
        std::fs::set_permissions(at("server.key"), std::fs::Permissions::from_mode(0o600)).unwrap();
        if let Some((user, group)) = runner() {
            for path in [folder.path().to_owned(), at("server.pem"), at("server.key"), at("password")] {
                std::os::unix::fs::chown(path, Some(user), Some(group)).unwrap();
            }
        }
        let server =
            Self { port: free_port(), ca: at("server.pem"), programs, folder, child: Mutex::new(None) };
        let data = server.data();
        let mut initdb = server.command("initdb");
        initdb.arg("-D").arg(&data).arg("--pwfile").arg(server.folder.path().join("password"));
        initdb.args(["-U", OWNER, "--auth=scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]);
        let done = initdb.output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        // Nobody without TLS but the owner, who looks after it here.
        let rules = format!(
            "host all {OWNER} 127.0.0.1/32 scram-sha-256\nhostssl all all 127.0.0.1/32 scram-sha-256\n"
        );
        std::fs::write(data.join("pg_hba.conf"), rules).unwrap();
        server.run();
        server
            .ask(&format!("CREATE ROLE {READER} LOGIN PASSWORD '{}'", READERS_PASSWORD.replace('\'', "''")));
        server.ask(tables);
        server
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.env_clear().env("LC_ALL", "C").env("PATH", "/usr/bin:/bin").current_dir(self.folder.path());
        if let Some((user, group)) = runner() {
            command.uid(user).gid(group);
        }
        command
    }

    /// Runs the server until it says that it is ready.
    fn run(&self) {
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data()).arg("-p").arg(self.port.to_string());
        for setting in [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "fsync=off",
            "ssl=on",
            &format!("ssl_cert_file={}", self.ca.display()),
            &format!("ssl_key_file={}", Path::new(self.folder.path()).join("server.key").display()),
        ] {
            command.arg("-c").arg(setting);
        }
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = Vec::new();
        loop {
            let Some(Ok(line)) = lines.next() else { panic!("PostgreSQL ended: {said:#?}") };
            if line.contains("ready to accept connections") {
                break;
            }
            said.push(line);
        }
        // Read on, so that it never waits for us.
        std::thread::spawn(move || lines.count());
        *self.child.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
    }

    fn end(&self) {
        let Some(mut child) = self.child.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return;
        };
        let mut stop = self.command("pg_ctl");
        stop.arg("-D").arg(self.data()).args(["-m", "immediate", "-w", "stop"]);
        let stopped = stop.output().is_ok_and(|done| done.status.success());
        if !stopped {
            let _ = child.kill();
        }
        let _ = child.wait();
    }

    /// Ends it with all its connections, and runs it again.
    pub(crate) fn restart(&self) {
        self.end();
        self.run();
    }

    /// What the server says to its owner.
    pub(crate) fn ask(&self, text: &str) -> String {
        let mut psql = self.command("psql");
        psql.env("PGPASSWORD", OWNERS_PASSWORD).env("HOME", self.folder.path());
        let address =
            format!("host=127.0.0.1 port={} user={OWNER} dbname=postgres sslmode=disable", self.port);
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", &address, "-f", "-"]);
        let mut child =
            psql.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success(), "{text}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).trim().to_owned()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.end();
    }
}
