//! Faults of the kernel's making: calls that fail, stall or kill, limits, and disks that are full.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// `strace` options that inject one fault per rule, such as `fdatasync:error=EIO:when=3+`. Only the named calls are
/// traced. (`when` counts per thread.)
fn options(rules: &[&str], log: &Path) -> Vec<String> {
    let mut options: Vec<String> = ["-f", "-qqq", "-o"].map(str::to_owned).to_vec();
    options.push(log.display().to_string());
    let calls: Vec<&str> = rules.iter().filter_map(|rule| rule.split(':').next()).collect();
    options.extend(["-e".to_owned(), format!("trace={}", calls.join(","))]);
    for rule in rules {
        options.extend(["-e".to_owned(), format!("inject={rule}")]);
    }
    options
}

/// A prefix that starts the server under a detached tracer, so that the server stays our child.
pub fn inject(rules: &[&str], log: &Path) -> Vec<String> {
    require("strace");
    // Not with --seccomp-bpf: together with -D, strace 6.1 loses count of the calls.
    let mut prefix = vec!["strace".to_owned(), "-D".to_owned()];
    prefix.extend(options(rules, log));
    prefix
}

/// How many faults a log tells of.
pub fn injected(log: &Path) -> usize {
    std::fs::read_to_string(log).unwrap_or_default().matches("(INJECTED)").count()
}

/// Faults in a server that runs already. Dropping it lets the server run free again.
pub struct Injection {
    tracer: Child,
    log: PathBuf,
}

impl Injection {
    /// Attaches to every thread of a process.
    pub fn attach(pid: i32, rules: &[&str], log: &Path) -> Self {
        require("strace");
        let _ = std::fs::remove_file(log);
        let tracer = Command::new("strace")
            .args(["-p", &pid.to_string()])
            .args(options(rules, log))
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("strace starts");
        let injection = Self { tracer, log: log.to_owned() };
        let begin = Instant::now();
        while !traced(pid) {
            assert!(
                begin.elapsed() < Duration::from_secs(20),
                "strace may not trace here (ptrace is forbidden?)"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        injection
    }

    /// How many faults have fired.
    pub fn fired(&self) -> usize {
        injected(&self.log)
    }
}

impl Drop for Injection {
    fn drop(&mut self) {
        if let Some(pid) = i32::try_from(self.tracer.id()).ok().and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = self.tracer.wait();
    }
}

/// Whether every thread of a process is traced; a process that is gone counts.
fn traced(pid: i32) -> bool {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return true };
    threads.flatten().all(|thread| {
        let status = std::fs::read_to_string(thread.path().join("status")).unwrap_or_default();
        // The first fault may have killed it already: what waits to be reaped is traced by nobody.
        let gone = status.is_empty() || status.contains("State:\tZ") || status.contains("State:\tX");
        gone || !status.contains("TracerPid:\t0\n")
    })
}

/// A shell that does something first (`ulimit …`) and becomes the server.
pub fn shell(before: &str) -> Vec<String> {
    ["bash", "-c", &format!("{before}; exec \"$@\""), "server"].map(str::to_owned).to_vec()
}

/// A small file system over a folder, seen only by servers that are started with its prefix. It outlives them.
pub struct SmallDisk {
    holder: Child,
    path: PathBuf,
    root: bool,
}

impl SmallDisk {
    /// Mounts a tmpfs of that size (`32m`) over the folder, in a mount namespace of its own.
    pub fn over(path: &Path, size: &str) -> Self {
        require("unshare");
        std::fs::create_dir_all(path).expect("the folder can be made");
        let root = rustix::process::geteuid().is_root();
        let mount = format!(
            "mount -t tmpfs -o size={size} none '{}' && echo up && exec sleep 100000",
            path.display()
        );
        let mut holder = Command::new("unshare")
            .args([if root { "-m" } else { "-Urm" }, "sh", "-c", &mount])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare starts");
        let mut line = String::new();
        let stdout = holder.stdout.take().expect("standard output is piped");
        let read = std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line);
        assert!(
            read.is_ok() && line == "up\n",
            "mount namespaces are not allowed here: no small disk can be made"
        );
        Self { holder, path: path.to_owned(), root }
    }

    /// What stands before a server that is to see it.
    pub fn prefix(&self) -> Vec<String> {
        let pid = self.holder.id().to_string();
        let mut prefix: Vec<String> = ["nsenter", "-t", &pid, "-m"].map(str::to_owned).to_vec();
        if !self.root {
            prefix.extend(["-U".to_owned(), "--preserve-credentials".to_owned()]);
        }
        prefix.push("--".to_owned());
        prefix
    }

    /// The folder as seen from outside.
    pub fn outside(&self) -> PathBuf {
        let relative = self.path.strip_prefix("/").expect("an absolute path");
        PathBuf::from(format!("/proc/{}/root", self.holder.id())).join(relative)
    }

    /// Fills it until only that much is left; the file is `ballast`.
    pub fn fill(&self, leave: u64) {
        let disk = rustix::fs::statvfs(self.outside()).expect("the disk can be asked");
        let free = disk.f_bavail * disk.f_frsize;
        let bytes = vec![0; usize::try_from(free.saturating_sub(leave)).expect("a small disk")];
        std::fs::write(self.outside().join("ballast"), bytes).expect("the ballast fits");
    }

    /// Takes the ballast away.
    pub fn free(&self) {
        std::fs::remove_file(self.outside().join("ballast")).expect("the ballast is there");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// Fails the test with the Debian package's name when a program is missing.
pub fn require(program: &str) {
    let there = Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
    assert!(there.is_ok_and(|o| o.status.success()), "missing program: install the Debian package {program}");
}
