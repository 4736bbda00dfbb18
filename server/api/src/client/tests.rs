use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// A server that gives prepared answers, one connection each, and keeps what it was sent.
async fn scripted(answers: Vec<String>) -> (Client, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let ledger = Arc::clone(&seen);
    tokio::spawn(async move {
        for answer in answers {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            let mut buffer = [0; 4096];
            loop {
                let n = socket.read(&mut buffer).await.unwrap();
                request.extend_from_slice(&buffer[..n]);
                let text = String::from_utf8_lossy(&request).to_string();
                let Some(end) = text.find("\r\n\r\n") else { continue };
                let length = text.lines().find_map(|line| {
                    line.to_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok()
                });
                let chunked = text.to_lowercase().contains("transfer-encoding: chunked");
                if (chunked && text.ends_with("0\r\n\r\n"))
                    || (!chunked && request.len() >= end + 4 + length.unwrap_or(0))
                {
                    ledger.lock().unwrap().push(text);
                    break;
                }
            }
            socket.write_all(answer.as_bytes()).await.unwrap();
            socket.shutdown().await.unwrap();
        }
    });
    (Client::new(&format!("http://{address}/post/"), " secret\n").unwrap(), seen)
}

fn answer(status: &str, media: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {media}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn answers_become_values_and_errors_that_say_what_to_do() {
    let problem =
        serde_json::to_string(&Problem::new(crate::problem::Code::Changed, "it is filed now")).unwrap();
    let (client, seen) = scripted(vec![
        answer("200 OK", "application/json", r#"{"items":[],"next":null,"later":1}"#),
        answer("412 Precondition Failed", "application/problem+json", &problem),
        answer("401 Unauthorized", "text/plain", "who?"),
        answer("502 Bad Gateway", "text/html", "<html>"),
        answer("200 OK", "text/html", "<html>log in</html>"),
        answer("302 Found", "text/html", ""),
    ])
    .await;
    let list = FilingList { q: "state:failed a&b".to_owned(), ..FilingList::default() };
    assert_eq!(client.filings(&list).await.unwrap().items, []);
    let id = "0192f0c1-5b7e-7000-8000-000000000001".parse().unwrap();
    let refused = client.cancel(id, 7, &CancelBody { reason: "wrong".to_owned() }).await.unwrap_err();
    assert!(matches!(&refused, ClientError::Problem(p) if p.is(crate::problem::Code::Changed)), "{refused}");
    assert_eq!(client.summary().await.unwrap_err(), ClientError::Unauthorized);
    assert!(matches!(client.causes().await, Err(ClientError::Unreachable(_))));
    assert!(matches!(client.causes().await, Err(ClientError::Protocol(_))));
    assert!(matches!(client.causes().await, Err(ClientError::Protocol(_))));
    // The script is at its end: nobody listens any more.
    assert!(matches!(client.causes().await, Err(ClientError::Unreachable(_))));

    let seen = seen.lock().unwrap();
    assert!(
        seen[0].starts_with("GET /post/api/v1/filings?q=state%3Afailed+a%26b HTTP/1.1\r\n"),
        "{}",
        seen[0]
    );
    assert!(seen[0].contains("authorization: Bearer secret\r\n"));
    let cancel = format!("POST /post/api/v1/filings/{id}/cancel HTTP/1.1\r\n");
    assert!(seen[1].starts_with(&cancel) && seen[1].contains("if-match: \"7\"\r\n"), "{}", seen[1]);
    assert!(seen[1].ends_with(r#"{"reason":"wrong"}"#));
    assert!(!format!("{client:?}").contains("secret"));
}

#[tokio::test]
async fn documents_are_handed_in_with_their_key() {
    let (client, seen) = scripted(vec![answer("507 Full", "application/problem+json", "{}")]).await;
    let meta = IntakeMeta { work_item: "M-1".to_owned(), ..IntakeMeta::default() };
    let file = Upload {
        file_name: "a \"b\".pdf".to_owned(),
        media_type: "application/pdf".to_owned(),
        bytes: Bytes::from_static(b"%PDF"),
    };
    let refused = client.hand_in(&meta, vec![file], "k-1").await.unwrap_err();
    assert!(matches!(refused, ClientError::Protocol(_)), "{refused:?}");
    let seen = seen.lock().unwrap();
    assert!(seen[0].contains("idempotency-key: k-1\r\n"));
    assert!(seen[0].contains("name=\"meta\"") && seen[0].contains(r#"{"work_item":"M-1"}"#), "{}", seen[0]);
    assert!(seen[0].contains("name=\"file\"") && seen[0].contains("%PDF"), "{}", seen[0]);
}

#[tokio::test]
async fn the_stream_is_taken_up_where_it_broke() {
    let event = |seq: u64| {
        format!(
            "id: {seq}\nevent: change\ndata: {{\"seq\":{seq},\"at\":\"2026-11-23T09:00:00Z\",\"subject\":{{\"kind\":\"system\"}},\
             \"happening\":{{\"kind\":\"started\",\"words\":\"started\"}},\"actor\":{{\"name\":\"engine\"}}}}\n\n"
        )
    };
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    let (client, seen) = scripted(vec![
        format!("{head}: hello\n\n{}id: 6\ndata: from the future\n\n", event(5)),
        answer("503 Busy", "text/plain", ""),
        format!("{head}{}", event(7)),
    ])
    .await;
    let mut stream = client.events(Some(4));
    let mut told = Vec::new();
    while told.len() < 7 {
        told.push(match stream.next().await {
            News::Connected => "connected".to_owned(),
            News::Event(event) => event.seq.to_string(),
            News::Lost { pause, .. } => format!("lost, {} ms", pause.as_millis()),
        });
    }
    assert_eq!(told, ["connected", "5", "lost, 250 ms", "lost, 500 ms", "connected", "7", "lost, 250 ms"]);
    let ids: Vec<String> = seen
        .lock()
        .unwrap()
        .iter()
        .filter_map(|request| {
            request.lines().find_map(|line| line.strip_prefix("last-event-id: ")).map(str::to_owned)
        })
        .collect();
    assert_eq!(ids, ["4", "6", "6"]);
}

#[test]
fn addresses_and_tokens_that_cannot_work_are_named() {
    for (server, token, wanted) in [
        ("", "t", "\"\" is not the address of a server"),
        ("localhost:8440", "t", "begins with http://"),
        ("ftp://x", "t", "begins with http://"),
        ("http://u:p@x", "t", "must not hold a name"),
        ("http://x", "a\nb", "the token holds characters"),
    ] {
        let error = Client::new(server, token).unwrap_err().to_string();
        assert!(error.contains(wanted), "{server}: {error}");
    }
}
