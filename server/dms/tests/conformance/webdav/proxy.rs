//! A proxy between connector and server that understands just enough HTTP to do harm to one request: swallow its answer, cut it, or
//! answer itself.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What is done to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Harm {
    /// The server does it, the answer never comes.
    SwallowAnswer,
    /// The server does it, the connection ends after so many bytes of the answer.
    CutAnswer(usize),
    /// The server never sees the whole of it: the connection ends after so many bytes of the body.
    CutRequest(usize),
    /// The proxy answers, the server sees nothing.
    Answer(u16, Vec<(&'static str, String)>),
    /// The proxy answers with a body of a media type.
    Say(u16, &'static str, String),
    /// The server does it, the proxy answers with another status.
    DoThenAnswer(u16),
    /// The server never sees it, the connection ends.
    Drop,
}

/// Which requests are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// Those with a method.
    Method(&'static str),
    /// What carries a document's bytes.
    Content,
    /// What gives a document its name.
    Naming,
    /// What puts new content in the place of old.
    Replacing,
}

impl Which {
    fn is(self, head: &str) -> bool {
        let method = head.split(' ').next().unwrap_or_default();
        let to =
            head.lines().find_map(|line| line.to_lowercase().strip_prefix("destination:").map(str::to_owned));
        let visible = to.is_some_and(|to| !to.contains("/.postroom/"));
        match self {
            Self::Method(wanted) => method == wanted,
            Self::Content => method == "PUT" && head.contains("application/pdf"),
            Self::Naming => method == "MOVE" && visible,
            Self::Replacing => method == "COPY" && visible,
        }
    }
}

/// Which of the requests that are meant is harmed, counted from 1. Answers are swallowed only of what was done.
#[derive(Debug, Clone)]
struct Rule {
    which: Which,
    nth: usize,
    harm: Harm,
}

#[derive(Default)]
struct State {
    rules: Vec<Rule>,
    seen: HashMap<usize, usize>,
    requests: Vec<String>,
    sign_ins: Vec<String>,
    /// All requests are counted; at this one everything ends, as when a process ends.
    end_at: Option<usize>,
    total: usize,
}

/// The proxy; it ends when it is dropped.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    pub(crate) async fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let of_task = Arc::clone(&state);
        let task = tokio::spawn(async move {
            loop {
                let Ok((client, _)) = listener.accept().await else { return };
                let state = Arc::clone(&of_task);
                tokio::spawn(async move { drop(Box::pin(connection(client, server, &state)).await) });
            }
        });
        Self { address, state, task }
    }

    /// Harms the `nth` of such requests from now.
    pub(crate) fn harm(&self, which: Which, nth: usize, harm: Harm) {
        self.state.lock().unwrap().rules.push(Rule { which, nth, harm });
    }

    /// Ends every connection from the request of that number on: `n` requests get through, and of the next one the server's answer
    /// is lost.
    pub(crate) fn end_after(&self, requests: usize) {
        let mut state = self.state.lock().unwrap();
        state.total = 0;
        state.end_at = Some(requests);
    }

    /// Forgets all rules and counts.
    pub(crate) fn heal(&self) {
        *self.state.lock().unwrap() = State::default();
    }

    /// Method and path of every request since the last [`Proxy::heal`].
    pub(crate) fn requests(&self) -> Vec<String> {
        self.state.lock().unwrap().requests.clone()
    }

    /// The header `Authorization` of every request since the last [`Proxy::heal`].
    pub(crate) fn sign_ins(&self) -> Vec<String> {
        self.state.lock().unwrap().sign_ins.clone()
    }

    pub(crate) fn count(&self, method: &str) -> usize {
        let start = format!("{method} ");
        self.requests().iter().filter(|line| line.starts_with(&start)).count()
    }
}

/// Reads up to the end of a head; what came behind it is told too.
async fn head(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> std::io::Result<Option<Vec<u8>>> {
    loop {
        if let Some(at) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
            let rest = buffer.split_off(at + 4);
            return Ok(Some(std::mem::replace(buffer, rest)));
        }
        let mut chunk = [0; 16 * 1024];
        let n = stream.read(&mut chunk).await?;
        if n == 0 {
            return Ok(None);
        }
        buffer.extend_from_slice(&chunk[..n]);
    }
}

fn length(head: &str) -> usize {
    let line =
        head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length:").map(str::to_owned));
    line.and_then(|value| value.trim().parse().ok()).unwrap_or(0)
}

impl State {
    /// What was refused does not count.
    fn spare(&mut self, head: &str) {
        for (at, rule) in self.rules.iter().enumerate() {
            if rule.which.is(head)
                && let Some(seen) = self.seen.get_mut(&at)
            {
                *seen -= 1;
            }
        }
    }

