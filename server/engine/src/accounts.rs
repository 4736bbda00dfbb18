//! Whose account a filing's calls use: decided anew for each attempt by [`whose_account`], from what is known of the links then.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use postroom_domain::cause::Cause;
use postroom_domain::dms::Trouble;
use postroom_domain::event::{Happening, NewEvent, Security, Subject};
use postroom_domain::filing::{Filing, State};
use postroom_domain::ids::{PersonId, ServiceName};
use postroom_domain::link::{
    Accounts, AccountsAt, Decision, Operation, Refusal, Rights, Standing, Whose, whose_account,
};
use postroom_domain::person::{Actor, Credential};
use postroom_domain::store::{Pause, StoreResult};
use postroom_domain::time::Clock;

/// A filing together with whose account works on it.
#[derive(Debug, Clone)]
pub(crate) struct Errand {
    pub(crate) filing: Filing,
    /// Who acts towards the DMS, and with which account.
    pub(crate) actor: Actor,
    /// Whose account it is that sends it; none for the system account.
    pub(crate) owner: Option<PersonId>,
    /// What the person may do there is to be found out before anything is written.
    pub(crate) ask_rights: Option<AccountsAt>,
    /// With which accounts an earlier attempt is asked after, and what their answers are worth.
    pub(crate) questions: Questions,
}

/// How an attempt is asked after whose outcome is not known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Questions {
    /// These accounts are asked in this order, until one finds it.
    pub(crate) with: Vec<Credential>,
    /// Why their finding nothing proves nothing: an account that may have sent it cannot be asked.
    pub(crate) unproven: Option<Refusal>,
}

/// What is decided about a filing that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice {
    /// It goes, with this account.
    Go {
        credential: Credential,
        /// After what the person may do there was asked.
        ask_rights: bool,
    },
    /// It waits for somebody to link.
    Stay(Refusal),
}

/// Who acts towards the DMS for a filing, with an account.
pub(crate) fn actor(filing: &Filing, credential: Option<Credential>) -> Actor {
    Actor {
        principal: "engine".to_owned(),
        on_behalf_of: Some(filing.request.submitted_by.clone()),
        credential,
    }
}

/// Which account calls are made with, as a text that is equal for equal accounts.
pub(crate) fn account(actor: &Actor) -> String {
    match actor.credential {
        Some(Credential::Own) => name_of(Whose::Own(actor.account_owner())),
        _ => name_of(Whose::System),
    }
}

/// The same for an account whose link changed.
pub(crate) fn name_of(whose: Whose<'_>) -> String {
    match whose {
        Whose::Own(person) => format!("own/{person}"),
        Whose::System => "system".to_owned(),
    }
}

/// Looks links up for one go over filings, each person once.
pub(crate) struct Chooser<'a> {
    accounts: &'a dyn Accounts,
    service: &'a ServiceName,
    known: HashMap<String, AccountsAt>,
}

impl<'a> Chooser<'a> {
    pub(crate) fn new(accounts: &'a dyn Accounts, service: &'a ServiceName) -> Self {
        Self { accounts, service, known: HashMap::new() }
    }

    /// What is known of the accounts of whoever handed the filing in.
    pub(crate) async fn at(&mut self, filing: &Filing) -> StoreResult<AccountsAt> {
        let name = filing.request.submitted_by.as_str();
        if let Some(known) = self.known.get(name) {
            return Ok(*known);
        }
        let at = self.accounts.at(self.service, name).await?;
        self.known.insert(name.to_owned(), at);
        Ok(at)
    }
}

/// Whether a filing may go now, and with whose account.
pub(crate) const fn choose(at: AccountsAt) -> Choice {
    match whose_account(at.question(Operation::Background, None)) {
        Decision::Use(credential) => Choice::Go { credential, ask_rights: false },
        // Only ever asked of one for whom the system account stands in.
        Decision::AskRights => Choice::Go { credential: Credential::System, ask_rights: true },
        Decision::Refuse(refusal) => Choice::Stay(refusal),
    }
}

/// The same once it is known what the person may do there. None: it may go with the system account.
pub(crate) const fn refused(at: AccountsAt, rights: Rights) -> Option<Refusal> {
    match whose_account(at.question(Operation::Background, Some(rights))) {
        Decision::Use(_) => None,
        Decision::AskRights => Some(Refusal::Unsure),
        Decision::Refuse(refusal) => Some(refusal),
    }
}

