//! A clamd of the test's own: one folder with its socket and one signature, no network, nothing published.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use postroom_tests::wait::until;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};

/// The name under which the test file is found.
pub(crate) const SIGNATURE: &str = "Postroom.Test.Eicar";

/// The EICAR test file, put together here: written out, it would set off whoever scans this folder.
pub(crate) fn eicar() -> Vec<u8> {
    ["X5O!P%@AP[4\\PZX54(P^)", "7CC)7}$EICAR-STAND", "ARD-ANTIVIRUS-TEST", "-FILE!$H+H*"]
        .concat()
        .into_bytes()
}

/// The scanner; it ends with its folder.
pub(crate) struct Clamd {
    folder: tempfile::TempDir,
    child: Option<Child>,
}

fn program() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into()])
        .map(|folder| folder.join("clamd"))
        .find(|it| it.exists())
        .expect("clamd is missing: apt-get install clamav-daemon")
}

impl Clamd {
    /// A scanner that is not started yet.
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("clamd").tempdir().unwrap();
        let at = folder.path().display();
        std::fs::create_dir(folder.path().join("signatures")).unwrap();
        std::fs::create_dir(folder.path().join("work")).unwrap();
        // Name, any type of file, anywhere in it, the bytes.
        let hex = eicar().iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        let signature = format!("{SIGNATURE}:0:*:{hex}\n");
        std::fs::write(folder.path().join("signatures/test.ndb"), signature).unwrap();
        let settings = format!(
            "Foreground yes\nLocalSocket {at}/clamd.ctl\nDatabaseDirectory {at}/signatures\nTemporaryDirectory {at}/work\n\
             LogFile {at}/clamd.log\nStreamMaxLength 5M\nAlertExceedsMax yes\nMaxThreads 4\nFixStaleSocket yes\n"
        );
        std::fs::write(folder.path().join("clamd.conf"), settings).unwrap();
        Self { folder, child: None }
    }

    pub(crate) async fn started() -> Self {
        let mut clamd = Self::new();
        clamd.start().await;
        clamd
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("clamd.ctl")
    }

    /// Starts it; it has its signatures when this returns.
    pub(crate) async fn start(&mut self) {
        let config = format!("--config-file={}", self.folder.path().join("clamd.conf").display());
        let log = std::fs::File::create(self.folder.path().join("clamd.out")).unwrap();
        let mut command = Command::new(program());
        command
            .arg(config)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .kill_on_drop(true);
        self.child = Some(command.spawn().expect("clamd starts"));
        let socket = self.socket();
        until("clamd answers", Duration::from_mins(1), || async { ping(&socket).await }).await;
    }

    /// Ends it, in the middle of whatever it does.
    pub(crate) async fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().await.unwrap();
        }
    }

    /// The settings that lead to it.
    pub(crate) fn settings(&self, mode: &str, more: &str) -> String {
        format!("\n[screening]\nmode = \"{mode}\"\nclamd = \"unix:{}\"\n{more}\n", self.socket().display())
    }
}

async fn ping(socket: &Path) -> Option<()> {
    let mut line = UnixStream::connect(socket).await.ok()?;
    line.write_all(b"zPING\0").await.ok()?;
    let mut answer = Vec::new();
    line.read_to_end(&mut answer).await.ok()?;
    (answer == b"PONG\0").then_some(())
}
