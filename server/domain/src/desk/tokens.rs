//! Bearer tokens: made, shown once, recognised, revoked.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use super::{DeskError, NOTED_EVERY, People, TRIES, changed, texts};
use crate::event::{NewEvent, Security, Subject};
use crate::ids::{RoleName, TokenId};
use crate::people::{Holder, Person, SecretHash, Status, Token, group_of};
use crate::person::{Permission, Permissions, Principal, Sites};
use crate::record::{self, Commit, Kept as _};
use crate::store::{StoreError, StoreResult};
use crate::time::{age, later};

/// What stands in front of a token.
const FRONT: &str = "pr_";
/// The longest name of a token or program, in characters.
const NAME: usize = 80;

/// A token for oneself.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// What it is for.
    pub name: String,
    /// What it may do at most; none means all that the person may.
    pub scope: Option<Vec<Permission>>,
    /// How long it lives.
    pub life: Duration,
    /// When the credential of who asks ends, where it is itself a token: a token makes none that outlives it.
    pub at_most: Option<Timestamp>,
}

/// A token for a program.
#[derive(Debug, Clone)]
pub struct NewProgram {
    /// The program's name: audit and "submitted by" show it. No `@` in it, so that none is taken for a person.
    pub name: String,
    /// What it may do.
    pub roles: Vec<RoleName>,
    /// Whose records it sees.
    pub sites: Sites,
    /// What it may do at most; none means all that its roles allow.
    pub scope: Option<Vec<Permission>>,
    /// How long it lives.
    pub life: Duration,
    /// As in [`NewToken::at_most`].
    pub at_most: Option<Timestamp>,
}

/// A token that was just made.
#[derive(Debug)]
pub struct MadeToken {
    /// What the program presents. Shown once.
    pub secret: SecretString,
    /// What is kept.
    pub token: Token,
}

/// Who stands behind a token that was presented.
#[derive(Debug, Clone)]
pub struct TokenBearer {
    /// The token.
    pub token: Token,
    /// What it may do and see now.
    pub principal: Principal,
}

impl People {
    /// Makes a token for oneself.
    pub async fn make_token(&self, by: &Principal, new: NewToken) -> Result<MadeToken, DeskError> {
        let id = by.person.ok_or(DeskError::NotFound)?;
        let person = record::by_id::<Person>(self.store.as_ref(), id.as_u128()).await?;
        let person = person.filter(|it| it.status == Status::Active).ok_or(DeskError::NotActive)?;
        let mut scope = scope_within(new.scope, by.permissions, "your own")?;
        // Who asks with a narrow token does not get a wide one.
        if scope.is_none() && by.permissions != self.principal(&person).permissions {
            scope = Some(by.permissions.list());
        }
        let token = self.token_of(&new.name, Holder::Person(id), scope, by, new.life, new.at_most)?;
        self.keep_token(token, &person.sites, by).await
    }

    /// The token that the add-in's dialog hands back: short-lived, for handing in alone.
    pub async fn dialog_token(&self, person: &Person) -> Result<MadeToken, DeskError> {
        let principal = self.principal(person);
        let new = NewToken {
            name: "Outlook add-in".to_owned(),
            scope: Some(vec![Permission::File]),
            life: self.limits.dialog.min(self.limits.token_max),
            at_most: None,
        };
        self.make_token(&principal, new).await
    }

    /// Makes a token for a program.
    pub async fn make_program_token(&self, by: &Principal, new: NewProgram) -> Result<MadeToken, DeskError> {
        if !by.may(Permission::ManagePersons) {
            return Err(DeskError::NotAllowed(Permission::ManagePersons));
        }
        if new.name.contains('@') {
            return Err(bad("name", "a program's name has no @: that is how persons are told from programs"));
        }
        self.roles_within(by, &new.roles)?;
        sites_within(by, &new.sites)?;
        let scope = scope_within(new.scope, self.roles.permissions(&new.roles), "those of its roles")?;
        let holder = Holder::Program { name: new.name.clone(), roles: new.roles, sites: new.sites.clone() };
        let token = self.token_of(&new.name, holder, scope, by, new.life, new.at_most)?;
        self.keep_token(token, &new.sites, by).await
    }

