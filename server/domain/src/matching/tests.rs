//! Every rule and every doubt as a row. The house of these tests: matter M-1 of Anna (client) and Fay (fee earner), matter M-2 of Ben, the
//! closed matter M-3 of Anna, matter M-4 of Ben, and two messages that are filed.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::ids::WorkItemId;
use crate::luggage::{LuggageSecret, LuggageSettings};
use crate::mail::{Carried, Dmarc, MailKind, MessageId};
use crate::work_item::{Participant, WorkItem};

const ANNA: &str = "anna@client.example";
const FAY: &str = "fay@firm.example";
const GUS: &str = "gus@firm.example";
const BEN: &str = "ben@other.example";
const EVE: &str = "eve@else.example";
const POST: &str = "post@firm.example";

fn id(number: u128) -> WorkItemId {
    WorkItemId::from_u128(number)
}

fn message(text: &str) -> MessageId {
    MessageId::new(text).unwrap()
}

fn people(addresses: &[&str]) -> Vec<Mailbox> {
    addresses.iter().map(|it| Mailbox { name: String::new(), address: (*it).to_owned() }).collect()
}

fn luggage() -> Luggage {
    Luggage::new(LuggageSecret::new([3; 32]), &LuggageSettings::default())
}

fn tag(number: u128) -> String {
    luggage().tag(luggage().key_for(id(number), 0))
}

fn pattern(regex: &str) -> PatternSettings {
    PatternSettings {
        name: "matters".into(),
        regex: regex.into(),
        reference: None,
        places: Place::ALL.into(),
        examples: Vec::new(),
    }
}

fn settings() -> MatchingSettings {
    MatchingSettings {
        own_domains: vec!["firm.example".into()],
        own_mailboxes: vec![POST.into()],
        luggage: LuggageSettings::default(),
        patterns: vec![pattern(r"\b(?<reference>M-[0-9]+)\b")],
    }
}

fn rules() -> Rules {
    Rules::new(&settings(), luggage()).unwrap()
}

/// A letter that M-1's client wrote to the post room and to her fee earner.
fn letter(subject: &str) -> Mail {
    Mail {
        id: Some(message("new@client.example")),
        subject: subject.into(),
        from: people(&[ANNA]).pop(),
        to: people(&[POST, FAY]),
        ..Mail::default()
    }
}

fn from(address: &str, mail: Mail) -> Mail {
    Mail { from: people(&[address]).pop(), to: people(&[POST]), ..mail }
}

fn answers(ids: &[&str], mail: Mail) -> Mail {
    Mail { in_reply_to: ids.iter().map(|it| message(it)).collect(), ..mail }
}

/// The answers that a store would give, and nothing that was not asked for.
fn known(rules: &Rules, mail: &Mail) -> Known {
    let questions = rules.questions(mail);
    let taking_part: [(u128, &[&str], bool); 4] =
        [(1, &[ANNA, FAY], true), (2, &[BEN], true), (3, &[ANNA, GUS], false), (4, &[BEN], true)];
    let filed = |item: u128, from: &str, to: &[&str]| FiledMessage {
        work_item: id(item),
        from: from.into(),
        people: to.iter().chain([&POST]).map(|it| (*it).to_owned()).collect(),
    };
    let messages = [
        // Fay wrote to Anna, with Carl of the other side in copy.
        ("fay1@firm.example", vec![filed(1, FAY, &[FAY, ANNA, "carl@else.example"])]),
        ("anna1@client.example", vec![filed(1, ANNA, &[ANNA, FAY])]),
        ("both@firm.example", vec![filed(1, FAY, &[FAY, ANNA]), filed(2, FAY, &[FAY, ANNA])]),
        ("old@firm.example", vec![filed(3, GUS, &[GUS, ANNA])]),
        ("ben1@other.example", vec![filed(2, BEN, &[BEN, FAY])]),
    ];
    let messages: BTreeMap<_, _> = messages.into_iter().map(|(id, filed)| (message(id), filed)).collect();
    let participant = |address: &&str| Participant {
        role: "party".into(),
        name: String::new(),
        reference: String::new(),
        email: (*address).into(),
    };
    let mut known = Known::default();
    for asked in &questions.messages {
        known.messages.extend(messages.get(asked).map(|filed| (asked.clone(), filed.clone())));
    }
    for (number, addresses, _) in &taking_part {
        let key = luggage().key_for(id(*number), 0);
        if questions.luggage.contains(&key) {
            known.luggage.insert(key, id(*number));
        }
        let reference = format!("m-{number}");
        if questions.references.contains(&reference) {
            known.references.insert(reference, vec![id(*number)]);
        }
        if questions.sender.as_deref().is_some_and(|sender| addresses.contains(&sender)) {
            known.sender_in.push(id(*number));
        }
    }
    for wanted in known.missing(&questions) {
        let Some((number, addresses, open)) = taking_part.iter().find(|row| id(row.0) == wanted) else {
            continue;
        };
        let item = WorkItem {
            id: wanted,
            reference: format!("M-{number}"),
            title: String::new(),
            open: *open,
            client: crate::work_item::Client::default(),
            participants: addresses.iter().map(participant).collect(),
            ..crate::tag::tests::matter()
        };
        let there = messages.values().flatten().filter(|filed| filed.work_item == wanted);
        let met: BTreeSet<String> = there.flat_map(|filed| filed.people.iter().cloned()).collect();
        let met = met.into_iter().filter(|it| questions.people.contains(it)).collect();
        known.items.insert(wanted, KnownItem { item, met });
    }
    known
}

