//! The calls that a filing makes, taken down once on their way to the DMS, and played again for other documents. So the bare loop that a
//! connector is measured against makes the same calls by construction, whatever the connector does.

use std::sync::{Arc, Mutex};

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use bytes::Bytes;
use memchr::memmem;
use postroom_tests::client::http;
use reqwest::{Body, Client, Method};

/// The largest request that is taken down.
const LARGEST: usize = 256 << 20;
/// Bytes of a body that are handed over at a time.
const CHUNK: usize = 256 << 10;
/// Ids of a DMS are at least so long; what is shorter is no id that a later call depends on.
const SHORTEST_ID: usize = 4;
/// Headers that belong to a connection, or follow from the body.
const OWN_HEADERS: [&str; 5] =
    ["host", "content-length", "connection", "transfer-encoding", "accept-encoding"];

/// Headers in which an answer gives an id.
const TELLING_HEADERS: [&str; 2] = ["location", "lock-token"];

/// A call as it went by.
struct Seen {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Bytes,
    status: u16,
    /// What the answer says in [`TELLING_HEADERS`] and its body.
    answer: String,
}

/// Stands between the program and a DMS while calls are taken down.
pub(crate) struct Tape {
    seen: Arc<Mutex<Vec<Seen>>>,
    dms: String,
    /// Where the program finds the DMS.
    pub(crate) url: String,
    server: ServerHandle,
}

impl Tape {
    /// Stands in front of the DMS at this address.
    pub(crate) fn before(dms: &str) -> Self {
        let (dms, seen) = (dms.trim_end_matches('/').to_owned(), Arc::new(Mutex::new(Vec::new())));
        let shared = web::Data::new((http(), dms.clone(), Arc::clone(&seen)));
        let app = move || {
            App::new()
                .app_data(shared.clone())
                .app_data(web::PayloadConfig::new(LARGEST))
                .default_service(web::to(pass_on))
        };
        let server = HttpServer::new(app).workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { seen, dms, url, server: handle }
    }

    /// Forgets what went by.
    pub(crate) fn rewind(&self) {
        self.seen.lock().unwrap().clear();
    }

    /// What went by since, for other documents than this one.
    pub(crate) async fn cut(self, sample: &Sample) -> Score {
        self.server.stop(false).await;
        let seen = std::mem::take(&mut *self.seen.lock().unwrap());
        Score::of(&seen, sample, &self.url, &self.dms)
    }
}

async fn pass_on(
    request: HttpRequest,
    body: Bytes,
    shared: web::Data<(Client, String, Arc<Mutex<Vec<Seen>>>)>,
) -> HttpResponse {
    let (http, dms, seen) = shared.get_ref();
    let own = |name: &str| OWN_HEADERS.contains(&name);
    let headers: Vec<(String, String)> = (request.headers().iter())
        .filter(|(name, _)| !own(name.as_str()))
        .map(|(name, value)| {
            let here = format!("http://{}", request.connection_info().host());
            (name.to_string(), value.to_str().unwrap().replace(&here, dms))
        })
        .collect();
    let path = request.uri().path_and_query().unwrap().to_string();
    let method = request.method().to_string();
    let mut call = http
        .request(Method::from_bytes(method.as_bytes()).unwrap(), format!("{dms}{path}"))
        .body(body.clone());
    for (name, value) in &headers {
        call = call.header(name, value);
    }
    let answer = call.send().await.unwrap();
    let status = answer.status().as_u16();
    let mut reply = HttpResponse::build(StatusCode::from_u16(status).unwrap());
    for (name, value) in answer.headers().iter().filter(|(name, _)| !own(name.as_str())) {
        reply.append_header((name.as_str(), value.as_bytes()));
    }
    let told = told_in_headers(answer.headers());
    let bytes = answer.bytes().await.unwrap();
    let answer = told + &String::from_utf8_lossy(&bytes);
    seen.lock().unwrap().push(Seen { method, path, headers, body, status, answer });
    reply.body(bytes)
}

fn told_in_headers(headers: &reqwest::header::HeaderMap) -> String {
    let values = TELLING_HEADERS.iter().filter_map(|name| Some((name, headers.get(*name)?.to_str().ok()?)));
    values.fold(String::new(), |told, (name, value)| told + name + ": " + value + "\n")
}

/// What is peculiar to the document whose filing was taken down.
pub(crate) struct Sample {
    pub(crate) filing: String,
    /// Its name without extension.
    pub(crate) name: String,
    pub(crate) content: Bytes,
}

/// An id that the DMS gives in one answer and a later call names.
struct Learned {
    /// The answer that has it.
    from: usize,
    /// What stands before it there.
    before: String,
    id: String,
}

/// A call to be made again.
struct Note {
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    head: String,
    /// Between head and tail.
    has_content: bool,
    tail: String,
    status: u16,
}

/// The calls of one filing.
pub(crate) struct Score {
    notes: Vec<Note>,
    learned: Vec<Learned>,
    filing: String,
    name: String,
    content: Bytes,
    dms: String,
}

