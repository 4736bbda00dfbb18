//! What is shown of a document, and what is not.

use super::*;

fn of(kind: As, bytes: &[u8]) -> Result<Preview, String> {
    read(kind, bytes.to_vec(), true, &Limits::default())
}

fn document(file_name: &str, media_type: &str) -> Document {
    let blob = postroom_domain::spool::Blob { hash: postroom_domain::ids::BlobHash::new([7; 32]), size: 1 };
    Document { file_name: file_name.to_owned(), media_type: media_type.to_owned(), blob }
}

#[test]
fn documents_are_read_as_what_they_call_themselves() {
    for (name, media_type, wanted) in [
        ("a.pdf", "application/octet-stream", Some(As::Pdf)),
        ("a", "Application/PDF; x=y", Some(As::Pdf)),
        ("a.eml", "", Some(As::Mail)),
        ("letter", "message/rfc822", Some(As::Mail)),
        ("a.MSG", "application/octet-stream", Some(As::Mail)),
        ("winmail.dat", "application/ms-tnef", Some(As::Mail)),
        ("other.dat", "application/octet-stream", None),
        ("a.html", "", Some(As::Html)),
        ("a.txt", "text/html; charset=utf-8", Some(As::Html)),
        ("rows.csv", "application/vnd.ms-excel", Some(As::Text)),
        ("a", "text/plain", Some(As::Text)),
        ("a.docx", "application/msword", None),
        ("a.png", "image/png", None),
        ("", "", None),
    ] {
        assert_eq!(As::told(&document(name, media_type)), wanted, "{name:?} {media_type:?}");
    }
}

#[test]
fn a_letter_is_shown_with_its_head_its_text_and_what_it_carries() {
    let raw = "From: =?utf-8?Q?Ada_L=C3=B6velace?= <ADA@x.example>\r\nTo: b@x.example, c@x.example\r\n\
        Cc: d@x.example\r\nDate: Mon, 23 Nov 2026 09:00:00 +0000\r\n\
        Subject: =?utf-8?B?UmUg4oCuZmRwG1sySg==?=\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=x\r\n\r\n\
        --x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
        <style>p{}</style><p>Hello <b>there</b>&#27;[2J&#8238;abc</p><script>alert(1)</script><p>Bye</p>\r\n\
        --x\r\nContent-Type: text/csv; name=\"list.csv\"\r\nContent-Disposition: attachment\r\n\r\na,b\r\n--x--\r\n";
    let shown = of(As::Mail, raw.as_bytes()).unwrap();
    let head: Vec<(&str, &str)> =
        shown.head.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        head,
        [
            ("from", "Ada Lövelace <ada@x.example>"),
            ("to", "b@x.example, c@x.example"),
            ("cc", "d@x.example"),
            ("date", "2026-11-23T09:00:00Z"),
            ("subject", "Re fdp [2J"),
        ]
    );
    assert!(shown.text.starts_with("Hello there") && shown.text.contains("[2Jabc"), "{:?}", shown.text);
    assert!(shown.text.ends_with("Bye"), "{:?}", shown.text);
    assert!(!shown.text.contains("alert") && !shown.text.contains("p{}"), "{:?}", shown.text);
    assert!(!shown.text.chars().any(|c| c != '\n' && plain::is_hostile(c)), "{:?}", shown.text);
    let parts: Vec<(&str, u64)> = shown.parts.iter().map(|part| (part.name.as_str(), part.size)).collect();
    assert_eq!(parts, [("list.csv", 3)]);
    assert_eq!((shown.shown, shown.more), (Shown::Mail, false));
}

#[test]
fn texts_are_clean_and_short() {
    let text = |kind, bytes: &[u8]| of(kind, bytes).map(|shown| (shown.text, shown.more));
    let whole = |text: &str| Ok((text.to_owned(), false));
    assert_eq!(text(As::Text, b"Gr\xfc\xdfe\r\n\x1b[31mrot\x07"), whole("Grüße\n[31mrot"));
    assert_eq!(text(As::Text, "a;b\nÄ;\u{202e}c".as_bytes()), whole("a;b\nÄ;c"));
    assert_eq!(text(As::Text, b"\xff\xfea\0b\0"), whole("ab"));
    assert!(text(As::Text, b"a\0b").is_err());
    assert_eq!(text(As::Html, b"<p>A</p><script>x</script>b"), whole("A\nb"));
    let (cut, more) = text(As::Text, "ä".repeat(MOST_TEXT).as_bytes()).unwrap();
    assert_eq!((cut.len(), more), (MOST_TEXT, true));
    let beginning = read(As::Text, b"abc".to_vec(), false, &Limits::default()).unwrap();
    assert!(beginning.more, "the rest was not even read");
}

