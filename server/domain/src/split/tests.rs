use super::*;
use crate::mail::Mailbox;

fn part(name: &str, media_type: &str, size: u64, content: u8) -> Part {
    Part {
        carried: Carried { name: name.into(), media_type: media_type.into(), size, inline: false },
        hash: BlobHash::new([content; 32]),
        message: media_type == "message/rfc822",
        within: None,
    }
}

fn shown(part: Part) -> Part {
    Part { carried: Carried { inline: true, ..part.carried }, ..part }
}

fn inside(carrier: usize, part: Part) -> Part {
    Part { within: Some(carrier), ..part }
}

fn mail() -> Mail {
    Mail {
        subject: "Lease:\r\n Unit 4".into(),
        from: Some(Mailbox { name: "Anna".into(), address: "anna@x.example".into() }),
        ..Mail::default()
    }
}

fn split_as(settings: SplitSettings, mail: &Mail, parts: &[Part]) -> Split {
    let received = "2026-11-23T23:30:00Z".parse().unwrap();
    let whole = Whole { mail, hash: BlobHash::new([0; 32]), size: 1000, received, parts };
    Rules::new(settings).unwrap().split(whole, &TimeZone::fixed(jiff::tz::offset(1)))
}

/// The names that are filed beside the message.
fn filed(settings: &SplitSettings, parts: &[Part]) -> Vec<String> {
    let split = split_as(settings.clone(), &mail(), parts);
    assert_eq!(split.pieces[0].origin, Origin::Whole, "the message always");
    assert_eq!(split.pieces.len() + split.left.len(), parts.len() + 1, "nothing is lost: {:#?}", split.trace);
    assert_eq!(split.trace.len(), parts.len() + 1);
    split.pieces.into_iter().skip(1).map(|piece| piece.file_name).collect()
}

#[test]
fn parts_become_documents_by_rule() {
    let set = SplitSettings::default;
    let pdf = || part("a.pdf", "application/pdf", 100, 1);
    let logo = || shown(part("logo.png", "image/png", 50, 2));
    let message = || part("Offer", "message/rfc822", 500, 3);
    let table: Vec<(SplitSettings, Vec<Part>, &[&str])> = vec![
        (set(), vec![], &[]),
        (set(), vec![pdf(), logo()], &["a.pdf"]),
        (SplitSettings { inline: true, ..set() }, vec![pdf(), logo()], &["a.pdf", "logo.png"]),
        // What a program shows inside the text and is no picture is a document.
        (set(), vec![shown(pdf())], &["a.pdf"]),
        (set(), vec![part("photo.png", "image/png", 50, 2)], &["photo.png"]),
        (SplitSettings { attachments: Attachments::None, ..set() }, vec![pdf(), message()], &["Offer.eml"]),
        (
            SplitSettings { only: vec![".PDF".into()], ..set() },
            vec![pdf(), part("b.doc", "x/y", 9, 4)],
            &["a.pdf"],
        ),
        (
            SplitSettings { only: vec!["application/pdf".into()], ..set() },
            vec![part("x", "Application/PDF", 9, 4)],
            &["x"],
        ),
        (
            SplitSettings { except: vec!["image/*".into()], ..set() },
            vec![pdf(), part("p", "image/gif", 9, 4)],
            &["a.pdf"],
        ),
        (SplitSettings { smallest: 101, ..set() }, vec![pdf()], &[]),
        (SplitSettings { largest: Some(99), ..set() }, vec![pdf()], &[]),
        (SplitSettings { largest: Some(100), ..set() }, vec![pdf()], &["a.pdf"]),
        (set(), vec![part("empty.pdf", "application/pdf", 0, 5)], &[]),
        (set(), vec![part("smime.p7s", "application/pkcs7-signature", 9, 6)], &[]),
        (set(), vec![message(), inside(0, pdf())], &["Offer.eml"]),
        (SplitSettings { messages: Messages::Leave, ..set() }, vec![message(), inside(0, pdf())], &[]),
        (
            SplitSettings { messages: Messages::Expand, ..set() },
            vec![message(), inside(0, pdf()), inside(0, logo())],
            &["Offer.eml", "a.pdf"],
        ),
        // Carriers that are not there, that come later, or are no messages.
        (SplitSettings { messages: Messages::Expand, ..set() }, vec![inside(7, pdf())], &[]),
        (SplitSettings { messages: Messages::Expand, ..set() }, vec![inside(0, pdf())], &[]),
        (
            SplitSettings { messages: Messages::Expand, ..set() },
            vec![pdf(), inside(0, part("b.pdf", "x/y", 9, 4))],
            &["a.pdf"],
        ),
    ];
    for (settings, parts, wanted) in table {
        assert_eq!(filed(&settings, &parts), wanted, "{settings:?} {parts:?}");
    }
}

