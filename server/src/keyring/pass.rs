//! One pass over everything that is sealed: what names an old data key is sealed anew.

use std::time::Duration;

use postroom_domain::event::NewEvent;
use postroom_domain::ids::BlobHash;
use postroom_domain::link::{Link, Place, Sealed};
use postroom_domain::people::Flow;
use postroom_domain::record::{Commit, Kept, Kind, Registry};
use postroom_domain::sealing::{Reseal, SealError, Seals};
use postroom_domain::spool::SpoolError;
use postroom_domain::store::StoreError;

/// Records that are read in one go.
const RECORDS: usize = 100;
/// Files that are looked at in one go.
const FILES: usize = 32;
/// How often a record that changes under our hands is tried again before the next pass has to do it.
const TRIES: u32 = 5;
/// How long a busy store is left alone.
const BREATH: Duration = Duration::from_millis(100);

/// Why a pass stopped. What it did stays done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Spool(#[from] SpoolError),
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error("{0}")]
    Other(String),
}

/// What a pass found.
#[derive(Debug, Default)]
pub(super) struct Pass {
    /// Secrets seen that are sealed with the present key now.
    pub(super) secrets: u64,
    /// Files seen.
    pub(super) blobs: u64,
    /// Secrets and files that were sealed anew, or that somebody else was changing.
    pub(super) changed: u64,
    /// What does not open, and so keeps its key from going.
    pub(super) damaged: Vec<String>,
}

/// A kind of record with sealed fields.
pub(super) trait HoldsSecrets: Kept {
    /// Its id as text, as its places have it.
    fn place_id(&self) -> String;
    /// Its sealed fields with their names.
    fn secrets(&mut self) -> Vec<(&'static str, &mut Sealed)>;
    /// Where one of them stands.
    fn place<'a>(id: &'a str, field: &'a str) -> Place<'a>;
}

impl HoldsSecrets for Link {
    fn place_id(&self) -> String {
        self.id.to_string()
    }
    fn secrets(&mut self) -> Vec<(&'static str, &mut Sealed)> {
        let refresh = self.refresh.as_mut().map(|it| ("refresh", it));
        std::iter::once(("access", &mut self.access)).chain(refresh).collect()
    }
    fn place<'a>(id: &'a str, field: &'a str) -> Place<'a> {
        Place { table: "link", id, field }
    }
}

impl HoldsSecrets for Flow {
    fn place_id(&self) -> String {
        Self::place_id(self)
    }
    fn secrets(&mut self) -> Vec<(&'static str, &mut Sealed)> {
        vec![("secrets", &mut self.secrets)]
    }
    fn place<'a>(id: &'a str, _: &'a str) -> Place<'a> {
        Self::place(id)
    }
}

/// What a pass works on.
pub(super) struct Passing<'a> {
    pub(super) registry: &'a dyn Registry,
    pub(super) seals: &'a dyn Seals,
    pub(super) reseal: &'a dyn Reseal,
    pub(super) retiring: &'a [u32],
    /// Told of each step.
    pub(super) tell: &'a (dyn Fn(&Pass) + Send + Sync),
}

