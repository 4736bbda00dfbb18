//! `keys init`: new files with a certificate, its private key and a passphrase.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use postroom_vault::{
    Chance, IdentityError, NoChance, PrivateKey, PrivateKeyError, generate_identity, generate_passphrase,
};
use secrecy::ExposeSecret as _;

/// Where the new files go. None of them may exist.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewCredentials<'a> {
    /// The certificate.
    pub(crate) certificate: &'a Path,
    /// Its private key.
    pub(crate) private_key: &'a Path,
    /// A passphrase, where one is to be made.
    pub(crate) passphrase: Option<&'a Path>,
}

/// Why nothing was made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InitError {
    /// A file exists already, or cannot be written. The others were removed again.
    #[error("{path}: {source}")]
    File {
        /// Which one.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// No certificate.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// What was made cannot be read again.
    #[error(transparent)]
    PrivateKey(#[from] PrivateKeyError),
    /// No random bytes.
    #[error(transparent)]
    NoChance(#[from] NoChance),
}

/// Makes the files, for their owner's eyes only (0600), and answers the private key's fingerprint. All of them or none; never in place of
/// a file that is there.
pub(crate) fn init_credentials(
    files: &NewCredentials<'_>,
    name: &str,
    today: Timestamp,
    chance: &dyn Chance,
) -> Result<String, InitError> {
    let day = today.to_zoned(TimeZone::UTC).date();
    let number = |it: i8| u8::try_from(it).unwrap_or(1);
    let identity = generate_identity(name, (day.year().into(), number(day.month()), number(day.day())))?;
    let fingerprint = PrivateKey::from_pem(&identity.private_key)?.fingerprint();
    let mut made = Made(Vec::new());
    made.file(files.certificate, identity.certificate.as_bytes())?;
    made.file(files.private_key, identity.private_key.expose_secret().as_bytes())?;
    if let Some(path) = files.passphrase {
        let passphrase = generate_passphrase(chance)?;
        made.file(path, passphrase.expose_secret().as_bytes())?;
    }
    made.0.clear();
    Ok(fingerprint)
}

/// Files made so far; removed again unless everything went well.
struct Made(Vec<PathBuf>);

impl Made {
    fn file(&mut self, path: &Path, bytes: &[u8]) -> Result<(), InitError> {
        let trouble = |source| InitError::File { path: path.display().to_string(), source };
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(trouble)?;
        self.0.push(path.to_owned());
        let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
        file.write_all(bytes)
            .and_then(|()| file.sync_all())
            .and_then(|()| File::open(folder)?.sync_all())
            .map_err(trouble)
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        for path in &self.0 {
            let _gone: io::Result<()> = fs::remove_file(path);
        }
    }
}