fn decide(mail: &Mail) -> Decision {
    let rules = rules();
    rules.decide(mail, &known(&rules, mail), "2026-11-23T09:00:00Z".parse().unwrap())
}

/// A verdict in short: `file 1 thread`, `suggest 1 thread sender_unknown`, `person no_rule_matched`.
fn short(decision: &Decision) -> String {
    match &decision.verdict {
        Verdict::File { work_item, rule } => format!("file {} {rule}", work_item.as_u128()),
        Verdict::Suggest { work_item, rule, doubts } => {
            let doubts: Vec<&str> = doubts.iter().map(|doubt| doubt.as_str()).collect();
            format!("suggest {} {rule} {}", work_item.as_u128(), doubts.join(" ")).trim_end().to_owned()
        }
        Verdict::Person { code, .. } => format!("person {code}"),
    }
}

fn check(table: Vec<(&str, Mail, &str)>) {
    for (what, mail, wanted) in table {
        let decision = decide(&mail);
        assert_eq!(short(&decision), wanted, "{what}\n{:#?}", decision.trace);
        assert_eq!(
            decision.trace.iter().filter(|line| line.starts_with("luggage: ")).count().min(1),
            1,
            "{what}"
        );
    }
}

fn marked(number: u128, mail: Mail) -> Mail {
    Mail { marked: Some(luggage().header(id(number))), ..mail }
}

