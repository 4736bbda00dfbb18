//! What an account may do at a folder: HighQ tells that of the account that asks, and of nobody else.

use postroom_domain::dms::DmsResult;
use postroom_domain::link::Rights;
use postroom_domain::person::{Actor, Credential};

use super::ids;
use super::seat::Seat;
use super::settings::Settings;
use super::wire::Item;

impl Seat {
    /// The rights of `person`, if the account that asks is theirs. `own` is the e-mail of the settings' account, where it is known.
    pub(super) async fn rights_of(
        &self,
        actor: &Actor,
        container: &str,
        person: &str,
        own: Option<String>,
    ) -> DmsResult<Rights> {
        let place = ids::place(container)?;
        let theirs = match actor.credential {
            Some(Credential::Own) => actor.account_owner() == person,
            _ => own.is_some_and(|own| own.eq_ignore_ascii_case(person)),
        };
        if !theirs {
            return Ok(Rights::Unknown);
        }
        let folder = self.folder_of(place).await?;
        Ok(judge(&self.folder_info(folder).await?.item, &self.settings))
    }
}

/// What a folder's permission says: a block of flags, or one word.
pub(super) fn judge(folder: &Item, settings: &Settings) -> Rights {
    if let Some(flags) = folder.inner("permission") {
        let flag = |key: &str| flags.text(key).map(|it| it == "1" || it.eq_ignore_ascii_case("true"));
        let strong = [flag("addEditAllFiles"), flag("admin")];
        if strong.contains(&Some(true)) {
            return Rights::Allowed;
        }
        let all = [strong[0], strong[1], flag("edit")];
        return if all.iter().all(|it| *it == Some(false)) { Rights::Denied } else { Rights::Unknown };
    }
    let Some(word) = folder.text("permission") else { return Rights::Unknown };
    let is = |list: &std::collections::BTreeSet<String>| list.iter().any(|it| it.eq_ignore_ascii_case(&word));
    if is(&settings.update_words) {
        Rights::Allowed
    } else if is(&settings.view_words) {
        Rights::Denied
    } else {
        Rights::Unknown
    }
}
