//! A server of one folder that misbehaves as it is told to, and remembers what it was asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// What is wrong with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quirk {
    /// It is not given.
    No,
    /// The connection ends when it is asked for, with a word.
    Bye,
    /// The connection ends in the middle of it.
    Cut,
    /// The answer is OK and has nothing of it.
    Nothing,
    /// It says something that is not in the protocol.
    Nonsense,
    /// It begins, and never ends.
    Endless,
    /// Somebody removes it when it is asked for.
    Removed,
    /// It comes when it is let go, and not before.
    Held,
    /// It is told to be so much larger or smaller than it is.
    Told(i64),
}

pub(crate) struct Shared {
    pub(crate) messages: BTreeMap<u32, Vec<u8>>,
    pub(crate) quirks: BTreeMap<u32, Quirk>,
    /// What it can do besides.
    pub(crate) can: String,
    /// What XOAUTH2 has to be answered with.
    pub(crate) token: String,
    /// Whether it is silent after the sign-in.
    pub(crate) silent: bool,
    /// What a held message waits for.
    pub(crate) gate: Arc<Semaphore>,
    /// Everything it was asked, without tags.
    pub(crate) asked: Vec<String>,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            messages: BTreeMap::new(),
            quirks: BTreeMap::new(),
            can: String::new(),
            token: String::new(),
            silent: false,
            gate: Arc::new(Semaphore::new(0)),
            asked: Vec::new(),
        }
    }
}

pub(crate) struct Double {
    pub(crate) port: u16,
    pub(crate) shared: Arc<Mutex<Shared>>,
}

impl Double {
    pub(crate) async fn start(shared: Shared) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Mutex::new(shared));
        let own = shared.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = own.clone();
                tokio::spawn(async move { serve(stream, &shared).await });
            }
        });
        Self { port, shared }
    }

    /// The commands that change something.
    pub(crate) fn changes(&self) -> Vec<String> {
        let shared = self.shared.lock().unwrap();
        let change = |it: &&String| {
            ["UID STORE", "UID COPY", "UID MOVE", "UID EXPUNGE", "EXPUNGE", "CREATE"]
                .iter()
                .any(|verb| it.starts_with(verb))
        };
        shared.asked.iter().filter(change).cloned().collect()
    }
}

/// Serves a connection to its end.
async fn serve(stream: TcpStream, shared: &Mutex<Shared>) -> Option<()> {
    let mut stream = BufStream::new(stream);
    say(&mut stream, "* OK a double\r\n").await?;
    loop {
        let line = hear(&mut stream).await?;
        let (tag, command) = line.split_once(' ')?;
        shared.lock().unwrap().asked.push(command.to_owned());
        if shared.lock().unwrap().silent && !command.starts_with("LOGIN") {
            stream.read_u8().await.ok()?;
            return None;
        }
        let done = format!("{tag} OK done\r\n");
        let answer = if command == "CAPABILITY" {
            format!("* CAPABILITY IMAP4rev1 {}\r\n{done}", shared.lock().unwrap().can)
        } else if command == "AUTHENTICATE XOAUTH2" {
            say(&mut stream, "+ \r\n").await?;
            let answer = hear(&mut stream).await?;
            if answer == shared.lock().unwrap().token {
                done
            } else {
                // The error waits for an empty answer, as the large providers do it.
                say(&mut stream, "+ eyJzdGF0dXMiOiI0MDEifQ==\r\n").await?;
                assert_eq!(hear(&mut stream).await?, "");
                format!("{tag} NO AUTHENTICATE failed\r\n")
            }
        } else if command.starts_with("EXAMINE") || command.starts_with("SELECT") {
            let shared = shared.lock().unwrap();
            let next = shared.messages.keys().last().map_or(1, |last| last + 1);
            let exists = shared.messages.len();
            format!("* {exists} EXISTS\r\n* OK [UIDVALIDITY 9] x\r\n* OK [UIDNEXT {next}] x\r\n{done}")
        } else if let Some(asked) = command.strip_prefix("UID FETCH ") {
            let (set, what) = asked.split_once(' ')?;
            if what.contains("BODY.PEEK") {
                body(&mut stream, shared, set.parse().ok()?, what, tag).await?
            } else {
                sizes(&shared.lock().unwrap(), set) + &done
            }
        } else if command == "LOGOUT" {
            say(&mut stream, &format!("* BYE bye\r\n{done}")).await?;
            return None;
        } else {
            done
        };
        say(&mut stream, &answer).await?;
    }
}

