//! Uploads piece by piece (tus): what comes is kept, what breaks off goes on, and of it all comes one intake or none.

use std::time::Duration;

use base64ct::{Base64, Encoding as _};
use futures_util::future::join_all;
use postroom_domain::person::{Principal, Role};
use postroom_domain::query::{IntakeQuery, Window};
use postroom_domain::store::Store;
use postroom_domain::uploads::Swept;
use reqwest::{Body, Method, RequestBuilder};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::world::{Answer, World, text};

const PIECES: &str = "application/offset+octet-stream";
const MATTER: [(&str, &str); 3] =
    [("filename", "letter.pdf"), ("filetype", "application/pdf"), ("work_item", "0007.0001")];

fn document(bytes: usize) -> Vec<u8> {
    let mut document = b"%PDF-1.7\n".to_vec();
    document.extend((9..bytes).map(|at| (at % 251).to_le_bytes()[0]));
    document
}

fn metadata(pairs: &[(&str, &str)]) -> String {
    let pairs =
        pairs.iter().map(|(name, value)| format!("{name} {}", Base64::encode_string(value.as_bytes())));
    pairs.collect::<Vec<_>>().join(",")
}

impl World {
    fn tus(&self, who: &str, method: Method, path: &str) -> RequestBuilder {
        self.request(who, method, path).header("tus-resumable", "1.0.0")
    }

    async fn begin(&self, who: &str, length: usize, about: &[(&str, &str)], key: Option<&str>) -> Answer {
        let request = self
            .tus(who, Method::POST, "/api/v1/uploads")
            .header("upload-length", length)
            .header("upload-metadata", metadata(about));
        let request = match key {
            Some(key) => request.header("idempotency-key", key),
            None => request,
        };
        Answer::of(request.send().await.unwrap()).await
    }

    /// Begun; where it is.
    async fn begun(&self, who: &str, length: usize) -> String {
        let answer = self.begin(who, length, &MATTER, None).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.header("location").to_owned()
    }

    async fn append(&self, who: &str, at: &str, offset: usize, bytes: impl Into<Body>) -> Answer {
        let request = self.tus(who, Method::PATCH, at).header("content-type", PIECES);
        Answer::of(request.header("upload-offset", offset).body(bytes).send().await.unwrap()).await
    }

    async fn head(&self, who: &str, at: &str) -> Answer {
        Answer::of(self.tus(who, Method::HEAD, at).send().await.unwrap()).await
    }

    /// Where an upload goes on.
    async fn offset(&self, at: &str) -> String {
        let answer = self.head("user", at).await;
        assert_eq!(answer.status, 200);
        answer.header("upload-offset").to_owned()
    }

    async fn intakes(&self) -> usize {
        let window = Window { before: None, limit: 100 };
        self.store.list_intakes(&IntakeQuery::default(), window).await.unwrap().items.len()
    }

    async fn original(&self, intake: &str) -> Vec<u8> {
        let path = format!("/api/v1/intakes/{intake}/original");
        self.request("user", Method::GET, &path).send().await.unwrap().bytes().await.unwrap().to_vec()
    }
}

