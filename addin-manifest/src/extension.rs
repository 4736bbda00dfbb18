//! The browser extension, packaged for a firm: where its Postroom is and which services it has are baked in. Chrome and Edge take one
//! package, Firefox another, for they differ in a few lines of the manifest.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use rust_embed::Embed;
use serde_json::{Value, json};

use crate::{BaseUrl, Mistake, PublicKey, icon, package};

#[derive(Embed)]
#[folder = "extension"]
struct Source;

/// What the package names its icons, by their size.
const ICONS: [u32; 4] = [16, 32, 48, 128];
/// Hosts in one service, and services in one extension: far more than a firm has, and few enough to read.
const MOST: usize = 50;

/// A kind of DMS whose pages the extension knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// iManage Work.
    Imanage,
    /// NetDocuments.
    NetDocuments,
    /// HighQ.
    HighQ,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Imanage, Self::NetDocuments, Self::HighQ];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Imanage => "imanage",
            Self::NetDocuments => "netdocuments",
            Self::HighQ => "highq",
        }
    }
}

/// A DMS of the firm's: how Postroom calls it, and on which hosts people see its pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    kind: Kind,
    name: String,
    hosts: Vec<String>,
}

impl Service {
    /// One, with names and hosts that are fit for addresses.
    pub fn new(kind: Kind, name: &str, hosts: &[&str]) -> Result<Self, Mistake> {
        let given = format!("{}={name}={}", kind.as_str(), hosts.join(","));
        let wrong = |problem: String| Mistake::Service { given: given.clone(), problem };
        let of_names = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | '.');
        if name.is_empty() || name.len() > 64 || !name.chars().all(of_names) {
            return Err(wrong(format!("\"{name}\" is no name of a destination")));
        }
        if hosts.is_empty() || hosts.len() > MOST {
            return Err(wrong(format!("1 to {MOST} hosts")));
        }
        if let Some(host) = hosts.iter().find(|it| !is_host(it)) {
            return Err(wrong(format!("\"{host}\" is no host; give it without https:// and without a port")));
        }
        let hosts = hosts.iter().map(|it| it.to_ascii_lowercase()).collect();
        Ok(Self { kind, name: name.to_owned(), hosts })
    }
}

impl Service {
    /// How Postroom calls it.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Whether a text is the name of a host, or of all hosts below one: `*.highq.com`.
fn is_host(text: &str) -> bool {
    let label = |it: &str| {
        !it.is_empty()
            && it.len() < 64
            && !it.starts_with('-')
            && !it.ends_with('-')
            && it.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    let below = text.strip_prefix("*.");
    let labels: Vec<_> = below.unwrap_or(text).split('.').collect();
    text.len() < 254 && labels.iter().all(|it| label(it)) && (below.is_none() || labels.len() > 1)
}

impl FromStr for Service {
    type Err = Mistake;

    /// `KIND=NAME=HOST[,HOST]`
    fn from_str(given: &str) -> Result<Self, Mistake> {
        let wrong = |problem: &str| Mistake::Service { given: given.to_owned(), problem: problem.to_owned() };
        let mut parts = given.splitn(3, '=');
        let (Some(kind), Some(name), Some(hosts)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(wrong("a part is missing"));
        };
        let kind = Kind::ALL.into_iter().find(|it| it.as_str() == kind);
        let kind = kind.ok_or_else(|| wrong("the kind is imanage, netdocuments or highq"))?;
        Self::new(kind, name, &hosts.split(',').map(str::trim).collect::<Vec<_>>())
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.name, self.kind.as_str(), self.hosts.join(", "))
    }
}

/// The extension of one firm.
#[derive(Debug, Clone)]
pub struct Extension {
    base: BaseUrl,
    services: Vec<Service>,
    key: Option<PublicKey>,
}

impl Extension {
    /// The extension of the firm whose server is at `base`. Without services it knows the vendors' own hosts, and calls a service by its
    /// kind. With a key it has the same id wherever it is loaded from.
    pub fn new(base: BaseUrl, services: Vec<Service>, key: Option<PublicKey>) -> Result<Self, Mistake> {
        let twice = services
            .iter()
            .enumerate()
            .find(|(at, it)| services[..*at].iter().any(|other| other.name == it.name));
        if let Some((_, service)) = twice {
            return Err(Mistake::Service {
                given: service.to_string(),
                problem: "the name stands twice".to_owned(),
            });
        }
        if services.len() > MOST {
            let problem = format!("there are more than {MOST} of them");
            return Err(Mistake::Service { given: "--service".to_owned(), problem });
        }
        Ok(Self { base, services, key })
    }

