//! Change notifications: asked for, renewed before they end, asked for anew when they are lost. They only make looks come sooner, so that
//! nothing here is ever in the way of a look, and nothing of it is kept: each start asks for its own, with a secret of its own, and takes
//! back what an earlier one left behind.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use postroom_domain::mailbox::{MailNotice, NoticeKind};
use postroom_domain::time::{Entropy, later};
use postroom_outbound::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use url::Url;

use super::talk::{Talk, Trouble};
use super::{GraphMailbox, Notifications};

/// The longest pause after a failure.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);
/// The first one.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
/// Pages of subscriptions that are looked through for what earlier starts left.
const MOST_PAGES: usize = 20;

/// What the server has promised to tell.
pub(super) struct Subscriptions {
    secret: SecretString,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By the folder's id.
    live: BTreeMap<String, Live>,
    /// What earlier starts left is taken back.
    tidied: bool,
    failures: u32,
    /// By the monotonic clock.
    not_before: Duration,
}

#[derive(Clone)]
struct Live {
    id: String,
    ends: Timestamp,
    renew: bool,
}

impl Subscriptions {
    pub(super) fn new(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes);
        let hex = blake3::Hash::from_bytes(bytes).to_hex().to_string();
        Self { secret: hex.into(), state: Mutex::default() }
    }

    fn with<R>(&self, act: impl FnOnce(&mut State) -> R) -> R {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether a notice is for us, by the secret alone. Hashes are compared, in constant time.
    pub(super) fn hear(&self, notice: &MailNotice) -> bool {
        let hash = |it: &SecretString| blake3::hash(it.expose_secret().as_bytes());
        if hash(&notice.secret) != hash(&self.secret) {
            return false;
        }
        self.with(|state| match notice.kind {
            NoticeKind::Look => {}
            NoticeKind::Renew => {
                state
                    .live
                    .values_mut()
                    .filter(|it| it.id == notice.subscription)
                    .for_each(|it| it.renew = true);
            }
            NoticeKind::Ended => state.live.retain(|_, it| it.id != notice.subscription),
        });
        true
    }
}

impl GraphMailbox {
    /// Sees to it that the server tells of changes in these folders. Answers whether another look is due: whatever changed before it began
    /// to tell, it does not tell.
    pub(super) async fn subscribe(&self, talk: &Talk<'_>, places: &[String]) -> bool {
        let (url, life) = match &self.options.notifications {
            Notifications::Off(why) => {
                self.by_the_clock(Some(why.clone()));
                return false;
            }
            Notifications::At { url, life } => (url, *life),
        };
        let tick = self.reception.clock.monotonic();
        if self.subscriptions.with(|state| state.not_before > tick) {
            return false;
        }
        match self.renew_all(talk, url, life, places).await {
            Ok(made) => {
                self.subscriptions.with(|state| state.failures = 0);
                self.by_the_clock(None);
                made
            }
            Err(trouble) => {
                let why = trouble.words();
                tracing::warn!(source.name = %self.options.source, source.error = why,
                    "Microsoft Graph does not promise to tell of changes; the mailbox is looked at by the clock");
                self.by_the_clock(Some(format!("Microsoft does not promise to tell of changes: {why}")));
                self.subscriptions.with(|state| {
                    let doubled =
                        FIRST_PAUSE.saturating_mul(1_u32.checked_shl(state.failures).unwrap_or(u32::MAX));
                    let asked = if let Trouble::Wait(_, wait) = &trouble { *wait } else { Duration::ZERO };
                    state.failures = state.failures.saturating_add(1);
                    state.not_before = tick + doubled.min(LONGEST_PAUSE).max(asked);
                });
                false
            }
        }
    }

    fn by_the_clock(&self, why: Option<String>) {
        self.status.send_if_modified(|status| {
            let changed = status.by_the_clock != why;
            status.by_the_clock = why;
            changed
        });
    }

