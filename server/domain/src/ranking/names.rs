//! Names of a work item's people that stand in a mail.

use super::Evidence;
use crate::mail::Mail;
use crate::matching::Known;

/// Work items whose names are looked for, names of each, and bytes of the text that are looked through.
const MOST_ITEMS: usize = 64;
const MOST_NAMES: usize = 20;
const LONGEST_TEXT: usize = 16 * 1024;
/// Shorter names stand in every text.
const SHORTEST: usize = 5;

/// A title or client in the subject says more than one in the text, where whole companies sign.
const IN_SUBJECT: u32 = 150;
const IN_TEXT: u32 = 50;

pub(super) fn evidence(mail: &Mail, known: &Known) -> Vec<Evidence> {
    let subject = words(&mail.subject);
    let text = words(&mail.text[..mail.text.floor_char_boundary(LONGEST_TEXT)]);
    let mut all = Vec::new();
    for (id, known) in known.items.iter().take(MOST_ITEMS) {
        let item = &known.item;
        let people = item.participants.iter().map(|one| one.name.as_str());
        let names = [item.title.as_str(), item.client.name.as_str()].into_iter().chain(people);
        let mut best: Option<(u32, String)> = None;
        for name in names.take(MOST_NAMES).filter(|name| name.chars().count() >= SHORTEST) {
            let looked_for = words(name);
            // Only a name without a letter or digit is empty here.
            let found = if looked_for.trim().is_empty() {
                None
            } else if subject.contains(&looked_for) {
                Some((IN_SUBJECT, format!("\"{name}\" stands in the subject")))
            } else if text.contains(&looked_for) {
                Some((IN_TEXT, format!("\"{name}\" stands in the text")))
            } else {
                None
            };
            best = match (best, found) {
                (Some(best), Some(found)) if found.0 > best.0 => Some(found),
                (best, found) => best.or(found),
            };
        }
        all.extend(best.map(|(points, reason)| Evidence { work_item: *id, points, reason }));
    }
    all
}

/// A text as its words in small letters, with one blank before, between and behind: so that names are found as whole words.
fn words(text: &str) -> String {
    let mut words = String::from(" ");
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        words.push_str(&word.to_lowercase());
        words.push(' ');
    }
    words
}
