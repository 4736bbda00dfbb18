//! `addin …`: what an administrator hands out to Office and browsers. Needs no server.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use postroom_addin_manifest::{AddIn, BaseUrl, Extension, Kind, OnSend, PublicKey, Service};
use secrecy::zeroize::Zeroizing;
use serde_json::json;

use super::print;
use crate::cli::{AddinCommand, ExtensionArgs, ManifestArgs, OnSendArg};
use crate::settings::{Destination, DestinationKind, Settings};

/// A file, what it is for, and the id by which it is known there.
struct Piece {
    name: &'static str,
    bytes: Vec<u8>,
    about: &'static str,
    id: Option<String>,
}

/// Runs the subcommand.
pub(super) fn run(command: &AddinCommand) -> anyhow::Result<ExitCode> {
    match command {
        AddinCommand::Manifest(args) => manifest(args)?,
        AddinCommand::Extension(args) => extension(args)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn manifest(args: &ManifestArgs) -> anyhow::Result<()> {
    let on_send = match args.on_send {
        OnSendArg::PromptUser => OnSend::PromptUser,
        OnSendArg::SoftBlock => OnSend::SoftBlock,
    };
    let base = BaseUrl::new(&args.base_url)?;
    let addin = AddIn::new(base, &args.provider, args.support_url.as_deref(), on_send)?;
    let pieces = [
        Piece {
            name: "outlook.xml",
            bytes: addin.outlook_xml()?.into_bytes(),
            about: "Outlook: Microsoft 365 admin centre, Integrated apps, Upload custom apps",
            id: Some(addin.outlook_id().to_string()),
        },
        Piece {
            name: "word.xml",
            bytes: addin.word_xml()?.into_bytes(),
            about: "Word and Excel: the same place",
            id: Some(addin.word_id().to_string()),
        },
        Piece {
            name: "postroom-outlook.zip",
            bytes: addin.unified_zip()?,
            about: "Outlook, unified manifest: beside outlook.xml or in its place, but not on Mac or telephones",
            id: Some(addin.unified_id().to_string()),
        },
    ];
    written(&args.out, &pieces, args.json)
}

fn extension(args: &ExtensionArgs) -> anyhow::Result<()> {
    let (base, destinations) = match &args.config {
        Some(path) => of_settings(path, args.base_url.as_deref())?,
        None => (args.base_url.clone().unwrap_or_default(), Vec::new()),
    };
    let services = joined(args.service.clone(), destinations);
    let key = args.key_file.as_deref().map(key).transpose()?;
    let extension = Extension::new(BaseUrl::new(&base)?, services, key)?;
    let pieces = [
        Piece {
            name: "postroom-chrome.zip",
            bytes: extension.chrome_zip()?,
            about: "Chrome and Edge: their stores, or by policy",
            id: extension.id(),
        },
        Piece {
            name: "postroom-firefox.xpi",
            bytes: extension.firefox_zip()?,
            about: "Firefox: to be signed by Mozilla (addons.mozilla.org), then by policy",
            id: Some(extension.firefox_id()),
        },
    ];
    written(&args.out, &pieces, args.json)?;
    if !args.json {
        for service in extension.services() {
            print(&format!("knows {service}\n"))?;
        }
        if extension.services().is_empty() {
            print(
                "knows the hosts of iManage, NetDocuments and HighQ themselves; the firm's own need --service or --config\n",
            )?;
        }
    }
    Ok(())
}

/// Services that were given, then destinations of other names.
fn joined(mut given: Vec<Service>, destinations: Vec<Service>) -> Vec<Service> {
    let others: Vec<_> =
        destinations.into_iter().filter(|it| given.iter().all(|other| other.name() != it.name())).collect();
    given.extend(others);
    given
}

/// Where the server of some settings is, and which of its destinations have pages that the extension knows.
fn of_settings(path: &Path, base: Option<&str>) -> anyhow::Result<(String, Vec<Service>)> {
    let settings = Settings::load(path, std::env::vars())?;
    let base = match (base, &settings.server.public_url) {
        (Some(base), _) => base.to_owned(),
        (None, Some(url)) => url.to_string(),
        (None, None) => bail!(
            "{} does not say by which address browsers reach the server\nhint: give --base-url, or set server.public_url",
            path.display()
        ),
    };
    let services = settings.destinations.iter().filter_map(|it| service(it.get_ref()).transpose());
    Ok((base, services.collect::<anyhow::Result<_>>()?))
}

fn service(destination: &Destination) -> anyhow::Result<Option<Service>> {
    let kind = match destination.kind {
        DestinationKind::Imanage => Kind::Imanage,
        DestinationKind::Netdocuments => Kind::NetDocuments,
        DestinationKind::Highq => Kind::HighQ,
        DestinationKind::Folder | DestinationKind::Webdav => return Ok(None),
    };
    let Some(host) = destination.pages_host() else { return Ok(None) };
    Ok(Some(Service::new(kind, destination.name.as_str(), &[&host])?))
}

fn key(path: &Path) -> anyhow::Result<PublicKey> {
    // Wiped afterwards: the private half stands in it.
    let text = std::fs::read_to_string(path)
        .map(Zeroizing::new)
        .with_context(|| format!("cannot read {}", path.display()))?;
    PublicKey::from_pem(&text).with_context(|| path.display().to_string())
}

fn written(folder: &Path, pieces: &[Piece], as_json: bool) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    for piece in pieces {
        let path: PathBuf = folder.join(piece.name);
        std::fs::write(&path, &piece.bytes).with_context(|| format!("cannot write {}", path.display()))?;
        let shown = path.display().to_string();
        print(&if as_json {
            format!("{}\n", json!({ "file": shown, "id": piece.id, "bytes": piece.bytes.len() }))
        } else {
            let id = piece.id.as_ref().map_or_else(String::new, |id| format!("\n    id {id}"));
            format!("{shown}  {}{id}\n", piece.about)
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: &str = r#"
[server]
public_url = "https://postroom.firm.example"
[data]
dir = "/var/lib/postroom"
[vault]
passphrase_file = "/run/secrets/passphrase"
private_key_file = "/run/secrets/key.pem"
[[destinations]]
name = "files"
kind = "folder"
[destinations.folder]
root = "/srv/dms"
[[destinations]]
name = "dms"
kind = "imanage"
[destinations.imanage]
base_url = "https://dms.firm.example:8443/work"
library = "ACTIVE"
auth = { grant = "password", client_id = "postroom", client_secret_file = "/run/a", username = "POSTROOM", password_file = "/run/b" }
[[destinations]]
name = "nd"
kind = "netdocuments"
[destinations.netdocuments]
region = "eu"
cabinet = "NG-1A2B3C4D"
mark_attribute = "postroom"
attributes = { postroom = 9 }
auth = { grant = "client_credentials", client_id = "AP-XXXXXXXX", client_secret_file = "/run/c", repository = "CA-9Z8Y7X6W" }
[[destinations]]
name = "collab"
kind = "highq"
[destinations.highq]
base_url = "https://collab.firm.example/collab"
auth = { grant = "refresh_token", client_id = 17, client_secret_file = "/run/d", refresh_token_file = "/run/e" }
"#;

    #[test]
    fn services_are_the_destinations_whose_pages_are_known() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("postroom.toml");
        std::fs::write(&path, SETTINGS).unwrap();
        let (base, services) = of_settings(&path, None).unwrap();
        assert_eq!(base, "https://postroom.firm.example/");
        let told = |services: &[Service]| services.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            told(&services),
            [
                "dms (imanage): dms.firm.example",
                "nd (netdocuments): eu.netdocuments.com",
                "collab (highq): collab.firm.example",
            ]
        );
        let (base, _) = of_settings(&path, Some("https://other.firm.example")).unwrap();
        assert_eq!(base, "https://other.firm.example");
        let given = "imanage=dms=firm.imanage.work,dms.firm.example".parse().unwrap();
        assert_eq!(
            told(&joined(vec![given], services))[..2],
            ["dms (imanage): firm.imanage.work, dms.firm.example", "nd (netdocuments): eu.netdocuments.com",]
        );

        std::fs::write(&path, SETTINGS.replace("public_url = \"https://postroom.firm.example\"", ""))
            .unwrap();
        let told = of_settings(&path, None).unwrap_err().to_string();
        assert!(told.contains("give --base-url"), "{told}");
    }

    #[test]
    fn files_are_written_and_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("new/addin");
        let args = ManifestArgs {
            base_url: "https://postroom.firm.example".to_owned(),
            out: out.clone(),
            provider: "Harrow & Finch LLP".to_owned(),
            support_url: None,
            on_send: OnSendArg::SoftBlock,
            json: true,
        };
        for _ in 0..2 {
            manifest(&args).unwrap();
            let mut names: Vec<_> = std::fs::read_dir(&out)
                .unwrap()
                .map(|it| it.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            assert_eq!(names, ["outlook.xml", "postroom-outlook.zip", "word.xml"]);
            assert!(
                std::fs::read_to_string(out.join("outlook.xml")).unwrap().contains("SendMode=\"SoftBlock\"")
            );
        }
        let refused = manifest(&ManifestArgs { base_url: "http://postroom.firm.example".to_owned(), ..args });
        assert!(refused.unwrap_err().to_string().contains("\nhint: "));
    }
}
