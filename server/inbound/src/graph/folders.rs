//! Folders, by the names that people and Microsoft have for them.

use postroom_outbound::Method;
use serde_json::{Value, json};

use super::talk::{Talk, Trouble};

/// Names that stand for a folder in every language.
const WELL_KNOWN: [&str; 8] =
    ["inbox", "archive", "sentitems", "drafts", "deleteditems", "junkemail", "outbox", "msgfolderroot"];
/// Ids are longer than anybody's names.
const LONG: usize = 60;
/// Pages of folders that are looked through.
const MOST_PAGES: usize = 50;

/// Whether two names are of one folder, as far as names tell.
pub(super) fn same(one: &str, other: &str) -> bool {
    let plain = |name: &str| {
        let bare = name.trim_matches('/');
        well_known(bare).map_or_else(|| bare.to_owned(), str::to_owned)
    };
    plain(one) == plain(other)
}

fn well_known(name: &str) -> Option<&'static str> {
    WELL_KNOWN.into_iter().find(|known| known.eq_ignore_ascii_case(name))
}

fn is_id(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=+/".contains(&byte);
    name.len() > LONG && name.bytes().all(letter)
}

fn id(folder: &Value) -> Option<String> {
    folder["id"].as_str().filter(|id| !id.is_empty()).map(str::to_owned)
}

impl Talk<'_> {
    /// The id of a folder; [`Trouble::Gone`] when there is none of that name.
    pub(super) async fn folder(&self, name: &str) -> Result<String, Trouble> {
        if let Some(known) = well_known(name).or(is_id(name).then_some(name)) {
            return self.folder_by_id(known).await;
        }
        let mut within = None;
        for step in steps(name) {
            within = Some(self.child(within.as_deref(), step).await?.ok_or_else(|| none(name))?);
        }
        within.ok_or_else(|| none(name))
    }

    async fn folder_by_id(&self, known: &str) -> Result<String, Trouble> {
        let mut url = self.at(["mailFolders", known]);
        url.set_query(Some("$select=id"));
        let folder = self.json("folder", Method::GET, &url, None).await?;
        id(&folder).ok_or_else(|| Trouble::Lost("Microsoft Graph gave a folder without an id".to_owned()))
    }

    /// The same, and it is made, with all that it lies in, where it is not there.
    pub(super) async fn folder_made(&self, name: &str) -> Result<String, Trouble> {
        match self.folder(name).await {
            Err(Trouble::Gone(_)) if well_known(name).is_none() && !is_id(name) => {}
            found => return found,
        }
        let mut within: Option<String> = None;
        for step in steps(name) {
            let found = self.child(within.as_deref(), step).await?;
            within = Some(match found {
                Some(found) => found,
                None => self.make(within.as_deref(), step).await?,
            });
        }
        within.ok_or_else(|| none(name))
    }

    async fn make(&self, within: Option<&str>, name: &str) -> Result<String, Trouble> {
        let (at, body) = (self.list(within), json!({"displayName": name}));
        let made = self.json("make_folder", Method::POST, &at, Some(&body)).await?;
        id(&made).ok_or_else(|| Trouble::Lost("Microsoft Graph made a folder without an id".to_owned()))
    }

    fn list(&self, within: Option<&str>) -> url::Url {
        match within {
            None => self.at(["mailFolders"]),
            Some(within) => self.at(["mailFolders", within, "childFolders"]),
        }
    }

    /// A folder of that name in another one, or at the top; names are as people see them.
    async fn child(&self, within: Option<&str>, name: &str) -> Result<Option<String>, Trouble> {
        let mut url = self.list(within);
        url.set_query(Some("$select=id,displayName&$top=100&includeHiddenFolders=true"));
        for _ in 0..MOST_PAGES {
            let page = self.json("folders", Method::GET, &url, None).await?;
            let list = page["value"].as_array().map_or(&[][..], Vec::as_slice);
            if let Some(found) = list.iter().find(|it| it["displayName"] == name) {
                return Ok(id(found));
            }
            match page["@odata.nextLink"].as_str() {
                Some(next) => url = self.link(next)?,
                None => break,
            }
        }
        Ok(None)
    }
}

fn steps(name: &str) -> impl Iterator<Item = &str> {
    name.split('/').filter(|step| !step.is_empty())
}

fn none(name: &str) -> Trouble {
    Trouble::Gone(format!("there is no folder {name:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_ids_are_told_apart() {
        assert!(same("Inbox", "inbox") && same("/Filed/2026", "Filed/2026/"));
        assert!(!same("Filed", "filed") && !same("inbox", "Inbox/Clients"));
        assert!(is_id(&format!("AQMkADAwATM0MDAAMS1iNTcAZ{}=", "a".repeat(60))));
        assert!(!is_id("Archive of letters that came in before the first of January 2026"));
    }
}
