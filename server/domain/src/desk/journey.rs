//! To a provider and back: the browser is sent away with a state that only it can bring back, once.

use secrecy::{ExposeSecret as _, SecretString};

use super::matching::Recognised;
use super::{Browser, NewSession, NotLetIn, People, SignedIn, TRIES, texts};
use crate::event::Security;
use crate::ids::ServiceName;
use crate::link::{Link, LinkError, NewLink, Offer};
use crate::people::{Flow, Purpose, SecretHash};
use crate::person::Permission;
use crate::record::{self, Commit, Kept as _};
use crate::sign_in::{Arrival, Claims, Departure, Provider, ProviderError};
use crate::store::StoreError;
use crate::time::later;

/// What the journey is for.
#[derive(Debug, Clone, Copy)]
pub enum Errand<'a> {
    /// Somebody wants to come in.
    SignIn,
    /// A person links their own account.
    Link(&'a SignedIn),
    /// An administrator links the system account.
    LinkSystem(&'a SignedIn),
}

/// How the journey begins.
#[derive(Debug, Clone, Copy, Default)]
pub struct SettingOut<'a> {
    /// Where the browser goes afterwards; what is no path of ours becomes the start page.
    pub then: &'a str,
    /// It begins in the dialog of the add-in, which wants a token back.
    pub dialog: bool,
    /// The window is small.
    pub small: bool,
    /// The e-mail of who probably signs in.
    pub hint: Option<&'a str>,
    /// The browser's secret from a journey before that is under way still, such as in another tab: kept, so that both come back.
    pub browser_secret: Option<&'a str>,
}

/// A journey that began.
#[derive(Debug)]
pub struct Begun {
    /// Where to send the browser.
    pub location: String,
    /// What the browser keeps as a cookie until it comes back.
    pub browser_secret: SecretString,
}

/// What the browser brings back.
#[derive(Debug, Clone, Copy)]
pub struct Return<'a> {
    /// The state, as in the address.
    pub state: &'a str,
    /// The code, or the provider's word for why there is none.
    pub code: Result<&'a SecretString, &'a str>,
    /// The cookie of [`Begun::browser_secret`].
    pub browser_secret: Option<&'a str>,
    /// The browser.
    pub browser: Browser<'a>,
    /// Who is signed in in it.
    pub signed_in: Option<&'a SignedIn>,
}

/// What came of it.
#[derive(Debug)]
pub enum CameBack {
    /// Somebody is in.
    SignedIn {
        /// Their session.
        session: NewSession,
        /// Where the browser goes.
        then: String,
        /// The dialog of the add-in wants a token ([`People::dialog_token`]).
        dialog: bool,
    },
    /// An account is linked.
    Linked {
        /// The link.
        link: Link,
        /// Where the browser goes.
        then: String,
        /// The person is to be asked whether the account is the right one, before it is used.
        ask: bool,
    },
}

impl People {
    /// The address of ours that providers send browsers back to: registered there.
    pub fn redirect(&self, service: &ServiceName) -> String {
        format!("{}/auth/callback/{service}", self.public_url)
    }

    /// Begins a journey. What has to be remembered is durable before the browser leaves.
    pub async fn begin(
        &self,
        service: &ServiceName,
        errand: Errand<'_>,
        out: SettingOut<'_>,
    ) -> Result<Begun, NotLetIn> {
        let not_offered = || NotLetIn::NotOffered(service.clone());
        let provider = self.providers.get(service).ok_or_else(not_offered)?;
        let settings = self.service(service).ok_or_else(not_offered)?;
        let (offered, purpose) = match errand {
            Errand::SignIn => (settings.sign_in != Offer::Disabled, Purpose::SignIn),
            Errand::Link(who) => (
                settings.asked_of(&who.person.teams).is_some() && who.principal.may(Permission::File),
                Purpose::Link(who.person.id),
            ),
            Errand::LinkSystem(who) => (
                settings.links && who.principal.may(Permission::ManageLinks),
                Purpose::LinkSystem(who.person.id),
            ),
        };
        if !offered {
            return Err(not_offered());
        }
        let (state, nonce, verifier) = (self.new_secret(""), self.new_secret(""), self.new_secret(""));
        let browser_secret = match out.browser_secret.filter(|it| is_secret(it)) {
            Some(kept) => SecretString::from(kept),
            None => self.new_secret(""),
        };
        let mut flow = Flow {
            id: self.next_id(),
            version: 1,
            state: SecretHash::of(state.expose_secret()),
            browser: SecretHash::of(browser_secret.expose_secret()),
            service: service.clone(),
            purpose,
            secrets: crate::link::Sealed::default(),
            then: texts::own_path(out.then),
            dialog: out.dialog,
            expires: later(self.now(), self.limits.flow),
        };
        let both = format!("{}:{}", verifier.expose_secret(), nonce.expose_secret());
        flow.secrets = self.seals.seal(Flow::place(&flow.place_id()), &SecretString::from(both))?;
        let redirect = self.redirect(service);
        let departure = Departure {
            redirect: &redirect,
            state: state.expose_secret(),
            nonce: nonce.expose_secret(),
            verifier: &verifier,
            hint: out.hint,
            small: out.small,
            link: !matches!(errand, Errand::SignIn),
        };
        let location = provider.departure(departure).await?;
        self.store.commit(Commit { writes: vec![flow.put()?], events: Vec::new() }).await?;
        Ok(Begun { location, browser_secret })
    }