#[test]
fn the_first_decisive_rule_wins() {
    let reply = || answers(&["fay1@firm.example"], letter("Re: Lease"));
    let thread =
        |ids: &[&str], mail: Mail| Mail { references: ids.iter().map(|it| message(it)).collect(), ..mail };
    check(vec![
        ("nothing is known", from(EVE, letter("Hello")), "person no_rule_matched"),
        ("our header", marked(1, letter("Re: Lease")), "file 1 header"),
        (
            "our header before the thread",
            marked(1, answers(&["ben1@other.example"], letter("x"))),
            "file 1 header",
        ),
        (
            "a header that is made up",
            Mail { marked: Some(format!("{}; 00", id(1))), ..reply() },
            "file 1 thread",
        ),
        ("a header of a work item that is gone", marked(9, reply()), "file 1 thread"),
        ("an answer", reply(), "file 1 thread"),
        ("only references", thread(&["x@y", "anna1@client.example", "lost@y"], letter("x")), "file 1 thread"),
        (
            "the nearest message of the thread",
            thread(&["old@firm.example", "ben1@other.example", "fay1@firm.example"], letter("x")),
            "file 1 thread",
        ),
        (
            "what it answers before what comes before that",
            answers(&["fay1@firm.example"], thread(&["old@firm.example", "ben1@other.example"], letter("x"))),
            "file 1 thread",
        ),
        (
            "it answers messages of two work items",
            answers(&["fay1@firm.example", "ben1@other.example"], letter("x")),
            "person several_work_items",
        ),
        (
            "a message that lies in two",
            answers(&["both@firm.example"], letter("M-1")),
            "person several_work_items",
        ),
        ("the thread before the tag", answers(&["fay1@firm.example"], letter(&tag(2))), "file 1 thread"),
        ("a tag", letter(&format!("Re: {} Lease", tag(1))), "file 1 luggage"),
        ("the same tag twice", letter(&format!("Re: {0} {0}", tag(1))), "file 1 luggage"),
        ("two work items' tags", letter(&format!("{} {}", tag(1), tag(2))), "person several_work_items"),
        ("a tag and one that is made up", letter(&format!("{} [PR-000000-00]", tag(1))), "file 1 luggage"),
        ("a tag that nobody has", letter(&tag(77)), "suggest 1 participant"),
        (
            "a tag in the text decides nothing",
            Mail { text: tag(2), ..from(EVE, letter("x")) },
            "person no_rule_matched",
        ),
        ("the tag before a reference", letter(&format!("{} M-2", tag(1))), "file 1 luggage"),
        ("a reference from a stranger", from(EVE, letter("Your ref: m-2")), "file 2 reference"),
        (
            "a reference in the text",
            Mail { text: "see M-2.".into(), ..from(EVE, letter("x")) },
            "file 2 reference",
        ),
        (
            "a reference in a name",
            Mail {
                carried: vec![Carried {
                    name: "Lease M-2.pdf".into(),
                    media_type: "application/pdf".into(),
                    size: 1,
                    inline: false,
                }],
                ..from(EVE, letter("x"))
            },
            "file 2 reference",
        ),
        (
            "the same in several places",
            Mail { text: "M-2".into(), ..from(EVE, letter("M-2")) },
            "file 2 reference",
        ),
        ("an open one beside a closed one", from(EVE, letter("M-2, M-3")), "file 2 reference"),
        ("one beside an unknown one", from(EVE, letter("M-2, M-99")), "file 2 reference"),
        (
            "a second one behind many of the first",
            Mail { text: format!("{} M-1", "M-2 ".repeat(100)), ..from(EVE, letter("x")) },
            "person several_references",
        ),
        (
            "more than are looked up",
            Mail {
                text: format!("M-2 {}", (100..140).map(|n| format!("M-{n}")).collect::<Vec<_>>().join(" ")),
                ..from(EVE, letter("x"))
            },
            "person several_references",
        ),
        ("references of two", from(EVE, letter("M-1, M-2")), "person several_references"),
        ("a closed one's", from(EVE, letter("M-3")), "person closed_work_item"),
        ("an unknown one", from(EVE, letter("M-99")), "person no_rule_matched"),
        ("a sender of one open work item", letter("Hello"), "suggest 1 participant"),
        ("a sender of two", from(BEN, letter("Hello")), "person no_rule_matched"),
        ("a sender of a closed one", from(GUS, letter("Hello")), "person no_rule_matched"),
        ("no sender", Mail { from: None, ..letter("Hello") }, "person no_rule_matched"),
    ]);
}