    fn token_of(
        &self,
        name: &str,
        holder: Holder,
        scope: Option<Vec<Permission>>,
        by: &Principal,
        life: Duration,
        at_most: Option<Timestamp>,
    ) -> Result<(SecretString, Token), DeskError> {
        let cut = texts::cut(name.trim(), NAME);
        if cut.is_empty() || cut != name.trim() {
            return Err(bad("name", &format!("1 to {NAME} characters, and none that cannot be seen")));
        }
        if life.is_zero() || life > self.limits.token_max {
            let days = self.limits.token_max.as_secs() / 86_400;
            return Err(bad("expires", &format!("must lie in the future, and within {days} days")));
        }
        let secret = self.new_secret(FRONT);
        let now = self.now();
        let expires = later(now, life);
        let token = Token {
            id: TokenId::from_u128(self.next_id()),
            version: 1,
            secret: SecretHash::of(secret.expose_secret()),
            name: cut,
            holder,
            scope,
            made_by: by.name.clone(),
            created: now,
            expires: at_most.map_or(expires, |end| end.min(expires)),
            used: None,
        };
        Ok((secret, token))
    }

    async fn keep_token(
        &self,
        (secret, token): (SecretString, Token),
        sites: &Sites,
        by: &Principal,
    ) -> Result<MadeToken, DeskError> {
        let note = format!("\"{}\", until {}", token.name, token.expires);
        let event =
            self.event(Security::TokenMade, Subject::Token(token.id), Some(&sites.home), &by.name, note);
        self.store.commit(Commit { writes: vec![token.put()?], events: vec![event] }).await?;
        Ok(MadeToken { secret, token })
    }

    /// One's own tokens that still work, oldest first.
    pub async fn own_tokens(&self, by: &Principal) -> StoreResult<Vec<Token>> {
        let Some(person) = by.person else { return Ok(Vec::new()) };
        let mut tokens = self.all_of::<Token>(Some(&group_of(person))).await?;
        tokens.retain(|it| self.now() < it.expires);
        Ok(tokens)
    }

    /// The tokens of somebody whom an administrator looks after.
    pub async fn tokens_of(&self, by: &Principal, person: &Person) -> Result<Vec<Token>, DeskError> {
        self.may_manage(by, person)?;
        let mut tokens = self.all_of::<Token>(Some(&group_of(person.id))).await?;
        tokens.retain(|it| self.now() < it.expires);
        Ok(tokens)
    }

    /// The tokens of programs whose home is one of the administrator's sites.
    pub async fn program_tokens(&self, by: &Principal) -> Result<Vec<Token>, DeskError> {
        if !by.may(Permission::ManagePersons) {
            return Err(DeskError::NotAllowed(Permission::ManagePersons));
        }
        let mut tokens = self.all_of::<Token>(Some("programs")).await?;
        tokens.retain(|it| {
            self.now() < it.expires
                && matches!(&it.holder, Holder::Program { sites, .. } if by.sites.has(&sites.home))
        });
        Ok(tokens)
    }

    /// Revokes a token: one's own, or one that an administrator looks after.
    pub async fn revoke_token(&self, by: &Principal, id: TokenId) -> Result<(), DeskError> {
        for _ in 0..TRIES {
            let token = record::by_id::<Token>(self.store.as_ref(), id.as_u128()).await?;
            let token = token.ok_or(DeskError::NotFound)?;
            let event = self.revoked(by, &token).await?;
            if self.commits(Commit { writes: vec![token.remove()], events: vec![event] }).await? {
                return Ok(());
            }
        }
        Err(StoreError::Busy.into())
    }

    async fn revoked(&self, by: &Principal, token: &Token) -> Result<NewEvent, DeskError> {
        let home = match &token.holder {
            Holder::Program { sites, .. } => {
                if !by.may(Permission::ManagePersons) || !by.sites.has(&sites.home) {
                    return Err(DeskError::NotFound);
                }
                sites.home.clone()
            }
            Holder::Person(id) => {
                let person = record::by_id::<Person>(self.store.as_ref(), id.as_u128()).await?;
                let person = person.ok_or(DeskError::NotFound)?;
                if by.person != Some(*id) {
                    if !by.may(Permission::ManagePersons) || !by.sites.has(&person.sites.home) {
                        return Err(DeskError::NotFound);
                    }
                    self.may_manage(by, &person)?;
                }
                person.sites.home
            }
        };
        let note = format!("\"{}\"", token.name);
        let subject = Subject::Token(token.id);
        Ok(self.event(Security::TokenRevoked, subject, Some(&home), &by.name, note))
    }

