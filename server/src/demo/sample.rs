//! The demo's firm: matters of three clients, a few letters and scans.

use anyhow::Context as _;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use postroom_domain::filing::State;
use postroom_domain::ids::{BlobHash, WorkItemId};
use postroom_domain::intake::{Document, IntakeState};
use postroom_domain::person::{Actor, Role, Scope};
use postroom_domain::reception::Arrival;
use postroom_domain::store::{IdempotencyKey, Store, StoreError};
use postroom_domain::work_item::{Client, Participant, WorkItem};

use super::{Fakes, Places};
use crate::house::House;
use crate::settings::main_site;
use crate::{commands, tokens};

/// Reference, title, work type, client's number, client. Litigation lies in the fake iManage, the rest in the folder.
const MATTERS: [(&str, &str, &str, &str, &str); 7] = [
    ("10442-0012", "Lease of 14 Mill Lane", "matter/property", "10442", "Harrow Ltd"),
    ("10517-0001", "Boundary dispute, Brook Farm", "matter/property", "10517", "Teal, Brook & Sons"),
    ("10630-0001", "General advice", "matter/advice", "10630", "Okafor Holdings plc"),
    ("10442-0007", "Harrow v Teal", "matter/litigation", "10442", "Harrow Ltd"),
    ("10630-0009", "Okafor v Harrow", "matter/litigation", "10630", "Okafor Holdings plc"),
    // Its workspace is closed in the fake iManage: what goes there fails on purpose.
    ("10442-0003", "Harrow share purchase 2019", "matter/litigation", "10442", "Harrow Ltd"),
    // What is added to the collection of precedents goes there.
    ("KH-0001", "Precedents", "knowledge", "", ""),
];

/// From, subject, work item as named.
const LETTERS: [(&str, &str, &str); 4] = [
    ("a.teal@teal.example", "RE: disclosure, second tranche", "10442-0007"),
    ("clerk@court.example", "Order of 19 November", "10630-0009"),
    ("agent@estates.example", "Signed lease, 14 Mill Lane", "10442-0012"),
    ("archive@harrow.example", "Completion bundle", "10442-0003"),
];

