use std::collections::VecDeque;

use futures_util::FutureExt;
use proptest::prelude::*;

use super::*;

struct Fixed(VecDeque<Bytes>);

impl Pieces for Fixed {
    async fn piece(&mut self) -> Result<Option<Bytes>, BodyError> {
        Ok(self.0.pop_front())
    }
}

/// The parts of a body that arrives in pieces of these sizes (the last repeats).
fn parts(body: &[u8], boundary: &str, sizes: &[usize]) -> Result<Vec<(PartHead, Vec<u8>)>, BodyError> {
    let mut pieces = VecDeque::new();
    let mut rest = body;
    let mut sizes =
        sizes.iter().copied().chain(std::iter::repeat(sizes.last().copied().unwrap_or(body.len())));
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(sizes.next().unwrap().clamp(1, rest.len()));
        pieces.push_back(Bytes::copy_from_slice(piece));
        rest = after;
    }
    let mut multipart = Multipart::new(Fixed(pieces), boundary);
    let all = async {
        let mut all = Vec::new();
        while let Some(head) = multipart.part().await? {
            let mut content = Vec::new();
            while let Some(chunk) = multipart.chunk().await? {
                content.extend_from_slice(&chunk);
            }
            all.push((head, content));
        }
        Ok(all)
    };
    all.now_or_never().unwrap()
}

fn head(text: &str) -> Result<PartHead, BodyError> {
    read_head(text.as_bytes())
}

fn body(contents: &[Vec<u8>]) -> Vec<u8> {
    let mut body = Vec::new();
    for content in contents {
        body.extend_from_slice(
            b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n",
        );
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--b--\r\n");
    body
}

proptest! {
    /// Whatever the content and however it is cut on its way: what went in comes out, and every shorter body is refused.
    #[test]
    fn content_comes_out_as_it_went_in(
        contents in prop::collection::vec(prop::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'-'), any::<u8>()], 0..60), 1..4),
        sizes in prop::collection::vec(1_usize..40, 1..20),
        cut in 1_usize..200,
    ) {
        let body = body(&contents);
        prop_assume!(contents.iter().all(|c| memchr::memmem::find(c, b"\r\n--b").is_none() && !c.starts_with(b"--b")));
        let got: Vec<Vec<u8>> = parts(&body, "b", &sizes).unwrap().into_iter().map(|(_, content)| content).collect();
        prop_assert_eq!(got, contents);
        // The last four bytes are the closing hyphens and an optional line end.
        let short = &body[..(body.len() - 3).saturating_sub(cut).max(1)];
        prop_assert_eq!(parts(short, "b", &sizes), Err(BodyError::Truncated));
    }
}

