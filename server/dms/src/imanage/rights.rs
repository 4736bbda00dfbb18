//! What a person may do at a container, read with another account: before the system account acts for them.
//!
//! The list of who has access is documented for documents only; below folders and workspaces it is a guess (`rights_path`). What
//! is not said with certainty is not known: a person whose access may come by a group, or by the container's default.
//!
//! The list names users by their ids; a person is known to us by e-mail, so their id is looked up first.

use postroom_domain::dms::DmsResult;
use postroom_domain::link::Rights;
use postroom_outbound::Method;
use tracing::debug;

use super::places::Kind;
use super::wire::{Envelope, Item};
use super::{Seat, errors, ids};

impl Seat {
    pub(super) async fn rights_of(&self, _library: &str, container: &str, person: &str) -> DmsResult<Rights> {
        if !self.settings.person_rights {
            return Ok(Rights::Unknown);
        }
        let mut names = self.ids_of(person).await?;
        names.push(person.to_owned());
        let parsed = ids::container(container)?;
        let kind = if let Some(kind) = self.kinds.of(container) {
            kind
        } else {
            self.by_id(container, &[Kind::Folder, Kind::Workspace]).await?;
            self.kinds.of(container).unwrap_or(Kind::Folder)
        };
        let kind = if kind == Kind::Workspace { "workspaces" } else { "folders" };
        let path = ["libraries", parsed.library, kind, container, self.settings.rights_path.as_str()];
        let url = self.tenant().await?.url(&path, &[]);
        let reply = self.ask("security", Method::GET, url, None).await?;
        match reply.status {
            200..=299 if reply.is_web_page() => Ok(Rights::Unknown),
            200..=299 => {
                Ok(reply.json::<Envelope>().map_or(Rights::Unknown, |mut it| judge(&it.items(), &names)))
            }
            // The server does not have the path, or does not show it to this account.
            400 | 403 | 404 | 405 | 501 => {
                debug!(dms.service = %self.name, http.status = reply.status, "iManage does not tell who has access.");
                Ok(Rights::Unknown)
            }
            _ => {
                Err(errors::shape(&reply, &format!("reading who has access to {container}"), &self.settings))
            }
        }
    }
}

impl Seat {
    /// The ids of the users with a person's e-mail. The search may find more than was asked for, so its hits are compared again.
    async fn ids_of(&self, person: &str) -> DmsResult<Vec<String>> {
        let url = self.tenant().await?.url(&["users"], &[("email", person)]);
        let reply = self.ask("users", Method::GET, url, None).await?;
        if !reply.is_success() {
            debug!(dms.service = %self.name, http.status = reply.status, "iManage does not tell whose an e-mail is.");
            return Ok(Vec::new());
        }
        let users = reply.json::<Envelope>().map(|mut it| it.items()).unwrap_or_default();
        let theirs = |it: &&Item| it.text("email").is_some_and(|email| email.eq_ignore_ascii_case(person));
        Ok(users.iter().filter(theirs).filter_map(|it| it.text("id")).collect())
    }
}

/// What a list of access says about a person, by whichever of their names. An entry of their own counts; groups and defaults leave it
/// open.
fn judge(entries: &[Item], names: &[String]) -> Rights {
    let same = |text: Option<String>| {
        text.is_some_and(|text| names.iter().any(|name| text.eq_ignore_ascii_case(name)))
    };
    let own = entries.iter().filter(|entry| entry.text("type").is_none_or(|kind| kind != "group"));
    let levels: Vec<Rights> = own
        .filter(|entry| ["id", "user_id", "email", "name"].iter().any(|field| same(entry.text(field))))
        .map(level)
        .collect();
    match levels.as_slice() {
        [] => Rights::Unknown,
        // A "no" outweighs whatever else is said.
        levels if levels.contains(&Rights::Denied) => Rights::Denied,
        levels if levels.contains(&Rights::Unknown) => Rights::Unknown,
        _ => Rights::Allowed,
    }
}

/// The level of an entry, by name or by number (0 none, 1 read, 2 read and write, 3 everything).
fn level(entry: &Item) -> Rights {
    match entry.text("access_level").as_deref() {
        Some("no_access" | "read") => return Rights::Denied,
        Some("read_write" | "full_access" | "change_security") => return Rights::Allowed,
        _ => {}
    }
    match entry.number("access") {
        Some(0 | 1) => Rights::Denied,
        Some(2 | 3) => Rights::Allowed,
        _ => Rights::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_persons_own_entry_is_certain() {
        let table = [
            (r#"[{"id":"ADA","access_level":"full_access"}]"#, Rights::Allowed),
            (r#"[{"id":"ADA","type":"user","access":2}]"#, Rights::Allowed),
            (r#"[{"id":"ADA","access_level":"no_access"}]"#, Rights::Denied),
            (r#"[{"id":"ADA","access_level":"read"}]"#, Rights::Denied),
            (r#"[{"id":"ADA","access_level":"full_access"},{"id":"ada","access":0}]"#, Rights::Denied),
            (r#"[{"id":"ADA","access_level":"of another world"}]"#, Rights::Unknown),
            (r#"[{"id":"ADA","type":"group","access_level":"full_access"}]"#, Rights::Unknown),
            (r#"[{"id":"BOB","access_level":"no_access"}]"#, Rights::Unknown),
            ("[]", Rights::Unknown),
        ];
        for (entries, wanted) in table {
            let body = format!(r#"{{"data":{entries}}}"#);
            let items = serde_json::from_str::<Envelope>(&body).unwrap().items();
            assert_eq!(judge(&items, &["ada".to_owned()]), wanted, "{entries}");
        }
    }
}