    /// Who stands behind a token: none when there is none, it is over, or its holder may not come in. What it may do is within what
    /// the holder may do now. That it was used is noted once a minute at most.
    pub async fn token(&self, presented: &str) -> StoreResult<Option<TokenBearer>> {
        if !presented.starts_with(FRONT) {
            return Ok(None);
        }
        let store = self.store.as_ref();
        let Some(token) = record::by_key::<Token>(store, &SecretHash::of(presented).0).await? else {
            return Ok(None);
        };
        let Some(principal) = self.bearer_of(&token).await? else { return Ok(None) };
        let now = self.now();
        if token.used.is_none_or(|used| age(now, used) >= NOTED_EVERY) {
            let used = changed(Token { used: Some(now), ..token.clone() });
            if !self.commits(Commit { writes: vec![used.put()?], events: Vec::new() }).await?
                && record::by_id::<Token>(store, token.id.as_u128()).await?.is_none()
            {
                // It was revoked this very moment.
                return Ok(None);
            }
            return Ok(Some(TokenBearer { token: used, principal }));
        }
        Ok(Some(TokenBearer { token, principal }))
    }

    /// A token's principal as it is now, by the token's id: for what goes on for long after the token was shown.
    pub async fn token_again(&self, id: TokenId) -> StoreResult<Option<Principal>> {
        match record::by_id::<Token>(self.store.as_ref(), id.as_u128()).await? {
            Some(token) => self.bearer_of(&token).await,
            None => Ok(None),
        }
    }

    async fn bearer_of(&self, token: &Token) -> StoreResult<Option<Principal>> {
        if self.now() >= token.expires {
            return Ok(None);
        }
        let principal = match &token.holder {
            Holder::Program { name, roles, sites } => Principal {
                name: name.clone(),
                person: None,
                roles: roles.clone(),
                permissions: self.roles.permissions(roles),
                sites: sites.clone(),
                teams: Vec::new(),
            },
            Holder::Person(id) => match self.person_again(*id).await? {
                Some(principal) => principal,
                None => return Ok(None),
            },
        };
        let scope = token.scope.as_deref().map(Permissions::of);
        let permissions = scope.map_or(principal.permissions, |scope| principal.permissions.within(scope));
        Ok(Some(Principal { permissions, ..principal }))
    }
}

/// A value that is not accepted.
pub(super) fn bad(field: &'static str, message: &str) -> DeskError {
    DeskError::Bad { field, message: message.to_owned() }
}

/// A scope that names only what is allowed.
fn scope_within(
    scope: Option<Vec<Permission>>,
    allowed: Permissions,
    whose: &str,
) -> Result<Option<Vec<Permission>>, DeskError> {
    let Some(scope) = scope else { return Ok(None) };
    let scope = Permissions::of(&scope);
    if scope == Permissions::NONE {
        return Err(bad("scope", "names no permission"));
    }
    match scope.list().into_iter().find(|it| !allowed.has(*it)) {
        Some(more) => Err(DeskError::Beyond(format!("scope: {more} is not among {whose} permissions"))),
        None => Ok(Some(scope.list())),
    }
}

/// Sites that who asks sees themself.
pub(super) fn sites_within(by: &Principal, sites: &Sites) -> Result<(), DeskError> {
    if by.sites.all {
        return Ok(());
    }
    if sites.all {
        return Err(DeskError::Beyond("sites: nobody gives away all sites who does not see them".to_owned()));
    }
    match std::iter::once(&sites.home).chain(&sites.also).find(|it| !by.sites.has(it)) {
        Some(more) => Err(DeskError::Beyond(format!("sites: {more} is not among your own"))),
        None => Ok(()),
    }
}
