//! A document is read back from the DMS before its source is given up: every byte is hashed, and only the same hash and size count.

use futures_util::StreamExt as _;
use postroom_domain::cause::{Cause, Sent, Symptom};
use postroom_domain::dms::{DmsError, Receipt, Trouble};
use postroom_domain::filing::Filing;
use postroom_domain::ids::BlobHash;
use postroom_domain::link::Refusal;
use postroom_domain::machine::Event;

use crate::accounts::{self, Errand};
use crate::worker::{Bench, Pulse, Report, closed};

/// What the DMS gave back.
struct Copy {
    hash: BlobHash,
    size: u64,
}

/// Reads a document back with the accounts that may see it, until one gives it. What came of it, for the machine.
pub(crate) async fn read_back(bench: &Bench, errand: &Errand, pulse: &Pulse) -> Report {
    let filing = &errand.filing;
    let Some(receipt) = &filing.progress.receipt else {
        let trouble = Trouble::new(Cause::ServerFault, "there is no document to read back");
        return Report::of(Event::ProbeFailed(DmsError::Unavailable(trouble)));
    };
    let mut failed = None;
    for credential in &errand.questions.with {
        let actor = accounts::actor(filing, Some(*credential));
        match download(bench, &actor, filing, receipt, pulse).await {
            Ok(copy) => return compare(filing, receipt, &copy),
            Err(error) => failed = Some(error),
        }
        pulse.step();
    }
    match failed {
        Some(error) => Report::of(Event::ProbeFailed(error)),
        None => closed(filing, errand.questions.unproven.unwrap_or(Refusal::NoSystemAccount), None),
    }
}

async fn download(
    bench: &Bench,
    actor: &postroom_domain::person::Actor,
    filing: &Filing,
    receipt: &Receipt,
    pulse: &Pulse,
) -> Result<Copy, DmsError> {
    let library = &filing.request.target.library;
    let version = receipt.version.as_deref();
    let mut stream = bench.dms.download(actor, library, &receipt.document, version).await?;
    pulse.step();
    let (mut hasher, mut size) = (blake3::Hasher::new(), 0_u64);
    let most = filing.request.blob.size;
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|error| {
            DmsError::from_symptom(Symptom::Reset, Sent::Nothing, format!("while it was read back: {error}"))
        })?;
        hasher.update(&chunk);
        size += chunk.len() as u64;
        pulse.step();
        // It is another document already; what else comes does not matter.
        if size > most {
            break;
        }
    }
    Ok(Copy { hash: BlobHash::new(*hasher.finalize().as_bytes()), size })
}

fn compare(filing: &Filing, receipt: &Receipt, copy: &Copy) -> Report {
    let sent = filing.request.blob;
    if (copy.hash, copy.size) == (sent.hash, sent.size) {
        let receipt = Receipt { size: Some(copy.size), hash: Some(copy.hash), ..receipt.clone() };
        return Report::of(Event::ReadBack(receipt));
    }
    let what = if copy.size > sent.size {
        format!("more than the {} bytes that were sent", sent.size)
    } else {
        format!("{} bytes with the hash {}", copy.size, copy.hash)
    };
    let detail = format!(
        "the DMS gives document {} back as {what}; {} bytes with the hash {} were sent. Its source is kept",
        receipt.document, sent.size, sent.hash
    );
    let alert = format!("filing {}: {detail}", filing.id);
    Report { alert: Some(alert), ..Report::of(Event::ReadBackDiffers(detail)) }
}