    /// Ends a journey. The state works once: it is gone before the code is used, so that of two who bring it back one is refused.
    /// Whoever is not let in is told of in the audit; so the caller bounds how often one address may come here with nothing.
    pub async fn come_back(&self, service: &ServiceName, back: Return<'_>) -> Result<CameBack, NotLetIn> {
        let flow = match self.take_flow(service, &back).await {
            Ok(flow) => flow,
            Err(why) => {
                self.tell_stranger(service, None, &why).await?;
                return Err(why);
            }
        };
        match flow.purpose {
            Purpose::SignIn => self.end_sign_in(&flow, &back).await,
            Purpose::Link(person) => {
                let who = back.signed_in.filter(|it| it.person.id == person);
                self.end_link(&flow, &back, who, Permission::File, false).await
            }
            Purpose::LinkSystem(person) => {
                let who = back.signed_in.filter(|it| it.person.id == person);
                self.end_link(&flow, &back, who, Permission::ManageLinks, true).await
            }
        }
    }

    /// Looks the journey up and removes it.
    async fn take_flow(&self, service: &ServiceName, back: &Return<'_>) -> Result<Flow, NotLetIn> {
        let key = SecretHash::of(back.state).0;
        let flow = record::by_key::<Flow>(self.store.as_ref(), &key).await?;
        let flow =
            flow.filter(|it| it.service == *service && self.now() < it.expires).ok_or(NotLetIn::Stale)?;
        // Another browser does not end it: the one that began it may still come.
        if back.browser_secret.map(SecretHash::of).as_ref() != Some(&flow.browser) {
            return Err(NotLetIn::OtherBrowser);
        }
        if !self.commits(Commit { writes: vec![flow.remove()], events: Vec::new() }).await? {
            return Err(NotLetIn::Stale);
        }
        Ok(flow)
    }

    fn provider(&self, service: &ServiceName) -> Result<&dyn Provider, NotLetIn> {
        let provider = self.providers.get(service).map(AsRef::as_ref);
        provider.ok_or_else(|| NotLetIn::NotOffered(service.clone()))
    }

    /// The verifier and the nonce.
    fn unseal(&self, flow: &Flow) -> Result<(SecretString, SecretString), NotLetIn> {
        let both = self.seals.open(Flow::place(&flow.place_id()), &flow.secrets)?;
        let (verifier, nonce) =
            both.expose_secret().split_once(':').ok_or(crate::sealing::SealError::DoesNotOpen)?;
        Ok((SecretString::from(verifier), SecretString::from(nonce)))
    }

    async fn end_sign_in(&self, flow: &Flow, back: &Return<'_>) -> Result<CameBack, NotLetIn> {
        let service = &flow.service;
        let claims = match self.claims(flow, back).await {
            Ok(claims) => claims,
            Err(why) => {
                self.tell_stranger(service, None, &why).await?;
                return Err(why);
            }
        };
        for _ in 0..TRIES {
            let found = match self.recognise(service, &claims).await {
                Ok(found) => found,
                Err(NotLetIn::Store(error)) => return Err(error.into()),
                Err(why) => {
                    self.tell_stranger(service, Some(&claims), &why).await?;
                    return Err(why);
                }
            };
            if let Some(why) = Self::turned_away(&found.person) {
                if self.keep_turned_away(found, service, &why).await? {
                    return Err(why);
                }
                continue;
            }
            if let Some(session) = self.let_in(found, service, back.browser).await? {
                return Ok(CameBack::SignedIn { session, then: flow.then.clone(), dialog: flow.dialog });
            }
        }
        Err(StoreError::Busy.into())
    }

