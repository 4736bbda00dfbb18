//! Real messages from elsewhere, where there are some: in the folder that `POSTROOM_CORPORA` names, by kind.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use postroom_domain::mail::MailKind;

use super::super::{Limits, Message, Refused, Trusted, read};

/// Files of one kind with their names; none, and said aloud, where there is no such folder.
fn files(kind: &str) -> Vec<(String, Vec<u8>)> {
    let Some(folder) = std::env::var_os("POSTROOM_CORPORA").map(|it| PathBuf::from(it).join(kind)) else {
        println!("SKIPPED: POSTROOM_CORPORA is not set, and the corpus {kind:?} was not read");
        return Vec::new();
    };
    let Ok(entries) = fs::read_dir(&folder) else {
        println!("SKIPPED: there is no corpus {kind:?} in POSTROOM_CORPORA");
        return Vec::new();
    };
    let paths = entries.map(|it| it.unwrap().path());
    let mut files: Vec<(String, Vec<u8>)> = paths
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

#[derive(Default)]
struct Count {
    refused: BTreeMap<String, usize>,
    read: usize,
    parts: usize,
    inline: usize,
    inside: usize,
    with_text: usize,
    with_sender: usize,
    kinds: BTreeMap<String, usize>,
    protections: BTreeMap<String, usize>,
    warnings: BTreeMap<String, usize>,
}

impl Count {
    fn count(&mut self, outcome: &Result<Message, Refused>) {
        let message = match outcome {
            Ok(message) => message,
            Err(why) => {
                *self.refused.entry(why.to_string()).or_default() += 1;
                return;
            }
        };
        self.read += 1;
        self.parts += message.parts.len();
        self.inline += message.parts.iter().filter(|it| it.inline).count();
        self.inside += message.parts.iter().filter(|it| it.inside.is_some()).count();
        self.with_text += usize::from(!message.mail.text.trim().is_empty());
        self.with_sender += usize::from(message.mail.from.as_ref().is_some_and(|it| !it.address.is_empty()));
        *self.kinds.entry(format!("{:?}", message.mail.kind)).or_default() += 1;
        *self.protections.entry(format!("{:?}", message.mail.protection)).or_default() += 1;
        for warning in &message.warnings {
            let name = format!("{warning:?}");
            let name = name.split([' ', '(']).next().unwrap_or_default().to_owned();
            *self.warnings.entry(name).or_default() += 1;
        }
    }

    fn print(&self, kind: &str, files: usize) {
        println!(
            "{kind}: {files} files; {} read, of which {} with text and {} with a sender; refused {:?}; {} parts, {} inline, {} inside of others; \
             kinds {:?}; protection {:?}; warnings {:?}",
            self.read,
            self.with_text,
            self.with_sender,
            self.refused,
            self.parts,
            self.inline,
            self.inside,
            self.kinds,
            self.protections,
            self.warnings
        );
    }
}

fn read_all(kind: &str) -> Vec<(String, Result<Message, Refused>)> {
    let files = files(kind);
    let mut count = Count::default();
    let mut outcomes = Vec::new();
    for (name, raw) in &files {
        let outcome = read(raw, &Limits::default(), &Trusted::default());
        assert_eq!(
            outcome,
            read(raw, &Limits::default(), &Trusted::default()),
            "{name} is read the same way twice"
        );
        if let Ok(message) = &outcome {
            for part in &message.parts {
                let bytes = part.content.of(raw);
                assert_eq!(bytes.len() as u64, part.size, "{name}: {}", part.title);
                // A message inside is a message of its own.
                if !bytes.is_empty()
                    && matches!(part.told.as_str(), "message/rfc822" | "application/vnd.ms-outlook")
                {
                    assert!(
                        read(bytes, &Limits::default(), &Trusted::default()).is_ok(),
                        "{name}: {}",
                        part.title
                    );
                }
            }
        }
        count.count(&outcome);
        outcomes.push((name.clone(), outcome));
    }
    if !files.is_empty() {
        count.print(kind, files.len());
    }
    outcomes
}

/// Shows everything about every file: `POSTROOM_CORPORA=… cargo test … -- --ignored --nocapture corpora`.
#[test]
#[ignore = "prints what was read of every file, for a person to look through"]
fn show() {
    for kind in ["mail", "msg", "tnef"] {
        for (name, outcome) in read_all(kind) {
            match outcome {
                Ok(it) => println!(
                    "{name}: {:?} from {:?} {:?} {:?} text {} {:?} {:?}",
                    it.mail.subject,
                    it.mail.from.as_ref().map(|it| &it.address),
                    it.mail.kind,
                    it.mail.protection,
                    it.mail.text.len(),
                    super::listed(&it),
                    it.warnings
                ),
                Err(why) => println!("{name}: {why}"),
            }
        }
    }
}

#[test]
fn every_mail_ends_in_a_stated_way() {
    for (name, outcome) in read_all("mail") {
        match outcome {
            Ok(_) | Err(Refused::Empty) => {}
            // Attachments of that corpus lie beside its mails.
            Err(Refused::Unreadable(_)) if name.rsplit('.').next() == Some("doc") => {}
            Err(why) => panic!("{name}: {why}"),
        }
    }
}

#[test]
fn every_outlook_file_is_read() {
    for (name, outcome) in read_all("msg") {
        let message = outcome.unwrap_or_else(|why| panic!("{name}: {why}"));
        assert!(!message.mail.subject.is_empty() || !message.mail.text.is_empty(), "{name}");
        assert_eq!(
            name.contains("ttachment"),
            !message.parts.is_empty(),
            "{name}: {:?}",
            super::listed(&message)
        );
    }
}

#[test]
fn every_winmail_dat_is_read() {
    for (name, outcome) in read_all("tnef") {
        let message = outcome.unwrap_or_else(|why| panic!("{name}: {why}"));
        let is_letter = message.mail.kind == MailKind::Letter;
        assert!(!is_letter || !message.parts.is_empty() || !message.mail.text.is_empty(), "{name}");
    }
}