/// Sends a PATCH that breaks off after so many bytes.
async fn broken_off(world: &World, at: &str, offset: usize, told: usize, bytes: &[u8], extra: &str) {
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    let head = format!(
        "PATCH {at} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer token-of-user\r\nTus-Resumable: 1.0.0\r\n\
         Content-Type: {PIECES}\r\nUpload-Offset: {offset}\r\n{extra}Content-Length: {told}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream.shutdown().await.unwrap();
}

/// Waits until what is wanted of an upload is so: a server learns of a broken connection when it does.
async fn until(world: &World, at: &str, offset: usize) {
    for _ in 0..500 {
        // While the broken request is still being ended, the offset may be an old one.
        if world.offset(at).await == offset.to_string() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the offset of {at} is {}, not {offset}", world.offset(at).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_off_at_99_percent_goes_on_and_becomes_one_intake() {
    let world = World::new().await;
    let bytes = document(90_000);
    let at = world.begun("user", bytes.len()).await;
    assert_eq!(world.offset(&at).await, "0");
    broken_off(&world, &at, 0, bytes.len(), &bytes[..89_100], "").await;
    until(&world, &at, 89_100).await;
    assert_eq!(world.intakes().await, 0);
    let last = world.append("user", &at, 89_100, bytes[89_100..].to_vec()).await;
    assert_eq!((last.status, last.header("upload-offset")), (204, "90000"), "{}", last.body);
    assert_eq!(last.header("tus-resumable"), "1.0.0");
    let intake = last.header("upload-intake").to_owned();
    // Who missed the answer learns of it all the same.
    let known = world.head("user", &at).await;
    assert_eq!((known.header("upload-offset"), known.header("upload-length")), ("90000", "90000"));
    assert_eq!(known.header("upload-intake"), intake);
    assert_eq!(known.header("upload-metadata"), metadata(&MATTER));
    assert!(known.header("upload-expires").ends_with("GMT"));
    assert_eq!(world.original(&intake).await, bytes);
    let shown = world.get("user", &format!("/api/v1/intakes/{intake}")).await.body;
    assert_eq!(
        (&shown["state"], &shown["work_item_given"]),
        (&json!("split"), &json!("0007.0001")),
        "{shown}"
    );
    assert_eq!(world.intakes().await, 1);
    // One document is there, and no piece of it.
    assert_eq!(world.contents(), 1);
    world.assert_no_drafts("after an upload").await;
    world.stop().await;
}

/// Small pieces, each of them durable; many of them become few.
#[tokio::test(flavor = "multi_thread")]
async fn many_small_pieces_make_the_same_document() {
    let world = World::new().await;
    let bytes = document(20_000);
    let at = world.begun("user", bytes.len()).await;
    let mut most = 0;
    let mut last = None;
    for (number, piece) in bytes.chunks(500).enumerate() {
        let answer = world.append("user", &at, number * 500, piece.to_vec()).await;
        assert_eq!(answer.status, 204, "{}", answer.body);
        most = most.max(world.contents());
        last = Some(answer);
    }
    assert!(most <= 16, "{most} pieces at once");
    assert_eq!(world.original(last.unwrap().header("upload-intake")).await, bytes);
    assert_eq!(world.contents(), 1);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_places_and_wrong_bytes_change_nothing() {
    let world = World::new().await;
    let bytes = document(1000);
    let at = world.begun("user", bytes.len()).await;
    assert_eq!(world.append("user", &at, 0, bytes[..400].to_vec()).await.status, 204);
    let sha256 = |bytes: &[u8]| format!("sha256 {}", Base64::encode_string(&Sha256::digest(bytes)));
    // What, offset, bytes, checksum, status, code.
    let table: Vec<(&str, &str, &[u8], Option<String>, u16, &str)> = vec![
        ("again from the start", "0", &bytes[..400], None, 409, "wrong_offset"),
        ("a gap", "500", &bytes[500..], None, 409, "wrong_offset"),
        ("beyond the end", "2000", b"x", None, 409, "wrong_offset"),
        ("no number", "four", &bytes[400..], None, 400, "bad_value"),
        ("less than nothing", "-1", &bytes[400..], None, 400, "bad_value"),
        ("more than announced", "400", &[1; 601], None, 413, "too_large"),
        ("wrong checksum", "400", &bytes[400..], Some(sha256(b"other")), 460, "bad_checksum"),
        ("a checksum of nobody", "400", &bytes[400..], Some("md5 AAAA".into()), 400, "bad_value"),
    ];
    for (what, offset, piece, checksum, status, code) in table {
        let mut request = world
            .tus("user", Method::PATCH, &at)
            .header("content-type", PIECES)
            .header("upload-offset", offset)
            .body(piece.to_vec());
        if let Some(checksum) = checksum {
            request = request.header("upload-checksum", checksum);
        }
        let answer = Answer::of(request.send().await.unwrap()).await;
        answer.assert_problem(status, code, what);
        assert_eq!(answer.header("tus-resumable"), "1.0.0", "{what}");
        assert_eq!(world.offset(&at).await, "400", "{what}");
    }
    // More than announced, and nobody said how much would come.
    let stream = futures_util::stream::iter([Ok::<_, std::io::Error>(vec![1_u8; 300]), Ok(vec![2; 301])]);
    let answer = world.append("user", &at, 400, Body::wrap_stream(stream)).await;
    answer.assert_problem(413, "too_large", "chunked");
    assert_eq!(world.offset(&at).await, "400");
    // Bytes with a checksum that break off are not kept: nobody knows whether they are right.
    let header = format!("Upload-Checksum: {}\r\n", sha256(&bytes[400..]));
    broken_off(&world, &at, 400, 600, &bytes[400..800], &header).await;
    let other = world.tus("user", Method::PATCH, &at).header("content-type", "application/pdf");
    let answer = Answer::of(other.header("upload-offset", 400).body("x").send().await.unwrap()).await;
    answer.assert_problem(415, "wrong_media_type", "media type");
    // Whoever comes while another still writes is told so, and comes again.
    let whole = loop {
        let request = world.tus("user", Method::PATCH, &at).header("content-type", PIECES);
        let request = request.header("upload-offset", 400).header("upload-checksum", sha256(&bytes[400..]));
        let answer = Answer::of(request.body(bytes[400..].to_vec()).send().await.unwrap()).await;
        if answer.status != 423 {
            break answer;
        }
    };
    assert_eq!(whole.status, 204, "{}", whole.body);
    assert_eq!(world.original(whole.header("upload-intake")).await, bytes);
    assert_eq!((world.intakes().await, world.contents()), (1, 1));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_at_once_with_one_key_make_one_intake() {
    let world = World::new().await;
    let bytes = document(60_000);
    let begun = join_all((0..6).map(|_| world.begin("user", bytes.len(), &MATTER, Some("k-1")))).await;
    let mut places: Vec<&str> = begun.iter().map(|answer| answer.header("location")).collect();
    assert!(begun.iter().all(|answer| answer.status == 201), "one was refused");
    places.dedup();
    assert_eq!(places.len(), 1, "{places:?}");
    let at = places[0].to_owned();
    let answers = join_all((0..6).map(|_| world.append("user", &at, 0, bytes.clone()))).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses[0], 204, "{statuses:?}");
    assert!(statuses[1..].iter().all(|status| [409, 423].contains(status)), "{statuses:?}");
    assert_eq!(world.intakes().await, 1);
    // The key goes on to mean the same: begun again it is found complete, with other words it is refused, and as a whole it is the
    // same request.
    let again = world.begin("user", bytes.len(), &MATTER, Some("k-1")).await;
    assert_eq!((again.header("location"), again.header("upload-offset")), (at.as_str(), "60000"));
    assert_eq!(again.header("idempotent-replayed"), "true");
    let other = world.begin("user", bytes.len() + 1, &MATTER, Some("k-1")).await;
    other.assert_problem(409, "key_reused", "another length");
    let whole = world
        .hand_in("user", &json!({"work_item": "0007.0001"}), &[("letter.pdf", &bytes)], Some("k-1"))
        .await;
    assert_eq!((whole.status, &whole.body["again"]), (202, &json!(true)), "{}", whole.body);
    // Somebody else's key is another key.
    let theirs = world.begin("user2", bytes.len(), &MATTER, Some("k-1")).await;
    assert_ne!(theirs.header("location"), at);
    assert_eq!(world.intakes().await, 1);
    world.stop().await;
}

/// The bytes came, and the process ended before they were taken in: whoever sweeps does it, once.
#[tokio::test(flavor = "multi_thread")]
async fn a_complete_upload_that_was_cut_off_is_taken_in_once() {
    let world = World::new().await;
    let bytes = document(5000);
    let at = world.begun("user", bytes.len()).await;
    let by = Principal::program("user", Role::User, "london".parse().unwrap());
    let id = at.rsplit('/').next().unwrap().parse().unwrap();
    let mut append = world.resumable.append(&by, id, 0, None, false).await.unwrap();
    append.write(bytes.clone().into()).await.unwrap();
    drop(append.keep().await.unwrap());
    let known = world.head("user", &at).await;
    assert_eq!((known.header("upload-offset"), known.header("upload-intake")), ("5000", ""));
    assert_eq!(world.resumable.sweep().await, Ok(Swept { expired: 0, completed: 1 }));
    assert_eq!(world.resumable.sweep().await, Ok(Swept::default()));
    let intake = world.head("user", &at).await.header("upload-intake").to_owned();
    assert_eq!(world.original(&intake).await, bytes);
    assert_eq!((world.intakes().await, world.contents()), (1, 1));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_sees_it_and_it_ends_in_time() {
    let world = World::new().await;
    let at = world.begun("user", 100).await;
    for who in ["user2", "operator", "admin", "other"] {
        assert_eq!(world.head(who, &at).await.status, 404, "{who}");
        assert_eq!(world.append(who, &at, 0, "x").await.status, 404, "{who}");
        let end = world.tus(who, Method::DELETE, &at).send().await.unwrap();
        assert_eq!(end.status(), 404, "{who}");
    }
    assert_eq!(world.head("", &at).await.status, 401);
    // What is unfinished is bounded for each: in number, then in bytes.
    world.begun("user", 100_000).await;
    world.begin("user", 150_000, &MATTER, None).await.assert_problem(413, "too_large", "one document");
    let third = world.begun("user", 100_000).await;
    world.begin("user", 1, &MATTER, None).await.assert_problem(429, "too_many_uploads", "number");
    let end = world.tus("user", Method::DELETE, &third).send().await.unwrap();
    assert_eq!(end.status(), 204);
    assert_eq!(world.head("user", &third).await.status, 404);
    world.begun("user2", 90_000).await;
    world.begun("user2", 90_000).await;
    world.begin("user2", 90_000, &MATTER, None).await.assert_problem(429, "too_many_uploads", "bytes");
    world.begin("user", 0, &MATTER, None).await.assert_problem(400, "empty_document", "nothing");

    // Each byte that comes keeps it for another while; after that it is gone, with its bytes.
    assert_eq!(world.append("user", &at, 0, vec![1; 50]).await.status, 204);
    world.clock.advance(Duration::from_mins(40));
    assert_eq!(world.append("user", &at, 50, vec![1; 10]).await.status, 204);
    world.clock.advance(Duration::from_mins(40));
    assert_eq!(world.offset(&at).await, "60");
    world.clock.advance(Duration::from_mins(30));
    assert_eq!(world.head("user", &at).await.status, 404);
    assert_eq!(world.append("user", &at, 60, "x").await.status, 404);
    assert_eq!(world.contents(), 2);
    assert_eq!(world.resumable.sweep().await, Ok(Swept { expired: 4, completed: 0 }));
    assert_eq!(world.contents(), 0);
    world.assert_untouched("nothing became an intake").await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_protocol_is_spoken_as_it_is_written() {
    let world = World::new().await;
    let options = world.request("user", Method::OPTIONS, "/api/v1/uploads").send().await.unwrap();
    let options = Answer::of(options).await;
    let said: Vec<&str> =
        ["tus-resumable", "tus-version", "tus-extension", "tus-max-size", "tus-checksum-algorithm"]
            .iter()
            .map(|name| options.header(name))
            .collect();
    let extensions = "creation,creation-with-upload,expiration,checksum,termination";
    assert_eq!((options.status, said), (204, vec!["1.0.0", "1.0.0", extensions, "100000", "sha1,sha256"]));

    // Another version, on any request.
    for version in [None, Some("0.2.2")] {
        let request = world.request("user", Method::POST, "/api/v1/uploads").header("upload-length", 5);
        let request = match version {
            Some(version) => request.header("tus-resumable", version),
            None => request,
        };
        let answer = Answer::of(request.send().await.unwrap()).await;
        answer.assert_problem(412, "other_version", "version");
        assert_eq!(answer.header("tus-version"), "1.0.0");
    }
    for (name, value) in [("upload-defer-length", "1"), ("upload-concat", "partial")] {
        let request = world.tus("user", Method::POST, "/api/v1/uploads").header(name, value);
        Answer::of(request.send().await.unwrap()).await.assert_problem(400, "bad_value", name);
    }
    // Bytes may come with the beginning: some, or all.
    let bytes = document(900);
    let with = |bytes: &[u8], length: usize| {
        world
            .tus("user", Method::POST, "/api/v1/uploads")
            .header("upload-length", length)
            .header("upload-metadata", metadata(&MATTER))
            .header("content-type", PIECES)
            .body(bytes.to_vec())
    };
    let some = Answer::of(with(&bytes[..300], 900).send().await.unwrap()).await;
    assert_eq!((some.status, some.header("upload-offset")), (201, "300"), "{}", some.body);
    let all = Answer::of(with(&bytes, 900).send().await.unwrap()).await;
    assert_eq!((all.status, all.header("upload-offset")), (201, "900"));
    assert_eq!(world.original(all.header("upload-intake")).await, bytes);
    // Behind something that lets only POST through.
    let at = some.header("location").to_owned();
    let by_post = |method: &str| {
        world.tus("user", Method::POST, &at).header("x-http-method-override", method.to_owned())
    };
    let rest = by_post("PATCH")
        .header("content-type", PIECES)
        .header("upload-offset", 300)
        .body(bytes[300..].to_vec());
    assert_eq!(rest.send().await.unwrap().status(), 204);
    assert_eq!(by_post("HEAD").send().await.unwrap().headers()["upload-offset"], "900");
    assert_eq!(by_post("DELETE").send().await.unwrap().status(), 204);
    assert_eq!(by_post("PUT").send().await.unwrap().status(), 400);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lie_about_what_it_is_is_remarked() {
    let world = World::new().await;
    let program = [b"MZ".as_slice(), &[0; 300]].concat();
    let begun = world.begin("user", program.len(), &MATTER, None).await;
    let last = world.append("user", begun.header("location"), 0, program).await;
    let shown = world.get("user", &format!("/api/v1/intakes/{}", last.header("upload-intake"))).await.body;
    let media_type = text(&shown["documents"][0]["media_type"]);
    assert_eq!(media_type, "application/vnd.microsoft.portable-executable");
    let trace = shown["trace"].to_string();
    assert!(trace.contains("the content is that of a .exe file"), "{trace}");
    world.stop().await;
}
