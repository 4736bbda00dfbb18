//! Names of folders as the protocol writes them: printable ASCII as it is, everything else as UTF-16 in base64 between `&` and `-`
//! (RFC 3501, section 5.1.3).

use base64ct::{Base64Unpadded, Encoding as _};

/// A folder's name as it is sent, in quotes.
pub(super) fn quoted(folder: &str) -> String {
    let name = encoded(folder).replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{name}\"")
}

fn encoded(folder: &str) -> String {
    let (mut name, mut run) = (String::with_capacity(folder.len()), Vec::new());
    let close = |name: &mut String, run: &mut Vec<u8>| {
        if !run.is_empty() {
            name.push('&');
            name.push_str(&Base64Unpadded::encode_string(run).replace('/', ","));
            name.push('-');
            run.clear();
        }
    };
    for letter in folder.chars() {
        if (' '..='~').contains(&letter) {
            close(&mut name, &mut run);
            name.push(letter);
            if letter == '&' {
                name.push('-');
            }
        } else {
            run.extend(letter.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| unit.to_be_bytes()));
        }
    }
    close(&mut name, &mut run);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_have_the_names_of_the_protocol() {
        for (folder, sent) in [
            ("INBOX", r#""INBOX""#),
            ("Posteingang/Übergabe & Erledigt", r#""Posteingang/&ANw-bergabe &- Erledigt""#),
            ("~peter/mail/台北/日本語", r#""~peter/mail/&U,BTFw-/&ZeVnLIqe-""#),
            ("a\"b\\c", r#""a\"b\\c""#),
            ("📎", r#""&2D3czg-""#),
            ("two\r\nlines", r#""two&AA0ACg-lines""#),
        ] {
            assert_eq!(quoted(folder), sent);
        }
    }
}
