//! Access tokens: got once, shared by all calls, renewed by one caller while the others wait.
//!
//! iManage's tokens run out after a time without use, not at a fixed time. What is thought to have run out is renewed before
//! it is used; what runs out earlier shows as 401 and is renewed once by the caller. A replaced refresh token is written down
//! before the access token that came with it is used.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use postroom_domain::Fut;
use postroom_domain::cause::Cause;
use postroom_domain::dms::{DmsError, DmsResult, Trouble};
use postroom_domain::time::Clock;
use postroom_outbound::{Method, Outbound, Reply, SecretString, expose, read_secret};
use serde::Deserialize;
use tokio::sync::{Mutex, MutexGuard};
use tracing::{info, warn};

use super::errors::{self, said};
use super::settings::{Auth, Settings, SetupError};
use crate::account::{Nobody, OwnAccount, Token, Tokens, below, save};

enum Grant {
    Password {
        username: String,
        password: SecretString,
    },
    /// The file that keeps the refresh token.
    Refresh {
        file: PathBuf,
    },
    /// The session login, at its path below the server's address.
    Session {
        path: String,
        username: String,
        password: SecretString,
    },
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

/// The answer of the session login.
#[derive(Deserialize)]
struct Session {
    #[serde(rename = "X-Auth-Token")]
    token: SecretString,
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
            Auth::Session { username, password, password_file } => {
                let password = read_secret("password", password.as_ref(), password_file.as_deref())?;
                let (path, username) = (settings.session_login_path.clone(), username.clone());
                let grant = Grant::Session { path, username, password };
                return Ok(Self::with(String::new(), SecretString::default(), grant, state, settings, clock));
            }
            Auth::Link => {
                let value = "link".to_owned();
                return Err(SetupError::Value { key: "auth.grant", value, wanted: "names no account" });
            }
        };
        Ok(Self::with(client_id.clone(), client_secret, grant, state, settings, clock))
    }

    fn with(
        client_id: String,
        client_secret: SecretString,
        grant: Grant,
        state: State,
        settings: &Settings,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let pause = Duration::from_secs(settings.refused_password_pause_seconds);
        Self { client_id, client_secret, grant, pause, clock, state: Mutex::new(state) }
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
        if let Some(refresh) = state.refresh.clone() {
            let fields = [("grant_type", "refresh_token"), ("refresh_token", expose(&refresh))];
            match self.ask(http, &fields).await? {
                Ok(granted) => return self.accept(state, granted).await,
                Err(reply) => match &self.grant {
                    Grant::Refresh { .. } => {
                        return Err(refused(&reply, "signing in with the refresh token"));
                    }
                    Grant::Password { .. } | Grant::Session { .. } => {
                        info!(
                            http.status = reply.status,
                            "The refresh token is not accepted any more; signing in anew."
                        );
                        state.refresh = None;
                    }
                },
            }
        }
        let (username, password, session) = match &self.grant {
            Grant::Password { username, password } => (username, password, None),
            Grant::Session { path, username, password } => (username, password, Some(path)),
            Grant::Refresh { .. } => {
                let detail = "there is no refresh token; link the account again";
                return Err(DmsError::from_trouble(Trouble::new(Cause::LinkBroken, detail)));
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
        let answer = if let Some(path) = session {
            Self::log_in(http, path, username, password).await?
        } else {
            let fields = [
                ("grant_type", "password"),
                ("username", username),
                ("password", expose(password)),
                ("scope", "user"),
            ];
            self.ask(http, &fields).await?
        };
        match answer {
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

    /// The session login. Its answer holds a token for the header and, unlike OAuth's, no life.
    async fn log_in(
        http: &Outbound,
        path: &str,
        username: &str,
        password: &SecretString,
    ) -> DmsResult<Result<Granted, Reply>> {
        let body = serde_json::json!({
            "user_id": username, "password": expose(password), "persona": "user", "application_name": "Postroom",
        });
        let call = http.call("session_login", Method::PUT, below(http.base(), path));
        let reply = call.header("accept", "application/json").json(&body).fetch().await?;
        match reply.status {
            200..=299 => {
                let session: Session = reply.json()?;
                Ok(Ok(Granted { access_token: session.token, expires_in: None, refresh_token: None }))
            }
            400 | 401 | 403 => Ok(Err(reply)),
            404 | 405 => {
                let detail = format!("the server has no session login at {path}; see session_login_path");
                Err(DmsError::from_trouble(Trouble::new(Cause::Misconfigured, detail)))
            }
            _ => Err(errors::plain(&reply, "signing in by session login")),
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

impl OwnAccount for Keeper {
    fn get<'a>(&'a self, http: &'a Outbound) -> Fut<'a, DmsResult<Token>> {
        Box::pin(self.current(http))
    }
    fn renew<'a>(&'a self, http: &'a Outbound, refused: &'a Token) -> Fut<'a, DmsResult<Token>> {
        Box::pin(self.newer(http, refused))
    }
    fn forgive(&self) -> Fut<'_, ()> {
        Box::pin(async { self.state.lock().await.refused = None })
    }
    fn has_refresh(&self) -> Fut<'_, bool> {
        // A session login knows no refresh tokens, so none is missing.
        Box::pin(async {
            matches!(self.grant, Grant::Session { .. }) || self.state.lock().await.refresh.is_some()
        })
    }
}

/// The account that the settings name. With `grant = "link"` it is nobody's until a link gives it.
pub(super) fn own_account(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Tokens, SetupError> {
    Ok(match &settings.auth {
        Auth::Link => Tokens::own(Nobody),
        Auth::Password { .. } | Auth::RefreshToken { .. } | Auth::Session { .. } => {
            Tokens::own(Keeper::new(settings, clock)?)
        }
    })
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
