//! `keys …`: what seals tokens and documents.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use postroom_api::client::Client;
use postroom_api::keys::{KeysView, MasterBody, ProgressView, RotateBody};
use postroom_api::secret::Secret;
use postroom_domain::time::Clock as _;
use postroom_outbound::{expose, read_secret};
use postroom_vault::SystemChance;

use super::connection::{connect, explained};
use super::{lines, print};
use crate::cli::{InitArgs, KeysCommand, RotateArgs};
use crate::keyring::{NewCredentials, init_credentials};
use crate::system::SystemClock;

/// How often it is asked how far a change is.
const ASK: Duration = Duration::from_millis(500);

/// Runs the subcommand.
pub(super) async fn run(command: KeysCommand) -> anyhow::Result<ExitCode> {
    match command {
        KeysCommand::Init(args) => init(&args),
        KeysCommand::Status(server) => {
            let client = connect(&server)?;
            let keys = client.keys().await.map_err(|error| explained(error.into(), &server))?;
            lines(&[keys], server.json, status)?;
            Ok(ExitCode::SUCCESS)
        }
        KeysCommand::Rotate(args) => {
            let client = connect(&args.server)?;
            rotate(&client, &args).await.map_err(|error| explained(error, &args.server))
        }
    }
}

fn init(args: &InitArgs) -> anyhow::Result<ExitCode> {
    let folder = std::path::absolute(&args.to)?;
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let at = |name: &str| folder.join(name);
    let (certificate, private_key) = (at("postroom-cert.pem"), at("postroom-key.pem"));
    let passphrase = (!args.no_passphrase).then(|| at("postroom-passphrase"));
    let files = NewCredentials {
        certificate: &certificate,
        private_key: &private_key,
        passphrase: passphrase.as_deref(),
    };
    let fingerprint = init_credentials(&files, &args.name, SystemClock::new().now(), &SystemChance)?;
    let quoted = |path: &PathBuf| format!("{:?}", path.display().to_string());
    let passphrase = match &passphrase {
        Some(path) => quoted(path),
        None => "\"…\" # a file with a passphrase of more than 100 characters".to_owned(),
    };
    print(&format!(
        "# Add this to the settings. Keep copies of both files apart from the backups of the data, and not with each other:\n\
         # without both nothing that is sealed opens again, and whoever has both and the data opens everything.\n\
         [vault]\npassphrase_file = {passphrase}\nprivate_key_file = {}\n\n\
         # Certificate {}, private key {fingerprint}\n",
        quoted(&private_key),
        certificate.display(),
    ))?;
    Ok(ExitCode::SUCCESS)
}

async fn rotate(client: &Client, args: &RotateArgs) -> anyhow::Result<ExitCode> {
    let master = match (&args.passphrase_file, &args.private_key_file) {
        (Some(passphrase), Some(key)) => {
            let passphrase = read_secret("--passphrase", None, Some(passphrase))?;
            let key = read_secret("--private-key", None, Some(key))?;
            let secret = |it| Secret::new(expose(it));
            Some(MasterBody { passphrase: secret(&passphrase), private_key: secret(&key) })
        }
        _ => None,
    };
    if !args.data && master.is_none() {
        bail!(
            "nothing is to be changed; give --data, or --passphrase-file and --private-key-file, or all of them"
        );
    }
    let new_master = master.is_some();
    let begun = client.rotate_keys(&RotateBody { data: args.data, master }).await?;
    if new_master && !args.server.json {
        print(
            "The new master key is in force. Name its passphrase and private key in the section [vault] of the settings \
             now: the next start needs them, and does not take the old ones.\n",
        )?;
    }
    if args.no_wait || begun.retiring.is_empty() {
        lines(&[begun], args.server.json, status)?;
        return Ok(ExitCode::SUCCESS);
    }
    follow(client, args.server.json).await
}

/// Shows how far the change is until the old key is gone.
async fn follow(client: &Client, json: bool) -> anyhow::Result<ExitCode> {
    let live = std::io::stdout().is_terminal() && !json;
    let mut shown = String::new();
    loop {
        let keys = client.keys().await?;
        let text = keys.progress.as_ref().map_or_else(String::new, progress);
        if keys.retiring.is_empty() {
            if live {
                print("\n")?;
            }
            lines(&[keys], json, status)?;
            return Ok(ExitCode::SUCCESS);
        }
        if let Some(trouble) = &keys.trouble {
            bail!(
                "the old key cannot go yet: {trouble}\nhint: everything opens all the same, and it is tried again by itself; \
                 `postroom keys status` tells how it stands"
            );
        }
        if text != shown && json {
            lines(std::slice::from_ref(&keys), json, status)?;
        } else if text != shown {
            print(&if live { format!("\r{text}   ") } else { format!("{text}\n") })?;
        }
        shown = text;
        tokio::time::sleep(ASK).await;
    }
}

fn progress(it: &ProgressView) -> String {
    let done = it.secrets_done >= it.secrets_total && it.blobs_done >= it.blobs_total;
    let waits =
        if done { "; the old key goes when nothing under way can name it, in a minute or so" } else { "" };
    format!(
        "sealed anew: {} of {} secrets, {} of {} documents{waits}",
        it.secrets_done, it.secrets_total, it.blobs_done, it.blobs_total
    )
}

fn status(keys: &KeysView) -> String {
    let mut text = format!(
        "master key    {}\nprivate key   {}\ndata key      {}\n",
        keys.master, keys.certificate, keys.current
    );
    if !keys.retiring.is_empty() {
        let numbers: Vec<_> = keys.retiring.iter().map(ToString::to_string).collect();
        let far = keys.progress.as_ref().map(progress).unwrap_or_default();
        text = format!("{text}on its way out  {}\n  {far}\n", numbers.join(", "));
    }
    if let Some(trouble) = &keys.trouble {
        text = format!("{text}  stands still: {trouble}\n");
    }
    text
}
