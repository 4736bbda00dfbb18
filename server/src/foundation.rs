//! What everything else stands on, laid in the order in which nothing is lost or half done: settings that only a connector knows to be
//! wrong, the keyring, then store and spool, then the links.

use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use postroom_dms::lists::SqlLists;
use postroom_domain::ids::IdMint;
use postroom_domain::link::AccessTokens;
use postroom_domain::record::Registry;
use postroom_domain::sealing::{ContentSeals, Seals};
use postroom_domain::store::Store;
use postroom_domain::time::{Clock, Entropy};
use postroom_outbound::{SecretString, Services, TokenKeeper};
use postroom_store::spool::{FileSpool, SpoolOptions};
use postroom_store::{MemoryStore, OpenOptions, RedbStore};
use postroom_vault::{Chance, KdfCost, Keyring, Passphrase, PrivateKey, SystemChance, Vault};

use crate::connectors::{Connector, connectors};
use crate::keyring::{KeyringFile, keyring_summary, open_keyring};
use crate::mail_doors::graph_mailboxes;
use crate::sealing::{FileSeals, SecretSeals};
use crate::settings::Settings;
use crate::system::{SystemClock, SystemEntropy};

/// Where the keyring's secrets come from.
type Credentials = (SecretString, SecretString);

/// The ground floor.
pub(crate) struct Foundation {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) chance: Arc<dyn Chance>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) mint: Arc<IdMint>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) seals: Arc<dyn Seals>,
    pub(crate) services: Services,
    pub(crate) keeper: TokenKeeper,
    pub(crate) connectors: Vec<Connector>,
    pub(crate) lists: Arc<SqlLists>,
}

/// What lies on the disk besides.
pub(crate) struct Cellar {
    pub(crate) file: KeyringFile,
    pub(crate) keyring: Keyring,
    pub(crate) spool: FileSpool,
}

impl Foundation {
    /// Opens the data folder, or makes it. A wrong passphrase or private key is told before anything in it is touched.
    pub(crate) async fn lay(settings: &Settings) -> anyhow::Result<(Self, Cellar)> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let services = checked(settings, &clock)?;
        let credentials = credentials(settings)?;
        let dir = &settings.data.dir;
        std::fs::create_dir_all(dir)
            .with_context(|| format!("data.dir: cannot make the folder {}", dir.display()))?;
        let (file, keyring) = opened(settings, credentials, clock.now().to_string()).await?;
        let chance: Arc<dyn Chance> = Arc::new(SystemChance);
        let vault = Arc::new(Vault::new(&keyring, chance.clone()));
        let seals: Arc<dyn ContentSeals> = Arc::new(FileSeals::new(vault.clone()));
        let (store, spool) = open_data(settings, &clock, seals)?;
        if !file.is_still(&keyring) {
            // Another process changed it between our reading it and our taking the folder over.
            bail!("the keys were changed by another process in this moment; start again");
        }
        let mint = Arc::new(IdMint::after(store.greatest_id()));
        let store: Arc<dyn Store> = Arc::new(store);
        let this = Self::over(settings, (clock, chance), store, mint, vault, services)?;
        Ok((this, Cellar { file, keyring, spool }))
    }

    /// Stands on nothing: for looking at settings whose data folder is not made yet.
    pub(crate) async fn lay_in_the_air(settings: &Settings) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let services = checked(settings, &clock)?;
        let (passphrase, key) = credentials(settings)?;
        let (passphrase, key) = (Passphrase::new(&passphrase)?, PrivateKey::from_pem(&key)?);
        let made = clock.now().to_string();
        let keyring = tokio::task::spawn_blocking(move || {
            Keyring::create(&passphrase, &key, KdfCost::DEFAULT, &made, &SystemChance)
        });
        let keyring = keyring.await??;
        let chance: Arc<dyn Chance> = Arc::new(SystemChance);
        let vault = Arc::new(Vault::new(&keyring, chance.clone()));
        let mint = Arc::new(IdMint::after(0));
        Self::over(settings, (clock, chance), Arc::new(MemoryStore::new()), mint, vault, services)
    }

    fn over(
        settings: &Settings,
        (clock, chance): (Arc<dyn Clock>, Arc<dyn Chance>),
        store: Arc<dyn Store>,
        mint: Arc<IdMint>,
        vault: Arc<Vault>,
        services: Services,
    ) -> anyhow::Result<Self> {
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let seals: Arc<dyn Seals> = Arc::new(SecretSeals::new(vault.clone(), clock.clone()));
        let registry: Arc<dyn Registry> = store.clone();
        let keeper = TokenKeeper::new(
            registry,
            seals.clone(),
            services.clone(),
            clock.clone(),
            entropy.clone(),
            mint.clone(),
        );
        let tokens: Arc<dyn AccessTokens> = Arc::new(keeper.clone());
        let connectors = connectors(settings, &clock, Some(&tokens))?;
        let lists = Arc::new(SqlLists::new(&settings.lists)?);
        Ok(Self { clock, entropy, chance, store, mint, vault, seals, services, keeper, connectors, lists })
    }
}