    /// The services in it.
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// Its id in Chrome and Edge, where a key fixes it.
    pub fn id(&self) -> Option<String> {
        self.key.as_ref().map(PublicKey::id)
    }

    /// Its id in Firefox.
    pub fn firefox_id(&self) -> String {
        let host: String = self
            .base
            .host()
            .chars()
            .filter(|it| it.is_ascii_alphanumeric() || matches!(it, '.' | '-'))
            .collect();
        format!("postroom@{host}")
    }

    /// The package for Chrome and Edge.
    pub fn chrome_zip(&self) -> Result<Vec<u8>, Mistake> {
        let mut manifest = self.manifest()?;
        if let Some(key) = &self.key {
            manifest["key"] = json!(base64(key.der()));
        }
        self.packed(&manifest, &[])
    }

    /// The package for Firefox.
    pub fn firefox_zip(&self) -> Result<Vec<u8>, Mistake> {
        let mut manifest = self.manifest()?;
        manifest["background"] = json!({ "scripts": ["background.js"], "type": "module" });
        manifest["browser_specific_settings"] = json!({ "gecko": {
            "id": self.firefox_id(),
            // The long-term release that knows the next line, which says that nothing is collected.
            "strict_min_version": "140.0",
            "data_collection_permissions": { "required": ["none"] },
        } });
        if let Some(manifest) = manifest.as_object_mut() {
            // Firefox reads policies without a schema, and has a least version of its own.
            manifest.remove("storage");
            manifest.remove("minimum_chrome_version");
        }
        self.packed(&manifest, &["managed_schema.json"])
    }

    fn manifest(&self) -> Result<Value, Mistake> {
        let wrong = |error: &dyn fmt::Display| Mistake::written("the extension", &error.to_string());
        let source = Source::get("manifest.json").ok_or_else(|| wrong(&"its manifest is missing"))?;
        let mut manifest: Value = serde_json::from_slice(&source.data).map_err(|error| wrong(&error))?;
        let asked = self.optional_hosts();
        if let Some(manifest) = manifest.as_object_mut().filter(|_| asked.is_empty()) {
            manifest.remove("optional_host_permissions");
        } else {
            manifest["optional_host_permissions"] = json!(asked);
        }
        Ok(manifest)
    }

    /// Hosts that it may ask for: those of HighQ, whose lists have ticked rows that no address names.
    fn optional_hosts(&self) -> Vec<String> {
        let of_highq = self.services.iter().filter(|it| it.kind == Kind::HighQ);
        let mut hosts: Vec<_> =
            of_highq.flat_map(|it| it.hosts.iter().map(|host| format!("https://{host}/*"))).collect();
        let usual = "https://*.highq.com/*".to_owned();
        if self.services.is_empty() || (!hosts.is_empty() && !hosts.contains(&usual)) {
            hosts.push(usual);
        }
        hosts
    }

    fn config(&self) -> Result<String, Mistake> {
        let services = self
            .services
            .iter()
            .map(|it| json!({ "name": it.name, "kind": it.kind.as_str(), "hosts": it.hosts }));
        let config = json!({ "baseUrl": self.base.to_string(), "services": services.collect::<Vec<_>>() });
        let text = serde_json::to_string_pretty(&config)
            .map_err(|error| Mistake::written("the extension", &error))?;
        Ok(format!("// Written for this firm by `postroom addin extension`.\nexport default {text};\n"))
    }

    fn packed(&self, manifest: &Value, without: &[&str]) -> Result<Vec<u8>, Mistake> {
        let manifest = serde_json::to_string_pretty(manifest)
            .map_err(|error| Mistake::written("the extension", &error))?;
        let mut files: Vec<(String, Cow<'static, [u8]>)> = vec![
            ("manifest.json".to_owned(), (manifest + "\n").into_bytes().into()),
            ("config.js".to_owned(), self.config()?.into_bytes().into()),
        ];
        let mut names: Vec<_> = Source::iter().collect();
        names.sort();
        for name in names {
            let replaced = files.iter().any(|(known, _)| *known == name) || without.contains(&name.as_ref());
            if let Some(file) = Source::get(&name).filter(|_| !replaced) {
                files.push((name.into_owned(), file.data));
            }
        }
        for size in ICONS {
            if let Some(drawn) = icon(&format!("icon-{size}.png")) {
                files.push((format!("icons/{size}.png"), drawn));
            }
        }
        package::zip(files.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())))
    }
}

/// A key as a manifest holds it.
fn base64(bytes: &[u8]) -> String {
    use base64ct::{Base64, Encoding as _};
    Base64::encode_string(bytes)
}
