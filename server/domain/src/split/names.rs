//! Names of documents: the message's own, those of parts that came without one, and no name twice.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Part;
use crate::mail::Mail;
use crate::tag::escape::folder_name;

/// Extensions of what often comes without a name.
const EXTENSIONS: [(&str, &str); 14] = [
    ("application/pdf", "pdf"),
    ("application/zip", "zip"),
    ("application/msword", "doc"),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    ("image/jpeg", "jpg"),
    ("image/png", "png"),
    ("image/gif", "gif"),
    ("image/tiff", "tif"),
    ("message/rfc822", "eml"),
    ("text/plain", "txt"),
    ("text/html", "html"),
    ("text/csv", "csv"),
    ("text/calendar", "ics"),
];

/// What a name may hold in braces.
const FIELDS: [&str; 4] = ["date", "time", "from", "subject"];
const LONGEST_TEMPLATE: usize = 200;

/// What is wrong with a name's template; none when nothing is.
pub(super) fn mistake(template: &str) -> Option<String> {
    if template.trim().is_empty() {
        return Some("is empty".to_owned());
    }
    if template.len() > LONGEST_TEMPLATE {
        return Some(format!("is longer than {LONGEST_TEMPLATE} bytes"));
    }
    let wrong = parts(template).find_map(|part| match part {
        Ok(_) => None,
        Err(field) if FIELDS.contains(&field) => None,
        Err(field) => Some(field),
    });
    wrong.map(|field| format!("{{{field}}} is not known ({{{}}})", FIELDS.join("}, {")))
}

/// A template's texts, and as errors its fields.
fn parts(template: &str) -> impl Iterator<Item = Result<&str, &str>> {
    template.split('{').enumerate().flat_map(|(i, piece)| {
        let split = if i == 0 { None } else { Some(piece.split_once('}').unwrap_or((piece, ""))) };
        match split {
            None => [Some(Ok(piece)), None],
            Some((field, text)) => [Some(Err(field)), Some(Ok(text))],
        }
        .into_iter()
        .flatten()
    })
}

/// The name of a message.
pub(super) fn of_message(template: &str, mail: &Mail, received: Timestamp, zone: &TimeZone) -> String {
    let local = received.to_zoned(zone.clone());
    let mut name = String::new();
    for part in parts(template) {
        match part {
            Ok(text) => name.push_str(text),
            Err("date") => name.push_str(&local.strftime("%Y-%m-%d").to_string()),
            Err("time") => name.push_str(&local.strftime("%H.%M").to_string()),
            Err("from") => name.push_str(&sender(mail)),
            Err(_) => name.push_str(&subject(mail)),
        }
    }
    format!("{}.eml", folder_name(&name))
}

/// The name of a part: its own, or one that says which message it came with.
pub(super) fn of_part(part: &Part, number: usize, mail: &Mail) -> String {
    let name = part.carried.name.trim();
    if !name.is_empty() {
        return if part.message && !name.to_lowercase().ends_with(".eml") {
            format!("{name}.eml")
        } else {
            name.to_owned()
        };
    }
    let media_type = part.carried.media_type.to_lowercase();
    let known = EXTENSIONS.iter().find(|(known, _)| *known == media_type);
    let extension = if part.message { "eml" } else { known.map_or("bin", |(_, extension)| extension) };
    format!("{} {}.{extension}", folder_name(&subject(mail)), number + 1)
}

fn subject(mail: &Mail) -> String {
    let subject = mail.subject.split_whitespace().collect::<Vec<_>>().join(" ");
    if subject.is_empty() { "(no subject)".to_owned() } else { subject }
}

fn sender(mail: &Mail) -> String {
    let from = mail.from.as_ref();
    let told = from.map(|from| if from.name.trim().is_empty() { &from.address } else { &from.name });
    told.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).unwrap_or("(unknown)".to_owned())
}

/// Names that are taken, without case.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// The name itself, or with a number where it is taken.
    pub(super) fn free(&mut self, name: String) -> String {
        let (stem, extension) = match name.rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() => (stem, format!(".{extension}")),
            _ => (name.as_str(), String::new()),
        };
        let numbered = (2..).map(|number| format!("{stem} ({number}){extension}"));
        let free =
            std::iter::once(name.clone()).chain(numbered).find(|name| self.0.insert(name.to_lowercase()));
        free.unwrap_or(name)
    }
}
