//! HTTP by hand, for what no well-behaved client sends: wrong lengths, half bodies, pauses.

use std::fmt::Write as _;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::Answer;

/// A connection on which the test writes every byte itself.
pub struct Wire {
    stream: TcpStream,
}

impl Wire {
    /// Connects to a server's address (`http://host:port`).
    pub async fn connect(url: &str) -> Self {
        let address = url.trim_start_matches("http://").trim_end_matches('/');
        let stream =
            TcpStream::connect(address).await.unwrap_or_else(|e| panic!("cannot connect to {url}: {e}"));
        stream.set_nodelay(true).unwrap();
        Self { stream }
    }

    /// Sends bytes; `false` when the other side has closed.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).await.is_ok()
    }

    /// The head of a `POST` with these header lines.
    pub async fn post(&mut self, path: &str, token: &str, headers: &[(&str, String)]) -> bool {
        let mut head = format!("POST {path} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {token}\r\n");
        for (name, value) in headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        self.send(head + "\r\n").await
    }

    /// Says that nothing more comes.
    pub async fn end(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// The answer, or none when the connection closed without one or nothing came in time.
    pub async fn answer(&mut self, patience: Duration) -> Option<Answer> {
        let mut bytes = Vec::new();
        let mut chunk = vec![0; 16 * 1024];
        let read = async {
            loop {
                if let Some(answer) = parse(&bytes) {
                    return Some(answer);
                }
                match self.stream.read(&mut chunk).await {
                    Ok(0) | Err(_) => return None,
                    Ok(n) => bytes.extend_from_slice(&chunk[..n]),
                }
            }
        };
        tokio::time::timeout(patience, read).await.ok().flatten()
    }
}

/// An answer with a `Content-Length`, once it is complete.
fn parse(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut lines = head.split("\r\n");
    let status: u16 = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length: usize = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .and_then(|(_, v)| v.parse().ok())
        .unwrap_or(0);
    let body = bytes.get(end + 4..end + 4 + length)?;
    let json = serde_json::from_slice(body).unwrap_or(serde_json::Value::Null);
    Some(Answer { status, headers, body: json, bytes: body.to_vec() })
}
