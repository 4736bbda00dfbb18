//! The address that notifications come to: as the server's own route answers, and hands them on to a mailbox.

use std::sync::{Arc, Mutex};

use percent_encoding::percent_decode_str;
use postroom_domain::mailbox::{MailNotice, NoticeKind};
use postroom_inbound::graph::GraphHandle;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Whom notices go to.
pub(crate) type Hearer = Arc<Mutex<Option<GraphHandle>>>;

/// What came.
#[derive(Default)]
pub(crate) struct Heard {
    /// Notices that were for the mailbox, and those that were not.
    pub(crate) ours: usize,
    pub(crate) strange: usize,
    pub(crate) validations: usize,
    /// The next validations are answered with nonsense.
    pub(crate) deaf: bool,
    /// The next notices are answered with a fault.
    pub(crate) faults: usize,
}

pub(crate) struct Receiver {
    pub(crate) url: url::Url,
    pub(crate) heard: Arc<Mutex<Heard>>,
    pub(crate) hearer: Hearer,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/api/v1/notifications/graph", listener.local_addr().unwrap());
        let this = Self { url: url.parse().unwrap(), heard: Arc::default(), hearer: Arc::default() };
        let (heard, hearer) = (this.heard.clone(), this.hearer.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, heard.clone(), hearer.clone()));
            }
        });
        this
    }

    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut Heard) -> R) -> R {
        act(&mut self.heard.lock().unwrap())
    }
}

async fn answer(mut stream: TcpStream, heard: Arc<Mutex<Heard>>, hearer: Hearer) {
    let mut request = Vec::new();
    let (head, body) = loop {
        let mut some = [0; 4096];
        let read = stream.read(&mut some).await.unwrap();
        request.extend_from_slice(&some[..read]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        if body.len() >= length.unwrap().parse::<usize>().unwrap() {
            break (head.to_owned(), body.to_owned());
        }
    };
    let line = head.lines().next().unwrap();
    let (status, said) = match line.split_once("validationToken=") {
        Some((_, token)) => {
            let token = token.split(' ').next().unwrap();
            let mut heard = heard.lock().unwrap();
            heard.validations += 1;
            let token = percent_decode_str(token).decode_utf8().unwrap().into_owned();
            (200, if heard.deaf { "what?".to_owned() } else { token })
        }
        None => {
            let fault = {
                let mut heard = heard.lock().unwrap();
                let fault = heard.faults > 0;
                heard.faults = heard.faults.saturating_sub(1);
                fault
            };
            if fault { (503, String::new()) } else { (hand_on(&body, &heard, &hearer), String::new()) }
        }
    };
    let answer = format!(
        "HTTP/1.1 {status} Whatever\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{said}",
        said.len()
    );
    stream.write_all(answer.as_bytes()).await.unwrap();
}

fn hand_on(body: &str, heard: &Mutex<Heard>, hearer: &Hearer) -> u16 {
    let body: Value = serde_json::from_str(body).unwrap();
    for one in body["value"].as_array().unwrap() {
        let kind = match one["lifecycleEvent"].as_str() {
            Some("reauthorizationRequired") => NoticeKind::Renew,
            Some("subscriptionRemoved") => NoticeKind::Ended,
            Some("missed") | None => NoticeKind::Look,
            Some(_) => continue,
        };
        let notice = MailNotice {
            subscription: one["subscriptionId"].as_str().unwrap().to_owned(),
            secret: one["clientState"].as_str().unwrap().into(),
            kind,
        };
        let ours = hearer.lock().unwrap().as_ref().is_some_and(|mailbox| mailbox.notice(&notice));
        let mut heard = heard.lock().unwrap();
        *(if ours { &mut heard.ours } else { &mut heard.strange }) += 1;
    }
    202
}
