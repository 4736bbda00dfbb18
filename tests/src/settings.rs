//! The settings file of a world.

use std::fmt::Write as _;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

/// The roles, each with one token.
pub const ROLES: [&str; 4] = ["user", "operator", "support", "admin"];

/// The passphrase of every world.
pub const PASSPHRASE: &str = "every world of these tests is sealed with the same hundred characters and some, \
    which nobody else may ever use for anything at all";

/// The private key of every world, as `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256` made it. It protects nothing.
pub const PRIVATE_KEY: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgMX4UTUL0yGCQPx88
9HVsE8qBzgk/0t7d7QmLTJi1KIWhRANCAARIzvyyuB4J59wv5UwM0uLGY6uXecXJ
BQUX1umqilfE6XPhNSkehou4rw5XAu3JdUtK7G0OAbmgzKZALZwxpV5l
-----END PRIVATE KEY-----
";

/// What differs between worlds.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The world's folder.
    pub root: PathBuf,
    /// Port to listen on.
    pub port: u16,
    /// Whether the folder DMS is there.
    pub folder: bool,
    /// Name and address of each iManage.
    pub imanage: Vec<(String, String)>,
    /// Whether the hot folder is there.
    pub hot: bool,
    /// Filings at once per destination.
    pub concurrency: usize,
    /// Lines of `[retry]`.
    pub retry: String,
    /// Lines of `[limits]`.
    pub limits: String,
    /// Lines of `[server]` besides `listen`.
    pub server: String,
    /// Lines of `[destinations.imanage]` besides address and sign-in.
    pub imanage_extra: String,
    /// The free-space door.
    pub reserve_bytes: u64,
    /// Log filter.
    pub log: String,
    /// Further sections.
    pub more: String,
}

/// The token of a role, the same in every world.
pub fn token(role: &str) -> String {
    format!("pr_test_{role}_{}", "0123456789abcdef".repeat(4))
}

/// Hexadecimal SHA-256, as `[[tokens]]` wants it.
pub fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

impl Settings {
    /// The folder DMS's root.
    pub fn dms(&self) -> PathBuf {
        self.root.join("dms")
    }

    /// The hot folder.
    pub fn hot(&self) -> PathBuf {
        self.root.join("hot")
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    /// The file with the passphrase.
    pub fn passphrase(&self) -> PathBuf {
        self.root.join("passphrase")
    }

    /// The file with the private key.
    pub fn private_key(&self) -> PathBuf {
        self.root.join("private-key.pem")
    }

    /// Writes passphrase and private key where [`Settings::text`] says that they are.
    pub fn write_secrets(&self) -> std::io::Result<()> {
        std::fs::write(self.passphrase(), PASSPHRASE)?;
        std::fs::write(self.private_key(), PRIVATE_KEY)
    }

    /// The file's text.
    pub fn text(&self) -> String {
        let vault = format!(
            "[vault]\npassphrase_file = {:?}\nprivate_key_file = {:?}\n",
            self.passphrase().display().to_string(),
            self.private_key().display().to_string()
        );
        let mut text = format!(
            "[server]\nlisten = \"127.0.0.1:{}\"\n{}\n[data]\ndir = {:?}\nreserve_bytes = {}\n\n[limits]\n{}\n\n\
             [retry]\n{}\n\n[log]\nfilter = \"{}\"\n\n{vault}",
            self.port,
            self.server,
            self.data().display().to_string(),
            self.reserve_bytes,
            self.limits,
            self.retry,
            self.log,
        );
        for role in ROLES {
            let hash = sha256(&token(role));
            let _ = write!(
                text,
                "\n[[tokens]]\nname = \"{role}\"\nrole = \"{role}\"\nsite = \"main\"\nsha256 = \"{hash}\"\n"
            );
        }
        let concurrency = self.concurrency;
        if self.folder {
            let root = self.dms().display().to_string();
            let _ = write!(
                text,
                "\n[[destinations]]\nname = \"files\"\nkind = \"folder\"\nconcurrency = {concurrency}\n\
                 [destinations.folder]\nroot = {root:?}\n"
            );
            // The folder takes matters when nothing else does, and clients' documents and scans always.
            let areas: &[&str] = if self.imanage.is_empty() {
                &["matter_documents", "client_documents", "scanning"]
            } else {
                &["client_documents", "scanning"]
            };
            for area in areas {
                let _ = write!(
                    text,
                    "\n[[repositories]]\nname = \"files-{area}\"\narea = \"{area}\"\nservice = \"files\"\n\
                     resolver = \"default\"\nresolver_config = \"[workitem.reference]\"\n\
                     folder = \"Correspondence\"\ncreate_folders = true\n"
                );
            }
        }
        // Two of them at most: matters go to the first, instructions to the second.
        let areas = ["matter_documents", "instructions"];
        for ((name, url), area) in self.imanage.iter().zip(areas) {
            let extra = &self.imanage_extra;
            let _ = write!(
                text,
                "\n[[destinations]]\nname = \"{name}\"\nkind = \"imanage\"\nconcurrency = {concurrency}\n\
                 [destinations.imanage]\nbase_url = \"{url}\"\nlibrary = \"ACTIVE\"\n{extra}\n\
                 [destinations.imanage.auth]\ngrant = \"password\"\nclient_id = \"postroom\"\n\
                 client_secret = \"postroom-client-secret\"\nusername = \"POSTROOM\"\npassword = \"postroom-pass\"\n\
                 \n[[repositories]]\nname = \"{name}-{area}\"\narea = \"{area}\"\nservice = \"{name}\"\n\
                 library = \"ACTIVE\"\nresolver = \"search\"\n\
                 resolver_config = \"custom1=[workitem.client.reference], custom2=[workitem.attributes.matter]\"\n\
                 folder = \"Documents/Correspondence\"\n"
            );
        }
        if self.hot {
            let path = self.hot().display().to_string();
            let _ = write!(
                text,
                "\n[[hot_folders]]\nname = \"scans\"\npath = {path:?}\nsettle_seconds = 1\nscan_millis = 100\n"
            );
            if !self.folder {
                text += "area = \"matter_documents\"\n";
            }
        }
        text + &self.more
    }
}
