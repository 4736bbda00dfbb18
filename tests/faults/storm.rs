//! F16 for every vendor: many filings while the DMS loses answers, fails and throttles, and all sign-ins end in the middle. Counted at
//! the simulator. Filings per DMS: `POSTROOM_STORM` (5,000 by hand).

use std::time::{Duration, Instant};

use postroom_tests::dms::{self, Dms, Storm};
use postroom_tests::outcome::sized;
use postroom_tests::wait::until;
use postroom_tests::world::MATTER;
use postroom_tests::{Accepted, Upload, World, outcome};

use crate::document;

const STORM: Storm = Storm { lost: 0.05, unavailable: 0.05, throttled: 0.02 };
/// Documents handed in with one request.
const TOGETHER: u64 = 25;

async fn storm(vendor: Box<dyn Dms>) {
    let count = sized("POSTROOM_STORM", 250);
    let kind = vendor.kind();
    let mut world = World::new("storm").with_dms(vendor).with_log("warn").start().await;
    world.dms().storm(Some(STORM));
    let begin = Instant::now();
    let mut accepted: Vec<Accepted> = Vec::new();
    for from in (0..count).step_by(usize::try_from(TOGETHER).unwrap()) {
        let upload = (from..count.min(from + TOGETHER))
            .fold(Upload::to(MATTER), |upload, number| upload.file("a.pdf", document(number)));
        accepted.push(world.deposit(upload).await);
    }
    // All sign-ins end when half of it is stored.
    let half = usize::try_from(count / 2).unwrap();
    until("half of it is stored", Duration::from_mins(30), || async {
        (world.dms().stored() >= half).then_some(())
    })
    .await;
    world.dms().expire();
    world.quiet(Duration::from_mins(30)).await;
    let took = begin.elapsed();
    let verdict = world.verdict(&accepted).await;
    outcome(
        "F16",
        &format!(
            "{count} filings into {kind}: 5 % answers lost, 5 % 503, 2 % 429, sign-ins ended in the middle"
        ),
        &format!(
            "{} of {} filed once in {took:.0?}, lost {}, duplicates {}, damaged {}, with a person {}; {} uploads stored",
            verdict.filed,
            verdict.accepted,
            verdict.lost.len(),
            verdict.duplicates.len(),
            verdict.damaged.len(),
            verdict.with_person.len(),
            world.dms().stored(),
        ),
    );
    assert!(verdict.is_clean() && verdict.filed == verdict.accepted, "{kind}: {verdict:#?}");
    assert_eq!(world.dms().stored(), verdict.accepted, "{kind}: more was stored than was filed");
    world.stop().await;
}

#[tokio::test]
async fn f16_a_storm_at_imanage() {
    storm(dms::Imanage::start(16)).await;
}

#[tokio::test]
async fn f16_a_storm_at_netdocuments() {
    storm(dms::Netdocuments::start(16)).await;
}

#[tokio::test]
async fn f16_a_storm_at_highq() {
    storm(dms::Highq::start(16)).await;
}
