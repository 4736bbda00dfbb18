//! Who may know where a letter is filed. That somebody filed it to a matter may itself be what an ethical wall hides, so a place is told only
//! to whoever filed it, to those who see everything, and to people who see the place in the DMS themselves.

use std::collections::BTreeMap;
use std::time::Duration;

use postroom_domain::filing::Filing;
use postroom_domain::ids::ServiceName;
use postroom_domain::intake::Intake;
use postroom_domain::person::{Permission, Principal};
use postroom_domain::places::PlaceId;

use crate::app::Shared;
use crate::auth::{Allowed, File};

/// For so long a DMS is waited for, all its answers together: a person waits for theirs.
const PATIENCE: Duration = Duration::from_secs(3);

/// What one caller may see, asked once for each place.
pub(super) struct Eyes<'a> {
    app: &'a Shared,
    principal: &'a Principal,
    all: bool,
    known: tokio::sync::Mutex<BTreeMap<(ServiceName, PlaceId), bool>>,
    until: tokio::time::Instant,
}

impl<'a> Eyes<'a> {
    pub(super) fn of(app: &'a Shared, caller: &'a Allowed<File>) -> Self {
        Self {
            app,
            principal: caller.principal(),
            all: caller.may(Permission::SeeAll),
            known: tokio::sync::Mutex::default(),
            until: tokio::time::Instant::now() + PATIENCE,
        }
    }

    /// Whether the caller may know that an intake is filed where these filings of it went. What is not certain is not told.
    pub(super) async fn see(&self, intake: &Intake, filings: &[&Filing]) -> bool {
        if self.all || intake.submitted_by == self.principal.name {
            return true;
        }
        let place = filings.iter().find_map(|filing| {
            let receipt = filing.progress.receipt.as_ref()?;
            let target = &filing.request.target;
            let id = PlaceId { library: target.library.clone(), container: receipt.container.clone() };
            Some((target.service.clone(), id))
        });
        match place {
            Some(place) => self.sees(place).await,
            None => false,
        }
    }

    async fn sees(&self, place: (ServiceName, PlaceId)) -> bool {
        let mut known = self.known.lock().await;
        if let Some(seen) = known.get(&place) {
            return *seen;
        }
        let asked = self.app.places.place(self.principal, &place.0, &place.1);
        let seen = matches!(tokio::time::timeout_at(self.until, asked).await, Ok(Ok(_)));
        known.insert(place, seen);
        seen
    }
}
