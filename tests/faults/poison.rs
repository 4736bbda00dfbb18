//! F37: a document that is met by the end of the process every time is set aside after the third; others flow.

use postroom_sims::imanage::{Action, Fire, Pattern, Rule};
use postroom_tests::wait::{PATIENCE, until};
use postroom_tests::world::{MATTER, sample};
use postroom_tests::{Upload, World, outcome};

use crate::document;

#[tokio::test]
async fn f37_poison_is_set_aside_and_others_flow() {
    let mut world = World::new("poison").with_imanage(sample()).start().await;
    let control = world.sim("dms").control();
    // Uploads into this one folder hang: whoever files there is caught in the act by each kill.
    let pattern = Pattern { op: Some("upload".into()), method: None, path: Some("*3652*".into()) };
    let rule = || Rule {
        id: 0,
        when: pattern.clone(),
        fire: Fire::Always,
        limit: None,
        seed: None,
        action: Action::Hang {},
    };
    control.add_fault(rule());
    let poison = world.deposit(Upload::to(MATTER).file("poison.pdf", document(0))).await;
    let mut others = Vec::new();
    let mut deaths = 0;
    for round in 1..=6 {
        let faults = control.stats().faults;
        others.push(world.deposit(Upload::to("10442-0012").file("good.pdf", document(round))).await);
        let caught = until("the poison is under way or set aside", PATIENCE, || async {
            let filing = world.op().filing(poison.filing()).await;
            match filing["state"].as_str() {
                Some("failed") => Some(false),
                Some("running") if control.stats().faults > faults || deaths == 0 => Some(true),
                _ => None,
            }
        })
        .await;
        if !caught {
            break;
        }
        world.kill().await;
        deaths += 1;
        world.start().await;
    }
    let filing = world.in_state(poison.filing(), &["failed"]).await;
    assert_eq!(filing["cause"]["code"], "poison", "{filing:#}");
    assert_eq!(deaths, 3, "set aside after {deaths} deaths");
    world.all_filed(&others).await;
    // A person who knows better may try again.
    // (The hung requests of the dead stay hung: let go, the simulator would store what nobody waits for any more.)
    world.no_faults();
    let _ = world
        .op()
        .decide(poison.filing(), "retry", &serde_json::json!({"reason": "the DMS was at fault"}))
        .await
        .expect(200);
    world.in_state(poison.filing(), &["filed"]).await;
    others.push(poison);
    world.assert_exactly_once(&others).await;
    outcome(
        "F37",
        "a document present at every death",
        &format!("set aside as poison after {deaths} deaths; others flowed; a retry filed it once"),
    );
}
