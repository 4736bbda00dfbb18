//! People: HighQ keeps them in organisations, which own the domains of their addresses. Somebody new is added to a site, with the
//! organisation that has their domain.

use std::time::Duration;

use postroom_domain::cause::Cause;
use postroom_domain::dms::{DmsError, DmsResult, DmsUser, Made, NewUser, Trouble};
use postroom_outbound::Method;
use serde_json::json;
use tracing::info;

use super::seat::{Body, Seat};
use super::wire::{self, Element, Item};
use super::{errors, ids};

fn user_of(item: &Item) -> Option<DmsUser> {
    let names = [item.text("firstname"), item.text("lastname")];
    let name = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let status = item.text("status").unwrap_or_default().to_lowercase();
    Some(DmsUser {
        id: item.text("userid").or_else(|| item.text("id"))?,
        name,
        email: item.text("email").unwrap_or_default(),
        external: false,
        active: !["archived", "inactive", "locked", "disabled"].contains(&status.as_str()),
    })
}

impl Seat {
    fn site_for(&self, library: &str) -> DmsResult<u64> {
        if !library.is_empty() {
            return ids::library(library);
        }
        self.settings.people.site.ok_or_else(|| {
            let message = "people are added to a site; name one (library, or people.site in the settings)";
            errors::rejected("library", message.to_owned())
        })
    }

    /// People of a site, by e-mail or by name.
    pub(super) async fn find_users(&self, library: &str, text: &str) -> DmsResult<Vec<DmsUser>> {
        let Some(path) = &self.settings.people.list else {
            let detail = "the settings name no list of a site's users (people.list)";
            return Err(DmsError::from_trouble(Trouble::new(Cause::Unsupported, detail)));
        };
        if text.trim().is_empty() {
            return Ok(Vec::new());
        }
        let site = self.site_for(library)?;
        let path = path.replace("{site}", &site.to_string());
        let segments: Vec<&str> = path.split('/').collect();
        let url = self.url(self.settings.versions.users, &segments, &[]);
        let item = self.get("site_users", url, &format!("listing users of site {site}")).await?;
        let wanted = text.trim().to_lowercase();
        let fits = |user: &DmsUser| {
            if wanted.contains('@') {
                user.email.to_lowercase() == wanted
            } else {
                user.name.to_lowercase().contains(&wanted)
            }
        };
        Ok(item.entries("user").iter().filter_map(user_of).filter(fits).collect())
    }

    /// Adds a person to a site; HighQ makes the account where there is none.
    pub(super) async fn create_user(&self, user: NewUser<'_>) -> DmsResult<Made> {
        let email = user.email.trim().to_lowercase();
        let domain = match email.split_once('@') {
            Some((name, domain)) if !name.is_empty() && domain.contains('.') && !domain.contains('@') => {
                domain
            }
            _ => return Err(errors::rejected("email", format!("{:?} is no e-mail address", user.email))),
        };
        let site = self.site_for(user.library)?;
        if self.settings.people.list.is_some()
            && let Some(there) = self.find_users(&site.to_string(), &email).await?.pop()
        {
            return Ok(Made::Present(DmsUser { external: user.external, ..there }));
        }
        let organisation = self.organisation(domain).await?;
        let given = [user.given_name.trim(), user.family_name.trim(), email.split('@').next().unwrap_or("")];
        let given = given.into_iter().find(|it| !it.is_empty()).unwrap_or(&email);
        let mut person = Element::new().with("firstname", given);
        if !user.family_name.trim().is_empty() {
            person = person.with("lastname", user.family_name.trim());
        }
        let person = person.with("email", &email).with("orgid", &organisation);
        let body = Element::new().inside("user", &person).document("users");
        let invite = if user.invite { "true" } else { "false" };
        let path = ["sites", &site.to_string(), "users"];
        // HighQ writes to people unless it is told not to.
        let url = self.url(self.settings.versions.users, &path, &[("sendinvitation", invite)]);
        let doing = format!("adding {email} to site {site}");
        let reply = self.ask("add_users", Method::POST, url, Body::Xml(body)).await?;
        if !reply.is_success() {
            return Err(self.refusal(&reply, &doing));
        }
        let answer = wire::read(&reply)?;
        let result = match answer.anywhere("progressivekey") {
            Some(key) => self.finished(&key, &doing, &email).await?,
            None => result_for(&answer, &email),
        };
        let result = result
            .ok_or_else(|| DmsError::from(reply.unreadable("it does not tell what became of the person")))?;
        self.made(&user, &email, &result, &doing)
    }