/// Settings of the demo, as an administrator would write them.
pub(super) fn settings(
    places: &Places,
    port: u16,
    fakes: &Fakes,
    tokens_by_role: &BTreeMap<Role, String>,
) -> String {
    let quoted = |path: &std::path::Path| format!("{:?}", path.display().to_string());
    let mut text = format!(
        r#"[server]
listen = "127.0.0.1:{port}"

[vault]
passphrase_file = {passphrase}
private_key_file = {private_key}

# Whoever signs in with an e-mail of the firm is a person from then on.
[[people.domain_rules]]
domain = "firm.example"
site = "main"
role = "user"
status = "active"

# A fake one, on this machine: it lets everybody in without a password.
[[services]]
name = "firm"
title = "the firm's sign-in"
kind = "openid"
issuer = "{provider}"
client_id = "postroom"
client_secret = "postroom-openid-secret"
sign_in = "visible"

# Whoever links an account here files as themself; everybody else with the account of the destination.
[[services]]
name = "imanage"
title = "iManage Work (fake)"
kind = "imanage"
base_url = "{imanage}"
client_id = "postroom"
client_secret = "postroom-client-secret"
links = true
system_account = "destination"
keep_alive_days = 7

[data]
dir = {data}
# A laptop's disk is often nearly full; the demo's documents are small.
reserve_bytes = 67108864

[log]
filter = "warn"

[[destinations]]
name = "files"
kind = "folder"
[destinations.folder]
root = {dms}

[[destinations]]
name = "imanage"
kind = "imanage"
concurrency = 5
[destinations.imanage]
base_url = "{imanage}"
library = "ACTIVE"
[destinations.imanage.auth]
grant = "password"
client_id = "postroom"
client_secret = "postroom-client-secret"
username = "POSTROOM"
password = "postroom-pass"

[[repositories]]
name = "matters"
area = "matter_documents"
service = "files"
resolver = "default"
resolver_config = "[workitem.reference] [workitem.title]"
folder = "Correspondence"
create_folders = true

[[repositories]]
name = "scans"
area = "scanning"
service = "files"
resolver = "default"
resolver_config = "[workitem.reference] [workitem.title]"
folder = "Scans"
create_folders = true

[[repositories]]
name = "litigation"
area = "matter_documents"
work_type = "matter/litigation"
service = "imanage"
library = "ACTIVE"
resolver = "search"
resolver_config = "custom1=[workitem.client.reference], custom2=[workitem.attributes.matter]"
folder = "Documents/Correspondence"

# What people start and add to from the fake iManage: /send-to/imanage?doc=… and /launch/imanage?folder=…
[[repositories]]
name = "requests"
area = "matter_documents"
work_type = "request"
service = "imanage"
resolver = "origin"

[[workflows]]
name = "requests"
title = "Service request"
work_type = "request"
reference_prefix = "SR-"

[[collections]]
name = "precedents"
title = "Precedents"
work_item = "KH-0001"

[[hot_folders]]
name = "scans"
path = {hot}
settle_seconds = 1
scan_millis = 250

[smtp]
listen = "127.0.0.1:0"
[[smtp.mailboxes]]
name = "post"
addresses = ["{mailbox}"]
# What is found for a letter is filed like what people hand in.
area = "matter_documents"

[mail.matching]
own_domains = ["firm.example"]
"#,
        mailbox = super::MAILBOX,
        passphrase = quoted(&places.passphrase()),
        private_key = quoted(&places.private_key()),
        provider = fakes.provider,
        imanage = fakes.imanage,
        data = quoted(&places.root.join("data")),
        dms = quoted(&places.dms),
        hot = quoted(&places.hot),
    );
    for (role, token) in tokens_by_role {
        // Writing to a text does not fail.
        let _ = write!(
            text,
            "\n[[tokens]]\nname = \"{role}\"\nrole = \"{role}\"\nsha256 = \"{}\"\n",
            tokens::digest_hex(token)
        );
    }
    text
}