#[test]
fn what_says_nothing_says_why() {
    for (kind, bytes, words) in [
        (As::Mail, &b""[..], "."),
        (As::Pdf, b"plain", "calls itself a PDF"),
        (As::Pdf, b"%PDF-1.7 damaged", "."),
    ] {
        let why = of(kind, bytes).unwrap_err();
        assert!(why.contains(words) && why.ends_with('.'), "{why}");
    }
}

#[cfg(feature = "pages")]
mod pdf {
    use std::path::PathBuf;
    use std::time::Instant;

    use super::*;

    /// A page that shows each text as the operators say.
    fn pdf(content: &str) -> Vec<u8> {
        let objects = [
            "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
            "<< /Type /Pages /Count 2 /Kids [3 0 R 6 0 R] /MediaBox [0 0 300 400] >>".to_owned(),
            "<< /Type /Page /Parent 2 0 R /Contents 5 0 R /Resources << /Font << /F1 4 0 R >> >> >>"
                .to_owned(),
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
            format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
            "<< /Type /Page /Parent 2 0 R /Contents 5 0 R /Resources << /Font << /F1 4 0 R >> >> >>"
                .to_owned(),
        ];
        let (mut bytes, mut places) = (b"%PDF-1.4\n".to_vec(), Vec::new());
        for (number, object) in (1..).zip(&objects) {
            places.push(bytes.len());
            bytes.extend_from_slice(format!("{number} 0 obj\n{object}\nendobj\n").as_bytes());
        }
        let start = bytes.len();
        bytes.extend_from_slice(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).as_bytes());
        for place in places {
            bytes.extend_from_slice(format!("{place:010} 00000 n \n").as_bytes());
        }
        let size = objects.len() + 1;
        bytes.extend_from_slice(
            format!("trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n").as_bytes(),
        );
        bytes
    }

    #[test]
    fn letters_become_words_and_lines() {
        let content = "BT /F1 12 Tf 20 350 Td (Dear Sirs,) Tj 0 -20 Td [(Har) 20 (row) -400 (v Teal)] TJ ET\n\
            BT /F1 12 Tf 3 Tr 20 300 Td (a layer behind a picture) Tj ET\n\
            BT /F1 12 Tf 2 Tr 20 280 Td (outlined) Tj ET";
        let shown = of(As::Pdf, &pdf(content)).unwrap();
        let page = "Dear Sirs,\nHarrow v Teal\na layer behind a picture\noutlined";
        assert_eq!(shown.text, format!("{page}\n\n{page}"));
        assert_eq!((shown.pages, shown.more), (Some(2), false));
        let why = of(As::Pdf, &pdf("0 0 10 10 re f")).unwrap_err();
        assert!(why.contains("pictures"), "{why}");
    }

    #[test]
    fn files_from_the_wild_are_shown_or_say_why_not() {
        let folder = std::env::var_os("POSTROOM_CORPORA").map(|folder| PathBuf::from(folder).join("pdf"));
        let Some(folder) = folder else {
            eprintln!("SKIPPED: POSTROOM_CORPORA names no folder, so no file from the wild was read");
            return;
        };
        let (mut shown, mut not) = (0, 0);
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            let began = Instant::now();
            let read = of(As::Pdf, &bytes);
            let took = began.elapsed();
            let said = read.as_ref().map_or_else(String::as_str, |read| read.text.as_str());
            println!("{} {took:?}: {:.80}", path.display(), said.replace('\n', " "));
            assert!(took < PATIENCE, "{}", path.display());
            match read {
                Ok(_) => shown += 1,
                Err(_) => not += 1,
            }
        }
        println!("{shown} were shown, {not} were not");
        assert!(shown > 0);
    }
}
