//! Measures what sealing costs on this machine, with the program's own parts: one JSON line per figure.
//!
//! ```text
//! seal [--quick]
//! ```
//!
//! Sealed and plain are measured in turn, and the medians are compared, so that a busy disk troubles both alike.
#![expect(clippy::cast_precision_loss, reason = "rates are rounded for people")]

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::Bytes;
use futures_util::StreamExt as _;
use jiff::Timestamp;
use postroom_domain::spool::{Blob, Spool as _};
use postroom_domain::time::Clock;
use postroom_store::spool::{FileSpool, SpoolOptions};
use postroom_vault::{
    HashCost, Hasher, KdfCost, Keyring, Passphrase, Place, PrivateKey, SystemChance, Vault,
    generate_identity, generate_passphrase,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

#[path = "../src/sealing.rs"]
#[expect(dead_code, reason = "the program's own, of which only the sealing of content is measured here")]
mod sealing;
use sealing::FileSeals;

const CHUNK: usize = 64 << 10;
const LARGE: usize = 64 << 20;
const SMALL: usize = 50 << 10;
/// Small documents that come in side by side.
const WRITERS: usize = 8;

/// Nothing here lasts long enough to be swept.
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

struct Sizes {
    rounds: usize,
    /// Secrets sealed and opened.
    secrets: u32,
    /// Small documents of a round.
    small: usize,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let sizes = if quick {
        Sizes { rounds: 3, secrets: 5_000, small: 100 }
    } else {
        Sizes { rounds: 7, secrets: 50_000, small: 400 }
    };
    let identity = generate_identity("measured", (2026, 1, 1))?;
    let key = PrivateKey::from_pem(&identity.private_key)?;
    let passphrase = Passphrase::new(&generate_passphrase(&SystemChance)?)?;
    let keyring = Keyring::create(&passphrase, &key, KdfCost::DEFAULT, "today", &SystemChance)?;

    let open = least(sizes.rounds, || Keyring::open(keyring.bytes(), &passphrase, &key).map(drop))?;
    let cost = json!({"memory_mib": KdfCost::DEFAULT.memory_kib >> 10, "passes": KdfCost::DEFAULT.passes});
    tell(&json!({"name": "keyring_open", "ms": millis(open), "more": cost}))?;
    for memory_kib in
        [HashCost::DEFAULT.memory_kib / 2, HashCost::DEFAULT.memory_kib, 2 * HashCost::DEFAULT.memory_kib]
    {
        let cost = HashCost { memory_kib, ..HashCost::DEFAULT };
        let hasher = Hasher::new(cost, &SystemChance)?;
        let password = SecretString::from("nine lamps beside a quiet harbour");
        let took = least(sizes.rounds, || hasher.hash(&password, &SystemChance).map(drop))?;
        let more = json!({"memory_mib": memory_kib >> 10, "passes": cost.passes});
        tell(&json!({"name": "password_hash", "ms": millis(took), "more": more}))?;
    }

    let vault = Arc::new(Vault::new(&keyring, Arc::new(SystemChance)));
    let rate = secrets(&vault, sizes.secrets)?;
    tell(
        &json!({"name": "secret_sealed_and_opened", "per_second": rate.round(), "more": {"characters": 1_500}}),
    )?;
    spools(&vault, &sizes).await
}

/// Seals and opens tokens of the usual length.
fn secrets(vault: &Vault, count: u32) -> anyhow::Result<f64> {
    let place = Place { table: "link", id: "01a2196c-1af2-7000-aa3a-d5b021433f11", field: "access" };
    let token = SecretString::from("t".repeat(1_500));
    let begin = Instant::now();
    for _ in 0..count {
        let sealed = vault.seal(place, &token, Duration::ZERO)?;
        let opened = vault.open(place, &sealed)?;
        anyhow::ensure!(opened.expose_secret().len() == 1_500, "another secret came out");
    }
    Ok(f64::from(count) / begin.elapsed().as_secs_f64())
}

/// Documents into a sealed spool and a plain one, and out again.
async fn spools(vault: &Arc<Vault>, sizes: &Sizes) -> anyhow::Result<()> {
    let home = tempfile::tempdir().context("no temporary folder")?;
    let (plain, sealed) = (home.path().join("plain"), home.path().join("sealed"));
    let spools = [spool(&plain, None)?, spool(&sealed, Some(vault))?];
    let mut number = 0;
    // By figure, then plain and sealed.
    let mut times: [[Vec<f64>; 2]; 3] = Default::default();
    for _ in 0..sizes.rounds {
        for (at, spool) in spools.iter().enumerate() {
            let body = document(&mut number, LARGE);
            let begin = Instant::now();
            let blob = put(spool, &body).await?;
            times[0][at].push(begin.elapsed().as_secs_f64());
            let begin = Instant::now();
            take(spool, blob).await?;
            times[1][at].push(begin.elapsed().as_secs_f64());

            let bodies: Vec<Bytes> = (0..sizes.small).map(|_| document(&mut number, SMALL)).collect();
            let begin = Instant::now();
            let puts = futures_util::stream::iter(bodies.iter().map(|body| put(spool, body)));
            let put: Vec<_> = puts.buffer_unordered(WRITERS).collect().await;
            times[2][at].push(begin.elapsed().as_secs_f64());
            put.into_iter().collect::<anyhow::Result<Vec<Blob>>>()?;
        }
    }
    let mib = (LARGE >> 20) as f64;
    let figures = [
        ("sealed_large_in", mib, "mib_per_second"),
        ("sealed_large_out", mib, "mib_per_second"),
        ("sealed_small_in", sizes.small as f64, "per_second"),
    ];
    for ((name, amount, unit), times) in figures.into_iter().zip(times) {
        let [plain, sealed] = times.map(|times| amount / median(times));
        let more = json!({format!("plain_{unit}"): plain.round(), format!("sealed_{unit}"): sealed.round()});
        tell(&json!({"name": name, "ratio": sealed / plain, "more": more}))?;
    }
    Ok(())
}

fn spool(data: &Path, vault: Option<&Arc<Vault>>) -> anyhow::Result<FileSpool> {
    std::fs::create_dir_all(data)?;
    let options = SpoolOptions { reserve_bytes: Some(1 << 20), ..SpoolOptions::default() };
    let clock = Arc::new(Still);
    Ok(match vault {
        None => FileSpool::open(data, &options, clock)?,
        Some(vault) => {
            FileSpool::open_sealed(data, &options, clock, Arc::new(FileSeals::new(vault.clone())))?
        }
    })
}

/// Like no other document: content is kept once.
fn document(number: &mut u64, size: usize) -> Bytes {
    *number += 1;
    let mut bytes = number.to_be_bytes().to_vec();
    bytes.resize(size, b'x');
    bytes.into()
}

async fn put(spool: &FileSpool, body: &Bytes) -> anyhow::Result<Blob> {
    let mut draft = spool.draft().await?;
    for from in (0..body.len()).step_by(CHUNK) {
        draft.write(body.slice(from..body.len().min(from + CHUNK))).await?;
    }
    Ok(draft.seal().await?)
}

async fn take(spool: &FileSpool, blob: Blob) -> anyhow::Result<()> {
    let mut bytes = spool.content(blob).await?.open().await?;
    while let Some(chunk) = bytes.next().await {
        chunk?;
    }
    Ok(())
}

/// The least time of some runs: what it costs when nobody disturbs.
fn least<E>(rounds: usize, job: impl Fn() -> Result<(), E>) -> Result<Duration, E> {
    let mut least = Duration::MAX;
    for _ in 0..rounds {
        let begin = Instant::now();
        job()?;
        least = least.min(begin.elapsed());
    }
    Ok(least)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn tell(figure: &serde_json::Value) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{figure}")
}
