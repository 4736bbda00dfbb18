//! The fake iManage as a process of its own, so that its work and memory are not ours.

use std::io::BufRead as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use postroom_tests::client::http;
use postroom_tests::process::program;
use serde_json::Value;

pub(crate) struct Sim {
    child: Child,
    pub(crate) url: String,
    control: String,
    http: reqwest::Client,
}

impl Sim {
    pub(crate) fn start() -> Self {
        let mut child = Command::new(program("sim-imanage"))
            .args(["--json", "--keep-bytes", "0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        std::io::BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let text = |key: &str| ready[key].as_str().unwrap().trim_end_matches('/').to_owned();
        Self { child, url: text("url"), control: text("control"), http: http() }
    }

    pub(crate) async fn stats(&self) -> Value {
        let answer = self.http.get(format!("{}/stats", self.control)).send().await.unwrap();
        answer.json().await.unwrap()
    }

    /// Documents stored so far.
    pub(crate) async fn committed(&self) -> u64 {
        self.stats().await["committed"].as_u64().unwrap()
    }

    /// Documents stored per second, from the tenth part of `count` to nine tenths of it, so that neither start nor end count.
    pub(crate) async fn rate(&self, from: u64, count: u64) -> f64 {
        let (first, last) = (from + count / 10, from + count * 9 / 10);
        let mut begin = None;
        loop {
            let committed = self.committed().await;
            let now = std::time::Instant::now();
            match begin {
                None if committed >= first => begin = Some((now, committed)),
                Some((since, at)) if committed >= last => {
                    return (committed - at) as f64 / (now - since).as_secs_f64();
                }
                _ => {}
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
