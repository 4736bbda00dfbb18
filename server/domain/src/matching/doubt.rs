//! What keeps a work item that a rule found from being filed to without a person.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::rule::{Case, Rule, thread};
use crate::ids::WorkItemId;
use crate::mail::{Dmarc, MailKind};

/// Why a person looks at it first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// The work item is closed.
    Closed,
    /// The sender neither takes part in the work item nor stands on a message that is filed there.
    SenderUnknown,
    /// Nobody of the thread that it goes on from is on it: it was passed on to others.
    NobodyOfThread,
    /// One colleague passes it on to others.
    ForwardAmongInsiders,
    /// A machine answered for somebody.
    AutomaticReply,
    /// The sender's domain says that it does not come from there.
    DmarcFailed,
    /// A report or receipt about a message that is not one we sent, or from somebody it was not sent to.
    ReportUnproved,
}

impl Doubt {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 7] = [
        Self::Closed,
        Self::SenderUnknown,
        Self::NobodyOfThread,
        Self::ForwardAmongInsiders,
        Self::AutomaticReply,
        Self::DmarcFailed,
        Self::ReportUnproved,
    ];

    /// The stable code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::SenderUnknown => "sender_unknown",
            Self::NobodyOfThread => "nobody_of_thread",
            Self::ForwardAmongInsiders => "forward_among_insiders",
            Self::AutomaticReply => "automatic_reply",
            Self::DmarcFailed => "dmarc_failed",
            Self::ReportUnproved => "report_unproved",
        }
    }

    /// In plain words.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Closed => "the work item is closed",
            Self::SenderUnknown => "the sender is unknown to the work item",
            Self::NobodyOfThread => "nobody of the original thread is on it",
            Self::ForwardAmongInsiders => "it is passed on among colleagues only",
            Self::AutomaticReply => "it is an automatic reply",
            Self::DmarcFailed => "it does not come from the domain that it says (DMARC failed)",
            Self::ReportUnproved => "it is a report, and not provably about a message of ours",
        }
    }

    /// Whether it counts against what a rule found. The stranger who writes for the first time and quotes our reference is whom the
    /// patterns are for, so what asks after the sender's part counts for the rules whose evidence travels with a message only. What
    /// speaks against the message itself counts for all.
    const fn counts_for(self, rule: Rule) -> bool {
        match self {
            Self::Closed | Self::DmarcFailed | Self::AutomaticReply | Self::ReportUnproved => true,
            Self::SenderUnknown | Self::NobodyOfThread | Self::ForwardAmongInsiders => {
                matches!(rule, Rule::Header | Rule::Thread | Rule::Luggage)
            }
        }
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Every doubt about filing this mail to a work item that a rule found.
pub(super) fn doubts(case: &Case<'_>, rule: Rule, item: WorkItemId) -> Vec<Doubt> {
    let holds = |doubt: &Doubt| match doubt {
        Doubt::Closed => !case.known.is_open(item),
        Doubt::SenderUnknown => !sender_known(case, item),
        Doubt::NobodyOfThread => !somebody_of_thread(case, item),
        Doubt::ForwardAmongInsiders => {
            case.mail.forwarded && case.mail.people().into_iter().all(|one| case.rules.is_inside(one))
        }
        Doubt::AutomaticReply => case.mail.kind == MailKind::AutoReply,
        Doubt::DmarcFailed => case.mail.dmarc == Dmarc::Fail,
        Doubt::ReportUnproved => case.is_report() && !(rule == Rule::Report && report_proved(case, item)),
    };
    Doubt::ALL.into_iter().filter(|doubt| doubt.counts_for(rule) && holds(doubt)).collect()
}

fn sender_known(case: &Case<'_>, item: WorkItemId) -> bool {
    let Some(from) = &case.mail.from else { return false };
    !case.rules.is_own_mailbox(&from.address)
        && case.known.items.get(&item).is_some_and(|known| known.knows(&from.address))
}

/// Whether somebody of the thread is on the mail. The thread is the messages that it names and that are filed there; where it names none,
/// everybody whom the work item knows.
fn somebody_of_thread(case: &Case<'_>, item: WorkItemId) -> bool {
    let named = thread(case.mail).filter_map(|id| case.known.messages.get(id)).flatten();
    let filed: Vec<_> = named.filter(|filed| filed.work_item == item).collect();
    let mut present = case.mail.people().into_iter().filter(|one| !case.rules.is_own_mailbox(&one.address));
    if filed.is_empty() {
        let known = case.known.items.get(&item);
        return present.any(|one| known.is_some_and(|known| known.knows(&one.address)));
    }
    present.any(|one| {
        let address = one.address.to_lowercase();
        filed.iter().any(|message| message.people.iter().any(|it| it.to_lowercase() == address))
    })
}

/// Reports come about what we sent; a receipt comes from whom it was sent to. Anybody may make up another.
fn report_proved(case: &Case<'_>, item: WorkItemId) -> bool {
    let sender = case.mail.from.as_ref().map(|from| from.address.to_lowercase()).unwrap_or_default();
    let told = case.mail.about.iter().filter_map(|id| case.known.messages.get(id)).flatten();
    told.filter(|filed| filed.work_item == item).any(|filed| {
        let from = crate::mail::Mailbox { name: String::new(), address: filed.from.to_lowercase() };
        let read = case.mail.kind == MailKind::ReadReceipt;
        let sent_to = || filed.people.iter().any(|it| it.to_lowercase() == sender);
        case.rules.is_inside(&from) && (!read || sent_to())
    })
}