/// What a filing that stays is blocked by, in words.
pub(crate) fn trouble(filing: &Filing, refusal: Refusal) -> Trouble {
    let person = &filing.request.submitted_by;
    let whose = match refusal {
        Refusal::NoSystemAccount | Refusal::SystemLinkBroken => "the system account".to_owned(),
        _ => person.clone(),
    };
    let cause = match refusal {
        Refusal::LinkBroken | Refusal::SystemLinkBroken => Cause::LinkBroken,
        Refusal::LinkRequired | Refusal::LinkNeeded | Refusal::NoSystemAccount => Cause::LoginNeeded,
        Refusal::Denied | Refusal::Unsure => Cause::NoRight,
    };
    let service = &filing.request.target.service;
    Trouble::new(cause, format!("{whose} at {service}: {}", refusal.words()))
}

/// What a filing is blocked by whose account a person stopped.
pub(crate) fn stopped(pause: &Pause) -> Trouble {
    Trouble::new(Cause::Paused, format!("the account is paused by {}: {}", pause.by, pause.reason))
}

/// With which accounts to ask after an earlier attempt: those that may have sent it. Another one is asked in place of one that
/// cannot be: it may find the document, but what it does not find may only be hidden from it.
pub(crate) fn questions(at: AccountsAt, tried: &BTreeSet<Credential>) -> Questions {
    let works = |credential| match credential {
        Credential::Own => at.person.is_some() && at.links && at.own == Standing::Works,
        Credential::System => at.system == Standing::Works,
    };
    let system = BTreeSet::from([Credential::System]);
    let tried = if tried.is_empty() { &system } else { tried };
    let gone = tried.iter().copied().find(|credential| !works(*credential));
    let mut with: Vec<Credential> = tried.iter().copied().filter(|credential| works(*credential)).collect();
    if gone.is_some() {
        let others = [Credential::Own, Credential::System].into_iter();
        with.extend(others.filter(|it| !tried.contains(it) && works(*it)));
    }
    let unproven = gone.map(|gone| match (gone, at.own, at.system) {
        (Credential::Own, Standing::None, _) => Refusal::LinkNeeded,
        (Credential::Own, ..) => Refusal::LinkBroken,
        (Credential::System, _, Standing::None) => Refusal::NoSystemAccount,
        (Credential::System, ..) => Refusal::SystemLinkBroken,
    });
    Questions { with, unproven }
}

impl Errand {
    /// A filing that is to be asked after.
    pub(crate) fn question(filing: Filing, at: AccountsAt) -> Self {
        let questions = questions(at, &filing.progress.tried_as);
        let credential = questions.with.first().copied();
        let owner = credential.and_then(|credential| at.owner(credential));
        let actor = actor(&filing, credential);
        Self { filing, actor, owner, ask_rights: None, questions }
    }

    /// A filing that is to be sent.
    pub(crate) fn send(filing: Filing, at: AccountsAt, credential: Credential, ask_rights: bool) -> Self {
        let questions = questions(at, &filing.progress.tried_as);
        let actor = actor(&filing, Some(credential));
        Self { filing, actor, owner: at.owner(credential), ask_rights: ask_rights.then_some(at), questions }
    }

    pub(crate) fn is_question(&self) -> bool {
        self.filing.progress.state == State::Checking
    }
}

/// What the audit keeps when the system account stands in for a person.
pub(crate) fn stands_in(
    filing: &Filing,
    at: AccountsAt,
    credential: Credential,
    clock: &Arc<dyn Clock>,
) -> Vec<NewEvent> {
    if credential != Credential::System || at.person.is_none() || !at.links {
        return Vec::new();
    }
    let person = &filing.request.submitted_by;
    vec![NewEvent {
        at: clock.now(),
        site: Some(filing.site.clone()),
        subject: Subject::Filing(filing.id),
        happening: Happening::Security { what: Security::SystemAccountUsed },
        actor: actor(filing, Some(credential)),
        note: format!("for {person}, who has no link at {}", filing.request.target.service),
    }]
}