    async fn claims(&self, flow: &Flow, back: &Return<'_>) -> Result<Claims, NotLetIn> {
        let provider = self.provider(&flow.service)?;
        if self.service(&flow.service).is_none_or(|it| it.sign_in == Offer::Disabled) {
            return Err(NotLetIn::NotOffered(flow.service.clone()));
        }
        let code = back.code.map_err(refused)?;
        let (verifier, nonce) = self.unseal(flow)?;
        let redirect = self.redirect(&flow.service);
        let arrival =
            Arrival { code, redirect: &redirect, nonce: nonce.expose_secret(), verifier: &verifier };
        Ok(provider.claims(arrival).await?)
    }

    /// None when the person changed meanwhile.
    async fn let_in(
        &self,
        mut found: Recognised,
        service: &ServiceName,
        browser: Browser<'_>,
    ) -> Result<Option<NewSession>, NotLetIn> {
        // Always written, so that a person who is disabled at this moment does not get a session all the same.
        found.touch();
        found.person.last_sign_in = Some(self.now());
        let (secret, session, mut writes, events) =
            self.beginning(&found.person, service.as_str(), browser).await?;
        writes.extend(found.write()?);
        found.events.extend(events);
        let done = self.commits_or_exists(Commit { writes, events: found.events }).await?;
        Ok(done.then(|| Self::begun(secret, session, found.person)))
    }

    async fn end_link(
        &self,
        flow: &Flow,
        back: &Return<'_>,
        who: Option<&SignedIn>,
        needs: Permission,
        system: bool,
    ) -> Result<CameBack, NotLetIn> {
        let Some(who) = who.filter(|it| it.principal.may(needs)) else {
            self.tell_stranger(&flow.service, None, &NotLetIn::SignedOut).await?;
            return Err(NotLetIn::SignedOut);
        };
        match self.link(flow, back, who, system).await {
            Ok(link) => {
                let ask = link.state == crate::link::LinkState::Unconfirmed;
                Ok(CameBack::Linked { link, then: flow.then.clone(), ask })
            }
            Err(why) => {
                let note = format!("linking at {}: {why}", flow.service);
                self.tell(self.about(Security::SignInRefused, &who.person, &who.person.name, note)).await?;
                Err(why)
            }
        }
    }

    async fn link(
        &self,
        flow: &Flow,
        back: &Return<'_>,
        who: &SignedIn,
        system: bool,
    ) -> Result<Link, NotLetIn> {
        let provider = self.provider(&flow.service)?;
        let code = back.code.map_err(refused)?;
        let (verifier, nonce) = self.unseal(flow)?;
        let redirect = self.redirect(&flow.service);
        let arrival =
            Arrival { code, redirect: &redirect, nonce: nonce.expose_secret(), verifier: &verifier };
        let (account, grant) = provider.grant(arrival).await?;
        let theirs = texts::email_of(&account.email).is_some_and(|it| it == who.person.email);
        let new = NewLink {
            service: flow.service.clone(),
            person: (!system).then_some(who.person.id),
            made_by: who.person.name.clone(),
            account,
            grant: grant.clone(),
            ask: system || !theirs,
        };
        let answer = self.links.link(new).await;
        if let Err(
            LinkError::Taken { .. } | LinkError::NotOffered(_) | LinkError::NotFound | LinkError::Changed,
        ) = &answer
        {
            // Nobody keeps these tokens: the service is told, as far as it listens. After a failure of the store they may be kept
            // all the same, so then they stay.
            let _best_effort = provider.revoke(&grant).await;
        }
        Ok(answer?)
    }
}

/// What a provider says instead of a code. Its words come through the browser: only those that the protocol knows are kept
/// (RFC 6749, 4.1.2.1; OpenID Connect Core, 3.1.2.6).
fn refused(error: &str) -> NotLetIn {
    let known = match error {
        "access_denied"
        | "consent_required"
        | "interaction_required"
        | "login_required"
        | "account_selection_required" => return ProviderError::Refused(error.to_owned()).into(),
        "server_error" | "temporarily_unavailable" => {
            return ProviderError::Unavailable(error.to_owned()).into();
        }
        "invalid_request"
        | "unauthorized_client"
        | "unsupported_response_type"
        | "invalid_scope"
        | "request_not_supported"
        | "invalid_request_uri"
        | "registration_not_supported" => error,
        _ => "an unknown error",
    };
    ProviderError::Misconfigured(known.to_owned()).into()
}

/// Whether a text has the form of a secret of ours.
fn is_secret(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}
