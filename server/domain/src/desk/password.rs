//! Coming in with a password, and changing one's own.

use std::time::Duration;

use secrecy::SecretString;

use super::{Browser, DeskError, NewSession, NotLetIn, People, TRIES, changed, texts};
use crate::event::{Security, Subject};
use crate::ids::SessionId;
use crate::people::{PasswordHash, Person, Refusals, Status};
use crate::person::Principal;
use crate::record::{self, Commit, Kept as _};
use crate::store::{StoreError, StoreResult};
use crate::time::later;

/// After so many wrong passwords none is looked at for a while.
const FREE: u32 = 5;
/// The first such while; each further wrong password doubles it.
const FIRST_LOCK: Duration = Duration::from_mins(1);
/// The longest such while.
const LAST_LOCK: Duration = Duration::from_hours(1);

/// Whether a password was right, with the hash that it was compared with: another hash is another question.
struct Compared {
    with: Option<PasswordHash>,
    right: bool,
}

impl People {
    /// Lets a person in by e-mail and password. Costs the same whoever is asked for, and answers the same ([`NotLetIn::Wrong`]) for
    /// unknown, disabled and locked persons as for a wrong password: one hash is computed and one event written each time.
    pub async fn sign_in_with_password(
        &self,
        email: &str,
        password: SecretString,
        browser: Browser<'_>,
    ) -> Result<NewSession, NotLetIn> {
        let mut compared: Option<Compared> = None;
        for _ in 0..TRIES {
            let person = self.person_by_email(email).await?;
            let person = person.filter(|it| it.status != Status::Disabled);
            let locked =
                person.as_ref().is_some_and(|it| it.refusals.until.is_some_and(|to| self.now() < to));
            // While it is locked no password is looked at: the same work is done about none.
            let hash = person.as_ref().filter(|_| !locked).and_then(|it| it.password.clone());
            let known = compared.take().filter(|it| it.with == hash || locked);
            let known = match known {
                Some(known) => known,
                None => Compared {
                    right: self.passwords.matches(password.clone(), hash.clone()).await && hash.is_some(),
                    with: hash,
                },
            };
            let Some(person) = person else {
                let note = "by password: nobody has that e-mail";
                let event = self.event(Security::SignInRefused, Subject::System, None, "somebody", note);
                self.tell(event).await?;
                return Err(NotLetIn::Wrong);
            };
            if locked {
                let note = "by password: too many were wrong, so none is looked at for a while";
                self.tell(self.about(Security::SignInRefused, &person, "somebody", note)).await?;
                return Err(NotLetIn::Wrong);
            }
            let answer = if known.right {
                self.let_in_by_password(person, browser).await?
            } else {
                self.refuse_password(person).await?
            };
            match answer {
                Some(answer) => return answer,
                // Somebody else changed the person: another guess, or an administrator. What the record says now counts.
                None => compared = Some(known),
            }
        }
        Err(StoreError::Busy.into())
    }

    async fn person_by_email(&self, email: &str) -> StoreResult<Option<Person>> {
        match texts::email_of(email) {
            Some(email) => record::by_key(self.store.as_ref(), &Person::email_key(&email)).await,
            None => Ok(None),
        }
    }

    /// None when the person changed meanwhile.
    async fn let_in_by_password(
        &self,
        person: Person,
        browser: Browser<'_>,
    ) -> Result<Option<Result<NewSession, NotLetIn>>, NotLetIn> {
        if person.status == Status::Pending {
            let note = "by password: waits for an administrator";
            self.tell(self.about(Security::SignInRefused, &person, &person.name, note)).await?;
            return Ok(Some(Err(NotLetIn::Pending)));
        }
        let mut next = changed(person);
        next.refusals = Refusals::default();
        next.last_sign_in = Some(self.now());
        let (secret, session, mut writes, events) = self.beginning(&next, "password", browser).await?;
        writes.push(next.put()?);
        let done = self.commits(Commit { writes, events }).await?;
        Ok(done.then(|| Ok(Self::begun(secret, session, next))))
    }