    async fn renew_all(
        &self,
        talk: &Talk<'_>,
        url: &Url,
        life: Duration,
        places: &[String],
    ) -> Result<bool, Trouble> {
        let subscriptions = &self.subscriptions;
        if !subscriptions.with(|state| state.tidied) {
            self.tidy(talk, url).await?;
            subscriptions.with(|state| state.tidied = true);
        }
        let mut made = false;
        for place in places {
            let now = self.reception.clock.now();
            let ends = later(now, life);
            let known = subscriptions.with(|state| state.live.get(place).cloned());
            let lasts = |it: &Live| !it.renew && it.ends > later(now, life / 2);
            let known = match known {
                Some(live) if lasts(&live) => continue,
                Some(live) => self.renewed(talk, live, ends).await?,
                None => None,
            };
            let live = match known {
                Some(live) => live,
                None => {
                    made = true;
                    self.subscribed(talk, url, place, ends).await?
                }
            };
            subscriptions.with(|state| state.live.insert(place.clone(), live));
        }
        // A folder under another id: the server's promise for the one before ends by itself.
        if places.len() == self.options.folders.len() {
            subscriptions.with(|state| state.live.retain(|place, _| places.contains(place)));
        }
        Ok(made)
    }

    /// None when the server knows it no more.
    async fn renewed(&self, talk: &Talk<'_>, live: Live, ends: Timestamp) -> Result<Option<Live>, Trouble> {
        let at = talk.own(["subscriptions", live.id.as_str()]);
        let body = json!({"expirationDateTime": ends.to_string()});
        match talk.done("renew_subscription", Method::PATCH, &at, Some(&body)).await {
            Ok(()) => Ok(Some(Live { ends, renew: false, ..live })),
            Err(Trouble::Gone(_) | Trouble::No(_)) => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    async fn subscribed(
        &self,
        talk: &Talk<'_>,
        url: &Url,
        place: &str,
        ends: Timestamp,
    ) -> Result<Live, Trouble> {
        let body = json!({
            "changeType": "created,updated",
            "notificationUrl": url.as_str(),
            "lifecycleNotificationUrl": url.as_str(),
            "resource": talk.resource(place),
            "expirationDateTime": ends.to_string(),
            "clientState": self.subscriptions.secret.expose_secret(),
        });
        let made = talk.json("subscribe", Method::POST, &talk.own(["subscriptions"]), Some(&body)).await?;
        let Some(id) = made["id"].as_str() else {
            return Err(Trouble::No("Microsoft Graph made a subscription without an id".to_owned()));
        };
        // It may have been granted for less than was asked.
        let granted = made["expirationDateTime"].as_str().and_then(|it| it.parse().ok());
        let ends = granted.map_or(ends, |granted: Timestamp| granted.min(ends));
        tracing::info!(source.name = %self.options.source, "Microsoft Graph tells of changes in a folder from now on");
        Ok(Live { id: id.to_owned(), ends, renew: false })
    }

    /// Takes back what an earlier start left behind: its secret is known to nobody any more.
    async fn tidy(&self, talk: &Talk<'_>, url: &Url) -> Result<(), Trouble> {
        let (mut at, ours) = (talk.own(["subscriptions"]), talk.resources().to_lowercase());
        let mut old = Vec::new();
        for _ in 0..MOST_PAGES {
            let page = talk.json("subscriptions", Method::GET, &at, None).await?;
            let list = page["value"].as_array().map_or(&[][..], Vec::as_slice);
            let is_old = |it: &&serde_json::Value| {
                let resource = it["resource"].as_str().unwrap_or_default().to_lowercase();
                let resource = format!("/{}", resource.trim_start_matches('/'));
                it["notificationUrl"] == url.as_str() && resource.starts_with(&ours)
            };
            old.extend(list.iter().filter(is_old).filter_map(|it| it["id"].as_str()).map(str::to_owned));
            match page["@odata.nextLink"].as_str() {
                Some(next) => at = talk.link(next)?,
                None => break,
            }
        }
        let kept: Vec<String> =
            self.subscriptions.with(|state| state.live.values().map(|it| it.id.clone()).collect());
        for id in old.iter().filter(|id| !kept.contains(id)) {
            match talk
                .done("unsubscribe", Method::DELETE, &talk.own(["subscriptions", id.as_str()]), None)
                .await
            {
                Ok(()) | Err(Trouble::Gone(_)) => {}
                Err(trouble) => return Err(trouble),
            }
        }
        Ok(())
    }
}