#[test]
fn what_is_in_doubt_is_only_suggested() {
    type Make = fn(&str, Mail) -> Mail;
    // Each of the three rules, with what it finds in M-1 and M-3.
    let makes: [(&str, Make, Make); 3] = [
        ("header", |_, mail| marked(1, mail), |_, mail| marked(3, mail)),
        (
            "thread",
            |_, mail| answers(&["fay1@firm.example"], mail),
            |_, mail| answers(&["old@firm.example"], mail),
        ),
        ("luggage", |_, mail| Mail { subject: tag(1), ..mail }, |_, mail| Mail { subject: tag(3), ..mail }),
    ];
    for (rule, open, closed) in makes {
        let open = |mail: Mail| open(rule, mail);
        let lowered = |doubts: &str| format!("suggest 1 {rule} {doubts}");
        let plain = || letter("Re: Lease");
        let inside = |mail: Mail| Mail { to: people(&[POST, GUS]), forwarded: true, ..from(FAY, mail) };
        let table = vec![
            ("no doubt", open(plain()), format!("file 1 {rule}")),
            (
                "in copy of an earlier message",
                open(from("carl@else.example", plain())),
                format!("file 1 {rule}"),
            ),
            ("a closed work item", closed(rule, plain()), format!("suggest 3 {rule} closed")),
            (
                "a stranger, to nobody of the thread",
                open(from(EVE, plain())),
                lowered("sender_unknown nobody_of_thread"),
            ),
            (
                "a stranger, with somebody of the thread",
                open(Mail { to: people(&[ANNA, POST]), ..from(EVE, plain()) }),
                lowered("sender_unknown"),
            ),
            ("no sender", open(Mail { from: None, ..plain() }), lowered("sender_unknown")),
            (
                "a colleague who is not of the matter",
                open(from(GUS, plain())),
                lowered("sender_unknown nobody_of_thread"),
            ),
            (
                "our own mailbox is nobody",
                open(from(POST, plain())),
                lowered("sender_unknown nobody_of_thread"),
            ),
            ("passed on among colleagues", open(inside(plain())), lowered("forward_among_insiders")),
            (
                "passed on to somebody outside as well",
                open(Mail { cc: people(&[EVE]), ..inside(plain()) }),
                format!("file 1 {rule}"),
            ),
            (
                "a colleague answers",
                open(Mail { forwarded: false, ..inside(plain()) }),
                format!("file 1 {rule}"),
            ),
            (
                "an automatic reply",
                open(Mail { kind: MailKind::AutoReply, ..plain() }),
                lowered("automatic_reply"),
            ),
            ("DMARC failed", open(Mail { dmarc: Dmarc::Fail, ..plain() }), lowered("dmarc_failed")),
            ("DMARC passed", open(Mail { dmarc: Dmarc::Pass, ..plain() }), format!("file 1 {rule}")),
            ("a meeting", open(Mail { kind: MailKind::Calendar, ..plain() }), format!("file 1 {rule}")),
            (
                "a weaker rule does not file what a stronger one would not",
                open(Mail { text: "M-1".into(), ..from(EVE, plain()) }),
                lowered("sender_unknown nobody_of_thread"),
            ),
            (
                "all at once",
                open(Mail { dmarc: Dmarc::Fail, kind: MailKind::AutoReply, ..from(EVE, plain()) }),
                lowered("sender_unknown nobody_of_thread automatic_reply dmarc_failed"),
            ),
        ];
        check(table.iter().map(|(what, mail, wanted)| (*what, mail.clone(), wanted.as_str())).collect());
    }
}

/// Somebody takes part in the matter, and answers in a thread that they were never in: it came to them by another way.
#[test]
fn a_thread_that_nobody_of_it_goes_on_with_is_in_doubt() {
    let mail = answers(&["anna1@client.example"], from("carl@else.example", letter("Re: Lease")));
    check(vec![("Carl was not on it", mail, "suggest 1 thread nobody_of_thread")]);
}

/// The leak of filers that go by tags: a private mail that somebody was sent with the tag still in its subject is passed on, and goes to
/// the post room. All who are on it are outside the matter.
#[test]
fn a_tag_alone_files_no_mail_of_strangers() {
    let private = Mail {
        subject: format!("FW: Re: {} Lease", tag(1)),
        from: people(&[EVE]).pop(),
        to: people(&["friend@home.example", POST]),
        forwarded: true,
        text: format!("What do you think of this?\n> {}", tag(1)),
        ..Mail::default()
    };
    check(vec![
        ("strangers", private.clone(), "suggest 1 luggage sender_unknown nobody_of_thread"),
        (
            "colleagues of another team",
            Mail { to: people(&["hal@firm.example", POST]), ..from(GUS, private.clone()) },
            "suggest 1 luggage sender_unknown nobody_of_thread forward_among_insiders",
        ),
    ]);
    let decision = decide(&private);
    assert_eq!(decision.filed_to(), None);
    let needs = decision.needs(&known(&rules(), &private)).unwrap();
    assert_eq!(needs.code, "to_confirm");
    assert!(needs.text.contains("M-1") && needs.text.contains("the sender is unknown"), "{}", needs.text);
}

