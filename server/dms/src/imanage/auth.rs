//! Access tokens: got once, shared by all calls, renewed by one caller while the others wait.
//!
//! iManage's tokens run out after a time without use, not at a fixed time. What is thought to have run out is renewed before
//! it is used; what runs out earlier shows as 401 and is renewed once by the caller. A replaced refresh token is written down
//! before the access token that came with it is used.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use postroom_domain::cause::Cause;
use postroom_domain::dms::{DmsError, DmsResult, RetryAfter, Trouble};
use postroom_domain::ids::ServiceName;
use postroom_domain::link::{Access, AccessError, AccessTokens, Whose};
use postroom_domain::time::Clock;
use postroom_outbound::{Outbound, Reply, SecretString, expose, read_secret};
use serde::Deserialize;
use tokio::sync::{Mutex, MutexGuard};
use tracing::{info, warn};
use url::Url;

use super::errors::{self, said};
use super::settings::{Auth, Settings, SetupError};

/// An access token. The generation tells it from the one before, so that one renewal serves all who met its end.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) value: SecretString,
    pub(super) generation: u64,
}

enum Grant {
    Password {
        username: String,
        password: SecretString,
    },
    /// The file that keeps the refresh token.
    Refresh {
        file: PathBuf,
    },
    /// There is none in the settings: links give it.
    Nobody,
}

#[derive(Default)]
struct State {
    token: Option<Live>,
    refresh: Option<SecretString>,
    /// The refresh token is newer than its file.
    unsaved: bool,
    generation: u64,
    /// When a password was refused, and what was said.
    refused: Option<(Duration, Trouble)>,
}

struct Live {
    token: Token,
    idle: Duration,
    used: Duration,
}

/// Where one account's tokens come from.
pub(super) struct Tokens {
    source: Source,
    /// The newest generation with which a call got through.
    proven: AtomicU64,
}

enum Source {
    /// The settings name the account.
    Settings(Box<Keeper>),
    /// The account was linked.
    Link { service: ServiceName, person: Option<String>, tokens: Arc<dyn AccessTokens> },
}

