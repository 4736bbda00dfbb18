//! `backup`, `restore` and `verify` of a data folder that no server uses: rows by the store's own copy, document bytes as hard links
//! (or copies across file systems), and the keyring, which opens nothing without passphrase and private key.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use futures_util::StreamExt as _;
use postroom_domain::ids::BlobHash;
use postroom_domain::spool::{Blob, Spool as _};
use postroom_domain::store::StoreResult;
use postroom_store::spool::{FileSpool, SpoolOptions};
use postroom_store::{OpenOptions, RedbStore};
use postroom_vault::{SystemChance, Vault};

use super::print;
use crate::cli::{BackupArgs, RestoreArgs, UnsealArgs, VerifyArgs};
use crate::foundation::credentials;
use crate::keyring::{KEYRING_FILES, keyring_summary, open_secrets, read_keyring};
use crate::sealing::{FileSeals, SecretSeals};
use crate::settings::Settings;
use crate::system::SystemClock;

/// How many contents are asked for at once.
const PORTION: usize = 1000;

/// Copies a data folder.
pub(super) async fn backup(args: &BackupArgs) -> anyhow::Result<ExitCode> {
    empty_folder(&args.to)?;
    let unsealed = Unsealed::of(&args.data, &args.unseal).await?;
    let store = open_store(&args.data)?;
    copy_keyring(&args.data, &args.to)?;
    let rows = store.backup(&store_file(&args.to))?;
    let (documents, bytes) = link_contents(&store, &unsealed.spool(&args.data)?, &args.to).await?;
    postroom_domain::store::Store::close(&store).await?;
    print(&format!("{} holds {rows} rows and {documents} documents ({bytes} bytes).\n", args.to.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// Puts a backup back.
pub(super) async fn restore(args: &RestoreArgs) -> anyhow::Result<ExitCode> {
    must_exist(&args.from)?;
    empty_folder(&args.data)?;
    // Bytes before rows, here too: an interrupted restore leaves no row whose bytes are missing.
    let unsealed = Unsealed::of(&args.from, &args.unseal).await?;
    let source = open_store(&args.from)?;
    copy_keyring(&args.from, &args.data)?;
    let (documents, bytes) = link_contents(&source, &unsealed.spool(&args.from)?, &args.data).await?;
    postroom_domain::store::Store::close(&source).await?;
    // Its lock goes with it; the copy takes its own.
    drop(source);
    let found = postroom_store::restore(&store_file(&args.from), &store_file(&args.data))?;
    print(&format!(
        "{} holds {} filings, {} intakes and {documents} documents ({bytes} bytes).\n",
        args.data.display(),
        found.check.filings,
        found.check.intakes,
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Checks rows, indexes, counters, the history's chain, every sealed secret and every document's bytes.
pub(super) async fn verify(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    must_exist(&args.data)?;
    let unsealed = Unsealed::of(&args.data, &args.unseal).await?;
    let found = postroom_store::verify(&store_file(&args.data))?;
    let mut wrong = found.check.wrong.clone();
    if !found.pages_sound {
        wrong.push("the store's pages do not agree with their books; the next start repairs them".to_owned());
    }
    if let Some(fault) = found.chain.and_then(|chain| chain.fault) {
        wrong.push(format!("the history was tampered with: {fault}"));
    }
    let store = open_store(&args.data)?;
    let spool = unsealed.spool(&args.data)?;
    let secrets = unsealed.secrets(&store, &mut wrong).await?;
    let mut documents = 0_u64;
    for list in LISTS {
        let mut after = None;
        loop {
            let portion = list(&store, after, PORTION)?;
            let Some(last) = portion.last() else { break };
            after = Some(last.hash);
            for blob in portion {
                documents += 1;
                if let Err(problem) = read_through(&spool, blob).await {
                    wrong.push(format!("document {}: {problem}", blob.hash));
                }
            }
        }
    }
    postroom_domain::store::Store::close(&store).await?;
    for line in &wrong {
        print(&format!("wrong: {line}\n"))?;
    }
    print(&format!(
        "{}: {} filings, {} intakes, {documents} documents, {secrets} secrets; {}.\n",
        args.data.display(),
        found.check.filings,
        found.check.intakes,
        if wrong.is_empty() {
            "everything is sound".to_owned()
        } else {
            format!("{} things are wrong", wrong.len())
        },
    ))?;
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Contents in portions: those that rows of intakes and filings name, and those that records name.
type List = fn(&RedbStore, Option<BlobHash>, usize) -> StoreResult<Vec<Blob>>;
const LISTS: [List; 2] = [RedbStore::contents_after, RedbStore::record_contents_after];

pub(super) fn store_file(data: &Path) -> std::path::PathBuf {
    data.join("store.redb")
}

fn must_exist(data: &Path) -> anyhow::Result<()> {
    if store_file(data).is_file() {
        return Ok(());
    }
    bail!(
        "{} holds no store.redb\nhint: name the folder that `data.dir` in the settings names, or a backup",
        data.display()
    )
}

fn open_store(data: &Path) -> anyhow::Result<RedbStore> {
    must_exist(data)?;
    let (store, _report) = RedbStore::open(&store_file(data), OpenOptions::default())?;
    Ok(store)
}

/// What opens what is sealed in a data folder; none where nothing ever was.
struct Unsealed(Option<Arc<Vault>>);

impl Unsealed {
    /// By the section `[vault]` of the settings, where the folder has a keyring.
    async fn of(data: &Path, args: &UnsealArgs) -> anyhow::Result<Self> {
        let Some(keyring) = keyring_summary(data)? else { return Ok(Self(None)) };
        let settings = Settings::load(&args.config, std::env::vars()).with_context(|| {
            format!(
                "{} is sealed with master key {}; name the settings whose section [vault] opens it with --config",
                data.display(),
                keyring.master
            )
        })?;
        let (passphrase, key) = credentials(&settings)?;
        let folder = data.to_owned();
        let read = move || read_keyring(&folder, (&passphrase, &key));
        let keyring = tokio::task::spawn_blocking(read).await??;
        Ok(Self(Some(Arc::new(Vault::new(&keyring, Arc::new(SystemChance))))))
    }

    fn spool(&self, data: &Path) -> anyhow::Result<FileSpool> {
        let (options, clock) = (SpoolOptions::default(), Arc::new(SystemClock::new()));
        Ok(match &self.0 {
            None => FileSpool::open(data, &options, clock)?,
            Some(vault) => {
                FileSpool::open_sealed(data, &options, clock, Arc::new(FileSeals::new(vault.clone())))?
            }
        })
    }

    /// Opens every secret of the records; answers how many there are.
    async fn secrets(&self, store: &RedbStore, wrong: &mut Vec<String>) -> anyhow::Result<u64> {
        let Some(vault) = &self.0 else { return Ok(0) };
        let seals = SecretSeals::new(vault.clone(), Arc::new(SystemClock::new()));
        Ok(open_secrets(store, &seals, wrong).await?)
    }
}

/// The keyring goes along: a copy that is whole, or none.
fn copy_keyring(from: &Path, to: &Path) -> anyhow::Result<()> {
    for name in KEYRING_FILES {
        let (from, to) = (from.join(name), to.join(name));
        match std::fs::read(&from) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", from.display())),
            Ok(bytes) => write_new(&to, &bytes).with_context(|| format!("cannot write {}", to.display()))?,
        }
    }
    Ok(())
}

fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The folder, made if it is not there; refused when something is in it.
fn empty_folder(path: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(path).with_context(|| format!("cannot make the folder {}", path.display()))?;
    let mut entries =
        std::fs::read_dir(path).with_context(|| format!("cannot read the folder {}", path.display()))?;
    if entries.next().is_some() {
        bail!("{} is not empty; name a new folder", path.display());
    }
    Ok(())
}

/// Puts every content that a row names into another data folder's spool, durably.
async fn link_contents(store: &RedbStore, spool: &FileSpool, data: &Path) -> anyhow::Result<(u64, u64)> {
    let to = data.join("spool");
    std::fs::create_dir_all(&to).with_context(|| format!("cannot make the folder {}", to.display()))?;
    let (mut documents, mut bytes) = (0, 0);
    for list in LISTS {
        let mut after = None;
        loop {
            let portion = list(store, after, PORTION)?;
            let Some(last) = portion.last() else { break };
            after = Some(last.hash);
            for blob in portion {
                spool.link_into(&to, blob).await.with_context(|| format!("document {}", blob.hash))?;
                documents += 1;
                bytes += blob.size;
            }
        }
    }
    spool.flush_links(&to).await?;
    Ok((documents, bytes))
}

/// Reads a document to its end, which checks its hash.
async fn read_through(spool: &FileSpool, blob: Blob) -> anyhow::Result<()> {
    let mut bytes = spool.content(blob).await?.open().await?;
    while let Some(chunk) = bytes.next().await {
        chunk?;
    }
    Ok(())
}
