//! Who calls, and what they may do. A handler cannot run without the extractor that proves it: [`Allowed`] stands in its
//! signature with the permission it needs.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest, dev, web};
use jiff::Timestamp;
use postroom_api::problem::Code;
use postroom_domain::Fut;
use postroom_domain::desk::{NotLetIn, People, SignedIn};
use postroom_domain::person::{Actor, Permission, Principal, Scope};
use postroom_domain::sign_in::ProviderError;
use postroom_domain::store::{StoreError, StoreResult};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest, Sha256};

use crate::app::Shared;
use crate::fault::Fault;
use crate::{cookies, csrf};

pub(crate) mod guesses;

/// SHA-256 of a token: what is kept and compared, so that no list of tokens is of use to a thief.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The hash of a token as it is presented.
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// Wraps a hash that was kept.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

/// Who stands behind a token.
pub trait Tokens: Send + Sync {
    /// The principal of a valid token; none for every other one.
    fn principal(&self, token: TokenHash) -> Fut<'_, Result<Option<Arc<Principal>>, StoreError>>;
}

/// Tokens known when the program starts.
#[derive(Debug, Clone, Default)]
pub struct TokenTable(HashMap<TokenHash, Arc<Principal>>);

impl TokenTable {
    /// Adds a token by its hash.
    pub fn insert(&mut self, token: TokenHash, principal: Principal) {
        self.0.insert(token, Arc::new(principal));
    }
}

impl FromIterator<(TokenHash, Principal)> for TokenTable {
    fn from_iter<I: IntoIterator<Item = (TokenHash, Principal)>>(tokens: I) -> Self {
        Self(tokens.into_iter().map(|(token, principal)| (token, Arc::new(principal))).collect())
    }
}

impl Tokens for TokenTable {
    fn principal(&self, token: TokenHash) -> Fut<'_, Result<Option<Arc<Principal>>, StoreError>> {
        let found = self.0.get(&token).cloned();
        Box::pin(async move { Ok(found) })
    }
}

/// A permission as a type.
pub(crate) trait Needs: 'static {
    const PERMISSION: Permission;
}

macro_rules! needs {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $name;
        impl Needs for $name {
            const PERMISSION: Permission = Permission::$name;
        }
    )*};
}

needs!(
    /// Hand in documents and see what became of one's own.
    File,
    /// See every intake and filing of one's sites.
    SeeAll,
    /// Decide over filings and intakes.
    Decide,
    /// Pause and resume sources and destinations.
    Pause,
    /// Create and change work items.
    EditWorkItems,
    /// Look after persons, their sessions and tokens.
    ManagePersons,
    /// Read the audit.
    ReadAudit,
    /// Everything about the machine itself.
    Administer,
);

/// How a caller proved who it is.
#[derive(Debug, Clone)]
pub(crate) enum Door {
    /// A token from the settings.
    Settings,
    /// A token that the desk made.
    Token {
        /// Which one.
        id: postroom_domain::ids::TokenId,
        /// When it ends.
        ends: Timestamp,
    },
    /// A token that a client got elsewhere.
    Vouched,
    /// A browser with a session.
    Session(Box<SignedIn>),
    /// The socket in the data folder.
    Local,
}

/// Stands in the app data of the server on the socket in the data folder, and nowhere else.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LocalDoor;

/// Who calls, with how that was proved.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// Who.
    pub(crate) principal: Arc<Principal>,
    /// By what.
    pub(crate) door: Door,
}

impl Caller {
    /// The session or token, as what is bound to it remembers it.
    pub(crate) fn holder(&self) -> String {
        match &self.door {
            Door::Session(signed_in) => session_holder(signed_in),
            Door::Token { id, .. } => format!("token/{id}"),
            Door::Settings | Door::Vouched | Door::Local => format!("name/{}", self.principal.name),
        }
    }

    /// The caller as it is now: none when its token or session has ended meanwhile. For what goes on for long after it was let in.
    pub(crate) async fn again(&self, people: &People) -> StoreResult<Option<Principal>> {
        match &self.door {
            Door::Settings | Door::Local => Ok(Some((*self.principal).clone())),
            Door::Token { id, .. } => people.token_again(*id).await,
            Door::Vouched => match self.principal.person {
                Some(person) => people.person_again(person).await,
                None => Ok(None),
            },
            Door::Session(signed_in) => people.session_again(signed_in.session.id).await,
        }
    }
}