/// Creates the matters that are not there yet, with their workspaces in the folder.
pub(super) async fn matters(house: &House) -> anyhow::Result<()> {
    let reception = house.reception();
    let actor = Actor::person("demo");
    for (reference, title, work_type, number, client) in MATTERS {
        if house.store().work_item_by_reference(&main_site(), reference).await?.is_some() {
            continue;
        }
        let matter = reference.rsplit('-').next().unwrap_or(reference);
        let now = reception.clock.now();
        let item = WorkItem {
            id: WorkItemId::from_u128(
                reception.mint.next(reception.clock.as_ref(), reception.entropy.as_ref()),
            ),
            reference: reference.to_owned(),
            title: title.to_owned(),
            work_type: work_type.to_owned(),
            site: main_site(),
            open: true,
            phase: "open".to_owned(),
            client: Client { reference: number.to_owned(), name: client.to_owned() },
            attributes: BTreeMap::from([("matter".to_owned(), matter.to_owned())]),
            // Who writes about it: letters of strangers wait for a person.
            participants: vec![Participant {
                role: "client".to_owned(),
                name: client.to_owned(),
                reference: String::new(),
                email: super::CLIENT.to_owned(),
            }],
            origin: None,
            zone: String::new(),
            version: 1,
            changed: now,
        };
        match house.mailroom().save_work_item(item, &actor, now).await {
            Ok(()) | Err(StoreError::Exists(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// The luggage tag of the first matter that is filed into the folder DMS.
pub(super) async fn tag(house: &House) -> anyhow::Result<String> {
    let (reference, ..) =
        MATTERS.iter().find(|(_, _, kind, ..)| *kind != "matter/litigation").context("a matter")?;
    let item = house.store().work_item_by_reference(&main_site(), reference).await?.context("the matter")?;
    house.mailroom().tag(item.id).await?.context("a tag")
}

/// The workspaces of the folder DMS, which a firm's DMS team would have made.
pub(super) fn workspaces() -> impl Iterator<Item = String> {
    MATTERS
        .iter()
        .filter(|(_, _, work_type, ..)| *work_type != "matter/litigation")
        .map(|(reference, title, ..)| format!("{reference} {title}"))
}

/// Puts e-mails and scans on their way. The keys make a second start hand in nothing twice.
pub(super) async fn deposit(house: &House, places: &Places) -> anyhow::Result<()> {
    for (number, (from, subject, work_item)) in (1..).zip(LETTERS) {
        let letter = format!(
            "From: {from}\r\nTo: post@firm.example\r\nSubject: {subject}\r\nDate: Mon, 23 Nov 2026 09:{number:02}:00 +0000\r\n\
             Message-ID: <demo-{number}@postroom.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
             Dear colleague,\r\n\r\nthis letter belongs to {work_item}.\r\n"
        );
        hand_in(house, number, from, subject, work_item, letter.into()).await?;
    }
    let first = places.root.join("scans-deposited");
    if first.exists() {
        return Ok(());
    }
    for (folder, name) in [
        ("10517-0001", "boundary plan.pdf"),
        ("10630-0001", "engagement letter.pdf"),
        ("", "unknown sender.pdf"),
    ] {
        let folder = places.hot.join(folder);
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join(name), one_page_pdf(name))?;
    }
    std::fs::write(first, "The demo's scans were put into the hot folder.\n")?;
    Ok(())
}

async fn hand_in(
    house: &House,
    number: u32,
    from: &str,
    subject: &str,
    work_item: &str,
    letter: Bytes,
) -> anyhow::Result<()> {
    let mut draft = house.spool().draft().await?;
    draft.write(letter).await?;
    let blob = draft.seal().await?;
    let arrival = Arrival {
        site: main_site(),
        source: "upload".parse()?,
        submitted_by: "demo".to_owned(),
        subject: subject.to_owned(),
        sender: from.to_owned(),
        note: String::new(),
        work_item: Some(work_item.to_owned()),
        area: None,
        documents: vec![Document {
            file_name: format!("{subject}.eml").replace(':', ""),
            media_type: "message/rfc822".to_owned(),
            blob,
        }],
        key: Some(IdempotencyKey {
            key: format!("demo/{number}"),
            fingerprint: BlobHash::new(*blob.hash.as_bytes()),
        }),
        forced: false,
        batch: false,
        save_mode: None,
        document_key: String::new(),
        remarks: Vec::new(),
    };
    house.reception().accept(arrival, &Actor::person("demo")).await?;
    Ok(())
}

/// The smallest PDF that readers open: one empty page with a title.
fn one_page_pdf(title: &str) -> Vec<u8> {
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>".to_owned(),
        format!("<< /Title ({title}) >>"),
    ];
    let mut pdf = "%PDF-1.4\n".to_owned();
    let mut offsets = Vec::new();
    for (number, object) in (1..).zip(&objects) {
        offsets.push(pdf.len());
        let _ = write!(pdf, "{number} 0 obj\n{object}\nendobj\n");
    }
    let table = pdf.len();
    let _ = write!(pdf, "xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for offset in offsets {
        let _ = writeln!(pdf, "{offset:010} 00000 n ");
    }
    let _ = write!(
        pdf,
        "trailer\n<< /Size {} /Root 1 0 R /Info 4 0 R >>\nstartxref\n{table}\n%%EOF\n",
        objects.len() + 1
    );
    pdf.into_bytes()
}

/// Tells the totals whenever they change, on one line each.
pub(super) async fn tell_progress(store: Arc<dyn Store>) {
    let (mut seen, mut last) = (0, String::new());
    loop {
        seen = store.wait_beyond(seen, std::time::Duration::from_secs(30)).await;
        let Ok(summary) = store.summary(&Scope::All).await else { return };
        let count = |state| summary.filings.count(state);
        let open =
            count(State::Waiting) + count(State::Running) + count(State::Checking) + count(State::Blocked);
        let line = format!(
            "{} filed · {open} on their way · {} failed · {} need a person\n",
            count(State::Filed),
            count(State::Failed),
            summary.intakes[IntakeState::NeedsPerson as usize],
        );
        if line != last && commands::print(&line).is_err() {
            return;
        }
        last = line;
    }
}
