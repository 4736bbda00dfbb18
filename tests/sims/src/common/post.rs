//! Calls to addresses that were given to be told: plain HTTP, on threads of their own.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Tries of one notification; the pause before each is twice the one before.
const TRIES: u32 = 6;
/// The first pause.
const PAUSE: Duration = Duration::from_millis(50);
/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(3);
/// Longest answer that is read.
const LONGEST: u64 = 64 << 10;

/// A notification that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivered {
    /// What it said.
    pub body: String,
    /// How it was answered; 0 where it was not.
    pub status: u16,
    /// How often it was tried.
    pub tries: u32,
}

/// Sends notifications, and remembers how they were answered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Postman(Arc<Mutex<Vec<Delivered>>>);

impl Postman {
    pub(crate) fn delivered(&self) -> Vec<Delivered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sends a notification, again where it is answered with a fault or not at all.
    pub(crate) fn send(&self, url: &str, bearer: Option<&str>, body: String) {
        let (this, url, bearer) = (self.clone(), url.to_owned(), bearer.map(str::to_owned));
        let thread = std::thread::Builder::new().name("sim-post".to_owned());
        // without a thread there is no notification, which is no promise anyway
        let _ = thread.spawn(move || {
            let (mut tries, mut pause) = (0, PAUSE);
            let status = loop {
                tries += 1;
                let answer = post(&url, "application/json", bearer.as_deref(), body.as_bytes(), PATIENCE);
                let status = answer.map_or(0, |(status, _, _)| status);
                if (200..500).contains(&status) || tries == TRIES {
                    break status;
                }
                rest(pause);
                pause *= 2;
            };
            let mut all = this.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.push(Delivered { body, status, tries });
        });
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a thread of its own, which serves nobody else, and nothing to wait for but time"
)]
fn rest(pause: Duration) {
    std::thread::sleep(pause);
}

/// Posts something; gives status, media type and body of the answer.
pub(crate) fn post(
    url: &str,
    media_type: &str,
    bearer: Option<&str>,
    body: &[u8],
    patience: Duration,
) -> io::Result<(u16, String, String)> {
    let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidInput, what.to_owned());
    let rest = url.strip_prefix("http://").ok_or_else(|| wrong("only http:// is called here"))?;
    let (host, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    let place = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
    let address = place.to_socket_addrs()?.next().ok_or_else(|| wrong("no such host"))?;
    let mut stream = TcpStream::connect_timeout(&address, patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    let token = bearer.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\n{token}Content-Type: {media_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    stream.take(LONGEST).read_to_end(&mut answer)?;
    let text = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(|| wrong("no answer"))?;
    let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).ok_or_else(|| wrong("no status"))?;
    let media = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-type").then(|| value.trim().to_owned())
    });
    Ok((status, media.unwrap_or_default(), body.to_owned()))
}