/// A session, as what is bound to it remembers it.
pub(crate) fn session_holder(signed_in: &SignedIn) -> String {
    format!("session/{}", signed_in.session.id)
}

/// Proof that the caller may do `P`.
#[derive(Debug)]
pub(crate) struct Allowed<P> {
    caller: Caller,
    permission: PhantomData<P>,
}

impl<P> Allowed<P> {
    /// Who calls.
    pub(crate) fn principal(&self) -> &Arc<Principal> {
        &self.caller.principal
    }

    /// The caller, for what outlives the request.
    pub(crate) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The caller as history keeps it.
    pub(crate) fn actor(&self) -> Actor {
        Actor::person(&self.caller.principal.name)
    }

    /// The sites whose records may be shown: what belongs to another does not exist.
    pub(crate) fn scope(&self) -> Scope {
        self.caller.principal.sites.scope()
    }

    /// Whether the caller may besides.
    pub(crate) fn may(&self, permission: Permission) -> bool {
        self.caller.principal.may(permission)
    }

    /// Only this person's records may be shown; none means all of the sites.
    pub(crate) fn only_own(&self) -> Option<String> {
        (!self.may(Permission::SeeAll)).then(|| self.caller.principal.name.clone())
    }

    /// The session, where it is a browser's.
    pub(crate) fn signed_in(&self) -> Option<&SignedIn> {
        match &self.caller.door {
            Door::Session(signed_in) => Some(signed_in),
            _ => None,
        }
    }

    /// When the caller's token ends, where it is one that does: it makes none that outlives it.
    pub(crate) fn ends(&self) -> Option<Timestamp> {
        match &self.caller.door {
            Door::Token { ends, .. } => Some(*ends),
            _ => None,
        }
    }

    /// Whether it came through the socket in the data folder.
    pub(crate) fn is_local(&self) -> bool {
        matches!(self.caller.door, Door::Local)
    }
}

/// The name for the log line, left behind by the extractor for the middleware.
pub(crate) struct CallerName(pub(crate) Arc<Principal>);

impl<P: Needs> FromRequest for Allowed<P> {
    type Error = Fault;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Fault>>>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let caller = caller(&request).await?;
            let principal = &caller.principal;
            request.extensions_mut().insert(CallerName(Arc::clone(principal)));
            if principal.may(P::PERMISSION) {
                Ok(Self { caller, permission: PhantomData })
            } else {
                Err(Fault::forbidden(&principal.roles, P::PERMISSION))
            }
        })
    }
}

/// Who is signed in in the browser, if anybody: for pages, which show strangers the way to the sign-in instead of an error. A request
/// that changes something is nobody's unless it comes from a page of ours ([`csrf::check_form`] checks its form besides).
#[derive(Debug, Clone)]
pub(crate) struct Visitor(pub(crate) Option<SignedIn>);

impl FromRequest for Visitor {
    type Error = Fault;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Fault>>>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let app = app(&request)?;
            let Some(secret) = cookies::read(&request, cookies::SESSION) else { return Ok(Self(None)) };
            csrf::same_origin(app, &request)?;
            let signed_in = app.identity.people.session(secret.expose_secret()).await?;
            if let Some(signed_in) = &signed_in {
                let principal = Arc::new(signed_in.principal.clone());
                request.extensions_mut().insert(CallerName(principal));
            }
            Ok(Self(signed_in))
        })
    }
}

fn app(request: &HttpRequest) -> Result<&web::Data<Shared>, Fault> {
    request.app_data::<web::Data<Shared>>().ok_or_else(|| Fault::internal("no app data"))
}

