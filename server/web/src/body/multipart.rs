//! `multipart/form-data` as a stream of parts (RFC 7578), without copying what passes through.
//!
//! Own, because the length that a part states of itself must be ignored (RFC 7578, 4.8): a reader that believes a length that
//! is too small drops the rest of the document and calls it whole. Here a part ends at its boundary and nowhere else, and the
//! body at its last boundary and the end of the request, both of which must have come.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use memchr::memmem::Finder;

use super::{Body, BodyError};

/// The longest head of a part: disposition with the file name, type.
const LONGEST_HEAD: usize = 8 * 1024;
/// How many bytes may stand before the first and after the last boundary.
const LONGEST_MARGIN: u64 = 64 * 1024;

/// Where pieces come from: a request body, or a test.
pub(crate) trait Pieces {
    /// The next piece; none at the end.
    async fn piece(&mut self) -> Result<Option<Bytes>, BodyError>;
}

impl Pieces for Body {
    async fn piece(&mut self) -> Result<Option<Bytes>, BodyError> {
        Self::piece(self).await
    }
}

/// What a part says about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PartHead {
    /// The field's name.
    pub(crate) name: String,
    /// The file's name, as it came.
    pub(crate) file_name: Option<String>,
    /// The media type, as told.
    pub(crate) media_type: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Before the first boundary.
    Start,
    /// In a part's content.
    Content,
    /// Behind a boundary, before what follows it.
    Boundary,
    /// Behind the last boundary.
    End,
}

/// A body being taken apart.
pub(crate) struct Multipart<P> {
    pieces: P,
    /// Line end, two hyphens and the boundary.
    delimiter: Vec<u8>,
    finder: Finder<'static>,
    window: Bytes,
    at: At,
}

impl<P: Pieces> Multipart<P> {
    /// Takes apart a body whose `Content-Type` names this boundary.
    pub(crate) fn new(pieces: P, boundary: &str) -> Self {
        let delimiter = [b"\r\n--", boundary.as_bytes()].concat();
        let finder = Finder::new(&delimiter).into_owned();
        Self { pieces, delimiter, finder, window: Bytes::new(), at: At::Start }
    }

    /// The head of the next part; none when the last boundary and the end of the request have come. What is left of the part
    /// before is skipped.
    pub(crate) async fn part(&mut self) -> Result<Option<PartHead>, BodyError> {
        if self.at == At::Start {
            self.first_boundary().await?;
        }
        while self.at == At::Content {
            self.chunk().await?;
        }
        if self.at == At::End {
            return Ok(None);
        }
        self.at_least(2).await?;
        match &self.window[..2] {
            b"\r\n" => {
                let _ = self.window.split_to(2);
                let head = self.head().await?;
                self.at = At::Content;
                Ok(Some(head))
            }
            b"--" => {
                self.at = At::End;
                let mut margin = std::mem::take(&mut self.window).len() as u64;
                while margin <= LONGEST_MARGIN {
                    match self.pieces.piece().await? {
                        Some(piece) => margin += piece.len() as u64,
                        None => return Ok(None),
                    }
                }
                Err(malformed("the body goes on after its last boundary"))
            }
            _ => Err(malformed("a boundary is followed by neither a line end nor two hyphens")),
        }
    }

    /// The next bytes of the present part; none at its end.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, BodyError> {
        while self.at == At::Content {
            if let Some(found) = self.finder.find(&self.window) {
                let chunk = self.window.split_to(found);
                if chunk.is_empty() {
                    let _ = self.window.split_to(self.delimiter.len());
                    self.at = At::Boundary;
                    return Ok(None);
                }
                return Ok(Some(chunk));
            }
            // Everything but an end that may be the beginning of a boundary.
            let kept = self.begun();
            let chunk = self.window.split_to(self.window.len() - kept);
            if !chunk.is_empty() {
                return Ok(Some(chunk));
            }
            self.more().await?;
        }
        Ok(None)
    }

    /// How many bytes at the window's end may belong to a boundary.
    fn begun(&self) -> usize {
        let longest = self.window.len().min(self.delimiter.len() - 1);
        let tail = &self.window[self.window.len() - longest..];
        memchr::memchr_iter(b'\r', tail)
            .map(|at| &tail[at..])
            .find(|end| self.delimiter.starts_with(end))
            .map_or(0, <[u8]>::len)
    }

    async fn first_boundary(&mut self) -> Result<(), BodyError> {
        self.at_least(self.delimiter.len() - 2).await?;
        if self.window.starts_with(&self.delimiter[2..]) {
            let _ = self.window.split_to(self.delimiter.len() - 2);
            self.at = At::Boundary;
            return Ok(());
        }
        // A preamble: rare, allowed, ignored.
        self.at = At::Content;
        let mut margin = 0;
        while let Some(chunk) = self.chunk().await? {
            margin += chunk.len() as u64;
            if margin > LONGEST_MARGIN {
                return Err(malformed("the body does not begin with the boundary that Content-Type names"));
            }
        }
        Ok(())
    }

    async fn head(&mut self) -> Result<PartHead, BodyError> {
        let finder = Finder::new(b"\r\n\r\n");
        self.at_least(2).await?;
        if self.window.starts_with(b"\r\n") {
            return Err(malformed("a part has no Content-Disposition"));
        }
        loop {
            if let Some(found) = finder.find(&self.window) {
                if found > LONGEST_HEAD {
                    return Err(head_too_long());
                }
                let head = self.window.split_to(found);
                let _ = self.window.split_to(4);
                return read_head(&head);
            }
            if self.window.len() > LONGEST_HEAD {
                return Err(head_too_long());
            }
            self.more().await?;
        }
    }

    async fn at_least(&mut self, wanted: usize) -> Result<(), BodyError> {
        while self.window.len() < wanted {
            self.more().await?;
        }
        Ok(())
    }

    async fn more(&mut self) -> Result<(), BodyError> {
        let piece = self.pieces.piece().await?.ok_or(BodyError::Truncated)?;
        if self.window.is_empty() {
            self.window = piece;
        } else {
            let mut joined = BytesMut::with_capacity(self.window.len() + piece.len());
            joined.extend_from_slice(&self.window);
            joined.extend_from_slice(&piece);
            self.window = joined.freeze();
        }
        Ok(())
    }
}

