//! Through a proxy: `CONNECT` with user and password, so that it sees neither tokens nor documents; and the time for connecting.

use std::sync::{Arc, Mutex};

use postroom_domain::cause::{Sent, Symptom};
use postroom_outbound::{Failure, Outbound, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::TcpStream;

use crate::{head, met, quick, server};

/// A proxy that opens tunnels for who knows the password; what it was asked.
async fn proxy() -> (u16, Arc<Mutex<Vec<String>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    let script = move |mut stream: TcpStream| {
        let noted = Arc::clone(&noted);
        async move {
            let asked = head(&mut stream).await;
            noted.lock().unwrap().push(asked.clone());
            // `clerk:s3cret`
            let known = asked.contains("Basic Y2xlcms6czNjcmV0\r\n");
            let mut words = asked.split(' ');
            match (words.next(), words.next()) {
                (Some("CONNECT"), Some(to)) if known => {
                    let mut there = TcpStream::connect(to.replace("localhost", "127.0.0.1")).await.unwrap();
                    stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
                    let _ = copy_bidirectional(&mut stream, &mut there).await;
                }
                (Some("GET"), Some(_)) if known => {
                    let answer = b"HTTP/1.1 203 Forwarded\r\ncontent-length: 2\r\n\r\n{}";
                    let _ = stream.write_all(answer).await;
                }
                _ => {
                    let answer =
                        b"HTTP/1.1 407 Who are you\r\nproxy-authenticate: Basic\r\ncontent-length: 0\r\n\r\n";
                    let _ = stream.write_all(answer).await;
                }
            }
        }
    };
    (server(script).await.0, seen)
}

/// A server behind TLS, whose certificate is in the folder; what it was asked.
async fn behind_tls(folder: &std::path::Path) -> (u16, Arc<Mutex<Vec<String>>>) {
    postroom_outbound::install_crypto();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("ca.pem"), made.cert.pem()).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let tls = rustls::ServerConfig::builder().with_no_client_auth();
    let tls = tls.with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    let script = move |stream: TcpStream| {
        let (acceptor, noted) = (acceptor.clone(), Arc::clone(&noted));
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            let mut buffer = [0; 4096];
            let read = stream.read(&mut buffer).await.unwrap_or(0);
            noted.lock().unwrap().push(String::from_utf8_lossy(&buffer[..read]).into_owned());
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
            let _ = stream.shutdown().await;
        }
    };
    (server(script).await.0, seen)
}

fn through(port: u16, password: Option<&str>) -> Settings {
    Settings {
        proxy: Some(format!("http://127.0.0.1:{port}")),
        proxy_user: password.map(|_| "clerk".to_owned()),
        proxy_password: password.map(Into::into),
        http1_only: true,
        ..quick()
    }
}

async fn ask(base: &str, settings: &Settings) -> Result<postroom_outbound::Reply, Failure> {
    postroom_outbound::install_crypto();
    let base: url::Url = base.parse().unwrap();
    let client = Outbound::new("test", &base, settings).unwrap();
    client.get("get", base.join("file").unwrap()).bearer(&"hush".into()).fetch().await
}

#[tokio::test]
async fn tls_goes_through_a_tunnel_that_shows_the_proxy_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (port, reached) = behind_tls(folder.path()).await;
    let (at, seen) = proxy().await;
    let base = format!("https://localhost:{port}/");
    let ca = Some(folder.path().join("ca.pem"));
    let good = Settings { ca_file: ca.clone(), ..through(at, Some("s3cret")) };
    assert_eq!(ask(&base, &good).await.unwrap().status, 200);
    let (proxied, inside) = (seen.lock().unwrap().concat(), reached.lock().unwrap().concat());
    assert!(proxied.starts_with(&format!("CONNECT localhost:{port} HTTP/1.1\r\n")), "{proxied}");
    assert!(!proxied.contains("hush") && !proxied.contains("/file"), "{proxied}");
    assert!(inside.contains("Bearer hush") && !inside.to_lowercase().contains("proxy-auth"), "{inside}");

    // The proxy's certificate counts for nothing: the destination's own is checked through the tunnel.
    let failure = ask(&base, &through(at, Some("s3cret"))).await.unwrap_err();
    assert_eq!(met(&failure), (Symptom::BadCertificate, Sent::Nothing), "{failure}");
    // A wrong password, or none: no way there, and nothing secret in the words about it.
    for password in [Some("wrong-pass"), None] {
        let failure =
            ask(&base, &Settings { ca_file: ca.clone(), ..through(at, password) }).await.unwrap_err();
        assert_eq!(met(&failure), (Symptom::NoConnection, Sent::Nothing), "{failure}");
        let text = format!("{failure} {failure:?}");
        assert!(!text.contains("wrong-pass") && !text.contains("hush"), "{text}");
    }
    // A proxy that is not there.
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let failure = ask(&base, &Settings { ca_file: ca, ..through(gone, None) }).await.unwrap_err();
    assert_eq!(met(&failure), (Symptom::NoConnection, Sent::Nothing), "{failure}");
    assert_eq!(reached.lock().unwrap().len(), 1, "only the first came through");
}

#[tokio::test]
async fn plain_http_is_forwarded_and_none_means_none() {
    let (at, seen) = proxy().await;
    let (direct, _) = server(|mut stream: TcpStream| async move {
        head(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
    })
    .await;
    let base = format!("http://127.0.0.1:{direct}/");
    assert_eq!(ask(&base, &through(at, Some("s3cret"))).await.unwrap().status, 203);
    let asked = seen.lock().unwrap().concat();
    assert!(asked.starts_with(&format!("GET http://127.0.0.1:{direct}/file HTTP/1.1\r\n")), "{asked}");
    assert_eq!(ask(&base, &through(at, None)).await.unwrap().status, 407);
    assert_eq!(ask(&base, &quick()).await.unwrap().status, 200);
}

#[tokio::test]
async fn connecting_has_a_time_of_its_own_and_the_whole_call_too() {
    postroom_outbound::install_crypto();
    // Takes the connection, and never says a word of TLS.
    let (mute, _) = server(|mut stream: TcpStream| async move {
        while stream.read(&mut [0; 1024]).await.is_ok_and(|read| read > 0) {}
    })
    .await;
    let settings =
        Settings { connect_seconds: 0.2, first_byte_seconds: 30.0, total_seconds: 60.0, ..quick() };
    let failure = ask(&format!("https://localhost:{mute}/"), &settings).await.unwrap_err();
    assert_eq!(met(&failure), (Symptom::NoConnection, Sent::Nothing), "{failure}");
    // An answer that always moves and never ends is cut off by the time of the whole call.
    let (drip, _) = server(|mut stream: TcpStream| async move {
        head(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n").await;
        while stream.write_all(b" ").await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
    let settings = Settings { total_seconds: 0.5, ..quick() };
    let failure = ask(&format!("http://127.0.0.1:{drip}/"), &settings).await.unwrap_err();
    assert_eq!(met(&failure), (Symptom::UnreadableSuccess, Sent::Nothing), "{failure}");
}
