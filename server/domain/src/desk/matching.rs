//! Who somebody is whom a provider vouches for. Issuer and subject first; then the e-mail, if the provider vouches for it; then the
//! rules that make persons of a domain's e-mails. What is found is only computed here; the caller writes it together with what it
//! does next.

use super::{NotLetIn, People, TRIES, changed, domains, texts};
use crate::event::{NewEvent, Security, Subject};
use crate::ids::{PersonId, ServiceName};
use crate::people::{Identity, Person, Refusals, SecretHash, Status};
use crate::person::Sites;
use crate::record::{self, Commit, Kept, Write};
use crate::sign_in::Claims;
use crate::store::{StoreError, StoreResult};

/// A person as recognised, with what is to be written.
pub(super) struct Recognised {
    /// As they will be; the version is the next one when anything changed.
    pub(super) person: Person,
    /// Whether the record differs from what is kept.
    pub(super) dirty: bool,
    /// What the audit tells of it.
    pub(super) events: Vec<NewEvent>,
}

impl Recognised {
    /// The person's write, if there is something to write.
    pub(super) fn write(&self) -> StoreResult<Option<Write>> {
        self.dirty.then(|| self.person.put()).transpose()
    }

    /// Makes it differ, so that it is written and compared.
    pub(super) fn touch(&mut self) {
        if !self.dirty {
            let version = self.person.version + 1;
            self.person.set_version(version);
            self.dirty = true;
        }
    }
}

impl People {
    /// Who the claims are about, as the records stand now.
    pub(super) async fn recognise(
        &self,
        service: &ServiceName,
        claims: &Claims,
    ) -> Result<Recognised, NotLetIn> {
        let store = self.store.as_ref();
        let vouched = claims.email.as_deref().filter(|_| claims.email_verified).and_then(texts::email_of);
        let key = Person::identity_key(&claims.issuer, &claims.subject);
        if let Some(person) = record::by_key::<Person>(store, &key).await? {
            return Ok(self.follow_email(person, claims, vouched).await?);
        }
        let Some(email) = vouched else { return Err(NotLetIn::Unvouched) };
        if let Some(person) = record::by_key::<Person>(store, &Person::email_key(&email)).await? {
            // The provider gave the address to somebody else since. Whether that is the same human only people know.
            if person.identities.iter().any(|it| it.issuer == claims.issuer) {
                return Err(NotLetIn::EmailReused);
            }
            return Ok(self.add_identity(person, service, claims, email));
        }
        self.by_rule(service, claims, email).await
    }

    /// A known identity whose e-mail changed at the provider: the person's follows, unless somebody else has it.
    async fn follow_email(
        &self,
        person: Person,
        claims: &Claims,
        vouched: Option<String>,
    ) -> StoreResult<Recognised> {
        let at = person
            .identities
            .iter()
            .position(|it| it.issuer == claims.issuer && it.subject == claims.subject)
            .ok_or_else(|| StoreError::Damaged("person: a key without its identity".to_owned()))?;
        let mut found = Recognised { person, dirty: false, events: Vec::new() };
        let Some(email) = vouched else { return Ok(found) };
        let before = found.person.identities[at].email.clone();
        if before == email {
            return Ok(found);
        }
        found.touch();
        found.person.identities[at].email.clone_from(&email);
        // Only where the person goes by this account's e-mail: another provider's is not drawn over it.
        let follows = found.person.email == before && self.is_free(&email, found.person.id).await?;
        let note = if follows {
            found.person.email = email;
            "email: it changed at the provider"
        } else {
            "the e-mail of an outside account changed; the person's stays"
        };
        found.events.push(self.about(Security::PersonChanged, &found.person, &found.person.name, note));
        Ok(found)
    }