/// A token wins over everything, so that a program is never taken for the browser that it runs in. The socket in the data folder comes
/// next, then the cookie.
async fn caller(request: &HttpRequest) -> Result<Caller, Fault> {
    let app = app(request)?;
    if let Some(given) = request.headers().get(header::AUTHORIZATION) {
        let token = given.to_str().ok().and_then(|text| {
            let (scheme, token) = text.split_once(' ')?;
            let token = token.trim();
            (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then(|| SecretString::from(token))
        });
        let Some(token) = token else {
            let detail = "The Authorization header is not \"Bearer\" and a token.";
            return Err(Fault::new(Code::Unauthorized, detail));
        };
        return by_token(app, request, token).await;
    }
    if request.app_data::<LocalDoor>().is_some() {
        let principal = Arc::new(People::local_administrator(app.identity.home.clone()));
        return Ok(Caller { principal, door: Door::Local });
    }
    let Some(secret) = cookies::read(request, cookies::SESSION) else {
        return Err(Fault::new(Code::Unauthorized, "The request has no Authorization header."));
    };
    csrf::same_origin(app, request)?;
    match app.identity.people.session(secret.expose_secret()).await? {
        Some(signed_in) => {
            let principal = Arc::new(signed_in.principal.clone());
            Ok(Caller { principal, door: Door::Session(Box::new(signed_in)) })
        }
        None => Err(Fault::new(Code::Unauthorized, "The session has ended.").hint("Sign in again.")),
    }
}

/// A right token is let in whatever else its address tried: behind a proxy all callers share one address, and tokens are too long to
/// be guessed. The count bounds what wrong ones cost and write.
async fn by_token(app: &Shared, request: &HttpRequest, token: SecretString) -> Result<Caller, Fault> {
    let people = &app.identity.people;
    if let Some(principal) = app.tokens.principal(TokenHash::of(token.expose_secret())).await? {
        return Ok(Caller { principal, door: Door::Settings });
    }
    if let Some(found) = people.token(token.expose_secret()).await? {
        let door = Door::Token { id: found.token.id, ends: found.token.expires };
        return Ok(Caller { principal: Arc::new(found.principal), door });
    }
    // Only what has the three parts of a signed token is shown to the checks: they may have to ask for keys.
    if token.expose_secret().bytes().filter(|b| *b == b'.').count() == 2 {
        match people.vouched(&token).await {
            Ok(Some(principal)) => return Ok(Caller { principal: Arc::new(principal), door: Door::Vouched }),
            Ok(None) => {}
            Err(why) => return Err(not_let_in(why)),
        }
    }
    match request.peer_addr().and_then(|peer| app.guesses.wrong(peer.ip(), app.clock.monotonic())) {
        Some(wait) => Err(Fault::too_many("Too many wrong tokens came from this address.", wait)),
        None => Err(Fault::new(Code::Unauthorized, "The token is not known, or not valid any more.")),
    }
}

/// The answer to a program whose caller is not let in.
fn not_let_in(why: NotLetIn) -> Fault {
    let words = why.words();
    match why {
        NotLetIn::Store(error) => error.into(),
        NotLetIn::Provider(ProviderError::Unavailable(for_log)) => {
            Fault::new(Code::Busy, words).after(30).log(for_log)
        }
        NotLetIn::Seal(error) => Fault::internal(error.to_string()),
        NotLetIn::Pending | NotLetIn::Disabled | NotLetIn::EmailReused | NotLetIn::Unknown => {
            Fault::new(Code::Forbidden, words)
        }
        _ => Fault::new(Code::Unauthorized, words),
    }
}

/// Before a password or a one-time link is looked at: whether too many wrong ones came from the caller's address.
pub(crate) fn may_try(app: &Shared, request: &HttpRequest) -> Result<(), Fault> {
    let peer = request.peer_addr().map(|it| it.ip());
    match peer.and_then(|peer| app.tries.waits(peer, app.clock.monotonic())) {
        Some(wait) => Err(Fault::too_many("Too many attempts came from this address.", wait)),
        None => Ok(()),
    }
}

/// Counts an attempt that was wrong, or that costs something and proves nothing, such as the beginning of a sign-in at a provider.
pub(crate) fn tried(app: &Shared, request: &HttpRequest) {
    if let Some(peer) = request.peer_addr() {
        let _counted = app.tries.wrong(peer.ip(), app.clock.monotonic());
    }
}