/// The keeper of the tokens of the settings' account.
struct Keeper {
    client_id: String,
    client_secret: SecretString,
    grant: Grant,
    pause: Duration,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

/// How much of its life without use a token may be old before it is renewed ahead of time.
const TRUSTED_SHARE: f64 = 0.9;

#[derive(Deserialize)]
struct Granted {
    access_token: SecretString,
    #[serde(default)]
    expires_in: Option<u64>,
    #[serde(default)]
    refresh_token: Option<SecretString>,
}

impl Tokens {
    /// The account that the settings name. With `grant = "link"` it has to be given by [`Tokens::linked`] first.
    pub(super) fn new(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self, SetupError> {
        Ok(Self {
            source: Source::Settings(Box::new(Keeper::new(settings, clock)?)),
            proven: AtomicU64::new(0),
        })
    }

    /// A linked account: a person's own, or the system account where no person is named.
    pub(super) fn linked(
        service: ServiceName,
        person: Option<String>,
        tokens: Arc<dyn AccessTokens>,
    ) -> Self {
        Self { source: Source::Link { service, person, tokens }, proven: AtomicU64::new(0) }
    }

    /// A token that should work.
    pub(super) async fn get(&self, http: &Outbound) -> DmsResult<Token> {
        match &self.source {
            Source::Settings(keeper) => keeper.get(http).await,
            Source::Link { service, person, tokens } => {
                token(tokens.access(service, whose(person.as_deref())).await, service, person.as_deref())
            }
        }
    }

    /// A token newer than the one that was refused. Who comes second gets what the first one fetched.
    pub(super) async fn renew(&self, http: &Outbound, refused: &Token) -> DmsResult<Token> {
        match &self.source {
            Source::Settings(keeper) => keeper.renew(http, refused).await,
            Source::Link { service, person, tokens } => {
                let answer =
                    tokens.after_refusal(service, whose(person.as_deref()), refused.generation).await;
                token(answer, service, person.as_deref())
            }
        }
    }

    /// Notes that a call with the token got through.
    pub(super) fn proves(&self, token: &Token) {
        self.proven.fetch_max(token.generation, Ordering::Relaxed);
    }

    /// Whether a call with the token ever got through. One that never did has not run out: it is not accepted at all.
    pub(super) fn is_proven(&self, token: &Token) -> bool {
        self.proven.load(Ordering::Relaxed) >= token.generation
    }

    /// Forgets that a password was refused: a person asks.
    pub(super) async fn forgive(&self) {
        if let Source::Settings(keeper) = &self.source {
            keeper.state.lock().await.refused = None;
        }
    }

    /// Whether the sign-in can be renewed without the password. What renews a link is told where links are looked at.
    pub(super) async fn has_refresh(&self) -> bool {
        match &self.source {
            Source::Settings(keeper) => keeper.state.lock().await.refresh.is_some(),
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

impl Keeper {
    fn new(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self, SetupError> {
        let mut state = State::default();
        let (client_id, client_secret, grant) = match &settings.auth {
            Auth::Password {
                client_id,
                client_secret,
                client_secret_file,
                username,
                password,
                password_file,
            } => {
                let secret =
                    read_secret("client_secret", client_secret.as_ref(), client_secret_file.as_deref())?;
                let password = read_secret("password", password.as_ref(), password_file.as_deref())?;
                (client_id, secret, Grant::Password { username: username.clone(), password })
            }
            Auth::RefreshToken { client_id, client_secret, client_secret_file, refresh_token_file } => {
                let secret =
                    read_secret("client_secret", client_secret.as_ref(), client_secret_file.as_deref())?;
                state.refresh = Some(read_secret("refresh_token", None, Some(refresh_token_file))?);
                (client_id, secret, Grant::Refresh { file: refresh_token_file.clone() })
            }
            Auth::Link => {
                return Ok(Self {
                    client_id: String::new(),
                    client_secret: SecretString::default(),
                    grant: Grant::Nobody,
                    pause: Duration::ZERO,
                    clock,
                    state: Mutex::new(state),
                });
            }
        };
        Ok(Self {
            client_id: client_id.clone(),
            client_secret,
            grant,
            pause: Duration::from_secs(settings.refused_password_pause_seconds),
            clock,
            state: Mutex::new(state),
        })
    }

    /// A token that should work.
    async fn get(&self, http: &Outbound) -> DmsResult<Token> {
        let mut state = self.state.lock().await;
        let now = self.clock.monotonic();
        if let Some(live) = &mut state.token
            && now.saturating_sub(live.used) < live.idle.mul_f64(TRUSTED_SHARE)
        {
            live.used = now;
            return Ok(live.token.clone());
        }
        self.sign_in(http, &mut state).await
    }

    /// A token newer than the one that was refused. Who comes second gets what the first one fetched.
    async fn renew(&self, http: &Outbound, refused: &Token) -> DmsResult<Token> {
        let mut state = self.state.lock().await;
        match &state.token {
            Some(live) if live.token.generation > refused.generation => Ok(live.token.clone()),
            _ => self.sign_in(http, &mut state).await,
        }
    }

    async fn sign_in(&self, http: &Outbound, state: &mut MutexGuard<'_, State>) -> DmsResult<Token> {
        state.token = None;
        if let Some(refresh) = state.refresh.clone() {
            let fields = [("grant_type", "refresh_token"), ("refresh_token", expose(&refresh))];
            match self.ask(http, &fields).await? {
                Ok(granted) => return self.accept(state, granted).await,
                Err(reply) => match &self.grant {
                    Grant::Refresh { .. } => {
                        return Err(refused(&reply, "signing in with the refresh token"));
                    }
                    Grant::Password { .. } | Grant::Nobody => {
                        info!(
                            http.status = reply.status,
                            "The refresh token is not accepted any more; signing in anew."
                        );
                        state.refresh = None;
                    }
                },
            }
        }
        let (username, password) = match &self.grant {
            Grant::Password { username, password } => (username, password),
            Grant::Refresh { .. } => {
                let detail = "there is no refresh token; link the account again";
                return Err(DmsError::from_trouble(Trouble::new(Cause::LinkBroken, detail)));
            }
            Grant::Nobody => {
                let detail = "the system account is to be linked, but nothing keeps links here";
                return Err(DmsError::from_trouble(Trouble::new(Cause::LoginNeeded, detail)));
            }
        };
        let now = self.clock.monotonic();
        if let Some((at, trouble)) = &state.refused
            && now.saturating_sub(*at) < self.pause
        {
            let mut trouble = trouble.clone();
            trouble.detail += "; not tried again yet, so that the account is not locked";
            return Err(DmsError::from_trouble(trouble));
        }
        let fields = [
            ("grant_type", "password"),
            ("username", username),
            ("password", expose(password)),
            ("scope", "user"),
        ];
        match self.ask(http, &fields).await? {
            Ok(granted) => self.accept(state, granted).await,
            Err(reply) => {
                let error = refused(&reply, &format!("signing in as {username:?}"));
                state.refused = Some((now, error.trouble().clone()));
                Err(error)
            }
        }
    }

    /// Asks the token endpoint. The inner error is a refusal of the credentials; any other trouble is the outer one.
    async fn ask(&self, http: &Outbound, fields: &[(&str, &str)]) -> DmsResult<Result<Granted, Reply>> {
        let mut fields = fields.to_vec();
        fields
            .extend([("client_id", self.client_id.as_str()), ("client_secret", expose(&self.client_secret))]);
        let call = http.post("token", below(http.base(), "auth/oauth2/token"));
        let reply = call.header("accept", "application/json").form(&fields).fetch().await?;
        match reply.status {
            200..=299 => Ok(Ok(reply.json()?)),
            400 | 401 | 403 => Ok(Err(reply)),
            _ => Err(errors::plain(&reply, "signing in")),
        }
    }

    async fn accept(&self, state: &mut MutexGuard<'_, State>, granted: Granted) -> DmsResult<Token> {
        if let Some(new) = granted.refresh_token.filter(|new| !expose(new).is_empty()) {
            let same = state.refresh.as_ref().is_some_and(|old| expose(old) == expose(&new));
            state.unsaved |= !same && matches!(self.grant, Grant::Refresh { .. });
            state.refresh = Some(new);
        }
        if state.unsaved
            && let (Grant::Refresh { file }, Some(refresh)) = (&self.grant, &state.refresh)
        {
            if let Err(e) = save(file, refresh).await {
                // Kept in memory and saved at the next call; a crash before that means linking again.
                let detail = format!("the new refresh token cannot be written to {}: {e}", file.display());
                warn!(error = %e, file = %file.display(), "A new refresh token cannot be written down.");
                return Err(DmsError::from_trouble(Trouble::new(Cause::Misconfigured, detail)));
            }
            state.unsaved = false;
        }
        state.refused = None;
        state.generation += 1;
        let token = Token { value: granted.access_token, generation: state.generation };
        let idle = Duration::from_secs(granted.expires_in.unwrap_or(30 * 60));
        state.token = Some(Live { token: token.clone(), idle, used: self.clock.monotonic() });
        Ok(token)
    }
}

/// A path below the server's address, whether that ends in a slash or not.
pub(super) fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.set_path(&format!("{}/{}", base.path().trim_end_matches('/'), path.trim_start_matches('/')));
    url
}

fn refused(reply: &Reply, doing: &str) -> DmsError {
    let said = said(&reply.body);
    let cause = match said.code.as_deref() {
        Some("invalid_client" | "unauthorized_client" | "unsupported_grant_type" | "invalid_scope") => {
            Cause::Misconfigured
        }
        _ if reply.is_web_page() => Cause::LoginPage,
        _ => Cause::LinkBroken,
    };
    let mut error = errors::plain(reply, doing).trouble().clone();
    error.cause = cause;
    DmsError::from_trouble(error)
}

/// Replaces the token's file so that a crash leaves the old or the new one, never a part.
async fn save(file: &Path, token: &SecretString) -> std::io::Result<()> {
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