/// The settings that only connectors, lists and services know to be wrong; touches nothing.
pub(crate) fn checked(settings: &Settings, clock: &Arc<dyn Clock>) -> anyhow::Result<Services> {
    connectors(settings, clock, None)?;
    SqlLists::new(&settings.lists)?;
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    graph_mailboxes(settings, clock, &entropy)?;
    Ok(Services::new(&settings.service_settings(), clock)?)
}

/// Passphrase and private key, wherever the settings have them.
pub(crate) fn credentials(settings: &Settings) -> anyhow::Result<Credentials> {
    let vault = settings.vault.as_ref().ok_or_else(|| anyhow!("vault: the section is missing"))?;
    let read = vault.read();
    if read.is_err()
        && let Ok(Some(keyring)) = keyring_summary(&settings.data.dir)
    {
        return read.with_context(|| {
            format!(
                "the keyring in {} needs the passphrase and the private key of its master key {} (private key {})",
                settings.data.dir.display(),
                keyring.master,
                keyring.private_key,
            )
        });
    }
    Ok(read?)
}

/// Whether passphrase and private key could open a keyring at all.
pub(crate) fn check_credentials(settings: &Settings) -> anyhow::Result<()> {
    let (passphrase, key) = credentials(settings)?;
    Passphrase::new(&passphrase).map_err(|error| anyhow!("vault.passphrase: {error}"))?;
    PrivateKey::from_pem(&key).map_err(|error| anyhow!("vault.private_key: {error}"))?;
    Ok(())
}

async fn opened(
    settings: &Settings,
    (passphrase, key): Credentials,
    made: String,
) -> anyhow::Result<(KeyringFile, Keyring)> {
    let dir = settings.data.dir.clone();
    // The passphrase costs most of a second of a core, on purpose.
    let job = move || open_keyring(&dir, (&passphrase, &key), KdfCost::DEFAULT, &made, &SystemChance);
    Ok(tokio::task::spawn_blocking(job).await??)
}

fn open_data(
    settings: &Settings,
    clock: &Arc<dyn Clock>,
    seals: Arc<dyn ContentSeals>,
) -> anyhow::Result<(RedbStore, FileSpool)> {
    let dir = &settings.data.dir;
    let options = OpenOptions {
        cache_bytes: settings.data.cache_mib << 20,
        on_repair: Some(Box::new(|done| {
            tracing::info!(store.repair = done, "The store is repaired after an unclean end.");
        })),
        ..OpenOptions::default()
    };
    let (store, report) = RedbStore::open(&dir.join("store.redb"), options)?;
    tracing::info!(store.report = ?report, "The store is open.");
    let options = SpoolOptions {
        largest: settings.limits.largest_document_bytes,
        reserve_bytes: Some(settings.data.reserve_bytes).filter(|bytes| *bytes > 0),
        ..SpoolOptions::default()
    };
    let spool = FileSpool::open_sealed(dir, &options, clock.clone(), seals)?;
    Ok((store, spool))
}
