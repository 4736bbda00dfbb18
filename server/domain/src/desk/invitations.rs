//! One-time links, with which a person sets a password: the first one, or a new one when it was forgotten.

use secrecy::{ExposeSecret as _, SecretString};

use super::{Browser, DeskError, NewSession, NotLetIn, People, TRIES, changed};
use crate::event::Security;
use crate::ids::PersonId;
use crate::people::{Invitation, PasswordHash, Person, Refusals, SecretHash, Session, Status, group_of};
use crate::person::Principal;
use crate::record::{self, Commit, Kept};
use crate::store::{StoreError, StoreResult};
use crate::time::later;

/// A one-time link that was just made.
#[derive(Debug)]
pub struct NewInvitation {
    /// The address, with the secret in it. Shown once.
    pub url: SecretString,
    /// The link.
    pub invitation: Invitation,
}

impl People {
    /// Makes a one-time link for a person, in place of those before.
    pub async fn invite(&self, by: &Principal, id: PersonId) -> Result<NewInvitation, DeskError> {
        for _ in 0..TRIES {
            let person = self.managed(by, id).await?;
            if person.status != Status::Active {
                return Err(DeskError::NotActive);
            }
            let secret = self.new_secret("");
            let invitation = Invitation {
                id: self.next_id(),
                version: 1,
                secret: SecretHash::of(secret.expose_secret()),
                person: id,
                made_by: by.name.clone(),
                expires: later(self.now(), self.limits.invitation),
            };
            let before = self.all_of::<Invitation>(Some(&group_of(id))).await?;
            let mut writes: Vec<_> = before.iter().map(Kept::remove).collect();
            // The person is written too: of two who invite at once one sees the other's link and replaces it.
            let person = changed(person);
            writes.extend([invitation.put()?, person.put()?]);
            let note = if before.is_empty() { "" } else { "in place of the one before" };
            let events = vec![self.about(Security::InvitationMade, &person, &by.name, note)];
            if self.commits(Commit { writes, events }).await? {
                let url = format!("{}/auth/invitation/{}", self.public_url, secret.expose_secret());
                return Ok(NewInvitation { url: SecretString::from(url), invitation });
            }
        }
        Err(StoreError::Busy.into())
    }

    /// Whom a one-time link lets in: none when it works no more. Looking does not use it up.
    pub async fn invited(&self, secret: &str) -> StoreResult<Option<Person>> {
        Ok(self.invitation(secret).await?.map(|(_, person)| person))
    }

    async fn invitation(&self, secret: &str) -> StoreResult<Option<(Invitation, Person)>> {
        let store = self.store.as_ref();
        let found = record::by_key::<Invitation>(store, &SecretHash::of(secret).0).await?;
        let Some(invitation) = found.filter(|it| self.now() < it.expires) else { return Ok(None) };
        let person = record::by_id::<Person>(store, invitation.person.as_u128()).await?;
        Ok(person.filter(|it| it.status == Status::Active).map(|person| (invitation, person)))
    }

    /// Sets the password and lets the person in. The link is used up in the same commit; a password that will not do leaves it. All
    /// other sessions of the person end, and a lock-out too.
    pub async fn accept_invitation(
        &self,
        secret: &str,
        password: SecretString,
        browser: Browser<'_>,
    ) -> Result<NewSession, NotLetIn> {
        let mut hashed: Option<PasswordHash> = None;
        for _ in 0..TRIES {
            let (invitation, person) = self.invitation(secret).await?.ok_or(NotLetIn::LinkUsed)?;
            if let Some(why) = self.passwords.objection(&password, &person.name) {
                return Err(NotLetIn::Objection(why));
            }
            let hash = match hashed.take() {
                Some(hash) => hash,
                None => self.passwords.hash(password.clone()).await?,
            };
            let mut next = changed(person);
            next.password = Some(hash.clone());
            next.refusals = Refusals::default();
            next.last_sign_in = Some(self.now());
            let note = "a password was set by a one-time link";
            let (mut writes, mut events) = self.ending_all(&next, None, &next.name, note).await?;
            // The browser's own session from before ends once: among those, or as somebody else's.
            let old = match browser.session {
                Some(old) => record::by_key::<Session>(self.store.as_ref(), &SecretHash::of(old).0).await?,
                None => None,
            };
            let own = old.is_some_and(|it| it.person == next.id);
            let browser = Browser { session: browser.session.filter(|_| !own), ..browser };
            let (secret, session, begin, told) = self.beginning(&next, "one-time link", browser).await?;
            writes.extend(begin);
            writes.extend([invitation.remove(), next.put()?]);
            events.push(self.about(Security::PasswordSet, &next, &next.name, "by a one-time link"));
            events.extend(told);
            if self.commits(Commit { writes, events }).await? {
                return Ok(Self::begun(secret, session, next));
            }
            hashed = Some(hash);
        }
        Err(StoreError::Busy.into())
    }
}