fn sizes(shared: &Shared, set: &str) -> String {
    let listed = |uid: u32| {
        set.split(',').any(|part| {
            let (from, to) = part.split_once(':').unwrap_or((part, part));
            (from.parse().unwrap()..=to.parse().unwrap()).contains(&uid)
        })
    };
    let them = shared.messages.iter().filter(|(uid, _)| listed(**uid)).map(|(uid, message)| {
        let size = match shared.quirks.get(uid) {
            Some(Quirk::Told(more)) => message.len().saturating_add_signed(isize::try_from(*more).unwrap()),
            _ => message.len(),
        };
        format!("* {uid} FETCH (UID {uid} RFC822.SIZE {size})\r\n")
    });
    them.collect()
}

/// A part of a message, or what is wrong with it.
async fn body(
    stream: &mut BufStream<TcpStream>,
    shared: &Mutex<Shared>,
    uid: u32,
    what: &str,
    tag: &str,
) -> Option<String> {
    let (_, place) = what.split_once("[]<")?;
    let (from, length) = place.split_once('>')?.0.split_once('.')?;
    let (from, length): (usize, usize) = (from.parse().ok()?, length.parse().ok()?);
    let (message, quirk) = {
        let shared = shared.lock().unwrap();
        (shared.messages.get(&uid)?.clone(), shared.quirks.get(&uid).copied())
    };
    let part = &message[from.min(message.len())..message.len().min(from + length)];
    let head = format!("* {uid} FETCH (UID {uid} BODY[]<{from}> ");
    match quirk {
        Some(Quirk::No) => return Some(format!("{tag} NO [SERVERBUG] it is broken\r\n")),
        Some(Quirk::Bye) => {
            say(stream, "* BYE I am going down\r\n").await?;
            return None;
        }
        Some(Quirk::Cut) => {
            say(stream, &format!("{head}{{{}}}\r\n", part.len())).await?;
            stream.write_all(&part[..part.len() / 2]).await.ok()?;
            stream.flush().await.ok()?;
            return None;
        }
        Some(Quirk::Nothing) => return Some(format!("{tag} OK done\r\n")),
        Some(Quirk::Nonsense) => return Some("* ))))\r\n".to_owned()),
        Some(Quirk::Endless) => {
            say(stream, &format!("{head}{{{}}}\r\n", 400_000_000)).await?;
            let endless = vec![b'x'; 65_536];
            loop {
                stream.write_all(&endless).await.ok()?;
            }
        }
        Some(Quirk::Removed) => {
            shared.lock().unwrap().messages.remove(&uid);
            return Some(format!("{tag} NO [EXPUNGEISSUED] some messages are gone\r\n"));
        }
        Some(Quirk::Held) => {
            let gate = shared.lock().unwrap().gate.clone();
            gate.acquire().await.ok()?.forget();
        }
        Some(Quirk::Told(_)) | None => {}
    }
    say(stream, &format!("{head}{{{}}}\r\n", part.len())).await?;
    stream.write_all(part).await.ok()?;
    Some(format!(")\r\n{tag} OK done\r\n"))
}

async fn say(stream: &mut BufStream<TcpStream>, text: &str) -> Option<()> {
    stream.write_all(text.as_bytes()).await.ok()?;
    stream.flush().await.ok()
}

async fn hear(stream: &mut BufStream<TcpStream>) -> Option<String> {
    let mut line = String::new();
    let read = stream.read_line(&mut line).await.ok()?;
    (read > 0).then(|| line.trim_end().to_owned())
}
