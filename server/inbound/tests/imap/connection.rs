//! A server that cannot be reached, is another one, or refuses us: it is told in words, and tried again.

use std::time::Duration;

use postroom_inbound::imap::{After, ImapOptions, ImapSetupError, Security, SignIn, Trust};
use rcgen::{CertificateParams, IsCa, Issuer, KeyPair};

use crate::dovecot::Dovecot;
use crate::person::Person;
use crate::world::{World, letter, looked_again, options, until};

/// An authority, and a certificate of it for this machine with its key.
fn authority() -> (String, String, String) {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let own = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    let server = KeyPair::generate().unwrap();
    let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
    let chain = CertificateParams::new(names).unwrap().signed_by(&server, &issuer).unwrap().pem();
    (own, chain, server.serialize_pem())
}

#[tokio::test]
async fn connections_are_protected_as_wanted_or_not_made() {
    let (own, chain, key) = authority();
    let server = Dovecot::start(Some((&chain, &key)));
    let plain = Dovecot::start(None);
    server.drop_in("", "1", &letter("1"));
    let (trusted, strange) = (server.path("ca.pem"), server.path("strange.pem"));
    std::fs::write(&trusted, own).unwrap();
    std::fs::write(&strange, authority().0).unwrap();
    let (trusted, strange) = (Trust::File(trusted), Trust::File(strange));
    Person::at(&server).await;
    Person::at(&plain).await;
    // How, where, and why not.
    let table = [
        (Security::Tls(trusted.clone()), server.tls_port, None),
        (Security::StartTls(trusted.clone()), server.port, None),
        (Security::Tls(strange.clone()), server.tls_port, Some("TLS with 127.0.0.1")),
        (Security::StartTls(strange), server.port, Some("TLS with 127.0.0.1")),
        (Security::Tls(Trust::System), server.tls_port, Some("TLS with 127.0.0.1")),
        (Security::StartTls(trusted), plain.port, Some("the server offers no STARTTLS")),
    ];
    for (security, port, why) in table {
        let world = World::new();
        let mailbox = world.open(ImapOptions { security: security.clone(), ..options(port) });
        match why {
            None => {
                until(&mailbox, |status| status.taken == 1).await;
            }
            Some(why) => {
                let status = until(&mailbox, |status| status.unreachable.is_some()).await;
                let said = status.unreachable.unwrap();
                assert!(said.starts_with(why), "{security:?}: {said}");
                assert_eq!(status.taken, 0);
            }
        }
        mailbox.stop().await;
    }
}

#[tokio::test]
async fn a_refused_sign_in_is_told_and_not_repeated_soon() {
    let (server, world) = (Dovecot::start(None), World::new());
    Person::at(&server).await;
    let mut options = options(server.port);
    options.sign_in = SignIn::Password("expired".into());
    options.patience.longest_pause = Duration::from_hours(1);
    let mailbox = world.open(options);
    let status = until(&mailbox, |status| status.unreachable.is_some()).await;
    let said = status.unreachable.unwrap();
    assert_eq!(said, "the server refuses the sign-in: [AUTHENTICATIONFAILED] Authentication failed.");
    mailbox.stop().await;
    assert_eq!(server.log().matches("Password mismatch").count(), 1);
}

#[tokio::test]
async fn a_server_that_was_away_is_read_again() {
    let (mut server, world) = (Dovecot::start(None), World::new());
    Person::at(&server).await;
    for idle in [false, true] {
        let before = world.intakes().await.len() as u64;
        let poll = if idle { Duration::from_hours(1) } else { Duration::from_millis(30) };
        let mailbox = world.open(ImapOptions { idle, poll, ..options(server.port) });
        if idle {
            until(&mailbox, |status| status.idling).await;
        }
        server.drop_in("", &format!("a{idle}"), &letter("before"));
        until(&mailbox, |status| status.taken == 1).await;
        server.halt();
        until(&mailbox, |status| status.unreachable.is_some()).await;
        server.drop_in("", &format!("b{idle}"), &letter("after"));
        server.resume();
        let status = until(&mailbox, |status| status.taken == 2).await;
        assert_eq!(status.skipped, []);
        until(&mailbox, |status| status.unreachable.is_none()).await;
        mailbox.stop().await;
        assert_eq!(world.intakes().await.len() as u64, before + 2);
    }
}

#[tokio::test]
async fn what_cannot_work_is_refused_at_once() {
    let world = World::new();
    let table = [
        (ImapOptions { folders: Vec::new(), ..options(1) }, "no folder is named"),
        (ImapOptions { after: After::Move("inbox".to_owned()), ..options(1) }, "\"inbox\" is read and"),
        (
            ImapOptions { security: Security::Tls(Trust::File("/no/such.pem".into())), ..options(1) },
            "/no/such.pem: ",
        ),
        (
            ImapOptions { security: Security::Tls(Trust::System), host: "a b".to_owned(), ..options(1) },
            "\"a b\" is no name of a host",
        ),
    ];
    for (options, why) in table {
        let refused: ImapSetupError = world.refused(options);
        assert!(refused.to_string().starts_with(why), "{refused}");
    }
    // A folder that is not there is named, and costs the others nothing.
    let server = Dovecot::start(None);
    server.drop_in("", "1", &letter("1"));
    let folders = vec!["Nirgends".to_owned(), "INBOX".to_owned()];
    let mailbox = world.open(ImapOptions { folders, ..options(server.port) });
    until(&mailbox, |status| status.taken == 1).await;
    let status = looked_again(&mailbox).await;
    assert_eq!(status.troubles.len(), 1);
    assert!(status.troubles[0].starts_with("Nirgends: "), "{status:?}");
    mailbox.stop().await;
}
