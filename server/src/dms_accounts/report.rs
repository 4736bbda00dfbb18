//! The report's line about accounts of persons at a destination.

use postroom_domain::capability::{Finding, Level};
use postroom_domain::cause::Fixer;
use postroom_domain::desk::{DmsAccounts, DmsAccountsAt};
use postroom_domain::dms::DmsError;
use postroom_domain::dms_account::{CreateAccounts, Skip, words};
use postroom_domain::ids::ServiceName;
use postroom_domain::link::Refusal;
use postroom_domain::person::Actor;

/// An address that nobody has (RFC 2606): looking for it shows whether one may look.
const NOBODY: &str = "nobody@postroom.invalid";

/// Whether accounts are found and made there, and if not, why. `refusal` tells why there is no system account; looked at live, the DMS
/// is asked for an account that nobody has. Nothing is made.
pub(crate) async fn finding(
    accounts: &DmsAccounts,
    service: &ServiceName,
    refusal: Option<Refusal>,
    live: bool,
) -> Option<Finding> {
    let at = accounts.destinations().iter().find(|it| it.service == *service)?;
    let told = |level, detail: String, advice: &str, fixer| Finding {
        about: service.to_string(),
        subject: "accounts of persons".to_owned(),
        level,
        detail,
        advice: advice.to_owned(),
        fixer,
    };
    let how = at.policy.create.words();
    if at.policy.create == CreateAccounts::Never {
        let detail = "never made from here: whoever runs the DMS makes them".to_owned();
        return Some(told(Level::Good, detail, "", Fixer::Nobody));
    }
    let fails = |why: &str| format!("made {how}, but it will not work: {why}");
    let offers = at.directory.offers();
    if !offers.find && !offers.make {
        let advice = "set create = \"never\" in [destinations.accounts]";
        return Some(told(Level::Bad, fails(Skip::NotOffered.words()), advice, Fixer::Administrator));
    }
    if let Some(refusal) = refusal {
        let advice = "link the system account on the page of services";
        return Some(told(Level::Bad, fails(refusal.words()), advice, Fixer::Administrator));
    }
    if live && let Some((why, fixer)) = looked(at).await {
        let advice = "the system account must be allowed to look accounts up and to make them";
        return Some(told(Level::Bad, fails(&why), advice, fixer));
    }
    if !offers.make {
        let detail = format!("found by e-mail {how}; making them is not available here");
        let advice = "whoever runs the DMS makes accounts; they are found afterwards";
        return Some(told(Level::Warning, detail, advice, Fixer::DmsTeam));
    }
    Some(told(
        Level::Good,
        format!("made {how}, if there is none with the person's e-mail"),
        "",
        Fixer::Nobody,
    ))
}

/// Why accounts cannot be looked up, and who can mend it.
async fn looked(at: &DmsAccountsAt) -> Option<(String, Fixer)> {
    if !at.directory.offers().find {
        return None;
    }
    let error = at.directory.find(&Actor::system("doctor", None), NOBODY).await.err()?;
    let fixer = match error {
        DmsError::Forbidden(_) => Fixer::DmsTeam,
        _ => Fixer::Administrator,
    };
    Some((words(&error), fixer))
}
