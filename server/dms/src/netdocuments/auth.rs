//! Access tokens: got once, shared by all calls, renewed by one caller while the others wait.
//!
//! A token ends after 45 to 90 minutes without use, by its scope, and in any case after 24 to 48 hours. What is thought to have
//! run out is renewed before it is used; what runs out earlier shows as 401 and is renewed once by the caller. A replaced refresh
//! token is written down before the access token that came with it is used.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64ct::{Base64, Encoding};
use postroom_domain::Fut;
use postroom_domain::cause::Cause;
use postroom_domain::dms::{DmsError, DmsResult};
use postroom_domain::time::Clock;
use postroom_outbound::{Outbound, Reply, SecretString, expose, read_secret};
use tokio::sync::{Mutex, MutexGuard};
use tracing::warn;

use super::errors::{self, said};
use super::settings::{Auth, ClientAuth, Settings, SetupError};
use super::wire::{self, Item};
use crate::account::{Nobody, OwnAccount, Token, Tokens, below, save};

enum Grant {
    /// The application itself, as a service account; what it asks for.
    Application { scope: String },
    /// The file that keeps the refresh token.
    Refresh { file: PathBuf },
}

#[derive(Default)]
struct State {
    token: Option<Live>,
    refresh: Option<SecretString>,
    /// The refresh token is newer than its file.
    unsaved: bool,
    generation: u64,
}

struct Live {
    token: Token,
    idle: Duration,
    used: Duration,
}