#[test]
fn what_a_part_says_is_read_as_browsers_and_tools_write_it() {
    let table: &[(&str, &str, Option<&str>, Option<&str>)] = &[
        ("Content-Disposition: form-data; name=\"meta\"", "meta", None, None),
        (
            "content-disposition:form-data;name=file;filename=a.pdf\r\nContent-Type: application/pdf",
            "file",
            Some("a.pdf"),
            Some("application/pdf"),
        ),
        (
            "Content-Disposition: form-data; name=\"file\"; filename=\"a \\\"b\\\".pdf\"",
            "file",
            Some("a \"b\".pdf"),
            None,
        ),
        (
            "Content-Disposition: form-data; name=\"file\"; filename=\"a %22b%22.pdf\"",
            "file",
            Some("a \"b\".pdf"),
            None,
        ),
        (
            "Content-Disposition: form-data; name=\"file\"; filename=\"C:\\scans\\a;b.pdf\"",
            "file",
            Some("C:\\scans\\a;b.pdf"),
            None,
        ),
        (
            "Content-Disposition: form-data; name=\"file\"; filename=\"x\"; filename*=UTF-8''na%C3%AFve.pdf",
            "file",
            Some("naïve.pdf"),
            None,
        ),
        (
            "Content-Disposition: form-data; name=\"file\"; filename*=latin1''x; filename=\"y\"",
            "file",
            Some("y"),
            None,
        ),
        (
            "Content-Disposition: form-data; name=\"file\"; filename=\"übung 中.pdf\"",
            "file",
            Some("übung 中.pdf"),
            None,
        ),
        (
            "Content-Disposition: form-data; name=\"file\"; filename=\"\"\r\nContent-Length: 3",
            "file",
            Some(""),
            None,
        ),
    ];
    for (text, name, file_name, media_type) in table {
        let wanted = PartHead {
            name: (*name).to_owned(),
            file_name: file_name.map(str::to_owned),
            media_type: media_type.map(str::to_owned),
        };
        assert_eq!(head(text), Ok(wanted), "{text}");
    }
    for bad in [
        "Content-Type: text/plain",
        "nothing",
        "Content-Disposition: attachment; name=\"file\"",
        "Content-Disposition: form-data",
        "Content-Disposition: form-data; name=\"a\"\r\nContent-Disposition: form-data; name=\"b\"",
        "Content-Disposition: form-data; name=\"a\"\r\nContent-Transfer-Encoding: base64",
    ] {
        assert!(matches!(head(bad), Err(BodyError::Malformed(_))), "{bad}");
    }
}

#[test]
fn a_length_that_a_part_states_of_itself_is_ignored() {
    let body = b"--b\r\nContent-Disposition: form-data; name=\"file\"\r\nContent-Length: 5\r\n\r\nhello world\r\n--b--";
    assert_eq!(parts(body, "b", &[7]).unwrap()[0].1, b"hello world");
}

#[test]
fn malformed_bodies_are_told_apart_from_short_ones() {
    let long = [b"--b\r\nX: ".as_slice(), &vec![b'x'; 9000]].concat();
    let margin = [body(&[vec![1]]), vec![b'x'; 70_000]].concat();
    let table: &[(&[u8], &str)] = &[
        (b"", "truncated"),
        (b"--b", "truncated"),
        (b"--b\r\n", "truncated"),
        (b"--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\nabc", "truncated"),
        (b"--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\nabc\r\n--b", "truncated"),
        (b"--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\nabc\r\n--b-", "truncated"),
        (b"--bX\r\n", "malformed"),
        (b"--b\r\n\r\n\r\n", "malformed"),
        (b"hello, this is no multipart body", "truncated"),
        (&long, "malformed"),
        (&margin, "malformed"),
    ];
    for (body, wanted) in table {
        let got = parts(body, "b", &[5000]).unwrap_err();
        let got = if got == BodyError::Truncated { "truncated" } else { "malformed" };
        assert_eq!(got, *wanted, "{}", String::from_utf8_lossy(&body[..body.len().min(60)]));
    }
    assert_eq!(parts(b"--b--", "b", &[1]), Ok(vec![]));
    assert_eq!(parts(b"preamble\r\n--b--\r\nepilogue", "b", &[3]), Ok(vec![]));
}

#[test]
fn boundaries_are_read_from_content_type() {
    let table: &[(&str, Option<Result<&str, ()>>)] = &[
        ("multipart/form-data; boundary=abc", Some(Ok("abc"))),
        ("Multipart/Form-Data; charset=utf-8; boundary=\"a b\"", Some(Ok("a b"))),
        ("multipart/form-data", Some(Err(()))),
        ("multipart/form-data; boundary=", Some(Err(()))),
        ("multipart/mixed; boundary=abc", None),
        ("application/json", None),
    ];
    for (text, wanted) in table {
        let got = boundary(text).map(|found| found.map_err(|_| ()));
        assert_eq!(got, wanted.map(|wanted| wanted.map(str::to_owned)), "{text}");
    }
    assert!(boundary(&format!("multipart/form-data; boundary={}", "x".repeat(71))).unwrap().is_err());
}
