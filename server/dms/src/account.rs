//! The accounts that a connector calls with: the one of its settings, and linked ones. Each account has a seat of its own (its tokens
//! and all that was learned with them), because what one may see another does not.
//!
//! What is the same for every vendor stands here; how a vendor grants tokens for the settings' account is an [`OwnAccount`].

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use postroom_domain::Fut;
use postroom_domain::cause::Cause;
use postroom_domain::dms::{DmsError, DmsResult, RetryAfter, Trouble};
use postroom_domain::ids::ServiceName;
use postroom_domain::link::{Access, AccessError, AccessTokens, Whose};
use postroom_domain::person::{Actor, Credential};
use postroom_outbound::{Outbound, SecretString, expose};
use tokio::sync::Mutex;
use url::Url;

/// An access token. The generation tells it from the one before, so that one renewal serves all who met its end.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) value: SecretString,
    pub(crate) generation: u64,
}

/// The account that a destination's own settings name, as its vendor grants it tokens.
pub(crate) trait OwnAccount: Send + Sync {
    /// A token that should work.
    fn get<'a>(&'a self, http: &'a Outbound) -> Fut<'a, DmsResult<Token>>;
    /// A token newer than the one that was refused. Who comes second gets what the first one fetched.
    fn renew<'a>(&'a self, http: &'a Outbound, refused: &'a Token) -> Fut<'a, DmsResult<Token>>;
    /// Forgets that a password was refused: a person asks.
    fn forgive(&self) -> Fut<'_, ()> {
        Box::pin(async {})
    }
    /// Whether the sign-in can be renewed without a password or a person.
    fn has_refresh(&self) -> Fut<'_, bool> {
        Box::pin(async { true })
    }
}

/// The system account of a destination that says `grant = "link"`, before it was told who keeps links.
pub(crate) struct Nobody;

impl OwnAccount for Nobody {
    fn get<'a>(&'a self, _: &'a Outbound) -> Fut<'a, DmsResult<Token>> {
        Box::pin(async {
            let detail = "the system account is to be linked, but nothing keeps links here";
            Err(DmsError::from_trouble(Trouble::new(Cause::LoginNeeded, detail)))
        })
    }
    fn renew<'a>(&'a self, http: &'a Outbound, _: &'a Token) -> Fut<'a, DmsResult<Token>> {
        self.get(http)
    }
}

/// Where one account's tokens come from.
pub(crate) struct Tokens {
    source: Source,
    /// The newest generation with which a call got through.
    proven: AtomicU64,
}

enum Source {
    /// The settings name the account.
    Settings(Box<dyn OwnAccount>),
    /// The account was linked.
    Link { service: ServiceName, person: Option<String>, tokens: Arc<dyn AccessTokens> },
}

impl Tokens {
    /// The account that the settings name.
    pub(crate) fn own(account: impl OwnAccount + 'static) -> Self {
        Self { source: Source::Settings(Box::new(account)), proven: AtomicU64::new(0) }
    }

    /// A linked account: a person's own, or the system account where no person is named.
    pub(crate) fn linked(
        service: ServiceName,
        person: Option<String>,
        tokens: Arc<dyn AccessTokens>,
    ) -> Self {
        Self { source: Source::Link { service, person, tokens }, proven: AtomicU64::new(0) }
    }

    /// The account's name among those of the destination: what its calls are paced by ([`Outbound::for_account`]).
    pub(crate) fn account(&self) -> &str {
        match &self.source {
            Source::Link { person: Some(person), .. } => person,
            // No person's name is empty.
            Source::Link { person: None, .. } | Source::Settings(_) => "",
        }
    }

    /// A token that should work.
    pub(crate) async fn get(&self, http: &Outbound) -> DmsResult<Token> {
        match &self.source {
            Source::Settings(keeper) => keeper.get(http).await,
            Source::Link { service, person, tokens } => {
                token(tokens.access(service, whose(person.as_deref())).await, service, person.as_deref())
            }
        }
    }

    /// A token newer than the one that was refused. Who comes second gets what the first one fetched.
    pub(crate) async fn renew(&self, http: &Outbound, refused: &Token) -> DmsResult<Token> {
        match &self.source {
            Source::Settings(keeper) => keeper.renew(http, refused).await,
            Source::Link { service, person, tokens } => {
                let answer =
                    tokens.after_refusal(service, whose(person.as_deref()), refused.generation).await;
                token(answer, service, person.as_deref())
            }
        }
    }

    /// Whether this is one person's linked account, so that its trouble is theirs alone.
    pub(crate) const fn is_persons(&self) -> bool {
        matches!(&self.source, Source::Link { person: Some(_), .. })
    }

    /// Notes that a call with the token got through.
    pub(crate) fn proves(&self, token: &Token) {
        self.proven.fetch_max(token.generation, Ordering::Relaxed);
    }

    /// Whether a call with the token ever got through. One that never did has not run out: it is not accepted at all.
    pub(crate) fn is_proven(&self, token: &Token) -> bool {
        self.proven.load(Ordering::Relaxed) >= token.generation
    }

