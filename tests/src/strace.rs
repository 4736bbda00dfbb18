//! Prefixes for a server that is to meet a fault of the kernel's making.

use std::process::Command;

/// `strace` as a detached tracer (the server stays our child), injecting one fault per rule, such as
/// `fdatasync:error=EIO:when=3+`. Only the named calls are traced, so the rest runs at speed.
pub fn inject(rules: &[&str]) -> Vec<String> {
    require("strace");
    let mut prefix: Vec<String> =
        ["strace", "-D", "-f", "-qqq", "--seccomp-bpf", "-o", "/dev/null"].map(str::to_owned).to_vec();
    let calls: Vec<&str> = rules.iter().filter_map(|rule| rule.split(':').next()).collect();
    prefix.extend(["-e".to_owned(), format!("trace={}", calls.join(","))]);
    for rule in rules {
        prefix.extend(["-e".to_owned(), format!("inject={rule}")]);
    }
    prefix
}

/// A shell that sets limits with `ulimit` (and whatever else) and becomes the server.
pub fn shell(before: &str) -> Vec<String> {
    ["bash", "-c", &format!("{before}; exec \"$@\""), "server"].map(str::to_owned).to_vec()
}

/// A mount namespace in which `path` is a small tmpfs; none where the machine does not allow that.
pub fn tmpfs(path: &std::path::Path, size: &str) -> Option<Vec<String>> {
    let flags = if rustix::process::geteuid().is_root() { "-m" } else { "-Urm" };
    let works = Command::new("unshare")
        .args([flags, "sh", "-c", "mount -t tmpfs -o size=64k none /mnt"])
        .output()
        .is_ok_and(|output| output.status.success());
    works.then(|| {
        let mount = format!("mount -t tmpfs -o size={size} none '{}'; exec \"$@\"", path.display());
        ["unshare", flags, "sh", "-c", &mount, "server"].map(str::to_owned).to_vec()
    })
}

/// Fails the test with the Debian package's name when a program is missing.
pub fn require(program: &str) {
    let there = Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
    assert!(there.is_ok_and(|o| o.status.success()), "missing program: install the Debian package {program}");
}