/// The letters that ids consist of.
fn of_id(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

impl Score {
    fn of(seen: &[Seen], sample: &Sample, tape: &str, dms: &str) -> Self {
        let learned = learned(seen, sample);
        let note = |it: &Seen| {
            let at = memmem::find(&it.body, &sample.content);
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            let (head, tail) = match at {
                Some(at) => (text(&it.body[..at]), text(&it.body[at + sample.content.len()..])),
                None => (text(&it.body), String::new()),
            };
            Note {
                method: Method::from_bytes(it.method.as_bytes()).unwrap(),
                path: it.path.clone(),
                headers: it
                    .headers
                    .iter()
                    .map(|(name, value)| (name.clone(), value.replace(tape, dms)))
                    .collect(),
                head,
                has_content: at.is_some(),
                tail,
                status: it.status,
            }
        };
        let notes: Vec<Note> = seen.iter().map(note).collect();
        assert_eq!(notes.iter().filter(|note| note.has_content).count(), 1, "the document was sent once");
        Self {
            notes,
            learned,
            filing: sample.filing.clone(),
            name: sample.name.clone(),
            content: sample.content.clone(),
            dms: dms.to_owned(),
        }
    }

    /// Calls per filing.
    pub(crate) fn calls(&self) -> usize {
        self.notes.len()
    }

    /// The calls, as they are called.
    pub(crate) fn methods(&self) -> Vec<&str> {
        self.notes.iter().map(|note| note.method.as_str()).collect()
    }

    /// Makes the calls for document number `n`, which has that name.
    pub(crate) async fn play(&self, http: &Client, n: u64, name: &str) {
        let filing = format!("0192f0c1-5b7e-7000-8000-{n:012x}");
        let mut known = vec![(self.filing.clone(), filing), (self.name.clone(), name.to_owned())];
        for (number, note) in self.notes.iter().enumerate() {
            let with =
                |text: &str| known.iter().fold(text.to_owned(), |text, (old, new)| text.replace(old, new));
            let mut call = http.request(note.method.clone(), format!("{}{}", self.dms, with(&note.path)));
            for (header, value) in &note.headers {
                call = call.header(header, with(value));
            }
            let answer = call_with(call, with(&note.head), self.content_of(note, n), with(&note.tail));
            let answer = answer.send().await.unwrap();
            let status = answer.status().as_u16();
            let text = told_in_headers(answer.headers()) + &answer.text().await.unwrap();
            assert_eq!(status, note.status, "{} {}: {text}", note.method, with(&note.path));
            for learned in self.learned.iter().filter(|it| it.from == number) {
                let at =
                    text.find(&learned.before).expect("an id where there was one") + learned.before.len();
                let id = text[at..].chars().take_while(|c| of_id(*c)).collect();
                known.push((learned.id.clone(), id));
            }
        }
    }

    /// The content, different for each document by its first bytes.
    fn content_of(&self, note: &Note, n: u64) -> Option<[Bytes; 2]> {
        let first = Bytes::copy_from_slice(&n.to_be_bytes());
        note.has_content.then(|| [first, self.content.slice(8..)])
    }
}

fn call_with(
    call: reqwest::RequestBuilder,
    head: String,
    content: Option<[Bytes; 2]>,
    tail: String,
) -> reqwest::RequestBuilder {
    let Some([first, rest]) = content else {
        return if head.is_empty() { call } else { call.body(head) };
    };
    let length = head.len() + first.len() + rest.len() + tail.len();
    let chunks = (0..rest.len()).step_by(CHUNK).map(move |at| rest.slice(at..rest.len().min(at + CHUNK)));
    let pieces = [Bytes::from(head), first].into_iter().chain(chunks).chain([Bytes::from(tail)]);
    let pieces = pieces.filter(|piece| !piece.is_empty()).map(Ok::<_, std::io::Error>);
    call.header("content-length", length).body(Body::wrap_stream(futures_util::stream::iter(pieces)))
}

/// Ids that came with an answer and were named by a later call, and by none before.
fn learned(seen: &[Seen], sample: &Sample) -> Vec<Learned> {
    let text_of = |call: &Seen| {
        let body = if call.body.len() > sample.content.len() { Vec::new() } else { call.body.to_vec() };
        let headers = call.headers.iter().fold(String::new(), |all, (_, value)| all + value + "\n");
        format!("{} {headers}{}", call.path, String::from_utf8_lossy(&body))
    };
    let mut found: Vec<Learned> = Vec::new();
    for (number, call) in seen.iter().enumerate() {
        let text = text_of(call);
        let ids = text
            .split(|c| !of_id(c))
            .filter(|id| id.len() >= SHORTEST_ID && id.contains(|c: char| c.is_ascii_digit()));
        for id in ids {
            let ours = sample.filing.contains(id) || id.contains(&sample.name) || id.contains(&sample.filing);
            if ours || found.iter().any(|it| it.id == id) {
                continue;
            }
            let first = seen[..number].iter().position(|it| text_of(it).contains(id));
            let from = seen[..number].iter().position(|it| it.answer.contains(id));
            let Some(from) = from.filter(|from| first.is_none_or(|first| first > *from)) else { continue };
            let at = seen[from].answer.find(id).unwrap();
            let begin = seen[from].answer[..at].rfind(['{', ',', '<', '\n']).unwrap_or(0);
            let before = seen[from].answer[begin..at].to_owned();
            found.push(Learned { from, before, id: id.to_owned() });
        }
    }
    found
}