#[test]
fn reports_go_where_the_message_is_that_they_are_about() {
    let about = |id: &str, kind, sender: &str| Mail {
        kind,
        about: vec![message(id)],
        ..from(sender, letter(&format!("Undeliverable: {}", tag(1))))
    };
    let (bounce, receipt) = (MailKind::DeliveryReport, MailKind::ReadReceipt);
    let daemon = "mailer-daemon@mx.example";
    check(vec![
        ("a bounce", about("fay1@firm.example", bounce, daemon), "file 1 report"),
        ("a receipt of whom it was sent to", about("fay1@firm.example", receipt, ANNA), "file 1 report"),
        (
            "a receipt of somebody else",
            about("fay1@firm.example", receipt, EVE),
            "suggest 1 report report_unproved",
        ),
        (
            "about a message we did not send",
            about("anna1@client.example", bounce, daemon),
            "suggest 1 report report_unproved",
        ),
        ("about a message in two", about("both@firm.example", bounce, daemon), "person several_work_items"),
        ("about a closed one's", about("old@firm.example", bounce, daemon), "suggest 3 report closed"),
        (
            "about nothing that is filed",
            about("lost@firm.example", bounce, daemon),
            "suggest 1 luggage sender_unknown nobody_of_thread report_unproved",
        ),
        (
            "about nothing at all",
            Mail { about: Vec::new(), subject: "M-2".into(), ..about("x@y", bounce, daemon) },
            "suggest 2 reference report_unproved",
        ),
        (
            "a letter that claims to be about something",
            Mail { subject: "x".into(), ..about("fay1@firm.example", MailKind::Letter, EVE) },
            "person no_rule_matched",
        ),
        (
            "with a false sender",
            Mail { dmarc: Dmarc::Fail, ..about("fay1@firm.example", bounce, daemon) },
            "suggest 1 report dmarc_failed",
        ),
    ]);
}

#[test]
fn machines_are_not_answered() {
    for (kind, quiet) in [
        (MailKind::Letter, false),
        (MailKind::Calendar, false),
        (MailKind::AutoReply, true),
        (MailKind::DeliveryReport, true),
        (MailKind::ReadReceipt, true),
        (MailKind::List, true),
    ] {
        assert_eq!(decide(&Mail { kind, ..letter("x") }).quiet, quiet, "{kind:?}");
    }
}

#[test]
fn patterns_are_not_in_doubt_for_who_the_sender_is_but_for_what_the_message_is() {
    let stranger = || from(EVE, letter("M-2"));
    check(vec![
        ("passed on", Mail { forwarded: true, ..stranger() }, "file 2 reference"),
        (
            "an automatic reply",
            Mail { kind: MailKind::AutoReply, ..stranger() },
            "suggest 2 reference automatic_reply",
        ),
        ("DMARC failed", Mail { dmarc: Dmarc::Fail, ..stranger() }, "suggest 2 reference dmarc_failed"),
    ]);
}

#[test]
fn the_trace_names_every_rule_with_its_reason() {
    let trace = decide(&letter(&format!("{} [PR-000000-00] M-2", tag(1)))).trace;
    let wrong = format!("luggage: [PR-000000-00] has check characters that are not ours; {} is M-1", tag(1));
    assert_eq!(
        trace[..7],
        [
            "report: it is no delivery report and no receipt",
            "header: our header is not on it",
            "thread: it answers nothing",
            &wrong,
            "reference: not needed any more: \"m-2\" in the subject (matters) is M-2",
            "participant: not needed any more: anna@client.example takes part in M-1 and in no other open work item",
            "filed in M-1 (luggage)",
        ]
    );
    assert!(trace[7].starts_with("suggested: M-1 (1700): its tag stands in the subject"), "{}", trace[7]);
    assert!(
        trace[8].starts_with("suggested: M-2 (1000): its reference stands in the subject"),
        "{}",
        trace[8]
    );
}

