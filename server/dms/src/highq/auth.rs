//! Access tokens of the account that the settings name: got once, shared by all calls, renewed by one caller while the others wait.
//!
//! Each refresh gives a new pair. The new refresh token is written down before the access token that came with it is used.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use postroom_domain::Fut;
use postroom_domain::cause::Cause;
use postroom_domain::dms::{DmsError, DmsResult, Trouble};
use postroom_domain::time::Clock;
use postroom_outbound::{Outbound, Reply, SecretString, expose, read_secret};
use serde_json::Value;
use tokio::sync::{Mutex, MutexGuard};
use tracing::warn;

use super::errors;
use super::settings::{Auth, Settings, SetupError};
use crate::account::{Nobody, OwnAccount, Token, Tokens, below, save};

/// The e-mail of the account, once a token answer has told it.
pub(super) type Email = Arc<std::sync::Mutex<Option<String>>>;

/// The account that the settings name. With `grant = "link"` it is nobody's until a link gives it.
pub(super) fn own_account(
    settings: &Settings,
    clock: Arc<dyn Clock>,
    email: &Email,
) -> Result<Tokens, SetupError> {
    let Auth::RefreshToken { client_id, client_secret, client_secret_file, refresh_token_file } =
        &settings.auth
    else {
        return Ok(Tokens::own(Nobody));
    };
    let refresh = read_secret("refresh_token", None, Some(refresh_token_file))?;
    Ok(Tokens::own(Keeper {
        client_id: client_id.to_string(),
        client_secret: read_secret("client_secret", client_secret.as_ref(), client_secret_file.as_deref())?,
        file: refresh_token_file.clone(),
        clock,
        email: Arc::clone(email),
        state: Mutex::new(State { refresh, unsaved: false, live: None, generation: 0 }),
    }))
}

struct State {
    refresh: SecretString,
    /// The refresh token is newer than its file.
    unsaved: bool,
    live: Option<Live>,
    generation: u64,
}

struct Live {
    token: Token,
    life: Duration,
    born: Duration,
}

struct Keeper {
    client_id: String,
    client_secret: SecretString,
    file: PathBuf,
    clock: Arc<dyn Clock>,
    email: Email,
    state: Mutex<State>,
}

/// How much of its life a token may be old before it is renewed ahead of time.
const TRUSTED_SHARE: f64 = 0.9;
/// Life of a token whose answer does not tell: short, as renewing early costs a call and no more.
const UNTOLD: Duration = Duration::from_mins(30);

impl Keeper {
    async fn current(&self, http: &Outbound) -> DmsResult<Token> {
        let mut state = self.state.lock().await;
        let now = self.clock.monotonic();
        if let Some(live) = &state.live
            && now.saturating_sub(live.born) < live.life.mul_f64(TRUSTED_SHARE)
        {
            return Ok(live.token.clone());
        }
        self.refresh(http, &mut state).await
    }

    async fn newer(&self, http: &Outbound, refused: &Token) -> DmsResult<Token> {
        let mut state = self.state.lock().await;
        match &state.live {
            Some(live) if live.token.generation > refused.generation => Ok(live.token.clone()),
            _ => self.refresh(http, &mut state).await,
        }
    }

    async fn refresh(&self, http: &Outbound, state: &mut MutexGuard<'_, State>) -> DmsResult<Token> {
        state.live = None;
        // A token that could not be written down yet is older news than nothing: its file comes first.
        self.write_down(state).await?;
        let fields = [
            ("grant_type", "refresh_token"),
            ("client_id", self.client_id.as_str()),
            ("client_secret", expose(&self.client_secret)),
            ("refresh_token", expose(&state.refresh)),
        ];
        let call = http.post("token", below(http.base(), "api/oauth2/token"));
        let reply = call.header("accept", "application/json").form(&fields).fetch().await?;
        match reply.status {
            200..=299 => {}
            400 | 401 | 403 => return Err(refused(&reply)),
            _ => return Err(errors::plain(&reply, "signing in")),
        }
        let granted: Value = reply.json()?;
        let text = |key: &str| granted.get(key).and_then(Value::as_str).filter(|it| !it.is_empty());
        let access = text("access_token").map(SecretString::from);
        let access = access.ok_or_else(|| DmsError::from(reply.unreadable("there is no access token")))?;
        if let Some(new) = text("refresh_token").filter(|new| *new != expose(&state.refresh)) {
            state.refresh = SecretString::from(new);
            state.unsaved = true;
        }
        let life = granted.get("expires_in");
        let life = life.and_then(|it| it.as_u64().or_else(|| it.as_str()?.parse().ok()));
        self.warn_of_the_end(&granted);
        if let Some(email) = text("useremail") {
            *self.email.lock().unwrap_or_else(PoisonError::into_inner) = Some(email.to_lowercase());
        }
        self.write_down(state).await?;
        state.generation += 1;
        let token = Token { value: access, generation: state.generation };
        state.live = Some(Live {
            token: token.clone(),
            life: life.map_or(UNTOLD, Duration::from_secs),
            born: self.clock.monotonic(),
        });
        Ok(token)
    }

    /// Writes a new refresh token down. It is kept in memory until that works; a crash before means linking again.
    async fn write_down(&self, state: &mut MutexGuard<'_, State>) -> DmsResult<()> {
        if !state.unsaved {
            return Ok(());
        }
        if let Err(e) = save(&self.file, &state.refresh).await {
            warn!(error = %e, file = %self.file.display(), "A new refresh token cannot be written down.");
            let detail = format!("the new refresh token cannot be written to {}: {e}", self.file.display());
            return Err(DmsError::from_trouble(Trouble::new(Cause::Misconfigured, detail)));
        }
        state.unsaved = false;
        Ok(())
    }

    fn warn_of_the_end(&self, granted: &Value) {
        const MONTH: u64 = 30 * 86_400;
        let left = granted.get("refresh_token_expires_in");
        let left = left.and_then(|it| it.as_u64().or_else(|| it.as_str()?.parse().ok()));
        if let Some(left) = left.filter(|left| *left < MONTH) {
            warn!(highq.refresh_days = left / 86_400, file = %self.file.display(),
                "HighQ's refresh token ends soon unless it is used; link the account again before.");
        }
    }
}

impl OwnAccount for Keeper {
    fn get<'a>(&'a self, http: &'a Outbound) -> Fut<'a, DmsResult<Token>> {
        Box::pin(self.current(http))
    }
    fn renew<'a>(&'a self, http: &'a Outbound, refused: &'a Token) -> Fut<'a, DmsResult<Token>> {
        Box::pin(self.newer(http, refused))
    }
}

fn refused(reply: &Reply) -> DmsError {
    let code = serde_json::from_slice::<Value>(&reply.body).ok();
    let code = code.as_ref().and_then(|body| body.get("error")).and_then(Value::as_str);
    let mut trouble = errors::plain(reply, "signing in with the refresh token").trouble().clone();
    trouble.cause = match code {
        Some("invalid_client" | "unauthorized_client" | "unsupported_grant_type") => Cause::Misconfigured,
        _ if reply.is_web_page() => Cause::LoginPage,
        _ => Cause::LinkBroken,
    };
    if let Some(code) = code {
        trouble.detail.push_str(", ");
        trouble.detail.extend(code.chars().filter(|c| !c.is_control()).take(100));
    }
    DmsError::from_trouble(trouble)
}