impl Passing<'_> {
    /// Looks at everything once.
    pub(super) async fn pass(&self) -> Result<Pass, Trouble> {
        let mut pass = Pass::default();
        self.records::<Link>(&mut pass).await?;
        self.records::<Flow>(&mut pass).await?;
        self.content(&mut pass).await?;
        Ok(pass)
    }

    async fn records<T: HoldsSecrets + Send>(&self, pass: &mut Pass) -> Result<(), Trouble> {
        let mut after = None;
        loop {
            let page = self.registry.records(T::KIND, None, after, RECORDS).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.id);
            for record in page {
                match T::read(&record) {
                    Ok(value) => self.record(value, pass).await?,
                    Err(error) => {
                        pass.damaged.push(format!("{} {:x}: {error}", T::KIND.noun(), record.id));
                    }
                }
            }
            (self.tell)(pass);
        }
    }

    /// Seals the old secrets of one record anew and replaces it, unless somebody else replaces it first: then that one is looked at.
    async fn record<T: HoldsSecrets + Send>(&self, mut value: T, pass: &mut Pass) -> Result<(), Trouble> {
        let number = value.number();
        for _try in 0..TRIES {
            let (anew, seen) = match self.anew(&mut value) {
                Ok(done) => done,
                Err((what, SealError::DoesNotOpen)) => {
                    pass.damaged.push(what);
                    return Ok(());
                }
                Err((_, error)) => return Err(error.into()),
            };
            if anew == 0 {
                pass.secrets += seen;
                return Ok(());
            }
            value.set_version(value.version() + 1);
            let commit = Commit { writes: vec![value.put()?], events: Vec::new() };
            match self.registry.commit(commit).await {
                Ok(()) => {
                    pass.changed += anew;
                    pass.secrets += seen;
                    return Ok(());
                }
                Err(StoreError::Conflict { .. }) => {}
                Err(StoreError::Busy) => tokio::time::sleep(BREATH).await,
                Err(error) => return Err(error.into()),
            }
            match self.registry.record_by_id(T::KIND, number).await? {
                Some(record) => value = T::read(&record)?,
                None => return Ok(()),
            }
        }
        // Too busy: the next pass sees it again, and this one is not the last.
        pass.changed += 1;
        Ok(())
    }

    /// How many secrets of a record were sealed anew, of how many. What names a key that is not on its way out is left as it is.
    fn anew<T: HoldsSecrets>(&self, value: &mut T) -> Result<(u64, u64), (String, SealError)> {
        let id = value.place_id();
        let (mut anew, mut seen) = (0, 0);
        for (field, sealed) in value.secrets() {
            let Some(number) = self.seals.key_of(sealed) else { continue };
            seen += 1;
            if !self.retiring.contains(&number) {
                continue;
            }
            let place = T::place(&id, field);
            let told = |error| (format!("{} {id}: {field}: {error}", T::KIND.noun()), error);
            let secret = self.seals.open(place, sealed).map_err(|error| told(error.clone()))?;
            *sealed = self.seals.seal(place, &secret).map_err(|error| told(error.clone()))?;
            anew += 1;
        }
        Ok((anew, seen))
    }

    async fn content(&self, pass: &mut Pass) -> Result<(), Trouble> {
        let mut after: Option<BlobHash> = None;
        loop {
            let page = self.reseal.reseal(after, FILES).await?;
            pass.blobs += page.seen;
            pass.changed += page.changed;
            pass.damaged.extend(page.damaged.iter().map(|hash| format!("content {hash} is damaged")));
            (self.tell)(pass);
            let Some(last) = page.last else { return Ok(()) };
            after = Some(last);
        }
    }
}

/// How many secrets there are in records.
pub(super) async fn count_secrets(registry: &dyn Registry) -> Result<u64, Trouble> {
    let mut count = 0;
    for kind in [Kind::Link, Kind::Flow] {
        let mut after = None;
        loop {
            let page = registry.records(kind, None, after, RECORDS).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            for record in &page {
                count += match kind {
                    // A record that cannot be read is told of by the pass.
                    Kind::Link => Link::read(record).map_or(0, |mut it| it.secrets().len() as u64),
                    _ => 1,
                };
            }
        }
    }
    Ok(count)
}

/// Opens every secret of the records, without keeping any; what does not open is named in `wrong`. Answers how many there are.
pub(crate) async fn open_secrets(
    registry: &dyn Registry,
    seals: &dyn Seals,
    wrong: &mut Vec<String>,
) -> Result<u64, StoreError> {
    Ok(opened::<Link>(registry, seals, wrong).await? + opened::<Flow>(registry, seals, wrong).await?)
}

async fn opened<T: HoldsSecrets>(
    registry: &dyn Registry,
    seals: &dyn Seals,
    wrong: &mut Vec<String>,
) -> Result<u64, StoreError> {
    let (mut count, mut after) = (0, None);
    loop {
        let page = registry.records(T::KIND, None, after, RECORDS).await?;
        let Some(last) = page.last() else { return Ok(count) };
        after = Some(last.id);
        for record in &page {
            let mut value = match T::read(record) {
                Ok(value) => value,
                Err(error) => {
                    wrong.push(format!("{} {:x}: {error}", T::KIND.noun(), record.id));
                    continue;
                }
            };
            let id = value.place_id();
            for (field, sealed) in value.secrets() {
                count += 1;
                if let Err(error) = seals.open(T::place(&id, field), sealed) {
                    wrong.push(format!("{} {id}: {field}: {error}", T::KIND.noun()));
                }
            }
        }
    }
}

/// Writes a line into the history, behind everything that was committed before: when it returns, all of that is durable and seen.
pub(super) async fn tell(registry: &dyn Registry, event: NewEvent) -> Result<(), StoreError> {
    registry.commit(Commit { writes: Vec::new(), events: vec![event] }).await
}