#[test]
fn a_dry_run_tells_what_changes() {
    let filed = decide(&letter(&tag(1)));
    let by_thread = decide(&answers(&["fay1@firm.example"], letter("x")));
    let other = decide(&from(EVE, letter("M-2")));
    let asked = decide(&from(EVE, letter(&tag(1))));
    let nobody = decide(&from(EVE, letter("x")));
    let several = decide(&letter(&format!("{} {}", tag(1), tag(2))));
    let more = Decision { suggestions: other.suggestions.clone(), ..nobody.clone() };
    for (old, new, wanted, grave) in [
        (&filed, &filed, "same", false),
        (&filed, &other, "refiled", true),
        (&filed, &by_thread, "other_rule", false),
        (&filed, &asked, "asked_now", false),
        (&asked, &filed, "filed_now", true),
        (&nobody, &other, "filed_now", true),
        (&nobody, &asked, "asked_otherwise", false),
        (&nobody, &several, "asked_otherwise", false),
        (&nobody, &more, "other_suggestions", false),
        (&asked, &asked, "same", false),
    ] {
        let change = compare(old, new);
        assert_eq!((change.as_str(), change.is_grave()), (wanted, grave), "{} → {}", short(old), short(new));
    }
}

#[test]
fn questions_are_bounded_and_name_each_thing_once() {
    let rules = rules();
    let ids: Vec<MessageId> = (0..500).map(|n| message(&format!("{}@x", n % 300))).collect();
    let many: Vec<String> = (0..500).map(|n| format!("p{n}@x.example")).collect();
    let mail = Mail {
        references: ids,
        to: people(&many.iter().map(String::as_str).collect::<Vec<_>>()),
        text: (0..500).map(|n| format!("M-{n}")).collect::<Vec<_>>().join(" "),
        ..letter("M-1 M-1")
    };
    let questions = rules.questions(&mail);
    assert_eq!(questions.messages.len(), 64);
    assert_eq!(questions.messages[0], message("199@x"), "the nearest first");
    assert_eq!(questions.people.len(), 200);
    assert_eq!(questions.references.len(), 16);
    assert_eq!(questions.sender.as_deref(), Some(ANNA));
    assert!(!questions.people.contains(&POST.to_owned()));
}

#[test]
fn references_are_put_together_and_bounded() {
    let of = |regex: &str, reference: Option<&str>, text: &str| {
        let settings = PatternSettings { reference: reference.map(str::to_owned), ..pattern(regex) };
        Pattern::new(&settings).unwrap().in_text(text).0
    };
    let two = r"(?<client>[0-9]{5})[ ./-](?<matter>[0-9]{4})";
    assert_eq!(of(two, Some("{client}-{matter}"), "12345.0001 and 12345/0002"), ["12345-0001", "12345-0002"]);
    assert_eq!(of(r"ref:\s*(?<reference>\S+ ?\S*)", None, "Ref:  Ab   "), ["ab"]);
    assert_eq!(of(r"(?<reference>x+)", None, &"x".repeat(101)), Vec::<String>::new());
    let far = format!("{}M-1", " ".repeat(64 * 1024));
    assert_eq!(of(r"(?<reference>M-[0-9]+)", None, &far), Vec::<String>::new());
    // An umlaut on the bound is not cut in two.
    assert_eq!(
        of(r"(?<reference>M-1)", None, &format!("{}ä", "x".repeat(64 * 1024 - 1))),
        Vec::<String>::new()
    );
}

