use super::*;
use crate::mail::Mailbox;
use crate::matching::KnownItem;
use crate::work_item::WorkItem;

fn id(number: u128) -> WorkItemId {
    WorkItemId::from_u128(number)
}

fn day(text: &str) -> Timestamp {
    format!("{text}T12:00:00Z").parse().unwrap()
}

fn mail(from: &str, subject: &str) -> Mail {
    Mail {
        from: Some(Mailbox { name: String::new(), address: from.to_owned() }),
        subject: subject.to_owned(),
        ..Mail::default()
    }
}

fn known(items: &[u128]) -> Known {
    let one = |number: &u128| {
        let item =
            WorkItem { id: id(*number), reference: format!("M-{number}"), ..crate::tag::tests::matter() };
        (id(*number), KnownItem { item, met: std::collections::BTreeSet::default() })
    };
    Known { items: items.iter().map(one).collect(), ..Known::default() }
}

/// Lessons as (day, from, subject, work item, lesson), then what is suggested for a mail on 1 December 2026.
fn after(lessons: &[(&str, &str, &str, u128, Lesson)], mail: &Mail) -> Vec<(u128, u32)> {
    let mut known = known(&[1, 2, 3]);
    for (on, from, subject, item, lesson) in lessons {
        let keys = keys(&super::tests::mail(from, subject), &["firm.example".to_owned()]);
        learn(&mut known.habits, &keys, id(*item), *lesson, day(on));
    }
    let wanted = keys(mail, &["firm.example".to_owned()]);
    known.habits.retain(|key, _| wanted.contains(key));
    let ranked = rank(&[], mail, &known, day("2026-12-01"));
    ranked.into_iter().map(|it| (it.work_item.as_u128(), it.score)).collect()
}

#[test]
fn decisions_teach_the_ranking() {
    use Lesson::{Chosen, Filed, Refused};
    let anna = "anna@x.example";
    let letter = mail(anna, "Lease");
    let order = |lessons: &[_]| after(lessons, &letter).into_iter().map(|it| it.0).collect::<Vec<_>>();
    assert_eq!(order(&[]), Vec::<u128>::new());
    assert_eq!(order(&[("2026-11-01", anna, "Hi", 1, Chosen)]), [1]);
    // More decisions, newer ones, a person's rather than a rule's.
    let often = ("2026-11-01", anna, "Hi", 2, Chosen);
    assert_eq!(order(&[("2026-11-01", anna, "Hi", 1, Chosen), often, often]), [2, 1]);
    assert_eq!(order(&[("2024-01-01", anna, "Hi", 1, Chosen), ("2026-11-01", anna, "Hi", 2, Chosen)]), [2]);
    assert_eq!(
        order(&[("2026-03-01", anna, "Hi", 1, Chosen), ("2026-11-01", anna, "Hi", 2, Chosen)]),
        [2, 1]
    );
    assert_eq!(order(&[("2026-11-01", anna, "Hi", 1, Chosen), ("2026-11-01", anna, "Hi", 2, Filed)]), [1, 2]);
    // A colleague of the same domain, and a word of the subject, say less than the sender.
    assert_eq!(
        order(&[
            ("2026-11-01", "bert@x.example", "Hi", 2, Chosen),
            ("2026-11-01", anna, "Hi", 1, Chosen),
            ("2026-11-01", "c@y.example", "Lease", 3, Chosen),
        ]),
        [1, 3, 2]
    );
    // What was refused is not suggested any more.
    assert_eq!(
        order(&[("2026-11-01", anna, "Hi", 1, Chosen), ("2026-11-02", anna, "Hi", 1, Refused)]),
        Vec::<u128>::new()
    );
}

#[test]
fn reasons_are_told_and_the_same_each_time() {
    let mut known = known(&[1]);
    let letter = mail("anna@x.example", "Re: Lease");
    for on in ["2026-10-01", "2026-11-01"] {
        learn(&mut known.habits, &keys(&letter, &[]), id(1), Lesson::Chosen, day(on));
    }
    let ranked = rank(&[], &letter, &known, day("2026-12-01"));
    assert_eq!(
        ranked[0].reasons,
        [
            "mail from anna@x.example went there 2 times, the last on 2026-11-01",
            "mail from x.example went there 2 times, the last on 2026-11-01",
            "mail with \"lease\" in its subject went there 2 times, the last on 2026-11-01",
        ]
    );
    assert_eq!(ranked, rank(&[], &letter, &known, day("2026-12-01")));
    let text = serde_json::to_string(&known.habits).unwrap();
    assert_eq!(serde_json::from_str::<BTreeMap<HabitKey, Habit>>(&text).unwrap(), known.habits);
}

#[test]
fn own_and_free_domains_say_nothing() {
    let of = |from: &str| -> Vec<String> {
        keys(&mail(from, ""), &["firm.example".to_owned()]).iter().map(ToString::to_string).collect()
    };
    assert_eq!(of("a@x.example"), ["sender/a@x.example", "domain/x.example"]);
    assert_eq!(of("a@firm.example"), ["sender/a@firm.example"]);
    assert_eq!(of("a@gmail.com"), ["sender/a@gmail.com"]);
    assert_eq!(of(""), Vec::<String>::new());
}

#[test]
fn names_are_found_as_whole_words() {
    let mut known = known(&[1]);
    let item = &mut known.items.get_mut(&id(1)).unwrap().item;
    (item.title, item.participants) = ("Pike".into(), Vec::new());
    item.client.name = "Teal & Sons".into();
    for (subject, text, wanted) in [
        ("Teal & Sons", "", Some(150)),
        ("TEAL, SONS!", "", Some(150)),
        ("", "I write for Teal &\nSons today", Some(50)),
        ("Steal & Sons", "", None),
        ("Teal & Sonson", "", None),
        ("Pike", "", None),
    ] {
        let letter = Mail { text: text.to_owned(), ..mail("", subject) };
        let ranked = rank(&[], &letter, &known, day("2026-12-01"));
        assert_eq!(ranked.first().map(|it| it.score), wanted, "{subject:?} {text:?}");
    }
}

#[test]
fn habits_stay_small() {
    let mut habits = BTreeMap::new();
    let keys = keys(&mail("a@x.example", ""), &[]);
    for number in 0..100 {
        learn(&mut habits, &keys, id(number), Lesson::Chosen, day("2026-11-01"));
    }
    assert!(habits.values().all(|habit| habit.counts.len() == 32));
    let far = "2299-01-01T00:00:00Z".parse().unwrap();
    assert!(habit::evidence(&habits, far).iter().all(|it| it.points == 0));
}
