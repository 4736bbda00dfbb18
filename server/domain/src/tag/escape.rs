//! What a value must not do to the text it is put into.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The longest folder name, in characters.
const LONGEST_FOLDER: usize = 120;

/// What RFC 3986 calls unreserved.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// For the words of a DMS's search: characters that such searches read as operators become spaces. The search finds too much then,
/// never something else: what it finds is compared with the untouched value afterwards.
pub fn dms_query(value: &str) -> String {
    let plain: String = value
        .chars()
        .map(|c| match c {
            '"' | '\'' | '*' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '\\' | '^' | '~' | ':' | '&'
            | '|' | '!' | '<' | '>' | '=' | '+' | ';' | ',' => ' ',
            c if c.is_control() => ' ',
            c => c,
        })
        .collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A folder's name as every DMS takes it: no separators, no control characters, none of `<>:"|?*`, no dots or spaces at
/// its ends, at most 120 characters; `_` when nothing is left.
pub fn folder_name(name: &str) -> String {
    let safe: String = folder_part(name).chars().take(LONGEST_FOLDER).collect();
    let safe = safe.trim_matches(|c: char| c == '.' || c.is_whitespace());
    if safe.is_empty() { "_".to_owned() } else { safe.to_owned() }
}

/// A value within a folder's name: nothing in it makes another folder. The whole name still goes through [`folder_name`].
pub fn folder_part(value: &str) -> String {
    let safe = |c| match c {
        '/' | '\\' | ':' | '|' => '-',
        '<' | '>' | '"' | '?' | '*' => '_',
        c if char::is_control(c) => ' ',
        c => c,
    };
    value.chars().map(safe).collect()
}

/// For the text of a page or of an e-mail in HTML, and for its attributes in quotes.
pub fn html(value: &str) -> String {
    let mut safe = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

/// For a part of a path or of a query: everything but letters, digits and `-._~` as `%XX`.
pub fn url(value: &str) -> String {
    utf8_percent_encode(value, UNRESERVED).to_string()
}

/// For a cell of a CSV file that a spreadsheet opens: what it would take for a formula gets an apostrophe in front, and what would end
/// the cell is quoted.
pub fn csv(value: &str) -> String {
    // A tab or line end in front does not hide a formula from a spreadsheet.
    let formula = value.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let cell = if formula { format!("'{value}") } else { value.to_owned() };
    if cell.contains(['"', ',', ';', '\r', '\n', '\t']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Escape, value, what it becomes.
    type Row = (fn(&str) -> String, &'static str, &'static str);

    #[test]
    fn every_target_has_its_escape() {
        let table: &[Row] = &[
            (dms_query, "Harrow v Teal", "Harrow v Teal"),
            (dms_query, "A* (\"B\")", "A B"),
            (dms_query, "a\\b:c\n d", "a b c d"),
            (dms_query, "O'Neill & Söhne", "O Neill Söhne"),
            (dms_query, "***", ""),
            (folder_name, "a/b\\c", "a-b-c"),
            (folder_name, " ..x.. ", "x"),
            (folder_name, "..", "_"),
            (folder_name, "q?<z>", "q__z_"),
            (folder_part, " Harrow Ltd. ", " Harrow Ltd. "),
            (folder_part, "../x", "..-x"),
            (html, "<b onclick=\"x('&')\">", "&lt;b onclick=&quot;x(&#39;&amp;&#39;)&quot;&gt;"),
            (html, "&amp;", "&amp;amp;"),
            (url, "a b/c?d=é&f#g", "a%20b%2Fc%3Fd%3D%C3%A9%26f%23g"),
            (url, "a-b._~0", "a-b._~0"),
            (csv, "plain", "plain"),
            (csv, "=1+1", "'=1+1"),
            (csv, "+44", "'+44"),
            (csv, "-1", "'-1"),
            (csv, "@x", "'@x"),
            (csv, "a=1", "a=1"),
            (csv, "\t=1", "\"'\t=1\""),
            (csv, "=HYPERLINK(\"x\",1)", "\"'=HYPERLINK(\"\"x\"\",1)\""),
            (csv, "a,b", "\"a,b\""),
            (csv, "say \"x\"", "\"say \"\"x\"\"\""),
        ];
        for (escape, value, wanted) in table {
            assert_eq!(escape(value), *wanted, "{value:?}");
        }
        assert_eq!(folder_name(&"ä".repeat(500)).chars().count(), LONGEST_FOLDER);
    }
}