#[test]
fn settings_name_the_key_that_is_wrong() {
    type Spoil = fn(&mut MatchingSettings);
    let table: [(Spoil, &str); 15] = [
        (|it| it.own_domains.clear(), "matching.own_domains"),
        (|it| it.own_domains.push("a@b".into()), "matching.own_domains[2]"),
        (|it| it.own_mailboxes.push("post".into()), "matching.own_mailboxes[2]"),
        (|it| it.luggage.prefix = "!".into(), "matching.luggage.prefix"),
        (|it| it.patterns[0].name = " ".into(), "matching.patterns[1].name"),
        (|it| it.patterns.push(it.patterns[0].clone()), "matching.patterns[2].name"),
        (|it| it.patterns[0].regex = "(".into(), "matching.patterns[1].regex"),
        (|it| it.patterns[0].regex = "M-[0-9]+".into(), "matching.patterns[1].regex"),
        (|it| it.patterns[0].regex = "(?<reference>x*)".into(), "matching.patterns[1].regex"),
        (|it| it.patterns[0].regex = r"(?<reference>\w{1,500})".into(), "matching.patterns[1].regex"),
        (|it| it.patterns[0].reference = Some("{client}".into()), "matching.patterns[1].reference"),
        (|it| it.patterns[0].reference = Some("{reference".into()), "matching.patterns[1].reference"),
        (|it| it.patterns[0].reference = Some("M-1".into()), "matching.patterns[1].reference"),
        (|it| it.patterns[0].places.clear(), "matching.patterns[1].places"),
        (|it| it.patterns[0].examples = vec!["M-1".into(), "N-1".into()], "matching.patterns[1].examples[2]"),
    ];
    assert_eq!(settings().check("matching"), []);
    for (spoil, key) in table {
        let mut settings = settings();
        spoil(&mut settings);
        let mistakes = settings.check("matching");
        let keys: Vec<&str> = mistakes.iter().map(|mistake| mistake.key.as_str()).collect();
        assert_eq!(keys, [key], "{mistakes:?}");
        assert!(Rules::new(&settings, luggage()).is_err());
    }
    assert!(serde_json::from_str::<MatchingSettings>(r#"{"own_domain": []}"#).is_err());
    assert!(
        serde_json::from_str::<MatchingSettings>(r#"{"patterns": [{"name": "a", "regex": "b", "x": 1}]}"#)
            .is_err()
    );
}

/// What was known can be kept with a decision, and the decision repeated.
#[test]
fn what_was_known_survives_being_written_down() {
    let mut mail = answers(&["fay1@firm.example"], letter(&format!("{} M-1", tag(1))));
    let mut known = known(&rules(), &mail);
    let now = "2026-11-23T09:00:00Z".parse().unwrap();
    let keys = rules().questions(&mail).habits;
    ranking::learn(&mut known.habits, &keys, id(1), ranking::Lesson::Chosen, now);
    let text = serde_json::to_string(&known).unwrap();
    let read: Known = serde_json::from_str(&text).unwrap();
    assert_eq!(read, known);
    let decision = rules().decide(&mail, &read, now);
    assert_eq!(short(&decision), "file 1 thread");
    let text = serde_json::to_string(&decision).unwrap();
    assert_eq!(serde_json::from_str::<Decision>(&text).unwrap(), decision);
    let text = serde_json::to_string(&mail).unwrap();
    mail = serde_json::from_str(&text).unwrap();
    assert_eq!(rules().decide(&mail, &read, now), decision);
}

/// A text made to take long: brackets that open and never close, and a pattern's beginning over and over.
#[test]
fn hostile_texts_are_read_in_time() {
    let settings =
        MatchingSettings { patterns: vec![pattern(r"(a+)+b(?<reference>M-[0-9]+)")], ..settings() };
    let rules = Rules::new(&settings, luggage()).unwrap();
    for text in ["[".repeat(1_000_000), "[PR-".repeat(250_000), "a".repeat(1_000_000), "[ ".repeat(500_000)] {
        let mail = Mail { text: text.clone(), ..letter(&text) };
        let decision = rules.decide(&mail, &Known::default(), "2026-11-23T09:00:00Z".parse().unwrap());
        assert_eq!(short(&decision), "person no_rule_matched");
    }
}

proptest! {
    /// Whatever a stranger writes, nothing is filed by what travels with a message.
    #[test]
    fn a_stranger_files_by_references_only(subject in "\\PC{0,40}", which in 0u8..8, number in 1u128..5) {
        let mut mail = from(EVE, letter(&subject));
        if which & 1 != 0 { mail = marked(number, mail); }
        if which & 2 != 0 { mail.references = vec![message("fay1@firm.example")]; }
        if which & 4 != 0 { mail.subject.push_str(&tag(number)); }
        let decision = decide(&mail);
        let by_another = matches!(decision.verdict, Verdict::File { rule, .. } if rule != Rule::Reference);
        prop_assert!(!by_another, "{:?}", decision.trace);
        prop_assert_eq!(&decision, &decide(&mail), "the same each time");
    }
}
