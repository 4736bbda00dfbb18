//! What clamd says about a document. The scanner is ours, but what it quotes is not, and what answers at its address may be something else:
//! only what is exactly one of its answers counts.

use postroom_domain::screening::{Verdict, shown};

/// The longest answer that is read, in bytes. Names of signatures are short.
pub(super) const LONGEST: usize = 4096;

/// Limits of clamd's that a document is over, told as if they were signatures (`AlertExceedsMax`).
const LIMITS: &str = "Heuristics.Limits.Exceeded";
/// What clamd cannot open, told as if it were a signature (`AlertEncrypted`).
const ENCRYPTED: &str = "Heuristics.Encrypted";

/// The verdict in an answer without its end mark; or why it is none, in words.
pub(super) fn verdict(line: &[u8]) -> Result<Verdict, String> {
    let Ok(line) = std::str::from_utf8(line) else {
        return Err("the scanner's answer makes no sense".to_owned());
    };
    if line.starts_with("INSTREAM size limit exceeded") {
        let why = "it is larger than the scanner takes (its StreamMaxLength)".to_owned();
        return Ok(Verdict::NotScanned { why });
    }
    if let Some(error) = line.strip_suffix(" ERROR") {
        return Err(format!("the scanner reports an error: {}", shown(error)));
    }
    match line.strip_prefix("stream: ") {
        Some("OK") => Ok(Verdict::Clean),
        Some(found) => {
            let name = found.strip_suffix(" FOUND").filter(|name| !name.trim().is_empty());
            name.map(named).ok_or_else(|| nonsense(line))
        }
        None => Err(nonsense(line)),
    }
}

fn named(name: &str) -> Verdict {
    let name = shown(name);
    if name.starts_with(LIMITS) {
        return Verdict::NotScanned { why: format!("it is over a limit of the scanner ({name})") };
    }
    if name.starts_with(ENCRYPTED) {
        return Verdict::NotScanned { why: format!("it is encrypted ({name})") };
    }
    Verdict::Infected { name }
}

fn nonsense(line: &str) -> String {
    format!("the scanner's answer makes no sense: \"{}\"", shown(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_strictly() {
        let infected = |name: &str| Ok(Verdict::Infected { name: name.to_owned() });
        let not = |why: &str| Ok(Verdict::NotScanned { why: why.to_owned() });
        let nonsense = |text: &str| Err(format!("the scanner's answer makes no sense: \"{text}\""));
        let table: &[(&[u8], Result<Verdict, String>)] = &[
            (b"stream: OK", Ok(Verdict::Clean)),
            (b"stream: Win.Test.EICAR_HDB-1 FOUND", infected("Win.Test.EICAR_HDB-1")),
            (b"stream: A b c FOUND", infected("A b c")),
            (b"stream: A\x07\xe2\x80\xaeb FOUND", infected("Ab")),
            (
                b"INSTREAM size limit exceeded. ERROR",
                not("it is larger than the scanner takes (its StreamMaxLength)"),
            ),
            (
                b"stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND",
                not("it is over a limit of the scanner (Heuristics.Limits.Exceeded.MaxFileSize)"),
            ),
            (b"stream: Heuristics.Encrypted.Zip FOUND", not("it is encrypted (Heuristics.Encrypted.Zip)")),
            (
                b"stream: Can't allocate memory ERROR",
                Err("the scanner reports an error: stream: Can't allocate memory".to_owned()),
            ),
            (b"UNKNOWN COMMAND", nonsense("UNKNOWN COMMAND")),
            (b"stream: O", nonsense("stream: O")),
            (b"stream: OK ", nonsense("stream: OK ")),
            (b" stream: OK", nonsense(" stream: OK")),
            (b"stream: ok", nonsense("stream: ok")),
            (b"stream:  FOUND", nonsense("stream:  FOUND")),
            (b"stream: FOUND", nonsense("stream: FOUND")),
            (b"OK", nonsense("OK")),
            (b"1: stream: OK", nonsense("1: stream: OK")),
            (b"HTTP/1.1 400 Bad Request", nonsense("HTTP/1.1 400 Bad Request")),
            (b"", nonsense("")),
            (b"stream: \xff\xfe FOUND", Err("the scanner's answer makes no sense".to_owned())),
        ];
        for (line, wanted) in table {
            assert_eq!(verdict(line), *wanted, "{:?}", String::from_utf8_lossy(line));
        }
    }
}