    /// Forgets that a password was refused: a person asks.
    pub(crate) async fn forgive(&self) {
        if let Source::Settings(keeper) = &self.source {
            keeper.forgive().await;
        }
    }

    /// Whether the sign-in can be renewed without the password. What renews a link is told where links are looked at.
    pub(crate) async fn has_refresh(&self) -> bool {
        match &self.source {
            Source::Settings(keeper) => keeper.has_refresh().await,
            Source::Link { .. } => true,
        }
    }
}

fn whose(person: Option<&str>) -> Whose<'_> {
    person.map_or(Whose::System, Whose::Own)
}

/// A linked account's token, or what it means for a call that there is none.
fn token(
    answer: Result<Access, AccessError>,
    service: &ServiceName,
    person: Option<&str>,
) -> DmsResult<Token> {
    let error = match answer {
        Ok(Access { token, generation }) => return Ok(Token { value: token, generation }),
        Err(error) => error,
    };
    let account = person.unwrap_or("the system account");
    let detail = format!("{account} at {service}: {error}");
    Err(match error {
        AccessError::NoLink => DmsError::NeedsLogin(Trouble::new(Cause::LoginNeeded, detail)),
        // Secrets that do not open are this link's trouble; linking again mends it.
        AccessError::Broken(_) | AccessError::Sealed(_) => {
            DmsError::NeedsLogin(Trouble::new(Cause::LinkBroken, detail))
        }
        AccessError::Unavailable { until: Some(until), .. } => DmsError::Throttled {
            until: Some(RetryAfter::At(until)),
            trouble: Trouble::new(Cause::Throttled, detail),
        },
        // One link that cannot be renewed now says nothing about the destination.
        AccessError::Unavailable { until: None, .. } | AccessError::Store(_) => {
            DmsError::Unavailable(Trouble::new(Cause::SessionGone, detail))
        }
    })
}

/// The seats of one destination.
pub(crate) struct Seats<S> {
    destination: String,
    make: Box<dyn Fn(Tokens) -> S + Send + Sync>,
    system: Arc<S>,
    links: Option<(ServiceName, Arc<dyn AccessTokens>)>,
    own: Mutex<HashMap<String, Arc<S>>>,
}

/// So many persons' seats are kept before all are given up. Giving up costs a few calls, no more.
const MOST_SEATS: usize = 1_000;

impl<S> Seats<S> {
    /// The system account's seat, and how others are made.
    pub(crate) fn new(
        destination: &str,
        system: Tokens,
        make: impl Fn(Tokens) -> S + Send + Sync + 'static,
    ) -> Self {
        let system = Arc::new(make(system));
        Self {
            destination: destination.to_owned(),
            make: Box::new(make),
            system,
            links: None,
            own: Mutex::default(),
        }
    }

    /// The same with linked accounts: persons' own ones and, where `system` says so, the system account.
    pub(crate) fn link(&mut self, service: ServiceName, tokens: Arc<dyn AccessTokens>, system: bool) {
        if system {
            self.system = Arc::new((self.make)(Tokens::linked(service.clone(), None, Arc::clone(&tokens))));
        }
        self.links = Some((service, tokens));
    }

    /// The seat of the system account.
    pub(crate) const fn system(&self) -> &Arc<S> {
        &self.system
    }

    /// The seat of the account that an actor uses. A call with a person's own account never takes the system's.
    pub(crate) async fn of(&self, actor: &Actor) -> DmsResult<Arc<S>> {
        if actor.credential != Some(Credential::Own) {
            return Ok(Arc::clone(&self.system));
        }
        let person = actor.account_owner();
        let Some((service, tokens)) = &self.links else {
            let detail =
                format!("{person} has no account at {}: accounts are not linked here", self.destination);
            return Err(DmsError::from_trouble(Trouble::new(Cause::LoginNeeded, detail)));
        };
        let mut own = self.own.lock().await;
        if let Some(seat) = own.get(person) {
            return Ok(Arc::clone(seat));
        }
        if own.len() >= MOST_SEATS {
            own.clear();
        }
        let tokens = Tokens::linked(service.clone(), Some(person.to_owned()), Arc::clone(tokens));
        let seat = Arc::new((self.make)(tokens));
        own.insert(person.to_owned(), Arc::clone(&seat));
        Ok(seat)
    }
}

/// A path below the server's address, whether that ends in a slash or not.
pub(crate) fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.set_path(&format!("{}/{}", base.path().trim_end_matches('/'), path.trim_start_matches('/')));
    url
}

/// Replaces the token's file so that a crash leaves the old or the new one, never a part.
pub(crate) async fn save(file: &Path, token: &SecretString) -> std::io::Result<()> {
    let (file, token) = (file.to_owned(), token.clone());
    let saved = tokio::task::spawn_blocking(move || {
        use std::io::Write;
        use std::os::unix::fs::OpenOptionsExt;
        let mut aside = file.clone().into_os_string();
        aside.push(".new");
        let aside = PathBuf::from(aside);
        let mut out =
            std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
        out.write_all(expose(&token).as_bytes())?;
        out.sync_all()?;
        std::fs::rename(&aside, &file)?;
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::File::open(folder)?.sync_all()
    });
    saved.await.map_err(std::io::Error::other)?
}