#[test]
fn depth_and_number_are_bounded() {
    let message = |n: u8| part(&format!("m{n}.eml"), "message/rfc822", 10, n + 1);
    let deep: Vec<Part> =
        (0..5u8).map(|n| if n == 0 { message(0) } else { inside(usize::from(n) - 1, message(n)) }).collect();
    let settings = SplitSettings { messages: Messages::Expand, deepest: 2, ..SplitSettings::default() };
    assert_eq!(filed(&settings, &deep), ["m0.eml", "m1.eml", "m2.eml"]);
    let many: Vec<Part> =
        (0..=MOST_PARTS).map(|n| part(&format!("{n}.pdf"), "application/pdf", 1, 1)).collect();
    assert_eq!(filed(&SplitSettings::default(), &many), Vec::<String>::new());
}

#[test]
fn the_same_content_is_filed_once_and_no_name_twice() {
    let split = split_as(
        SplitSettings::default(),
        &mail(),
        &[
            part("a.pdf", "application/pdf", 1, 1),
            part("copy of a.pdf", "application/pdf", 1, 1),
            part("A.PDF", "application/pdf", 2, 2),
            part("a.pdf", "application/pdf", 3, 3),
            part("", "application/pdf", 4, 4),
            part("  ", "application/x-what", 5, 5),
            part("", "message/rfc822", 6, 6),
            part(".profile", "text/plain", 7, 7),
            part(".PROFILE", "text/plain", 8, 8),
        ],
    );
    let names: Vec<&str> = split.pieces.iter().map(|piece| piece.file_name.as_str()).collect();
    assert_eq!(
        names,
        [
            "Lease- Unit 4.eml",
            "a.pdf",
            "A (2).PDF",
            "a (3).pdf",
            "Lease- Unit 4 5.pdf",
            "Lease- Unit 4 6.bin",
            "Lease- Unit 4 7.eml",
            ".profile",
            ".PROFILE (2)",
        ]
    );
    assert_eq!(split.pieces[1].also, ["copy of a.pdf"]);
    assert_eq!(split.left[0].why, "has the same content as a.pdf");
}

#[test]
fn what_is_closed_stays_closed() {
    for protection in [Protection::Encrypted, Protection::SignedWrapped] {
        let split = split_as(
            SplitSettings::default(),
            &Mail { protection, ..mail() },
            &[part("smime.p7m", "application/pkcs7-mime", 10, 1)],
        );
        assert_eq!(split.pieces.len(), 1, "{protection:?}");
    }
}

#[test]
fn messages_are_named_by_the_template() {
    for (template, mail, wanted) in [
        ("{subject}", mail(), "Lease- Unit 4.eml"),
        ("{date} {time} {from} {subject}", mail(), "2026-11-24 00.30 Anna Lease- Unit 4.eml"),
        ("{from}", Mail { from: None, ..mail() }, "(unknown).eml"),
        ("{subject}", Mail { subject: " \t".into(), ..mail() }, "(no subject).eml"),
        ("{subject}", Mail { subject: "../../etc".into(), ..mail() }, "-..-etc.eml"),
        ("{subject}", Mail { subject: "{date}".into(), ..mail() }, "{date}.eml"),
    ] {
        let split = split_as(SplitSettings { name: template.into(), ..SplitSettings::default() }, &mail, &[]);
        assert_eq!(split.pieces[0].file_name, wanted, "{template}");
    }
    let long = Mail { subject: "ä".repeat(500), ..mail() };
    assert_eq!(split_as(SplitSettings::default(), &long, &[]).pieces[0].file_name.chars().count(), 124);
}

#[test]
fn settings_name_the_key_that_is_wrong() {
    type Spoil = fn(&mut SplitSettings);
    let table: [(Spoil, &str); 8] = [
        (|it| it.name = " ".into(), "split.name"),
        (|it| it.name = "{weather}".into(), "split.name"),
        (|it| it.name = "{date".into(), ""),
        (|it| it.only = vec!["pdf".into(), "a b".into()], "split.only[2]"),
        (|it| it.except = vec!["tar.gz".into()], "split.except[1]"),
        (|it| (it.smallest, it.largest) = (2, Some(1)), "split.largest"),
        (|it| it.deepest = 0, "split.deepest"),
        (|it| it.deepest = 11, "split.deepest"),
    ];
    for (spoil, key) in table {
        let mut settings = SplitSettings::default();
        spoil(&mut settings);
        let mistakes = settings.check("split");
        assert_eq!(mistakes.first().map_or("", |it| it.key.as_str()), key, "{mistakes:?}");
    }
    assert!(serde_json::from_str::<SplitSettings>(r#"{"attachment": "all"}"#).is_err());
    assert_eq!(serde_json::from_str::<SplitSettings>("{}").unwrap(), SplitSettings::default());
}
