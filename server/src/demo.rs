//! The demo: everything on this machine, on embedded defaults. A folder as DMS, the fake iManage, a fake identity provider, sample
//! matters and people, a hot folder, and a few documents on their way, one of which fails on purpose.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use postroom_domain::person::Role;
use postroom_domain::time::Clock as _;
use postroom_sims::{imanage, openid};
use postroom_vault::SystemChance;
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::cli::DemoArgs;
use crate::house::House;
use crate::keyring::{NewCredentials, init_credentials};
use crate::settings::Settings;
use crate::system::{SystemClock, SystemEntropy};
use crate::{commands, signals, tokens};

mod people;
mod sample;

/// Runs the demo until a signal comes.
pub(crate) async fn run(args: DemoArgs) -> anyhow::Result<ExitCode> {
    let temporary = match &args.data {
        Some(_) => None,
        None => Some(
            tempfile::Builder::new()
                .prefix("postroom-demo-")
                .tempdir()
                .context("cannot make a temporary folder")?,
        ),
    };
    let root = match (&args.data, &temporary) {
        (Some(given), _) => std::path::absolute(given)?,
        (None, Some(temporary)) => temporary.path().to_owned(),
        (None, None) => unreachable!("one of the two is there"),
    };
    let places = Places::make(root)?;
    places.make_credentials()?;
    let tokens = tokens_by_role(&places)?;
    let fake = imanage::Sim::start(imanage::Options::sample()).context("cannot start the fake iManage")?;
    let provider =
        openid::Sim::start(openid::Options::sample()).context("cannot start the fake identity provider")?;
    let fakes = Fakes { imanage: fake.url(), provider: provider.issuer() };
    let text = sample::settings(&places, args.port, &fakes, &tokens);
    let settings = Settings::parse("the demo's settings", &text, std::env::vars())?;
    crate::logging::start(&settings.log)?;
    let house = House::start(settings).await?;
    sample::matters(&house).await?;
    let sign_in = people::add(&house).await?;

    let wanted = signals::stop_wanted();
    let smtp = house.smtp().context("the demo has an SMTP door")?.to_string();
    let tag = sample::tag(&house).await?;
    let console = console_command(house.url(), &places.token_file(Role::Operator));
    if args.json {
        let by_role: BTreeMap<&str, &str> =
            tokens.iter().map(|(role, token)| (role.as_str(), token.as_str())).collect();
        let line = json!({
            "url": house.url(),
            "tokens": by_role,
            "hot_folder": places.hot,
            "dms_folder": places.dms,
            "data": places.root,
            "console": console,
            "smtp": smtp,
            "mailbox": MAILBOX,
            "imanage": fakes.imanage,
            "provider": fakes.provider,
            "sign_in": sign_in.expose_secret(),
        });
        commands::print(&format!("{line}\n"))?;
    } else if !args.quiet {
        commands::print(&tour(
            &house,
            &places,
            &tokens,
            &console,
            sign_in.expose_secret(),
            &Letters { smtp, tag },
            temporary.is_some(),
        ))?;
    }

    sample::deposit(&house, &places).await?;
    let progress = (!args.json && !args.quiet).then(|| tokio::spawn(sample::tell_progress(house.store())));
    let fatal = house.until_stopped(wanted).await;
    if let Some(progress) = progress {
        progress.abort();
    }
    fake.stop();
    provider.stop();
    if let Some(temporary) = temporary {
        // What could not be removed is in the machine's temporary folder, where it is swept.
        let _left = temporary.close();
    }
    fatal
}

/// The address that the demo's SMTP door delivers to.
const MAILBOX: &str = "post@firm.example";
/// Who takes part in the demo's matters.
const CLIENT: &str = "client@client.example";

/// How letters get into the demo.
struct Letters {
    smtp: String,
    /// The luggage tag of one of its matters.
    tag: String,
}

/// Addresses of what the demo fakes.
struct Fakes {
    imanage: String,
    provider: String,
}

/// The demo's folders.
pub(crate) struct Places {
    root: PathBuf,
    dms: PathBuf,
    hot: PathBuf,
}

