//! What a person may do at a container, read with another account: before the system account acts for them.
//!
//! A container's info has a list of who may do what. It names groups as well as persons, and in which words is not documented; so only
//! an entry for the person themself counts, and one that keeps out anybody else leaves the answer open: it may be the person's group.

use postroom_domain::dms::{DmsError, DmsResult};
use postroom_domain::link::Rights;

use super::seat::Seat;
use super::wire::{Item, entries};

impl Seat {
    pub(super) async fn rights_of(&self, library: &str, container: &str, person: &str) -> DmsResult<Rights> {
        if !self.settings.person_rights {
            return Ok(Rights::Unknown);
        }
        let (_, info) = self.info_of(container).await?;
        let Some(list) = info.get("permissions").cloned() else { return Ok(Rights::Unknown) };
        let mut names = vec![person.to_owned()];
        match self.people(library, person).await {
            Ok(found) => names.extend(found.into_iter().flat_map(|it| [it.id, it.email])),
            // An account that may not list users is no reason to fail; the person's own address may be enough.
            Err(DmsError::Forbidden(_) | DmsError::NotFound(_) | DmsError::Misconfigured(_)) => {}
            Err(error) => return Err(error),
        }
        Ok(judge(&entries(list), &names))
    }
}

fn judge(list: &[Item], names: &[String]) -> Rights {
    let is_person = |entry: &Item| {
        let who = entry.any(&["principal", "id", "name"]);
        who.is_some_and(|who| names.iter().any(|name| !name.is_empty() && who.eq_ignore_ascii_case(name)))
    };
    let on = |entry: &Item, key: &str| entry.flag(key).unwrap_or(false);
    let (own, others): (Vec<&Item>, Vec<&Item>) = list.iter().partition(|entry| is_person(entry));
    if own.is_empty() {
        return Rights::Unknown;
    }
    // A "no" outweighs whatever else is said.
    if own.iter().any(|entry| on(entry, "noAccess") || !on(entry, "edit")) {
        return Rights::Denied;
    }
    if others.iter().any(|entry| on(entry, "noAccess")) { Rights::Unknown } else { Rights::Allowed }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_persons_own_entry_is_certain() {
        let names = ["ada@firm.example".to_owned(), "DUCOT-ADA".to_owned()];
        for (list, wanted) in [
            (json!([{ "principal": "DUCOT-ADA", "view": true, "edit": true }]), Rights::Allowed),
            (json!([{ "principal": "ducot-ada", "edit": "true" }]), Rights::Allowed),
            (json!([{ "principal": "DUCOT-ADA", "view": true, "edit": false }]), Rights::Denied),
            (json!([{ "principal": "DUCOT-ADA", "noAccess": true }]), Rights::Denied),
            (json!([{ "principal": "UG-1", "edit": true }]), Rights::Unknown),
            (
                json!([{ "principal": "DUCOT-ADA", "edit": true }, { "principal": "UG-1", "noAccess": true }]),
                Rights::Unknown,
            ),
            (json!([]), Rights::Unknown),
        ] {
            assert_eq!(judge(&entries(list.clone()), &names), wanted, "{list}");
        }
    }
}
