//! E-mails: taken in before anybody has looked into them, and read afterwards.
//!
//! A letter is safe first: its bytes are in the spool, its row says `stored`, and whoever brought it has its acknowledgement. What reads it
//! comes later, may be a process that starts after a crash, and may find that it is better left to a person.

use jiff::Timestamp;

use super::Reception;
use crate::choice::Choice;
use crate::ids::{IntakeId, SiteName, SourceName};
use crate::intake::{Document, Intake, IntakeState};
use crate::letter::{Envelope, Letter};
use crate::person::Actor;
use crate::record::Write;
use crate::screening::Screened;
use crate::spool::Blob;
use crate::store::{Acceptance, Accepted, IdempotencyKey, StoreError};

/// The name of a letter's own document, until its subject is known.
pub const FILE_NAME: &str = "message.eml";
/// Its media type.
pub const MEDIA_TYPE: &str = "message/rfc822";

/// A letter with its bytes already durable.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The site of the mailbox.
    pub site: SiteName,
    /// The mailbox.
    pub source: SourceName,
    /// The part of Postroom that brings it.
    pub submitted_by: String,
    /// What stands on the outside.
    pub envelope: Envelope,
    /// The bytes as they came.
    pub blob: Blob,
    /// What makes it the same letter when it comes again.
    pub key: IdempotencyKey,
    /// Written with it: how far the mailbox has been read.
    pub records: Vec<Write>,
}

/// What a person said of a letter that they handed in.
#[derive(Debug, Clone, Default)]
pub struct Chosen {
    /// Where it goes; at least one.
    pub choices: Vec<Choice>,
    /// Their note.
    pub note: String,
    /// Until when they may take it back.
    pub undo_until: Option<Timestamp>,
    /// How it came, in words: the beginning of the trace.
    pub remarks: Vec<String>,
}

impl Reception {
    /// Takes a letter in that a person hands in, and who says where it goes. `Ok` means durable.
    pub async fn deliver_chosen(
        &self,
        id: IntakeId,
        delivery: Delivery,
        chosen: Chosen,
        actor: &Actor,
    ) -> Result<Accepted, StoreError> {
        let sender = delivery.submitted_by.clone();
        let (intake, delivery) = self.unread(id, delivery);
        let given: Vec<&str> = chosen.choices.iter().map(|it| it.work_item.as_str()).collect();
        let intake = Intake {
            sender,
            note: chosen.note,
            work_item_given: given.join(", "),
            undo_until: chosen.undo_until,
            trace: chosen.remarks,
            choices: chosen.choices,
            ..intake
        };
        self.take_letter(intake, delivery, actor).await
    }

    /// The id of a letter that is about to be taken in, for records that are written with it and name it.
    pub fn next_letter(&self) -> IntakeId {
        IntakeId::from_u128(self.next_id())
    }

    /// Takes a letter in, unread. `Ok` means durable: now it may be acknowledged.
    pub async fn deliver(&self, delivery: Delivery, actor: &Actor) -> Result<Accepted, StoreError> {
        self.deliver_as(self.next_letter(), delivery, actor).await
    }

    /// The same under an id of [`Self::next_letter`]. A letter that was here before keeps the id it has.
    pub async fn deliver_as(
        &self,
        id: IntakeId,
        delivery: Delivery,
        actor: &Actor,
    ) -> Result<Accepted, StoreError> {
        let (intake, rest) = self.unread(id, delivery);
        self.take_letter(intake, rest, actor).await
    }

    /// The row of a letter that nobody has looked into, and what is written with it.
    fn unread(&self, id: IntakeId, delivery: Delivery) -> (Intake, (IdempotencyKey, Vec<Write>)) {
        let area = self.rules.usual_area(&delivery.source).to_owned();
        let document = Document {
            file_name: FILE_NAME.to_owned(),
            media_type: MEDIA_TYPE.to_owned(),
            blob: delivery.blob,
        };
        let intake = Intake {
            id,
            site: delivery.site,
            source: delivery.source,
            received: self.clock.now(),
            state: IntakeState::Stored,
            version: 1,
            submitted_by: delivery.submitted_by,
            subject: String::new(),
            sender: delivery.envelope.from.clone(),
            note: String::new(),
            work_item_given: String::new(),
            work_item: None,
            area,
            save_mode: None,
            document_key: String::new(),
            documents: vec![document],
            batch: false,
            part_of: None,
            sections: Vec::new(),
            forced: false,
            allocated: None,
            also_in: Vec::new(),
            choices: Vec::new(),
            undo_until: None,
            begun: 0,
            screened: Screened::default(),
            letter: Some(Box::new(Letter { envelope: delivery.envelope, ..Letter::default() })),
            needs: None,
            open_filings: 0,
            filings: 0,
            trace: Vec::new(),
        };
        (intake, (delivery.key, delivery.records))
    }

    async fn take_letter(
        &self,
        intake: Intake,
        (key, records): (IdempotencyKey, Vec<Write>),
        actor: &Actor,
    ) -> Result<Accepted, StoreError> {
        let acceptance = Acceptance {
            intake,
            filings: Vec::new(),
            key: Some(key),
            records,
            actor: actor.clone(),
            note: String::new(),
        };
        self.store.accept(acceptance).await
    }
}
