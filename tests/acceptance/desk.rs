//! A day at the operators' desk: who is at work on what, what was noted, what is in a document, how old things are, what a filter finds as a
//! file, and the same by the command line.

use postroom_tests::process::run;
use postroom_tests::settings::token;
use postroom_tests::{Upload, World};
use reqwest::Method;
use serde_json::{Value, json};

use crate::post::{Post, STRANGER};

/// An e-mail with a body of HTML that would like to do things to a terminal, and with a file inside.
const HOSTILE: &str = "From: Ada Harrow <someone@elsewhere.example>\nTo: post@firm.example\n\
    Subject: =?utf-8?B?VGhlIGxlYXNlIBtbMkrigK5mZHA=?=\nMessage-ID: <hostile@client.example>\n\
    Date: Fri, 27 Nov 2026 09:00:00 +0000\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n\
    --b\nContent-Type: text/html; charset=utf-8\n\n\
    <html><style>p{}</style><p>Dear all,</p><p>see &#27;]0;owned&#7; the <b>lease</b>&#8238;.</p>\
    <script>alert(1)</script></html>\n\
    --b\nContent-Type: text/plain; name=\"list.txt\"\nContent-Disposition: attachment; filename=\"list.txt\"\n\nx\n--b--\n";

/// A PDF of one page that says so.
fn pdf(words: &str) -> Vec<u8> {
    let content = format!("BT /F1 12 Tf 20 350 Td ({words}) Tj ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Count 1 /Kids [3 0 R] /MediaBox [0 0 300 400] >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /Contents 5 0 R /Resources << /Font << /F1 4 0 R >> >> >>".to_owned(),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
        format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
    ];
    let (mut bytes, mut places) = (b"%PDF-1.4\n".to_vec(), Vec::new());
    for (number, object) in (1..).zip(&objects) {
        places.push(format!("{:010} 00000 n \n", bytes.len()));
        bytes.extend_from_slice(format!("{number} 0 obj\n{object}\nendobj\n").as_bytes());
    }
    let places = places.concat();
    let (start, size) = (bytes.len(), objects.len() + 1);
    let end = format!(
        "xref\n0 {size}\n0000000000 65535 f \n{places}trailer\n<< /Size {size} /Root 1 0 R >>\n\
         startxref\n{start}\n%%EOF\n"
    );
    bytes.extend_from_slice(end.as_bytes());
    bytes
}

/// The command line of an operator.
struct Line {
    url: String,
    token: String,
}

impl Line {
    fn of(world: &World) -> Self {
        let file = world.root().join("operator.token");
        std::fs::write(&file, token("operator")).unwrap();
        Self { url: world.url(), token: file.display().to_string() }
    }

    /// Whether it went well, and what was printed.
    async fn ask(&self, arguments: &[&str]) -> (bool, String) {
        let (what, rest) = arguments.split_first().unwrap();
        let common = [*what, "--server", &self.url, "--token-file", &self.token];
        let output = run("postroom", &[&common[..], rest].concat()).await;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.success(), text(&output.stdout) + &text(&output.stderr))
    }

    async fn done(&self, arguments: &[&str]) -> String {
        let (good, said) = self.ask(arguments).await;
        assert!(good, "{arguments:?}: {said}");
        said
    }

    async fn refused(&self, arguments: &[&str], words: &str) {
        let (good, said) = self.ask(arguments).await;
        assert!(!good && said.contains(words), "{arguments:?}: {said}");
    }
}

