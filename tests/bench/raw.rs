//! A client that costs next to nothing, so that it is the server that is measured: one kept connection, requests as bytes, answers
//! looked at no further than their status.

use postroom_tests::upload::Upload;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A kept connection.
pub(crate) struct Raw {
    stream: TcpStream,
    head: String,
    buffer: Vec<u8>,
}

/// A request whose document can be made different by its first bytes.
pub(crate) struct Prepared {
    content_type: String,
    body: Vec<u8>,
    document: usize,
}

impl Prepared {
    /// An upload of one document to a work item.
    pub(crate) fn new(work_item: &str, size: usize) -> Self {
        let marker = b"POSTROOM-BENCH-DOCUMENT-";
        let mut bytes = marker.to_vec();
        bytes.resize(size, b'x');
        let upload = Upload::to(work_item).file("letter.pdf", bytes);
        let body = upload.body();
        let document =
            body.windows(marker.len()).position(|w| w == marker).expect("the document is in its body");
        Self { content_type: upload.content_type(), body, document }
    }

    /// Makes it another document.
    fn number(&mut self, number: u64) {
        self.body[self.document..self.document + 16].copy_from_slice(format!("{number:016x}").as_bytes());
    }
}

impl Raw {
    /// Connects.
    pub(crate) async fn connect(url: &str, token: &str) -> Self {
        let address = url.trim_start_matches("http://").to_owned();
        let stream = TcpStream::connect(&address).await.expect("a connection to the server");
        stream.set_nodelay(true).expect("no delay");
        let head = format!("Host: {address}\r\nAuthorization: Bearer {token}\r\n");
        Self { stream, head, buffer: Vec::with_capacity(8 << 10) }
    }

    /// Hands a document in and waits for the 202.
    pub(crate) async fn hand_in(&mut self, prepared: &mut Prepared, number: u64) {
        prepared.number(number);
        let head = format!(
            "POST /api/v1/intakes HTTP/1.1\r\n{}Content-Type: {}\r\nContent-Length: {}\r\n\r\n",
            self.head,
            prepared.content_type,
            prepared.body.len()
        );
        self.stream.write_all(head.as_bytes()).await.expect("the head of a request");
        self.stream.write_all(&prepared.body).await.expect("the body of a request");
        let answer = self.answer().await;
        assert!(answer.starts_with("HTTP/1.1 202"), "not accepted: {answer}");
    }

    /// The whole answer.
    async fn answer(&mut self) -> String {
        self.buffer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.buffer).await.expect("an answer");
            assert!(read > 0, "the server closed without an answer");
            let text = String::from_utf8_lossy(&self.buffer);
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase().strip_prefix("content-length:").map(|n| n.trim().to_owned())
                })
                .and_then(|n| n.parse::<usize>().ok())
                .unwrap_or(0);
            if body.len() >= length {
                return text.into_owned();
            }
        }
    }
}
