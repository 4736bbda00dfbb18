//! Somebody with a mail program, who looks into the same mailbox.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::dovecot::{Dovecot, PASSWORD, USER};

pub(crate) struct Person {
    stream: TcpStream,
    heard: Vec<u8>,
    commands: u32,
}

impl Person {
    /// Signed in; a server that has just been started is waited for.
    pub(crate) async fn at(server: &Dovecot) -> Self {
        let connecting = async {
            loop {
                match TcpStream::connect(("127.0.0.1", server.port)).await {
                    Ok(stream) => return stream,
                    Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                }
            }
        };
        let stream = tokio::time::timeout(Duration::from_secs(20), connecting).await.expect("a server");
        let mut person = Self { stream, heard: Vec::new(), commands: 0 };
        let password = PASSWORD.replace('\\', "\\\\").replace('"', "\\\"");
        person.ask(&format!("LOGIN {USER} \"{password}\"")).await;
        person
    }

    /// One command that is answered with OK; everything that is said.
    pub(crate) async fn ask(&mut self, command: &str) -> String {
        self.send(command.as_bytes()).await
    }

    async fn send(&mut self, command: &[u8]) -> String {
        self.commands += 1;
        let tag = format!("p{}", self.commands);
        let whole = [tag.as_bytes(), b" ", command, b"\r\n"].concat();
        self.stream.write_all(&whole).await.unwrap();
        let answering = async {
            loop {
                let text = String::from_utf8_lossy(&self.heard).into_owned();
                if let Some(end) = text.lines().find(|line| line.starts_with(&format!("{tag} "))) {
                    assert!(end.starts_with(&format!("{tag} OK")), "{command:?}: {text}");
                    self.heard.clear();
                    return text;
                }
                let read = self.stream.read_buf(&mut self.heard).await.unwrap();
                assert!(read > 0, "the server hung up: {text}");
            }
        };
        tokio::time::timeout(Duration::from_secs(20), answering).await.expect("an answer in time")
    }

    /// Files a message in a folder.
    pub(crate) async fn append(&mut self, folder: &str, message: &[u8]) {
        let head = format!("APPEND \"{folder}\" {{{}+}}\r\n", message.len());
        self.send(&[head.as_bytes(), message].concat()).await;
    }

    /// The subjects in a folder, each with its flags.
    pub(crate) async fn sees(&mut self, folder: &str) -> Vec<(String, String)> {
        if self.ask(&format!("EXAMINE \"{folder}\"")).await.contains("* 0 EXISTS") {
            return Vec::new();
        }
        let said = self.ask("FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])").await;
        let mut seen = Vec::new();
        let mut flags = String::new();
        for line in said.lines() {
            if let Some((_, rest)) = line.split_once("FLAGS (") {
                rest.split_once(')').unwrap().0.clone_into(&mut flags);
            } else if let Some(subject) = line.strip_prefix("Subject: ") {
                let shown = flags.split(' ').filter(|flag| *flag != "\\Recent");
                seen.push((subject.to_owned(), shown.collect::<Vec<_>>().join(" ")));
            }
        }
        seen
    }
}