    /// The harm for a request, if it is meant for it.
    fn meet(&mut self, head: &str) -> Option<Harm> {
        let line = head.lines().next().unwrap_or_default();
        self.requests.push(line.trim_end_matches(" HTTP/1.1").to_owned());
        let sign_in = head.lines().find(|line| line.to_lowercase().starts_with("authorization:"));
        self.sign_ins.push(sign_in.unwrap_or_default().to_owned());
        self.total += 1;
        if let Some(end) = self.end_at {
            match self.total {
                n if n <= end => {}
                n if n == end + 1 => return Some(Harm::SwallowAnswer),
                _ => return Some(Harm::Drop),
            }
        }
        // Every rule counts every request that it is about, also one that another rule harms.
        let mut harm = None;
        for (at, rule) in self.rules.iter().enumerate() {
            if !rule.which.is(head) {
                continue;
            }
            let seen = self.seen.entry(at).or_default();
            *seen += 1;
            if *seen == rule.nth && harm.is_none() {
                harm = Some(rule.harm.clone());
            }
        }
        harm
    }
}

/// One connection: each request goes over a fresh connection to the server, so nothing is mixed up.
async fn connection(mut client: TcpStream, server: SocketAddr, state: &Mutex<State>) -> std::io::Result<()> {
    let mut buffer = Vec::new();
    while let Some(head) = Box::pin(head(&mut client, &mut buffer)).await? {
        let text = String::from_utf8_lossy(&head).into_owned();
        let harm = state.lock().unwrap().meet(&text);
        let mut left = length(&text);
        if harm == Some(Harm::Drop) {
            return Ok(());
        }
        let silent = matches!(harm, Some(Harm::Answer(..) | Harm::Say(..)));
        let most = if let Some(Harm::CutRequest(most)) = harm { Some(most) } else { None };
        let mut upstream = TcpStream::connect(server).await?;
        if !silent {
            // The address that the server takes for its own is the proxy's.
            let closing = text.replacen("\r\n", "\r\nconnection: close\r\n", 1);
            upstream.write_all(closing.as_bytes()).await?;
        }
        let mut sent = 0;
        while left > 0 {
            if buffer.is_empty() {
                let mut chunk = vec![0; 64 * 1024];
                let n = client.read(&mut chunk).await?;
                if n == 0 {
                    return Ok(());
                }
                buffer.extend_from_slice(&chunk[..n]);
            }
            let take = buffer.len().min(left);
            let piece: Vec<u8> = buffer.drain(..take).collect();
            left -= take;
            if most.is_some_and(|most| sent + take > most) {
                upstream.write_all(&piece[..most.unwrap() - sent]).await?;
                return Ok(());
            }
            sent += take;
            if !silent {
                upstream.write_all(&piece).await?;
            }
        }
        if let Some(Harm::Answer(status, headers)) = &harm {
            own_answer(&mut client, *status, headers, "").await?;
            continue;
        }
        if let Some(Harm::Say(status, kind, body)) = &harm {
            own_answer(&mut client, *status, &[("content-type", (*kind).to_owned())], body).await?;
            continue;
        }
        let mut answer = Vec::new();
        match harm {
            None => {
                let mut chunk = vec![0; 64 * 1024];
                loop {
                    let n = upstream.read(&mut chunk).await?;
                    if n == 0 {
                        break;
                    }
                    client.write_all(&chunk[..n]).await?;
                }
                // The server was told to close, and its answer says so.
                return client.shutdown().await;
            }
            Some(Harm::CutRequest(_)) => return Ok(()),
            _ => drop(upstream.read_to_end(&mut answer).await?),
        }
        let done = answer.get(9).is_some_and(|class| *class == b'2');
        if !done && matches!(harm, Some(Harm::SwallowAnswer | Harm::CutAnswer(_))) {
            state.lock().unwrap().spare(&text);
            client.write_all(&answer).await?;
            return client.shutdown().await;
        }
        match harm {
            Some(Harm::CutAnswer(bytes)) => {
                client.write_all(&answer[..bytes.min(answer.len())]).await?;
                return Ok(());
            }
            Some(Harm::DoThenAnswer(status)) => own_answer(&mut client, status, &[], "").await?,
            _ => return Ok(()),
        }
    }
    Ok(())
}

async fn own_answer(
    client: &mut TcpStream,
    status: u16,
    headers: &[(&str, String)],
    body: &str,
) -> std::io::Result<()> {
    let lines: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!("HTTP/1.1 {status} Told\r\ncontent-length: {}\r\n{}", body.len(), lines.concat());
    client.write_all(format!("{head}\r\n{body}").as_bytes()).await
}