    /// Whether nobody else has an e-mail, or once had it as their name.
    pub(super) async fn is_free(&self, email: &str, but: PersonId) -> StoreResult<bool> {
        for key in [Person::email_key(email), Person::name_key(email)] {
            let other = record::by_key::<Person>(self.store.as_ref(), &key).await?;
            if other.is_some_and(|it| it.id != but) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn add_identity(
        &self,
        person: Person,
        service: &ServiceName,
        claims: &Claims,
        email: String,
    ) -> Recognised {
        let mut person = changed(person);
        person.identities.push(self.identity(service, claims, email));
        let note = format!("at {service}, by its e-mail");
        let event = self.about(Security::IdentityAdded, &person, &person.name, note);
        Recognised { person, dirty: true, events: vec![event] }
    }

    fn identity(&self, service: &ServiceName, claims: &Claims, email: String) -> Identity {
        Identity {
            service: service.clone(),
            issuer: claims.issuer.clone(),
            subject: claims.subject.clone(),
            email,
            since: self.now(),
        }
    }

    async fn by_rule(
        &self,
        service: &ServiceName,
        claims: &Claims,
        email: String,
    ) -> Result<Recognised, NotLetIn> {
        // Who was shut out does not come back as somebody new, by an account that was not known of them.
        let store = self.store.as_ref();
        let before = record::page::<Person>(store, Some(&Person::email_key(&email)), None, 1).await?;
        let named = record::by_key::<Person>(store, &Person::name_key(&email)).await?;
        match named.as_ref().or(before.first()) {
            Some(person) if person.status == Status::Disabled => return Err(NotLetIn::Disabled),
            Some(_) => return Err(NotLetIn::EmailReused),
            None => {}
        }
        let rule = domains::rule_for(&self.rules, &email).ok_or(NotLetIn::Unknown)?;
        let display = claims.name.as_deref().map(|name| texts::cut(name.trim(), 120));
        let person = Person {
            id: PersonId::from_u128(self.next_id()),
            version: 1,
            name: email.clone(),
            display_name: display.filter(|it| !it.is_empty()).unwrap_or_else(|| email.clone()),
            email: email.clone(),
            // A rule cannot make somebody who is shut out.
            status: if rule.status == Status::Active { Status::Active } else { Status::Pending },
            roles: vec![rule.role.clone()],
            sites: Sites::one(rule.site.clone()),
            teams: Vec::new(),
            identities: vec![self.identity(service, claims, email)],
            password: None,
            refusals: Refusals::default(),
            created: self.now(),
            last_sign_in: None,
        };
        let note = format!("by the rule for {}, at {service}", rule.domain);
        let events = vec![
            self.about(Security::PersonMade, &person, &person.name, note),
            self.about(Security::IdentityAdded, &person, &person.name, format!("at {service}")),
        ];
        Ok(Recognised { person, dirty: true, events })
    }

    /// Why a recognised person does not come in all the same.
    pub(super) const fn turned_away(person: &Person) -> Option<NotLetIn> {
        match person.status {
            Status::Active => None,
            Status::Pending => Some(NotLetIn::Pending),
            Status::Disabled => Some(NotLetIn::Disabled),
        }
    }

    /// Writes what was recognised although nobody comes in: an identity, or a new person who waits.
    pub(super) async fn keep_turned_away(
        &self,
        mut found: Recognised,
        service: &ServiceName,
        why: &NotLetIn,
    ) -> StoreResult<bool> {
        let event = self.about(
            Security::SignInRefused,
            &found.person,
            &found.person.name,
            format!("at {service}: {why}"),
        );
        found.events.push(event);
        let writes = found.write()?.into_iter().collect();
        self.commits_or_exists(Commit { writes, events: found.events }).await
    }

    /// Commits; false when a record changed meanwhile, or another one took a key.
    pub(super) async fn commits_or_exists(&self, commit: Commit) -> StoreResult<bool> {
        match self.commits(commit).await {
            Err(StoreError::Exists(_)) => Ok(false),
            other => other,
        }
    }

    /// Who stands behind a token that a client got elsewhere: none when no check believes it. A person is recognised, and made, as at
    /// a sign-in; who may not come in is nobody.
    pub async fn vouched(
        &self,
        token: &secrecy::SecretString,
    ) -> Result<Option<crate::person::Principal>, NotLetIn> {
        let mut unavailable = None;
        for check in &self.bearer {
            match check.claims(token).await {
                Ok(claims) => return self.vouched_for(check.service(), &claims).await.map(Some),
                Err(error @ crate::sign_in::ProviderError::Unavailable(_)) => unavailable = Some(error),
                // Another check may believe it.
                Err(_) => {}
            }
        }
        unavailable.map_or(Ok(None), |error| Err(error.into()))
    }

    async fn vouched_for(
        &self,
        service: &ServiceName,
        claims: &Claims,
    ) -> Result<crate::person::Principal, NotLetIn> {
        for _ in 0..TRIES {
            let found = self.recognise(service, claims).await?;
            let away = Self::turned_away(&found.person);
            // A client that only asks for something makes nobody who would have to wait: that takes a sign-in.
            if found.person.version == 1 && found.dirty && away.is_some() {
                return Err(NotLetIn::Unknown);
            }
            if found.dirty {
                let writes = found.write()?.into_iter().collect();
                let events = found.events;
                if !self.commits_or_exists(Commit { writes, events }).await? {
                    continue;
                }
            }
            return match away {
                None => Ok(self.principal(&found.person)),
                Some(why) => Err(why),
            };
        }
        Err(StoreError::Busy.into())
    }

    /// Tells the audit of a sign-in at a provider that led to nobody. The subject's hash tells attempts of one account from others.
    pub(super) async fn tell_stranger(
        &self,
        service: &ServiceName,
        claims: Option<&Claims>,
        why: &NotLetIn,
    ) -> StoreResult<()> {
        let who = claims.map_or_else(String::new, |it| {
            let hash = SecretHash::of(&format!("{} {}", it.issuer, it.subject)).0;
            format!(" (account {})", &hash[..12])
        });
        let note = format!("at {service}{who}: {why}");
        let subject = Subject::Service(service.clone());
        self.tell(self.event(Security::SignInRefused, subject, None, "somebody", note)).await
    }
}