#[tokio::test]
async fn a_day_at_the_desk() {
    let mut post = Post::new("desk").await;
    let op = post.op();
    post.matter("30001-0001").await;
    let upload = Upload::to("30001-0001").file("plan.pdf", pdf("The boundary plan"));
    let filed = post.world.deposit(upload).await;
    post.world.all_filed(std::slice::from_ref(&filed)).await;
    post.send(STRANGER, "post@firm.example", HOSTILE).await;
    let mut deep = format!("From: {STRANGER}\nSubject: deep\nMIME-Version: 1.0\n");
    for _ in 0..10_000 {
        deep.push_str("Content-Type: message/rfc822\n\n");
    }
    post.send(STRANGER, "post@firm.example", &deep).await;
    post.intakes(3).await;
    // The destination stands still, so that this one stays open.
    let line = Line::of(&post.world);
    let paused = ["doors", "pause", "destination/files", "--reason", "x", "--for", "2h"];
    let paused = line.done(&paused).await;
    assert!(paused.contains("stands still until"), "{paused}");
    let open = post.world.deposit(Upload::to("30001-0001").file("lost.txt", b"lost".to_vec())).await;
    let intakes = post.intakes(4).await;
    let found = |state: &str| {
        let intake = intakes.iter().find(|it| it["state"] == state);
        intake.unwrap_or_else(|| panic!("{state}: {intakes:#?}"))["id"].as_str().unwrap().to_owned()
    };
    let (letter, set_aside) = (found("needs_person"), found("quarantined"));
    let preview = async |id: &str| op.ok(&format!("/api/v1/intakes/{id}/preview")).await;

    let shown = preview(&letter).await;
    assert_eq!(shown["kind"], "mail", "{shown:#}");
    let words = shown["text"].as_str().unwrap();
    assert!(words.starts_with("Dear all,") && words.ends_with("the lease."), "{shown:#}");
    assert!(!words.contains("alert") && !words.contains("p{}"), "{shown:#}");
    let acts = |c: char| c != '\n' && (c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c));
    let head = shown["head"].as_array().unwrap();
    let subject = head.iter().find(|it| it[0] == "subject").unwrap()[1].as_str().unwrap();
    assert!(subject.starts_with("The lease") && subject.ends_with("fdp"), "{shown:#}");
    assert!(!words.chars().chain(subject.chars()).any(acts), "{shown:#}");
    assert_eq!(shown["parts"][0]["file_name"], "list.txt", "{shown:#}");
    let shown = preview(&filed.intake).await;
    assert_eq!(
        (&shown["kind"], &shown["text"], &shown["pages"]),
        (&json!("pdf"), &json!("The boundary plan"), &json!(1))
    );
    let shown = preview(&set_aside).await;
    assert!(shown["kind"] == "none" && shown["why_not"].to_string().contains("quarantine"), "{shown:#}");

    // Taken and noted: in the list, the detail, the stream and the audit.
    let id = open.filing();
    line.done(&["filings", "take", id]).await;
    assert!(line.done(&["filings", "note", id, "asked the client"]).await.contains("noted"));
    let listed = op.filings(&format!("id:{id}")).await;
    assert_eq!(listed[0]["taken_by"], "operator");
    let detail = op.filing(id).await;
    assert_eq!(detail["remarks"]["notes"][0]["text"], "asked the client", "{detail:#}");
    let told = detail["events"].to_string();
    assert!(told.contains("\"taken\"") && told.contains("\"noted\""), "{told}");
    let audit = post.world.api("admin").ok("/api/v1/audit?kind=noted,taken&limit=50").await;
    assert_eq!(audit["items"].as_array().unwrap().len(), 2, "{audit:#}");
    let from = audit["items"][0]["seq"].as_u64().unwrap() - 1;
    let stream = first_events(&post.world, from).await;
    assert!(stream.contains("\"taken\""), "{stream}");
    line.done(&["filings", "give-back", id]).await;
    line.refused(&["filings", "give-back", id], "Nobody has taken it").await;

    // A filter as a file is what the list shows.
    let exported = line.done(&["filings", "export", "--format", "json", "--filter", "state:filed"]).await;
    let exported: Vec<Value> = exported.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(exported, op.filings("state:filed").await);
    let file = post.world.root().join("filings.csv").display().to_string();
    line.done(&["filings", "export", "--out", &file]).await;
    assert!(std::fs::read_to_string(&file).unwrap().contains("lost.txt"));
    line.refused(&["filings", "export", "--out", &file], "cannot make").await;
    let ages = op.ok("/api/v1/ages").await;
    assert_eq!(ages["columns"].as_array().unwrap().len(), 7, "{ages:#}");
    let line_of_files = json!([{"destination": "files", "counts": [1, 0, 0, 0, 0, 0, 0], "total": 1}]);
    assert_eq!(ages["items"], line_of_files);

    // The rest of the command line, each once.
    let done = filed.filing();
    for (arguments, words) in [
        (vec!["filings", "edit", done, "--reason", "x", "--file-name", "b.pdf"], "filed"),
        (vec!["filings", "edit", done, "--reason", "x"], "changes nothing"),
        (vec!["filings", "edit", done, "--reason", "x", "--profile", "nothing"], "key=value"),
        (vec!["filings", "link", done, "--document", "1", "--reason", "x"], "filed"),
        (vec!["filings", "file-anyway", done, "--reason", "x"], "filed"),
        (vec!["filings", "note", done, " "], "blank"),
        (vec!["doors", "pause", "files", "--reason", "x"], "none of source/NAME"),
        (vec!["doors", "pause", "source/post", "--reason", "x", "--for", "0s"], "no time to come"),
        (vec!["intakes", "release", &filed.intake, "--reason", "x"], ""),
        (vec!["views", "list"], "Only persons"),
        (vec!["views", "save", "mine", "filings", "state:failed"], "Only persons"),
        (vec!["views", "remove", "mine"], "Only persons"),
    ] {
        line.refused(&arguments, words).await;
    }
    let edit =
        ["filings", "edit", id, "--file-name", "found.txt", "--folder", "a/b", "--reason", "its real name"];
    assert!(line.done(&edit).await.contains(id));
    line.done(&["filings", "causes"]).await;
    let listed = line.done(&["intakes", "list", "--state", "needs_person,quarantined"]).await;
    assert!(listed.contains(&letter) && listed.contains(&set_aside), "{listed}");
    let listed = line.done(&["intakes", "list", "--source", "post", "lease"]).await;
    assert!(listed.contains(&letter) && !listed.contains(&set_aside), "{listed}");
    assert!(line.done(&["intakes", "show", &letter]).await.contains("\"needs\""));
    let read = line.done(&["intakes", "preview", &letter]).await;
    assert!(read.contains("Dear all,") && !read.contains('\u{1b}'), "{read}");
    assert!(line.done(&["intakes", "preview", &set_aside]).await.contains("Nothing can be shown"));
    assert!(line.done(&["intakes", "original", &letter]).await.contains("alert(1)"));
    line.done(&["intakes", "note", &letter, "theirs"]).await;
    line.done(&["intakes", "give", &letter, "--team", "post-room"]).await;
    line.done(&["intakes", "assign", &letter, "30001-0001", "--reason", "by its client"]).await;
    line.done(&["intakes", "dismiss", &set_aside, "--reason", "rubbish"]).await;
    let doors = line.done(&["doors", "--json", "list"]).await;
    let doors: Vec<Value> = doors.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let files =
        doors.iter().find(|it| it["door"] == "destination/files").unwrap_or_else(|| panic!("{doors:#?}"));
    assert_eq!(files["pause"]["by"], "operator");
    assert!(line.done(&["doors", "resume", "destination/files"]).await.contains("goes on"));
    for what in ["intakes", "doors", "views"] {
        assert!(line.done(&[what, "--help"]).await.contains("Usage"), "{what}");
    }
    let dismissed = preview(&set_aside).await;
    assert_eq!(dismissed["kind"], "none", "{dismissed:#}");
    let _ =
        op.call(Method::POST, &format!("/api/v1/filings/{done}/take"), &json!({}), None).await.expect(204);
    post.world.stop().await;
}

/// What the stream of events says after a number, as far as the first bytes with an event go.
async fn first_events(world: &World, after: u64) -> String {
    let op = world.op();
    let request =
        op.http().get(format!("{}/api/v1/events?after={after}", world.url())).bearer_auth(op.token());
    let mut response = request.send().await.unwrap();
    let mut said = String::new();
    while !said.contains("event: change") {
        let piece = response.chunk().await.unwrap().expect("the stream goes on");
        said += &String::from_utf8_lossy(&piece);
    }
    said
}
