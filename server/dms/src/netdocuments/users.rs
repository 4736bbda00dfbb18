//! Accounts of persons: found in the repository, and made where the firm has chosen to.

use postroom_domain::cause::Cause;
use postroom_domain::dms::{DmsError, DmsResult, DmsUser, Made, NewUser};
use postroom_outbound::Method;

use super::errors;
use super::seat::{Body, Seat};
use super::wire::{self, Item, entries};

fn user(item: &Item) -> Option<DmsUser> {
    let id = item.any(&["id", "guid"])?;
    let locked = item.flag("locked").or_else(|| item.flag("disabled")).unwrap_or(false);
    Some(DmsUser {
        name: item.any(&["displayName", "name", "email"]).unwrap_or_else(|| id.clone()),
        email: item.text("email").unwrap_or_default(),
        external: item.flag("external").unwrap_or(false),
        active: !locked,
        id,
    })
}

impl Seat {
    /// The repository of a call.
    async fn repository(&self, library: &str) -> DmsResult<String> {
        let home = self.home().await?;
        let wanted = [library, self.settings.cabinet.as_str()].into_iter().find(|it| !it.is_empty());
        let found = home.cabinets.iter().find(|it| wanted.is_none_or(|id| it.id.eq_ignore_ascii_case(id)));
        let found = found.map(|it| it.repository.clone()).filter(|it| !it.is_empty());
        found.ok_or_else(|| {
            errors::trouble(Cause::Misconfigured, "NetDocuments does not tell the cabinet's repository")
        })
    }

    /// Accounts by e-mail, which must equal, or by a part of the name.
    pub(super) async fn people(&self, library: &str, text: &str) -> DmsResult<Vec<DmsUser>> {
        let repository = self.repository(library).await?;
        let url = self.url(&["v1", "Repository", &repository, "users"], &[])?;
        let all = entries(self.value("users", url, "listing the repository's users").await?);
        let wanted = text.trim().to_lowercase();
        let same = |it: &DmsUser| {
            if wanted.contains('@') {
                it.email.to_lowercase() == wanted
            } else {
                !wanted.is_empty() && it.name.to_lowercase().contains(&wanted)
            }
        };
        Ok(all.iter().filter_map(user).filter(same).collect())
    }

    /// Makes an account, or finds the one that is there. Its groups and its access follow; an account that is there already gets
    /// them too only by whoever administers NetDocuments.
    pub(super) async fn make_user(&self, new: NewUser<'_>) -> DmsResult<Made> {
        if !self.settings.users.create {
            let text = "making accounts of persons is switched off in the settings (users.create): each may cost a licence";
            return Err(errors::trouble(Cause::Unsupported, text));
        }
        if !new.email.contains('@') {
            return Err(errors::rejected("email", format!("{:?} is no e-mail address", new.email)));
        }
        if let Some(present) = self.people(new.library, new.email).await?.into_iter().next() {
            return Ok(Made::Present(present));
        }
        let repository = self.repository(new.library).await?;
        let flag = |on: bool| if on { "true" } else { "false" }.to_owned();
        let fields = [
            ("username", new.email.to_owned()),
            ("displayFirstName", new.given_name.to_owned()),
            ("displayLastName", new.family_name.to_owned()),
            ("email", new.email.to_owned()),
            ("external", flag(new.external)),
            ("sendWelcome", flag(new.invite)),
            ("repository", repository.clone()),
        ];
        let url = self.url(&["v1", "User"], &[])?;
        let reply = self.ask("create_user", Method::POST, url, Body::Fields(&fields)).await?;
        if !reply.is_success() {
            return Err(self.of_users(&reply, &format!("making an account for {}", new.email)));
        }
        let made = Item::of(wire::value(&reply)?).as_ref().and_then(user);
        let made = made.ok_or_else(|| DmsError::from(reply.unreadable("the new account has no id")))?;
        self.join(
            &["v1", "Repository", &repository, "members"],
            &[
                ("action", "add"),
                ("member", made.id.as_str()),
                ("external", if new.external { "true" } else { "false" }),
            ],
        )
        .await?;
        for group in &self.settings.users.groups {
            self.join(&["v1", "Group", group, "members"], &[("action", "add"), ("member", made.id.as_str())])
                .await?;
        }
        if !new.library.is_empty() {
            let rights = [
                ("action", "add"),
                ("id", made.id.as_str()),
                ("view", "true"),
                ("edit", "true"),
                ("share", "false"),
                ("administer", "false"),
                ("noAccess", "false"),
            ];
            self.join(&["v1", "Cabinet", new.library, "membership"], &rights).await?;
        }
        Ok(Made::New(made))
    }

    async fn join(&self, path: &[&str], form: &[(&str, &str)]) -> DmsResult<()> {
        let url = self.url(path, &[])?;
        let reply = self.ask("join", Method::POST, url, Body::Form(form)).await?;
        if reply.is_success() {
            return Ok(());
        }
        Err(self.of_users(&reply, &format!("adding a new account at {}", path[1..].join("/"))))
    }

    /// Administering wants a scope and a right of its own; without them it says so.
    fn of_users(&self, reply: &postroom_outbound::Reply, doing: &str) -> DmsError {
        let error = errors::shape(reply, doing, &self.settings);
        match error {
            DmsError::Forbidden(mut trouble) => {
                trouble.detail += " (the application and the account need the scope admin)";
                DmsError::Forbidden(trouble)
            }
            other => other,
        }
    }
}
