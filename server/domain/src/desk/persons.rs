//! Persons as administrators look after them. A person of another site does not exist; nobody gives, or rules over, more than they
//! have; and the last who may administer stays.

use super::tokens::{bad, sites_within};
use super::{DeskError, PAGE, People, TRIES, changed, texts};
use crate::event::Security;
use crate::ids::{PersonId, RoleName, ServiceName, TeamName};
use crate::people::{Invitation, Person, Refusals, Status, group_of};
use crate::person::{Permission, Permissions, Principal, Sites};
use crate::record::{self, Commit, Kept, Write};
use crate::store::{StoreError, StoreResult};

/// The longest display name, in characters.
const DISPLAY: usize = 120;

/// A person to be added.
#[derive(Debug, Clone)]
pub struct NewPerson {
    /// Their e-mail.
    pub email: String,
    /// How they are called; the e-mail when it is blank.
    pub display_name: String,
    /// What they may do.
    pub roles: Vec<RoleName>,
    /// Whose records they see.
    pub sites: Sites,
    /// Their teams.
    pub teams: Vec<TeamName>,
    /// Whether they may come in.
    pub status: Status,
}

/// What is changed about a person; none stays as it is.
#[derive(Debug, Clone, Default)]
pub struct PersonChange {
    /// See [`Person::email`]. The name stays.
    pub email: Option<String>,
    /// See [`Person::display_name`].
    pub display_name: Option<String>,
    /// See [`Person::status`].
    pub status: Option<Status>,
    /// See [`Person::roles`].
    pub roles: Option<Vec<RoleName>>,
    /// See [`Person::sites`].
    pub sites: Option<Sites>,
    /// See [`Person::teams`].
    pub teams: Option<Vec<TeamName>>,
    /// Identities vouched for by these services are forgotten: after an administrator found out that an e-mail was reused, or given
    /// to the same human's new account.
    pub forget: Vec<ServiceName>,
}

impl People {
    /// Whether one may look after a person: they have nothing that one has not.
    pub(super) fn may_manage(&self, by: &Principal, person: &Person) -> Result<(), DeskError> {
        if !by.may(Permission::ManagePersons) {
            return Err(DeskError::NotAllowed(Permission::ManagePersons));
        }
        if !by.sites.has(&person.sites.home) {
            return Err(DeskError::NotFound);
        }
        // What they would have if they came in, also while they cannot.
        let theirs = self.roles.permissions(&person.roles);
        if theirs.within(by.permissions) != theirs {
            return Err(DeskError::Beyond("this person may do more than you".to_owned()));
        }
        if sites_within(by, &person.sites).is_err() {
            return Err(DeskError::Beyond("this person sees more sites than you".to_owned()));
        }
        Ok(())
    }

    /// Roles that there are, and that allow nothing beyond what who asks may do.
    pub(super) fn roles_within(&self, by: &Principal, roles: &[RoleName]) -> Result<(), DeskError> {
        if roles.is_empty() {
            return Err(bad("roles", "name at least one"));
        }
        if let Some(unknown) = roles.iter().find(|it| self.roles.get(it).is_none()) {
            let known: Vec<_> = self.roles.names().map(RoleName::as_str).collect();
            return Err(bad("roles", &format!("there is no role {unknown} ({})", known.join(", "))));
        }
        let theirs = self.roles.permissions(roles);
        match theirs.list().into_iter().find(|it| !by.permissions.has(*it)) {
            Some(more) => {
                Err(DeskError::Beyond(format!("roles: they allow {more}, which you may not yourself")))
            }
            None => Ok(()),
        }
    }

    /// A person whom one may see: oneself, or one of one's sites as an administrator.
    pub async fn person(&self, by: &Principal, id: PersonId) -> Result<Person, DeskError> {
        let person = record::by_id::<Person>(self.store.as_ref(), id.as_u128()).await?;
        let seen = |it: &Person| {
            by.person == Some(id) || (by.may(Permission::ManagePersons) && by.sites.has(&it.sites.home))
        };
        person.filter(seen).ok_or(DeskError::NotFound)
    }

