//! What is told of a letter that lies in somebody's mailbox: whether it is filed already, and where it may belong. Nothing is changed by
//! asking, and the rules are the ones that decide over letters that come in.

use jiff::Timestamp;

use super::knowledge::MOST_ALIKE;
use super::{Mailroom, Noted};
use crate::ids::SiteName;
use crate::ledger::LedgerKey;
use crate::mail::Mail;
use crate::matching::Decision;
use crate::record;
use crate::store::StoreResult;

/// What is known of a letter.
#[derive(Debug, Clone)]
pub struct Told {
    /// The letters with its id that are here, by age. Whether they are this one, only their content would prove.
    pub here: Vec<Noted>,
    /// Where it would go; none where there are no rules.
    pub decision: Option<Decision>,
}

impl Mailroom {
    /// What is known of a letter of a site.
    pub async fn tell_of(&self, site: &SiteName, mail: &Mail, now: Timestamp) -> StoreResult<Told> {
        let decision = match &self.matching {
            Some(rules) => {
                let known = self.known(site, &rules.questions(mail), None).await?;
                Some(rules.decide(mail, &known, now))
            }
            None => None,
        };
        Ok(Told { here: self.with_its_id(site, mail).await?, decision })
    }

    /// The letters of a site that have a letter's id.
    pub(super) async fn with_its_id(&self, site: &SiteName, mail: &Mail) -> StoreResult<Vec<Noted>> {
        if mail.id.is_none() {
            return Ok(Vec::new());
        }
        let probe = LedgerKey::of(&Mail { id: mail.id.clone(), ..Mail::default() }, &[]);
        let Some(lookup) = probe.lookups().into_iter().find(|lookup| lookup.starts_with("id/")) else {
            return Ok(Vec::new());
        };
        let group = Noted::under(site, &lookup);
        record::page(&*self.reception.store, Some(&group), None, MOST_ALIKE).await
    }
}
