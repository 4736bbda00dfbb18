//! A look at a place for somebody who wants to know where documents would go: the same steps as filing takes, with the account that
//! filing would use, and nothing made or remembered.

use std::sync::Arc;

use postroom_domain::cause::Cause;
use postroom_domain::dms::Trouble;
use postroom_domain::ids::ServiceName;
use postroom_domain::link::Accounts;
use postroom_domain::person::Actor;
use postroom_domain::resolve::{Look, LookAt};

use crate::accounts::{Choice, choose};
use crate::worker::Bench;

/// Who can look: the benches of all destinations, and whose accounts are linked.
pub(crate) struct Onlookers {
    pub(crate) benches: Vec<(ServiceName, Arc<Bench>)>,
    pub(crate) accounts: Arc<dyn Accounts>,
}

impl Onlookers {
    /// Looks; none where there is no such destination.
    pub(crate) async fn look(&self, at: LookAt) -> Option<Look> {
        let service = &at.target.service;
        let (_, bench) = self.benches.iter().find(|(name, _)| name == service)?;
        let whose = match self.accounts.at(service, &at.person).await {
            Ok(whose) => whose,
            Err(error) => {
                return Some(refused(Cause::OwnFault, format!("the links could not be read: {error}")));
            }
        };
        let (credential, ask_rights) = match choose(whose) {
            Choice::Go { credential, ask_rights } => (credential, ask_rights),
            Choice::Stay(refusal) => {
                return Some(refused(
                    Cause::LoginNeeded,
                    format!("{} at {service}: {}", at.person, refusal.words()),
                ));
            }
        };
        let actor = Actor {
            principal: "engine".to_owned(),
            on_behalf_of: Some(at.person.clone()),
            credential: Some(credential),
        };
        // A DMS that hangs must not keep whoever asks waiting for ever.
        let patience = bench.settings.idle_timeout;
        let mut look = match tokio::time::timeout(patience, bench.resolver.look(&actor, &at)).await {
            Ok(look) => look,
            Err(_) => refused(
                Cause::Unreachable,
                format!("{service} did not answer within {} s", patience.as_secs()),
            ),
        };
        if ask_rights {
            let line = format!("before anything is filed, the DMS is asked what {} may do there", at.person);
            look.trace.insert(0, line);
        }
        Some(look)
    }
}

fn refused(cause: Cause, detail: String) -> Look {
    Look { trace: vec![detail.clone()], trouble: Some(Trouble::new(cause, detail)), ..Look::default() }
}
