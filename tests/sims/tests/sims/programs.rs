//! The simulators as programs: the line they say, and that it is true.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::browser::{client, json as send, text};

/// A program that ends with its test.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(path: &str, more: &[&str]) -> (Program, Value) {
    let mut child = Command::new(path).arg("--json").args(more).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (Program(child), serde_json::from_str(&line).unwrap())
}

#[tokio::test]
async fn each_program_says_where_it_is_and_is_there() {
    let http = client();
    for path in [
        env!("CARGO_BIN_EXE_sim-openid"),
        env!("CARGO_BIN_EXE_sim-imanage"),
        env!("CARGO_BIN_EXE_sim-netdocuments"),
        env!("CARGO_BIN_EXE_sim-highq"),
        env!("CARGO_BIN_EXE_sim-graph"),
    ] {
        let (_program, line) = start(path, &[]);
        let (url, control) = (text(&line["url"]), text(&line["control"]));
        assert!(url.starts_with("http://127.0.0.1:") && control.ends_with("/_control"), "{line}");
        let health = send(http.get(format!("{control}/health"))).await;
        assert_eq!(health, (StatusCode::OK, json!({ "ok": true })), "{path}");
    }
}

#[tokio::test]
async fn a_program_takes_its_address_and_switches_from_its_arguments() {
    let http = client();
    let path = env!("CARGO_BIN_EXE_sim-openid");
    let switches = r#"{"approve_as":"m.patel@firm.example","tenant":"t-1"}"#;
    let (_program, line) = start(path, &["--public-url", "http://login.example/", "--switches", switches]);
    assert_eq!(
        (&line["url"], &line["issuer"], &line["entra_issuer"]),
        (
            &json!("http://login.example"),
            &json!("http://login.example"),
            &json!("http://login.example/t-1/v2.0")
        )
    );
    let control = text(&line["control"]);
    let set = send(http.get(format!("{control}/switches"))).await.1;
    assert_eq!((&set["approve_as"], &set["code_seconds"]), (&json!("m.patel@firm.example"), &json!(60)));
    let own = control.replace("/_control", "/t-1/v2.0/.well-known/openid-configuration");
    assert_eq!(send(http.get(own)).await.1["issuer"], "http://login.example/t-1/v2.0");
    let refused = Command::new(path).args(["--switches", r#"{"no_such":1}"#]).output().unwrap();
    assert!(!refused.status.success());
    assert!(String::from_utf8(refused.stderr).unwrap().starts_with("sim-openid: unknown field `no_such`"));
}
