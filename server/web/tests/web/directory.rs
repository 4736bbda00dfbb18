//! A DMS's directory in memory: it may be late to find what it made, lose answers, and say no. Two who ask at once for the same account
//! get two: only who asks can prevent that.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use postroom_domain::Fut;
use postroom_domain::backoff::RetryPolicy;
use postroom_domain::cause::Cause;
use postroom_domain::desk::{DmsAccounts, DmsAccountsAt, People};
use postroom_domain::dms::{DmsError, DmsResult, DmsUser, Made, NewUser, Trouble};
use postroom_domain::dms_account::{AccountPolicy, CreateAccounts, Directory as Asked, Offers};
use postroom_domain::person::{Actor, Credential};
use tokio::sync::Semaphore;

/// What goes wrong with the next call of its kind.
pub(crate) enum Fault {
    Find(DmsError),
    Make(DmsError),
    /// The account is made, and the answer is this.
    Lost(DmsError),
    /// The account is made, and the answer never comes.
    Hangs,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) users: Vec<DmsUser>,
    /// Every call: `find mary@harrow.example`, `make …` with all that was said.
    pub(crate) calls: Vec<String>,
    pub(crate) faults: VecDeque<Fault>,
    /// So many of the users, from the first, are found.
    pub(crate) found: Option<usize>,
}

pub(crate) struct Directory {
    pub(crate) offers: Mutex<Offers>,
    state: Mutex<State>,
    /// Closed while the test wants calls to wait.
    pub(crate) gate: Semaphore,
}

impl Directory {
    pub(crate) fn new(find: bool, make: bool) -> Arc<Self> {
        let offers = Mutex::new(Offers { find, make });
        Arc::new(Self { offers, state: Mutex::default(), gate: Semaphore::new(1000) })
    }

    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap())
    }

    pub(crate) fn calls(&self) -> Vec<String> {
        self.with(|it| std::mem::take(&mut it.calls))
    }

    /// The e-mails of all accounts.
    pub(crate) fn emails(&self) -> Vec<String> {
        self.with(|it| it.users.iter().map(|user| user.email.clone()).collect())
    }

    pub(crate) fn fails(&self, fault: Fault) {
        self.with(|it| it.faults.push_back(fault));
    }
}

pub(crate) fn user(id: &str, email: &str, active: bool) -> DmsUser {
    DmsUser { id: id.to_owned(), name: id.to_lowercase(), email: email.to_owned(), external: false, active }
}

pub(crate) fn trouble(cause: Cause, detail: &str) -> Trouble {
    Trouble::new(cause, detail)
}

fn actor_of(actor: &Actor) -> String {
    assert_eq!(actor.credential, Some(Credential::System));
    format!("{} for {}", actor.principal, actor.on_behalf_of.as_deref().unwrap())
}

impl Asked for Directory {
    fn offers(&self) -> Offers {
        *self.offers.lock().unwrap()
    }

    fn find<'a>(&'a self, actor: &'a Actor, email: &'a str) -> Fut<'a, DmsResult<Vec<DmsUser>>> {
        Box::pin(async move {
            actor_of(actor);
            let (error, found) = self.with(|it| {
                it.calls.push(format!("find {email}"));
                let fails = matches!(it.faults.front(), Some(Fault::Find(_)));
                let error = if fails { it.faults.pop_front() } else { None };
                let known = it.users.iter().take(it.found.unwrap_or(usize::MAX));
                (error, known.filter(|user| user.email.eq_ignore_ascii_case(email)).cloned().collect())
            });
            tokio::task::yield_now().await;
            match error {
                Some(Fault::Find(error)) => Err(error),
                _ => Ok(found),
            }
        })
    }

    fn make<'a>(&'a self, actor: &'a Actor, new: NewUser<'a>) -> Fut<'a, DmsResult<Made>> {
        Box::pin(async move {
            let _permit = self.gate.acquire().await.unwrap();
            self.with(|it| {
                it.calls.push(format!(
                    "make {} {}/{} external={} invite={} library={} by {}",
                    new.email,
                    new.given_name,
                    new.family_name,
                    new.external,
                    new.invite,
                    new.library,
                    actor_of(actor)
                ));
            });
            tokio::task::yield_now().await;
            let (fault, made) = self.with(|it| {
                let fault = match it.faults.front() {
                    Some(Fault::Find(_)) | None => None,
                    Some(_) => it.faults.pop_front(),
                };
                if let Some(Fault::Make(error)) = fault {
                    return (Some(Fault::Make(error)), None);
                }
                let mut made = user(&format!("U{}", it.users.len() + 1), new.email, true);
                made.external = new.external;
                it.users.push(made.clone());
                (fault, Some(made))
            });
            match (fault, made) {
                (None, Some(made)) => Ok(Made::New(made)),
                (Some(Fault::Make(error) | Fault::Lost(error)), _) => Err(error),
                _ => std::future::pending().await,
            }
        })
    }
}

/// Looks after accounts: automatically at `dms-eu`, on request at `dms-us`, where they can only be found, and never at `files`.
pub(crate) fn accounts(people: &Arc<People>, eu: &Arc<Directory>, us: &Arc<Directory>) -> Arc<DmsAccounts> {
    let policy = |create| AccountPolicy { create, ..AccountPolicy::default() };
    let at = |name: &str, policy, directory: Arc<Directory>| DmsAccountsAt {
        service: name.parse().unwrap(),
        policy,
        directory,
    };
    let destinations = vec![
        at(
            "dms-eu",
            AccountPolicy {
                external_domains: vec!["teal.example".to_owned()],
                library: "ACTIVE".to_owned(),
                ..policy(CreateAccounts::Automatic)
            },
            eu.clone(),
        ),
        at("dms-us", policy(CreateAccounts::OnRequest), us.clone()),
        at("files", policy(CreateAccounts::Never), Directory::new(false, false)),
    ];
    let retry = RetryPolicy { first_seconds: 60, jitter: 0.0, ..RetryPolicy::default() };
    Arc::new(DmsAccounts::new(people.clone(), destinations, retry))
}