    /// What became of somebody. The status of the answer is 200 whatever it is, so the inner one counts.
    fn made(&self, user: &NewUser<'_>, email: &str, result: &Item, doing: &str) -> DmsResult<Made> {
        let code = result.number("statuscode").and_then(|n| u16::try_from(n).ok());
        let message = result.text("message").unwrap_or_default();
        let success = result.text("status").is_some_and(|it| it.eq_ignore_ascii_case("success"));
        let people = &self.settings.people;
        let name = format!("{} {}", user.given_name.trim(), user.family_name.trim()).trim().to_owned();
        let account = DmsUser {
            id: result.text("userid").unwrap_or_else(|| email.to_owned()),
            name,
            email: email.to_owned(),
            external: user.external,
            active: true,
        };
        match code {
            Some(code) if people.made_codes.contains(&code) => Ok(Made::New(account)),
            Some(code) if people.present_codes.contains(&code) => Ok(Made::Present(account)),
            None if success => Ok(Made::New(account)),
            code => {
                let shown: String = message.chars().filter(|c| !c.is_control()).take(300).collect();
                let detail = format!("{doing}: inner status {}, {shown}", code.unwrap_or_default());
                let cause = match code {
                    Some(401 | 403) => Cause::NoRight,
                    Some(500..) => Cause::ServerFault,
                    _ => Cause::Rejected,
                };
                let trouble = Trouble { status: code, ..Trouble::new(cause, detail) };
                Err(match DmsError::from_trouble(trouble) {
                    DmsError::Rejected { trouble, .. } => {
                        DmsError::Rejected { field: Some("email".to_owned()), message: shown, trouble }
                    }
                    other => other,
                })
            }
        }
    }

    /// Asks after an addition that goes on, so many times.
    async fn finished(&self, key: &str, doing: &str, email: &str) -> DmsResult<Option<Item>> {
        let people = &self.settings.people;
        let pause = Duration::from_secs_f64(people.poll_seconds);
        for n in 0..people.polls {
            if n > 0 && !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            let path = ["progressivekeystatus", key];
            let url = self.url(self.settings.versions.users, &path, &[]);
            let reply = self.ask("progress", Method::POST, url, Body::None).await?;
            if !reply.is_success() {
                return Err(self.refusal(&reply, &format!("{doing}, asking how far it is")));
            }
            let answer = wire::read(&reply)?;
            let status = answer.anywhere("progressivekeystatus").unwrap_or_default();
            if !status.eq_ignore_ascii_case("INPROGRESS") {
                return Ok(result_for(&answer, email));
            }
        }
        let detail = format!("{doing}: HighQ has not finished yet; ask again later");
        Err(DmsError::from_trouble(Trouble::new(Cause::ServerFault, detail)))
    }

    /// The organisation that has a domain; made if there is none and the settings want that.
    async fn organisation(&self, domain: &str) -> DmsResult<String> {
        let version = self.settings.versions.organisations;
        let url = self.url(version, &["organisations"], &[("domain", domain)]);
        let list =
            self.get("organisations", url, &format!("looking for the organisation of {domain}")).await?;
        let ids: Vec<String> = list.entries("organisation").iter().filter_map(organisation_id).collect();
        match ids.as_slice() {
            [id] => return Ok(id.clone()),
            [] => {}
            _ => {
                let message = format!(
                    "several organisations at HighQ have the domain {domain}; an administrator must settle which"
                );
                return Err(errors::rejected("email", message));
            }
        }
        if !self.settings.people.create_organisations {
            let message = format!(
                "no organisation at HighQ has the domain {domain}; an administrator adds the domain to one, or allows Postroom to make it (people.create_organisations)"
            );
            return Err(errors::rejected("email", message));
        }
        let body = json!({ "name": domain, "status": "active", "url": domain });
        let made = self
            .post(version, &["organisations"], &[], &body, &format!("making organisation {domain}"))
            .await?;
        let id = organisation_id(&made.unwrapped("organisation"));
        let id = id.ok_or_else(|| {
            let detail = format!("making organisation {domain}: the answer names no id");
            DmsError::from_trouble(Trouble::new(Cause::ServerFault, detail))
        })?;
        let body = json!({ "url": domain, "status": "active" });
        self.post(version, &["domains"], &[("orgid", &id)], &body, &format!("adding domain {domain}"))
            .await?;
        info!(dms.service = %self.name, highq.organisation = %id, highq.domain = domain, "Made an organisation at HighQ.");
        Ok(id)
    }

    async fn post(
        &self,
        version: u32,
        path: &[&str],
        query: &[(&str, &str)],
        body: &serde_json::Value,
        doing: &str,
    ) -> DmsResult<Item> {
        let url = self.url(version, path, query);
        let reply = self.ask("organisation", Method::POST, url, Body::Json(body)).await?;
        if reply.is_success() { Ok(wire::read(&reply)?) } else { Err(self.refusal(&reply, doing)) }
    }
}

fn organisation_id(item: &Item) -> Option<String> {
    ["orgid", "organisationid", "id"].iter().find_map(|key| item.text(key))
}

/// The result of one person in an answer that may tell of several.
fn result_for(answer: &Item, email: &str) -> Option<Item> {
    let mut list = answer.entries("user");
    if list.is_empty() {
        list = answer.inner("users").map(|users| users.entries("user")).unwrap_or_default();
    }
    let own = list.iter().position(|it| it.text("email").is_some_and(|it| it.eq_ignore_ascii_case(email)));
    match own {
        Some(at) => Some(list.swap_remove(at)),
        None if list.len() == 1 && !list[0].has("email") => list.pop(),
        None => None,
    }
}