impl Places {
    fn make(root: PathBuf) -> anyhow::Result<Self> {
        let places = Self { dms: root.join("dms"), hot: root.join("hot"), root };
        for folder in [&places.root, &places.dms, &places.hot] {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        for workspace in sample::workspaces() {
            let folder = places.dms.join(workspace);
            std::fs::create_dir_all(&folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        Ok(places)
    }

    fn passphrase(&self) -> PathBuf {
        self.root.join("passphrase")
    }

    fn private_key(&self) -> PathBuf {
        self.root.join("private-key.pem")
    }

    /// What opens the vault, kept beside the data so that a second start opens it. A firm keeps it elsewhere.
    fn make_credentials(&self) -> anyhow::Result<()> {
        if self.private_key().exists() && self.passphrase().exists() {
            return Ok(());
        }
        let (certificate, private_key, passphrase) =
            (self.root.join("certificate.pem"), self.private_key(), self.passphrase());
        let files = NewCredentials {
            certificate: &certificate,
            private_key: &private_key,
            passphrase: Some(&passphrase),
        };
        init_credentials(&files, "Postroom demo", SystemClock::new().now(), &SystemChance)?;
        Ok(())
    }

    fn token_file(&self, role: Role) -> PathBuf {
        self.root.join(format!("{role}.token"))
    }
}

/// A token for each role, kept beside the data so that a second start knows them.
fn tokens_by_role(places: &Places) -> anyhow::Result<BTreeMap<Role, String>> {
    Role::ALL
        .into_iter()
        .map(|role| {
            let path = places.token_file(role);
            let token = match std::fs::read_to_string(&path) {
                Ok(text) if !text.trim().is_empty() => text.trim().to_owned(),
                _ => {
                    let token = tokens::mint(&SystemEntropy);
                    write_secret(&path, &token)
                        .with_context(|| format!("cannot write {}", path.display()))?;
                    token
                }
            };
            Ok((role, token))
        })
        .collect()
}

fn write_secret(path: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file =
        std::fs::OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(path)?;
    writeln!(file, "{text}")?;
    file.sync_all()
}

/// How the console is started: the binary beside this one, else through cargo.
fn console_command(url: &str, token_file: &Path) -> String {
    let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join("postroom-tui")));
    let program = match beside {
        Some(path) if path.is_file() => path.display().to_string(),
        _ => "cargo run --release -p postroom-tui --".to_owned(),
    };
    format!("{program} --server {url} --token-file {}", token_file.display())
}

fn tour(
    house: &House,
    places: &Places,
    tokens: &BTreeMap<Role, String>,
    console: &str,
    sign_in: &str,
    letters: &Letters,
    temporary: bool,
) -> String {
    let url = house.url();
    let user = tokens.get(&Role::User).map_or("", String::as_str);
    let kept = if temporary { "removed at the end; keep it with --data DIR" } else { "kept" };
    format!(
        "Postroom's demo is running at {url}\n\
         \n\
         Watch it        {console}\n\
         Sign in         {url}  with the firm's own sign-in: m.patel@firm.example and others, no password\n\
         As the boss     {sign_in}\n\
         \x20               (works once: set a password for {boss})\n\
         Drop a scan     cp letter.pdf {hot}/10517-0001/\n\
         Send a letter   swaks --server {smtp} --from {CLIENT} --to {MAILBOX} --h-Subject 'The plan {tag}' --attach @letter.pdf\n\
         \x20               (the tag finds the matter; the same from somebody who is not the client waits for a person)\n\
         See the DMS     {dms}\n\
         Hand one in     curl -H 'Authorization: Bearer {user}' \\\n\
         \x20                 -F 'meta={{\"work_item\":\"10442-0012\",\"subject\":\"Lease\"}};type=application/json' \\\n\
         \x20                 -F file=@letter.pdf {url}/api/v1/intakes\n\
         The API         {url}/api/openapi.json\n\
         Tokens          {root}/user.token, operator.token, support.token, admin.token\n\
         Data            {root} ({kept})\n\
         \n\
         A few e-mails and scans are on their way; one of them fails on purpose, one needs a person.\n\
         Ctrl-C stops.\n\n",
        boss = people::ADMINISTRATOR,
        smtp = letters.smtp,
        tag = letters.tag,
        hot = places.hot.display(),
        dms = places.dms.display(),
        root = places.root.display(),
    )
}
