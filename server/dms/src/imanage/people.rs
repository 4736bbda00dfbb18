//! Accounts of users: found by address or name, and made where the settings say that the server can.
//!
//! Neither verb nor path of making one is documented; the fields are those of iManage's own connector for administrators. A user is
//! asked for by address before and compared by address afterwards: the server gives back the user who has the id already.

use postroom_domain::cause::Cause;
use postroom_domain::dms::{DmsError, DmsResult, DmsUser, Made, NewUser, Trouble};
use postroom_outbound::Method;
use serde_json::json;

use super::settings::UserIds;
use super::wire::{Envelope, Item};
use super::{Seat, errors};

/// The id of a new user, of what ids may hold everywhere.
fn id_of(email: &str, rule: UserIds) -> String {
    let text = match rule {
        UserIds::LocalPart => email.split('@').next().unwrap_or(email),
        UserIds::Email => email,
    };
    text.chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '@'))
        .collect::<String>()
        .to_uppercase()
}

fn user(item: &Item) -> Option<DmsUser> {
    let is = |key: &str| item.text(key).map(|value| value == "true");
    let id = item.text("id")?;
    Some(DmsUser {
        name: item.text("full_name").filter(|name| !name.is_empty()).unwrap_or_else(|| id.clone()),
        email: item.text("email").unwrap_or_default(),
        external: is("is_external").unwrap_or(false),
        active: is("allow_logon").unwrap_or(true) && !is("is_locked").unwrap_or(false),
        id,
    })
}

fn not_here(why: &str) -> DmsError {
    let detail = format!("making accounts of persons is not available here: {why}");
    DmsError::from_trouble(Trouble::new(Cause::Unsupported, detail))
}

impl Seat {
    /// Users by address, which must equal, or by a part of the name.
    pub(super) async fn users(&self, text: &str) -> DmsResult<Vec<DmsUser>> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let by_email = text.contains('@');
        let query = if by_email { ("email", text) } else { ("query", text) };
        let limit = self.settings.page.to_string();
        let url = self.tenant().await?.url(&["users"], &[query, ("limit", limit.as_str())]);
        let (items, _) = self.list("users", url, "looking up users").await?;
        let small = text.to_lowercase();
        // The server's search takes patterns, and leaves out what it does not know.
        let fits = |user: &DmsUser| {
            if by_email {
                user.email.eq_ignore_ascii_case(text)
            } else {
                [&user.id, &user.name].iter().any(|name| name.to_lowercase().contains(&small))
            }
        };
        Ok(items.iter().filter_map(user).filter(fits).collect())
    }

    /// Makes a user, or finds the one with the address.
    pub(super) async fn make_user(&self, new: NewUser<'_>) -> DmsResult<Made> {
        if !self.settings.create_users {
            return Err(not_here("create_users is not set"));
        }
        if !new.email.contains('@') || new.email.contains(char::is_whitespace) {
            return Err(errors::rejected("email", format!("{:?} is not an address", new.email)));
        }
        if let Some(present) = self.users(new.email).await?.into_iter().next() {
            return Ok(Made::Present(present));
        }
        let library = self.library(new.library).await?;
        let id = id_of(new.email, self.settings.user_ids);
        let body = json!({
            "id": id,
            "full_name": format!("{} {}", new.given_name, new.family_name).trim(),
            "email": new.email,
            "is_external": new.external,
            "preferred_library": library,
            "ignore_if_user_already_exists": true,
        });
        let url = self.tenant().await?.url(&["users"], &[]);
        let reply = self.ask("create_user", Method::POST, url, Some(&body)).await?;
        if matches!(reply.status, 404 | 405 | 501) {
            return Err(not_here(&format!("the server answers {}", reply.status)));
        }
        if !reply.is_success() {
            return Err(errors::shape(&reply, "making a user", &self.settings));
        }
        let item = reply.json::<Envelope>()?.object();
        let made = item.as_ref().and_then(|item| Some((user(item)?, item.text("user_created"))));
        let (made, created) =
            made.ok_or_else(|| DmsError::from(reply.unreadable("the new user has no id")))?;
        if !made.email.is_empty() && !made.email.eq_ignore_ascii_case(new.email) {
            let detail = format!("user id {id} belongs to somebody with another address");
            return Err(DmsError::from_trouble(Trouble::new(Cause::Conflict, detail)));
        }
        let made = DmsUser { email: new.email.to_owned(), ..made };
        Ok(if created.as_deref() == Some("false") { Made::Present(made) } else { Made::New(made) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_made_of_the_address() {
        for (email, rule, id) in [
            ("z.oneill@client.example", UserIds::LocalPart, "Z.ONEILL"),
            ("z.oneill@client.example", UserIds::Email, "Z.ONEILL@CLIENT.EXAMPLE"),
            ("o'neill+x@client.example", UserIds::LocalPart, "ONEILLX"),
        ] {
            assert_eq!(id_of(email, rule), id);
        }
    }
}
