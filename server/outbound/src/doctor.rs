//! What will not work at the linked services, why, and who can mend it.

use std::sync::Arc;
use std::time::Duration;

use postroom_domain::Fut;
use postroom_domain::capability::{Diagnosis, Finding, Level};
use postroom_domain::cause::Fixer;
use postroom_domain::link::{
    AccessError, AccessTokens as _, Accounts as _, Link, LinkState, Standing, Whose,
};
use postroom_domain::record::Registry;
use postroom_domain::record::by_key;
use postroom_domain::sign_in::ProviderError;
use postroom_domain::time::{Clock, age};
use url::Url;

use crate::keeper::TokenKeeper;
use crate::service_settings::SystemAccount;
use crate::services::{Service, Services};

/// Clocks further apart than this are told of; sign-ins fail beyond the skew that the settings allow.
const CLOCKS_APART: Duration = Duration::from_secs(30);

/// Looks at linked services and their system accounts.
pub struct Doctor {
    services: Services,
    keeper: TokenKeeper,
    registry: Arc<dyn Registry>,
    clock: Arc<dyn Clock>,
    public_url: Url,
}

impl Doctor {
    /// `public_url` is Postroom's own address, which providers send browsers back to.
    pub const fn new(
        services: Services,
        keeper: TokenKeeper,
        registry: Arc<dyn Registry>,
        clock: Arc<dyn Clock>,
        public_url: Url,
    ) -> Self {
        Self { services, keeper, registry, clock, public_url }
    }

    async fn service(&self, service: &Service, live: bool) -> Vec<Finding> {
        let mut all = vec![self.redirect(service)];
        all.extend(self.system(service, live).await);
        if live {
            for look in service.renewing.look().await {
                all.push(reached(service, look.subject, &look.outcome));
                if let Ok(Some(theirs)) = look.outcome {
                    all.push(self.clocks(service, theirs));
                }
            }
        }
        all
    }

    fn redirect(&self, service: &Service) -> Finding {
        let back = format!(
            "{}/auth/callback/{}",
            self.public_url.as_str().trim_end_matches('/'),
            service.linked.name
        );
        let local = matches!(self.public_url.host_str(), Some("localhost" | "127.0.0.1"));
        let (level, advice) = if self.public_url.scheme() == "https" || local {
            (Level::Good, format!("register exactly {back} there; whether it is cannot be seen from here"))
        } else {
            (Level::Bad, "give public_url an https:// address: providers send codes to no other".to_owned())
        };
        finding(service, "redirect address", level, back, advice, Fixer::Administrator)
    }

    fn clocks(&self, service: &Service, theirs: jiff::Timestamp) -> Finding {
        let ours = self.clock.now();
        let apart = age(ours, theirs).max(age(theirs, ours));
        let detail = format!("the clocks are {} seconds apart", apart.as_secs());
        let (level, advice) = match apart {
            _ if apart <= CLOCKS_APART => (Level::Good, ""),
            _ if service.clocks_apart.is_some_and(|most| apart > most) => (
                Level::Bad,
                "let this machine's clock follow a time server: nobody can sign in with this until then",
            ),
            _ => (Level::Warning, "let this machine's clock follow a time server"),
        };
        finding(service, "clock", level, detail, advice.to_owned(), Fixer::Administrator)
    }

    async fn system(&self, service: &Service, live: bool) -> Vec<Finding> {
        let name = &service.linked.name;
        if !service.linked.links || service.system_account == SystemAccount::Destination {
            return Vec::new();
        }
        let about = |level, detail: String, advice: &str, fixer| {
            finding(service, "system account", level, detail, advice.to_owned(), fixer)
        };
        let again = "an administrator links the system account again";
        let admin = Fixer::Administrator;
        if service.system_account == SystemAccount::Linked {
            match self.keeper.at(name, "").await.map(|it| it.system) {
                Ok(Standing::None) => {
                    let advice = "an administrator links the system account on the page of links";
                    return vec![about(
                        Level::Warning,
                        "no system account is linked".to_owned(),
                        advice,
                        admin,
                    )];
                }
                Err(error) => return vec![about(Level::Bad, error.to_string(), "look at the store", admin)],
                Ok(_) => {}
            }
        }
        let mut all = Vec::new();
        let link: Option<Link> =
            by_key(self.registry.as_ref(), &Link::key(name, None)).await.unwrap_or_default();
        if let Some(link) = &link {
            all.extend(granted(service, link));
            if let LinkState::Broken { reason, .. } = &link.state {
                all.push(about(Level::Bad, format!("the link is broken: {reason}"), again, admin));
                return all;
            }
        }
        if live {
            all.push(match self.keeper.access(name, Whose::System).await {
                Ok(_) => about(Level::Good, "its tokens are there".to_owned(), "", Fixer::Nobody),
                Err(AccessError::Unavailable { reason, .. }) => {
                    about(Level::Warning, reason, "it is tried again by itself", Fixer::Nobody)
                }
                Err(error) => about(Level::Bad, error.to_string(), again, admin),
            });
        }
        all
    }
}

impl Diagnosis for Doctor {
    fn findings(&self, live: bool) -> Fut<'_, Vec<Finding>> {
        Box::pin(async move {
            let mut all = Vec::new();
            for service in self.services.iter() {
                all.extend(self.service(service, live).await);
            }
            all
        })
    }
}

fn finding(
    service: &Service,
    subject: &str,
    level: Level,
    detail: String,
    advice: String,
    fixer: Fixer,
) -> Finding {
    Finding {
        about: service.linked.name.to_string(),
        subject: subject.to_owned(),
        level,
        detail,
        advice,
        fixer,
    }
}

fn reached(
    service: &Service,
    subject: &str,
    outcome: &Result<Option<jiff::Timestamp>, ProviderError>,
) -> Finding {
    let (level, detail, advice, fixer) = match outcome {
        Ok(_) => (Level::Good, "it answers".to_owned(), "", Fixer::Nobody),
        Err(error @ ProviderError::Unavailable(_)) => {
            let advice = "look whether the address, the proxy and the firewall are right, and whether the service is up";
            (Level::Bad, error.to_string(), advice, Fixer::DmsTeam)
        }
        Err(error) => {
            (Level::Bad, error.to_string(), "correct this service's settings", Fixer::Administrator)
        }
    };
    finding(service, subject, level, detail, advice.to_owned(), fixer)
}

/// What was granted, compared with what is wanted.
fn granted(service: &Service, link: &Link) -> Vec<Finding> {
    let mut all = Vec::new();
    if link.refresh.is_none() {
        let detail = "the service gave no refresh token, so the link ends with its first token".to_owned();
        let advice = "allow refresh tokens for this application at the service, then link again".to_owned();
        all.push(finding(service, "refresh token", Level::Bad, detail, advice, Fixer::DmsTeam));
    }
    // What belongs to signing in is often not repeated in the answer.
    let signs_in = |it: &str| matches!(it, "openid" | "profile" | "email" | "offline_access");
    let given: Vec<&str> = link.scope.split([' ', ',']).collect();
    let missing: Vec<&str> =
        service.wanted.iter().map(String::as_str).filter(|it| !signs_in(it) && !given.contains(it)).collect();
    if !link.scope.is_empty() && !missing.is_empty() && !given.contains(&"full") {
        let detail = format!("not granted: {}", missing.join(", "));
        let advice = "grant these scopes to the application at the service, then link again".to_owned();
        all.push(finding(service, "scopes", Level::Warning, detail, advice, Fixer::DmsTeam));
    }
    all
}