    /// Persons whom an administrator may see, in the order in which they were added, after one of them. `text` is looked for in name,
    /// e-mail and display name, without case; the second value is where to go on, when there may be more.
    pub async fn persons(
        &self,
        by: &Principal,
        text: &str,
        after: Option<PersonId>,
        limit: usize,
    ) -> Result<(Vec<Person>, Option<PersonId>), DeskError> {
        if !by.may(Permission::ManagePersons) {
            return Err(DeskError::NotAllowed(Permission::ManagePersons));
        }
        let text = text.trim().to_lowercase();
        let fits = |it: &Person| {
            by.sites.has(&it.sites.home)
                && (it.name.contains(&text)
                    || it.email.contains(&text)
                    || it.display_name.to_lowercase().contains(&text))
        };
        let (mut found, mut last) = (Vec::new(), after.map(PersonId::as_u128));
        loop {
            let page = record::page::<Person>(self.store.as_ref(), None, last, PAGE).await?;
            let full = page.len() == PAGE;
            last = page.last().map(Kept::number);
            for person in page.into_iter().filter(|it| fits(it)) {
                if found.len() == limit {
                    let next = found.last().map(|it: &Person| it.id);
                    return Ok((found, next));
                }
                found.push(person);
            }
            if !full {
                return Ok((found, None));
            }
        }
    }

    /// Adds a person.
    pub async fn add_person(&self, by: &Principal, new: NewPerson) -> Result<Person, DeskError> {
        if !by.may(Permission::ManagePersons) {
            return Err(DeskError::NotAllowed(Permission::ManagePersons));
        }
        let email = good_email(&new.email)?;
        self.roles_within(by, &new.roles)?;
        sites_within(by, &new.sites)?;
        let shown = if new.display_name.trim().is_empty() { &email } else { &new.display_name };
        let person = Person {
            id: PersonId::from_u128(self.next_id()),
            version: 1,
            name: email.clone(),
            display_name: good_display(shown)?,
            email: email.clone(),
            status: new.status,
            roles: new.roles,
            sites: new.sites,
            teams: new.teams,
            identities: Vec::new(),
            password: None,
            refusals: Refusals::default(),
            created: self.now(),
            last_sign_in: None,
        };
        if !self.is_free(&email, person.id).await? {
            return Err(DeskError::EmailTaken);
        }
        let roles: Vec<_> = person.roles.iter().map(RoleName::as_str).collect();
        let note = format!("roles {}, site {}", roles.join(", "), person.sites.home);
        let events = vec![self.about(Security::PersonMade, &person, &by.name, note)];
        match self.store.commit(Commit { writes: vec![person.put()?], events }).await {
            Ok(()) => Ok(person),
            Err(StoreError::Exists(_)) => Err(DeskError::EmailTaken),
            Err(other) => Err(other.into()),
        }
    }

    /// A person whom one may see and look after.
    pub(super) async fn managed(&self, by: &Principal, id: PersonId) -> Result<Person, DeskError> {
        let person = self.person(by, id).await?;
        self.may_manage(by, &person)?;
        Ok(person)
    }

    /// Changes a person. `version` is the one that was looked at; none takes whatever it is now. Who is disabled, or may do or see
    /// less afterwards, is signed out everywhere.
    pub async fn change_person(
        &self,
        by: &Principal,
        id: PersonId,
        version: Option<u64>,
        change: PersonChange,
    ) -> Result<Person, DeskError> {
        for _ in 0..TRIES {
            let before = self.managed(by, id).await?;
            if version.is_some_and(|it| it != before.version) {
                return Err(DeskError::Changed { version: before.version });
            }
            let (next, fields) = self.applied(by, &before, &change)?;
            if fields.is_empty() {
                return Ok(before);
            }
            if next.email != before.email && !self.is_free(&next.email, id).await? {
                return Err(DeskError::EmailTaken);
            }
            let mut writes = self.witness(&before, &next).await?;
            let mut events = vec![self.about(
                Security::PersonChanged,
                &next,
                &by.name,
                format!("{} (status {})", fields.join(", "), status_word(next.status)),
            )];
            if self.shrinks(&before, &next) || next.status != Status::Active {
                let note = "the person was disabled, or may do less than before";
                let (ends, told) = self.ending_all(&next, None, &by.name, note).await?;
                writes.extend(ends);
                events.extend(told);
            }
            if next.status != Status::Active {
                let invitations = self.all_of::<Invitation>(Some(&group_of(id))).await?;
                writes.extend(invitations.iter().map(Kept::remove));
            }
            writes.push(next.put()?);
            match self.commits(Commit { writes, events }).await {
                Ok(true) => return Ok(next),
                Ok(false) => {}
                Err(StoreError::Exists(_)) => return Err(DeskError::EmailTaken),
                Err(other) => return Err(other.into()),
            }
        }
        Err(StoreError::Busy.into())
    }

