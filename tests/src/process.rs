//! The real binary as a child process.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// The path of one of our programs: from `POSTROOM_BIN_DIR`, else from the folder that this test was built into; built when
/// it is not there. (`tests/run` builds everything first, so that no test meets an old one.)
pub fn program(name: &str) -> PathBuf {
    if name == "postroom"
        && let Ok(path) = std::env::var("POSTROOM_BIN")
    {
        return path.into();
    }
    if let Ok(dir) = std::env::var("POSTROOM_BIN_DIR") {
        return Path::new(&dir).join(name);
    }
    let exe = std::env::current_exe().expect("the test's own path");
    // target/debug/deps/acceptance-… → target/debug; target/release/bench → target/release
    let profile = exe
        .ancestors()
        .find(|dir| dir.ends_with("debug") || dir.ends_with("release"))
        .expect("a test binary lies below target/debug or target/release");
    let path = profile.join(name);
    if !path.exists() {
        let package = if name.starts_with("sim-") { "postroom-sims" } else { name };
        let mut cargo = std::process::Command::new(env!("CARGO"));
        cargo.args(["build", "-p", package, "--bins"]);
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        let status =
            cargo.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).status().expect("cargo runs");
        assert!(status.success() && path.exists(), "cargo could not build {name}");
    }
    path
}

/// How a server is started.
#[derive(Debug, Clone)]
pub struct Launch {
    /// What stands before the binary, such as `strace …` (see [`crate::strace`]).
    pub prefix: Vec<String>,
    /// Environment.
    pub environment: Vec<(String, String)>,
    /// The subcommand with its arguments.
    pub arguments: Vec<String>,
    /// Where standard error goes; appended.
    pub log: PathBuf,
    /// How long readiness may take.
    pub patience: Duration,
}

/// Why a server is not there.
#[derive(Debug)]
pub enum NotReady {
    /// It ended.
    Ended(ExitStatus),
    /// It said nothing in time, and was killed.
    Silent,
}

/// A running server. Killed when dropped.
pub struct Server {
    child: Child,
    pid: Pid,
    /// Its first line on standard output.
    pub ready: Value,
    /// How long the first line took.
    pub took: Duration,
}

impl Server {
    /// Starts it and waits for its first line.
    pub async fn start(launch: &Launch) -> Result<Self, NotReady> {
        let begin = Instant::now();
        let mut child = spawn(launch);
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw).expect("a pid");
        let stdout = child.stdout.take().expect("standard output is piped");
        let mut lines = BufReader::new(stdout).lines();
        let first = tokio::time::timeout(launch.patience, lines.next_line()).await;
        match first {
            Ok(Ok(Some(line))) => {
                // Whatever follows is read away, so that the child never waits for us.
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                let ready = serde_json::from_str(&line)
                    .unwrap_or_else(|e| panic!("the first line is no JSON ({e}): {line}"));
                Ok(Self { child, pid, ready, took: begin.elapsed() })
            }
            Ok(_) => Err(NotReady::Ended(child.wait().await.expect("an exit status"))),
            Err(_) => {
                let _ = child.kill().await;
                Err(NotReady::Silent)
            }
        }
    }

    /// Its process id.
    pub fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Sends a signal; a process that has ended takes none.
    pub fn signal(&self, signal: Signal) {
        let _ = kill_process(self.pid, signal);
    }

    /// SIGKILL, and waits until it is gone.
    pub async fn kill(mut self) -> ExitStatus {
        self.signal(Signal::KILL);
        self.child.wait().await.expect("an exit status")
    }

    /// SIGTERM, and its exit status.
    pub async fn stop(mut self, patience: Duration) -> ExitStatus {
        self.signal(Signal::TERM);
        self.ended(patience).await.unwrap_or_else(|| panic!("it did not stop within {patience:?} of SIGTERM"))
    }

    /// Waits for its end; none when it lives on.
    pub async fn ended(&mut self, patience: Duration) -> Option<ExitStatus> {
        tokio::time::timeout(patience, self.child.wait())
            .await
            .ok()
            .map(|status| status.expect("an exit status"))
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("its status can be asked")
    }

    /// Resident memory in bytes.
    pub fn resident(&self) -> u64 {
        resident(self.pid())
    }
}

/// Processor time that a process has used, its own and the kernel's for it.
pub fn processor_time(pid: i32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in brackets may hold spaces; after it the fields are numbered from 3.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |number: usize| fields.get(number - 3).and_then(|it| it.parse::<u64>().ok()).unwrap_or(0);
    // A tick is a hundredth of a second wherever Linux shows it to programs.
    Duration::from_millis((ticks(14) + ticks(15)) * 10)
}

/// The most memory that a process has ever had resident, in bytes.
pub fn peak(pid: i32) -> u64 {
    memory(pid, "VmHWM:")
}

/// Resident memory of a process in bytes.
pub fn resident(pid: i32) -> u64 {
    memory(pid, "VmRSS:")
}

fn memory(pid: i32, field: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap_or(0) * 1024
}

fn spawn(launch: &Launch) -> Child {
    let log = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&launch.log)
        .expect("the log can be opened");
    let binary = program("postroom");
    let mut words: Vec<String> = launch.prefix.clone();
    words.push(binary.display().to_string());
    words.extend(launch.arguments.iter().cloned());
    Command::new(&words[0])
        .args(&words[1..])
        .envs(launch.environment.iter().cloned())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|e| panic!("cannot start {}: {e}", words[0]))
}

/// Runs one of our programs to its end.
pub async fn run(name: &str, arguments: &[&str]) -> std::process::Output {
    Command::new(program(name))
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap_or_else(|e| panic!("cannot run {name}: {e}"))
}

/// A port that is free now and lies below those the kernel hands out, so that it is still free after a restart.
pub fn free_port(seed: u64) -> u16 {
    let mut chance = crate::Chance::new(seed ^ u64::from(std::process::id()) << 20);
    (0..200)
        .find_map(|_| {
            let port = u16::try_from(chance.between(10_000, 31_000)).ok()?;
            std::net::TcpListener::bind(("127.0.0.1", port)).ok().map(|_| port)
        })
        .expect("a free port")
}
