//! The session login of old servers, which works only where somebody switched it on.

use std::sync::Arc;
use std::time::Duration;

use postroom_dms::Connector;
use postroom_dms::doctor::Level;
use postroom_dms::imanage::{Imanage, Settings};
use postroom_domain::cause::Cause;
use postroom_domain::dms::{Dms, DmsError};
use postroom_sims::imanage::{Action, AuthHeader};

use crate::content::Made;
use crate::world::{FOLDER, Simulated, World, send};

fn settings(world: &Simulated, lines: &str, password: &str) -> Settings {
    let url = world.sim.url();
    let text = format!(
        "base_url = \"{url}\"\nlibrary = \"ACTIVE\"\n{lines}\n[auth]\ngrant = \"session\"\nusername = \"POSTROOM\"\n\
         password = \"{password}\"\n[connection]\nproxy = \"none\"\n"
    );
    toml::from_str(&text).unwrap()
}

fn connector(world: &Simulated, lines: &str, password: &str) -> Imanage {
    Imanage::new("old", settings(world, lines, password), Arc::clone(&world.clock) as _).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_signs_in_renews_itself_and_refuses_servers_that_are_too_old() {
    let world = Simulated::new();
    let refused = Imanage::new("old", settings(&world, "", "postroom-pass"), Arc::clone(&world.clock) as _)
        .err()
        .unwrap();
    assert!(refused.to_string().contains("allow_session_login"), "{refused}");
    let shown = format!("{:?}", settings(&world, "", "postroom-pass"));
    assert!(!shown.contains("postroom-pass"), "{shown}");

    for lines in ["", "session_login_path = \"imanage/api/v1/session/login\"", "auth_header = \"bearer\""] {
        let dms = connector(&world, &format!("allow_session_login = true\n{lines}"), "postroom-pass");
        assert_eq!(dms.whoami().await.unwrap().id, "POSTROOM", "{lines}");
    }
    let dms = connector(&world, "allow_session_login = true", "postroom-pass");
    send(&dms, FOLDER, "letter.pdf", 1, &Made::new(10, 1)).await.0.unwrap();
    let before = world.calls("legacy_login");
    world.advance(Duration::from_hours(2));
    send(&dms, FOLDER, "letter.pdf", 2, &Made::new(10, 1)).await.0.unwrap();
    assert!(world.control.apply(&Action::ExpireTokens {}));
    dms.container(&crate::world::actor(), "", FOLDER).await.unwrap();
    assert_eq!((world.calls("legacy_login") - before, world.calls("token")), (2, 0));
    let findings = dms.doctor().await;
    assert!(
        findings.iter().any(|it| it.subject == "session login" && it.level == Level::Warning),
        "{findings:?}"
    );
    assert!(findings.iter().all(|it| it.level < Level::Bad && it.subject != "refresh token"), "{findings:?}");

    world.control.update_switches(|switches| switches.dms_version = "10.1.2".into());
    let error = connector(&world, "allow_session_login = true", "postroom-pass").whoami().await.unwrap_err();
    assert_eq!(error.trouble().cause, Cause::Misconfigured, "{error}");
    assert!(error.to_string().contains("10.2"), "{error}");
    assert_eq!(world.held().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_password_is_not_sent_again_and_again() {
    let world = Simulated::new();
    let dms = connector(&world, "allow_session_login = true", "not-it");
    for _ in 0..5 {
        let error = dms.whoami().await.unwrap_err();
        assert!(matches!(error, DmsError::NeedsLogin(_)), "{error:?}");
        assert!(!error.to_string().contains("not-it"), "{error}");
    }
    assert_eq!(world.calls("legacy_login"), 1);
    world.advance(Duration::from_hours(1));
    dms.whoami().await.unwrap_err();
    assert_eq!(world.calls("legacy_login"), 2);
    // A server without it, or one that does not take its token.
    world.control.update_switches(|switches| switches.session_login = false);
    let error = connector(&world, "allow_session_login = true", "postroom-pass").whoami().await.unwrap_err();
    assert_eq!(error.trouble().cause, Cause::Misconfigured, "{error}");
    world.control.update_switches(|switches| {
        (switches.session_login, switches.auth_header) = (true, AuthHeader::Bearer);
    });
    let error = connector(&world, "allow_session_login = true", "postroom-pass").whoami().await.unwrap_err();
    assert!(matches!(error, DmsError::NeedsLogin(_)), "{error:?}");
}