fn malformed(what: &str) -> BodyError {
    BodyError::Malformed(what.to_owned())
}

fn head_too_long() -> BodyError {
    BodyError::Malformed(format!("the head of a part has more than {LONGEST_HEAD} bytes"))
}

/// The boundary of a `Content-Type`, when it is `multipart/form-data` with a usable one.
pub(crate) fn boundary(content_type: &str) -> Option<Result<String, &'static str>> {
    let (essence, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    if !essence.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let found = parameters_of(parameters).into_iter().find(|(name, _)| name == "boundary");
    Some(match found {
        // RFC 2046, 5.1.1: 1 to 70 characters.
        Some((_, boundary))
            if (1..=70).contains(&boundary.len())
                && boundary.bytes().all(|b| b.is_ascii_graphic() || b == b' ') =>
        {
            Ok(boundary)
        }
        Some(_) => Err("the boundary in Content-Type is not 1 to 70 printable characters"),
        None => Err("Content-Type names no boundary"),
    })
}

fn read_head(head: &[u8]) -> Result<PartHead, BodyError> {
    // Names in other encodings than UTF-8 lose what cannot be read; the document's bytes are untouched.
    let text = String::from_utf8_lossy(head);
    let mut part = PartHead::default();
    let mut disposition = false;
    for line in text.split("\r\n") {
        let Some((name, value)) = line.split_once(':') else {
            return Err(malformed("a line in the head of a part is no header"));
        };
        match name.trim().to_ascii_lowercase().as_str() {
            "content-disposition" => {
                let (kind, parameters) = value.split_once(';').unwrap_or((value, ""));
                if disposition || !kind.trim().eq_ignore_ascii_case("form-data") {
                    return Err(malformed("a part has no single Content-Disposition of form-data"));
                }
                disposition = true;
                for (name, value) in parameters_of(parameters) {
                    match name.as_str() {
                        "name" => part.name = value,
                        "filename" => {
                            part.file_name.get_or_insert(value);
                        }
                        "filename*" => part.file_name = extended(&value).or(part.file_name),
                        _ => {}
                    }
                }
            }
            "content-type" => part.media_type = Some(value.trim().to_owned()),
            "content-transfer-encoding"
                if !["binary", "8bit", "7bit"]
                    .iter()
                    .any(|plain| value.trim().eq_ignore_ascii_case(plain)) =>
            {
                return Err(malformed(
                    "a part is encoded (Content-Transfer-Encoding); send the bytes as they are",
                ));
            }
            // RFC 7578, 4.8: whatever else stands there, a length included, is ignored.
            _ => {}
        }
    }
    if part.name.is_empty() {
        return Err(malformed("a part has no name"));
    }
    Ok(part)
}

/// `; name=value; name="value"` with names in small letters. Browsers write `%22` for a quote and line ends as `%0D%0A`; others
/// escape a quote with a backslash. A backslash before anything else is part of the name, as in `C:\scans\a.pdf`.
fn parameters_of(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest: VecDeque<char> = text.chars().collect();
    loop {
        while rest.front().is_some_and(|c| *c == ';' || c.is_whitespace()) {
            rest.pop_front();
        }
        if rest.is_empty() {
            return found;
        }
        let mut name = String::new();
        while let Some(c) = rest.front().copied() {
            if c == '=' || c == ';' {
                break;
            }
            name.push(c);
            rest.pop_front();
        }
        let mut value = String::new();
        if rest.front() == Some(&'=') {
            rest.pop_front();
            while rest.front().is_some_and(|c| c.is_whitespace()) {
                rest.pop_front();
            }
            if rest.front() == Some(&'"') {
                rest.pop_front();
                while let Some(c) = rest.pop_front() {
                    match c {
                        '"' => break,
                        '\\' if rest.front() == Some(&'"') => value.extend(rest.pop_front()),
                        c => value.push(c),
                    }
                }
                value = value.replace("%22", "\"").replace("%0D%0A", " ").replace("%0A", " ");
            } else {
                while let Some(c) = rest.front().copied() {
                    if c == ';' {
                        break;
                    }
                    value.push(c);
                    rest.pop_front();
                }
                value.truncate(value.trim_end().len());
            }
        }
        found.push((name.trim().to_ascii_lowercase(), value));
    }
}

/// `UTF-8''na%C3%AFve.pdf` (RFC 8187).
fn extended(value: &str) -> Option<String> {
    let mut parts = value.splitn(3, '\'');
    let (charset, _, text) = (parts.next()?, parts.next()?, parts.next()?);
    if !charset.eq_ignore_ascii_case("utf-8") {
        return None;
    }
    percent_encoding::percent_decode_str(text).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests;
