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
use postroom_api::problem::Code;
use postroom_domain::Fut;
use postroom_domain::person::{Actor, Permission, Principal};
use postroom_domain::store::StoreError;
use sha2::{Digest, Sha256};

use crate::app::Shared;
use crate::fault::Fault;

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
    /// See every intake and filing of the site.
    SeeAll,
    /// Decide over filings and intakes.
    Decide,
    /// Pause and resume sources and destinations.
    Pause,
    /// Create and change work items.
    EditWorkItems,
    /// Everything about the machine itself.
    Administer,
);

/// Proof that the caller may do `P`.
#[derive(Debug)]
pub(crate) struct Allowed<P> {
    principal: Arc<Principal>,
    permission: PhantomData<P>,
}

impl<P> Allowed<P> {
    /// Who calls.
    pub(crate) fn principal(&self) -> &Arc<Principal> {
        &self.principal
    }

    /// The caller as history keeps it.
    pub(crate) fn actor(&self) -> Actor {
        Actor::person(&self.principal.name)
    }

    /// Only this person's records may be shown; none means the whole site.
    pub(crate) fn only_own(&self) -> Option<String> {
        (!self.principal.role.may(Permission::SeeAll)).then(|| self.principal.name.clone())
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
            let principal = caller(&request).await?;
            request.extensions_mut().insert(CallerName(Arc::clone(&principal)));
            if principal.role.may(P::PERMISSION) {
                Ok(Self { principal, permission: PhantomData })
            } else {
                Err(Fault::forbidden(principal.role, P::PERMISSION))
            }
        })
    }
}

async fn caller(request: &HttpRequest) -> Result<Arc<Principal>, Fault> {
    let app = request.app_data::<web::Data<Shared>>().ok_or_else(|| Fault::internal("no app data"))?;
    let peer = request.peer_addr().map(|address| address.ip());
    let Some(given) = request.headers().get(header::AUTHORIZATION) else {
        return Err(Fault::new(Code::Unauthorized, "The request has no Authorization header."));
    };
    let token = given.to_str().ok().and_then(|text| {
        let (scheme, token) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    });
    let found = match token {
        Some(token) if !token.is_empty() => app.tokens.principal(TokenHash::of(token)).await?,
        _ => {
            let detail = "The Authorization header is not \"Bearer\" and a token.";
            return Err(Fault::new(Code::Unauthorized, detail));
        }
    };
    // A right token is let in whatever else its address tried: behind a proxy all callers share one address, and tokens are
    // too long to be guessed. The count bounds what wrong ones cost and write.
    if let Some(principal) = found {
        return Ok(principal);
    }
    match peer.and_then(|peer| app.guesses.wrong(peer, app.clock.monotonic())) {
        Some(wait) => Err(Fault::too_many("Too many wrong tokens came from this address.", wait)),
        None => Err(Fault::new(Code::Unauthorized, "The token is not known, or not valid any more.")),
    }
}