/// The keeper of the tokens of the settings' account.
struct Keeper {
    /// Client id; a service account's has the repository after a bar.
    name: String,
    client_secret: SecretString,
    client_auth: ClientAuth,
    grant: Grant,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

/// How much of its life without use a token may be old before it is renewed ahead of time.
const TRUSTED_SHARE: f64 = 0.9;
/// What a token is believed to live without use where the answer does not tell: the shorter end of what is documented.
const USUAL_LIFE: Duration = Duration::from_mins(45);

struct Granted {
    access_token: SecretString,
    idle: Duration,
    refresh_token: Option<SecretString>,
}

impl Keeper {
    fn new(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self, SetupError> {
        let mut state = State::default();
        let secret = |value: &Option<SecretString>, file: &Option<PathBuf>| {
            read_secret("client_secret", value.as_ref(), file.as_deref())
        };
        let (name, client_secret, grant) = match &settings.auth {
            Auth::ClientCredentials { client_id, client_secret, client_secret_file, repository } => {
                let scope = settings.scopes.join(&settings.scope_separator);
                let secret = secret(client_secret, client_secret_file)?;
                (format!("{client_id}|{repository}"), secret, Grant::Application { scope })
            }
            Auth::RefreshToken { client_id, client_secret, client_secret_file, refresh_token_file } => {
                let secret = secret(client_secret, client_secret_file)?;
                state.refresh = Some(read_secret("refresh_token", None, Some(refresh_token_file))?);
                (client_id.clone(), secret, Grant::Refresh { file: refresh_token_file.clone() })
            }
            Auth::Link => {
                let value = "link".to_owned();
                return Err(SetupError::Value { key: "auth.grant", value, wanted: "names no account" });
            }
        };
        let client_auth = settings.client_auth;
        Ok(Self { name, client_secret, client_auth, grant, clock, state: Mutex::new(state) })
    }

    async fn current(&self, http: &Outbound) -> DmsResult<Token> {
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

    async fn newer(&self, http: &Outbound, refused: &Token) -> DmsResult<Token> {
        let mut state = self.state.lock().await;
        match &state.token {
            Some(live) if live.token.generation > refused.generation => Ok(live.token.clone()),
            _ => self.sign_in(http, &mut state).await,
        }
    }

    async fn sign_in(&self, http: &Outbound, state: &mut MutexGuard<'_, State>) -> DmsResult<Token> {
        state.token = None;
        let granted = match &self.grant {
            Grant::Application { scope } => {
                let fields = [("grant_type", "client_credentials"), ("scope", scope.as_str())];
                self.ask(http, &fields).await?
            }
            Grant::Refresh { .. } => {
                let refresh = state.refresh.clone().ok_or_else(|| {
                    errors::trouble(Cause::LinkBroken, "there is no refresh token; link the account again")
                })?;
                let fields = [("grant_type", "refresh_token"), ("refresh_token", expose(&refresh))];
                self.ask(http, &fields).await?
            }
        };
        self.accept(state, granted).await
    }

    async fn ask(&self, http: &Outbound, fields: &[(&str, &str)]) -> DmsResult<Granted> {
        let mut fields = fields.to_vec();
        let mut call =
            http.post("token", below(http.base(), "v1/OAuth")).header("accept", "application/json");
        match self.client_auth {
            ClientAuth::Basic => {
                let pair = SecretString::from(format!("{}:{}", self.name, expose(&self.client_secret)));
                let coded = Base64::encode_string(expose(&pair).as_bytes());
                call = call.secret_header("authorization", &SecretString::from(format!("Basic {coded}")));
            }
            ClientAuth::Form => {
                fields.push(("client_id", self.name.as_str()));
                fields.push(("client_secret", expose(&self.client_secret)));
            }
        }
        let reply = call.form(&fields).fetch().await?;
        match reply.status {
            200..=299 => granted(&reply),
            400 | 401 | 403 => Err(self.refused(&reply)),
            _ => Err(errors::plain(&reply, "signing in")),
        }
    }

    fn refused(&self, reply: &Reply) -> DmsError {
        let code = said(reply).code;
        let settings = ["invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope"];
        let cause = match (&self.grant, code.as_deref()) {
            _ if reply.is_web_page() => Cause::LoginPage,
            (_, Some(code)) if settings.contains(&code) => Cause::Misconfigured,
            // No person's link stands behind a service account: what is wrong is in the settings, or at NetDocuments.
            (Grant::Application { .. }, _) => Cause::Misconfigured,
            (Grant::Refresh { .. }, _) => Cause::LinkBroken,
        };
        let doing = match &self.grant {
            Grant::Application { .. } => format!("signing in as the service account {}", self.name),
            Grant::Refresh { .. } => "signing in with the refresh token".to_owned(),
        };
        let mut trouble = errors::plain(reply, &doing).trouble().clone();
        trouble.cause = cause;
        DmsError::from_trouble(trouble)
    }

    async fn accept(&self, state: &mut MutexGuard<'_, State>, granted: Granted) -> DmsResult<Token> {
        if let Some(new) = granted.refresh_token {
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
                return Err(errors::trouble(Cause::Misconfigured, detail));
            }
            state.unsaved = false;
        }
        state.generation += 1;
        let token = Token { value: granted.access_token, generation: state.generation };
        state.token = Some(Live { token: token.clone(), idle: granted.idle, used: self.clock.monotonic() });
        Ok(token)
    }
}

/// A token answer, in JSON or XML, with `expires_in` as number or text.
fn granted(reply: &Reply) -> DmsResult<Granted> {
    let item = Item::of(wire::value(reply)?).unwrap_or_default();
    let access = item.text("access_token").ok_or_else(|| reply.unreadable("it holds no token"))?;
    let idle = item.number("expires_in").map_or(USUAL_LIFE, Duration::from_secs);
    Ok(Granted {
        access_token: SecretString::from(access),
        idle,
        refresh_token: item.text("refresh_token").map(SecretString::from),
    })
}

impl OwnAccount for Keeper {
    fn get<'a>(&'a self, http: &'a Outbound) -> Fut<'a, DmsResult<Token>> {
        Box::pin(self.current(http))
    }
    fn renew<'a>(&'a self, http: &'a Outbound, refused: &'a Token) -> Fut<'a, DmsResult<Token>> {
        Box::pin(self.newer(http, refused))
    }
}

/// The account that the settings name. With `grant = "link"` it is nobody's until a link gives it.
pub(super) fn own_account(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Tokens, SetupError> {
    Ok(match &settings.auth {
        Auth::Link => Tokens::own(Nobody),
        Auth::ClientCredentials { .. } | Auth::RefreshToken { .. } => {
            Tokens::own(Keeper::new(settings, clock)?)
        }
    })
}