    /// The person as changed, and the names of the fields that differ.
    fn applied(
        &self,
        by: &Principal,
        before: &Person,
        change: &PersonChange,
    ) -> Result<(Person, Vec<&'static str>), DeskError> {
        let mut next = changed(before.clone());
        if let Some(email) = &change.email {
            next.email = good_email(email)?;
        }
        if let Some(display_name) = &change.display_name {
            next.display_name = good_display(display_name)?;
        }
        if let Some(roles) = change.roles.as_ref().filter(|it| **it != before.roles) {
            self.roles_within(by, roles)?;
            next.roles.clone_from(roles);
        }
        if let Some(sites) = change.sites.as_ref().filter(|it| **it != before.sites) {
            sites_within(by, sites)?;
            next.sites = sites.clone();
        }
        if let Some(teams) = &change.teams {
            next.teams.clone_from(teams);
        }
        next.status = change.status.unwrap_or(before.status);
        next.identities.retain(|it| !change.forget.contains(&it.service));
        let compared = [
            ("email", next.email != before.email),
            ("display_name", next.display_name != before.display_name),
            ("status", next.status != before.status),
            ("roles", next.roles != before.roles),
            ("sites", next.sites != before.sites),
            ("teams", next.teams != before.teams),
            ("identities", next.identities != before.identities),
        ];
        let fields = compared.into_iter().filter_map(|(name, differs)| differs.then_some(name)).collect();
        Ok((next, fields))
    }

    fn shrinks(&self, before: &Person, next: &Person) -> bool {
        let (old, new) = (self.roles.permissions(&before.roles), self.roles.permissions(&next.roles));
        let sites = std::iter::once(&before.sites.home).chain(&before.sites.also);
        new.within(old) != old
            || (before.sites.all && !next.sites.all)
            || sites.into_iter().any(|it| !next.sites.has(it))
    }

    /// Where a person ceases to administer: another active one who goes on. They are written too, unchanged, so that of two who put
    /// each other out at once one is refused.
    async fn witness(&self, before: &Person, next: &Person) -> Result<Vec<Write>, DeskError> {
        if !self.administers(before) || self.administers(next) {
            return Ok(Vec::new());
        }
        let mut after = None;
        loop {
            let page = record::page::<Person>(self.store.as_ref(), None, after, PAGE).await?;
            let Some(last) = page.last() else { return Err(DeskError::LastAdministrator) };
            after = Some(last.number());
            if let Some(other) = page.into_iter().find(|it| it.id != before.id && self.administers(it)) {
                return Ok(vec![changed(other).put()?]);
            }
        }
    }

    fn administers(&self, person: &Person) -> bool {
        let may: Permissions = self.roles.permissions(&person.roles);
        person.status == Status::Active && may.has(Permission::Administer)
    }

    /// Ends a lock-out after wrong passwords.
    pub async fn unlock(&self, by: &Principal, id: PersonId) -> Result<Person, DeskError> {
        for _ in 0..TRIES {
            let person = self.managed(by, id).await?;
            if person.refusals == Refusals::default() {
                return Ok(person);
            }
            let mut next = changed(person);
            next.refusals = Refusals::default();
            let events = vec![self.about(Security::Unlocked, &next, &by.name, "")];
            if self.commits(Commit { writes: vec![next.put()?], events }).await? {
                return Ok(next);
            }
        }
        Err(StoreError::Busy.into())
    }

    /// Whether there is nobody yet: then a first administrator is to be added.
    pub async fn is_nobody_here(&self) -> StoreResult<bool> {
        Ok(self.store.records(Person::KIND, None, None, 1).await?.is_empty())
    }
}

fn good_email(text: &str) -> Result<String, DeskError> {
    texts::email_of(text).ok_or_else(|| bad("email", "is not an e-mail address such as mary@harrow.example"))
}

fn good_display(text: &str) -> Result<String, DeskError> {
    let cut = texts::cut(text.trim(), DISPLAY);
    if cut.is_empty() || cut != text.trim() {
        return Err(bad("display_name", &format!("1 to {DISPLAY} characters, and none that cannot be seen")));
    }
    Ok(cut)
}

const fn status_word(status: Status) -> &'static str {
    match status {
        Status::Pending => "pending",
        Status::Active => "active",
        Status::Disabled => "disabled",
    }
}
