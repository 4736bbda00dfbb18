//! Ids: twelve digits for people, `:Q24:…` inside.

use super::model::Kind;

/// First part of all ids.
const BASE: u64 = 480_000_000_000;

/// The id in twelve digits, such as `4800-0000-3652`.
pub(super) fn digits(number: u64) -> String {
    let all = format!("{:012}", BASE + number);
    format!("{}-{}-{}", &all[..4], &all[4..8], &all[8..])
}

fn tail(mark: &str, number: u64) -> String {
    let d = format!("{number:010}");
    format!(":Q24:{}:{}:{}:{}:{mark}23100{d}.nev", &d[6..7], &d[7..8], &d[8..9], &d[9..10])
}

/// The inner id of a container.
pub(super) fn env(kind: Kind, number: u64) -> String {
    tail(&format!("^{}", kind.letter()), number)
}

/// The inner id of a document.
pub(super) fn env_of_document(number: u64) -> String {
    tail("~", number)
}

/// The number behind an id of either form.
pub(super) fn parse(id: &str) -> Option<u64> {
    if let Some(rest) = id.strip_prefix(":Q24:") {
        let last = rest.rsplit(':').next()?.strip_suffix(".nev")?;
        let last = last.trim_start_matches(['^', '~', 'W', 'F', 'S']);
        return last.strip_prefix("23100")?.parse().ok();
    }
    let parts: Vec<&str> = id.split('-').collect();
    let shaped = parts.len() == 3
        && parts.iter().all(|part| part.len() == 4 && part.bytes().all(|b| b.is_ascii_digit()));
    parts.concat().parse::<u64>().ok().filter(|_| shaped)?.checked_sub(BASE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_name_the_same_thing() {
        assert_eq!(digits(3652), "4800-0000-3652");
        assert_eq!(parse("4800-0000-3652"), Some(3652));
        assert_eq!(parse(&env(Kind::Workspace, 3650)), Some(3650));
        assert_eq!(parse(&env_of_document(12)), Some(12));
        for wrong in ["", "4800-0000-365", "480000003652", "4800-0000-36x2", ":Q24:x.nev", "NG-1A2B3C4D"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