    /// None when the person changed meanwhile.
    async fn refuse_password(
        &self,
        person: Person,
    ) -> Result<Option<Result<NewSession, NotLetIn>>, NotLetIn> {
        let count = person.refusals.count.saturating_add(1);
        let until = lock(count).map(|by| later(self.now(), by));
        let mut next = changed(person);
        next.refusals = Refusals { count, until };
        let (what, note) = match lock(count) {
            Some(by) => (
                Security::LockedOut,
                format!("{count} wrong passwords: none is looked at for {} s", by.as_secs()),
            ),
            None => (Security::SignInRefused, "by password: it was wrong".to_owned()),
        };
        let events = vec![self.about(what, &next, "somebody", note)];
        let done = self.commits(Commit { writes: vec![next.put()?], events }).await?;
        Ok(done.then_some(Err(NotLetIn::Wrong)))
    }

    /// Changes one's own password; who has one proves it first. All other sessions end, so that who got in by the old one is out.
    /// The old one is bounded like a sign-in: wrong ones count, and lock.
    pub async fn set_password(
        &self,
        by: &Principal,
        session: Option<SessionId>,
        old: SecretString,
        new: SecretString,
    ) -> Result<(), DeskError> {
        let id = by.person.ok_or(DeskError::NotFound)?;
        let mut fresh: Option<PasswordHash> = None;
        for _ in 0..TRIES {
            let person = record::by_id::<Person>(self.store.as_ref(), id.as_u128()).await?;
            let person = person.ok_or(DeskError::NotFound)?;
            // Who never had one gets the first by a one-time link, not from a browser that was left open.
            let Some(hash) = person.password.clone() else { return Err(DeskError::WrongPassword) };
            let locked = person.refusals.until.is_some_and(|until| self.now() < until);
            if locked || !self.passwords.matches(old.clone(), Some(hash)).await {
                if !locked && self.refuse_password(person).await.map_err(only_store)?.is_none() {
                    continue;
                }
                return Err(DeskError::WrongPassword);
            }
            if let Some(message) = self.passwords.objection(&new, &person.name) {
                return Err(DeskError::Bad { field: "new", message });
            }
            let hash = match fresh.take() {
                Some(hash) => hash,
                None => self.passwords.hash(new.clone()).await?,
            };
            let (mut writes, mut events) =
                self.ending_all(&person, session, &by.name, "the password was changed").await?;
            let mut next = changed(person);
            next.password = Some(hash.clone());
            next.refusals = Refusals::default();
            writes.push(next.put()?);
            events.push(self.about(Security::PasswordSet, &next, &by.name, "by themself"));
            if self.commits(Commit { writes, events }).await? {
                return Ok(());
            }
            fresh = Some(hash);
        }
        Err(StoreError::Busy.into())
    }
}

/// How long no password is looked at after so many wrong ones.
fn lock(count: u32) -> Option<Duration> {
    let over = count.checked_sub(FREE)?;
    Some(FIRST_LOCK.saturating_mul(1_u32.checked_shl(over).unwrap_or(u32::MAX)).min(LAST_LOCK))
}

/// A refusal's commit fails by the store alone.
fn only_store(error: NotLetIn) -> DeskError {
    match error {
        NotLetIn::Store(error) => error.into(),
        _ => DeskError::WrongPassword,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_doubles_up_to_an_hour() {
        let minutes = |count| lock(count).map(|by| by.as_secs() / 60);
        let table = [
            (0, None),
            (4, None),
            (5, Some(1)),
            (6, Some(2)),
            (10, Some(32)),
            (11, Some(60)),
            (37, Some(60)),
            (u32::MAX, Some(60)),
        ];
        for (count, wanted) in table {
            assert_eq!(minutes(count), wanted, "{count}");
        }
    }
}
