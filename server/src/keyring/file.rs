//! The file itself.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use postroom_vault::{
    Chance, KdfCost, Keyring, KeyringError, Passphrase, PassphraseError, PrivateKey, PrivateKeyError, Summary,
};
use secrecy::SecretString;

/// The keyring's name in the data folder.
const NAME: &str = "keyring.json";
/// Says that there was a keyring: without it everything sealed is lost, so a new one is not made in silence.
const MARK: &str = "keyring.made";
/// What a backup of the data folder takes along.
pub(crate) const KEYRING_FILES: [&str; 2] = [NAME, MARK];

/// Why there is no keyring. Nothing was touched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenKeyringError {
    /// The passphrase will not do.
    #[error("vault.passphrase: {0}")]
    Passphrase(#[from] PassphraseError),
    /// The private key will not do.
    #[error("vault.private_key: {0}")]
    PrivateKey(#[from] PrivateKeyError),
    /// It does not open with them.
    #[error("{path}: {source}")]
    Closed {
        /// The file.
        path: String,
        /// Which half is wrong, or what is the matter with the file.
        source: KeyringError,
    },
    /// There was one, and it is gone.
    #[error(
        "{path} is gone, and with it the keys of everything that is sealed in this folder\nhint: bring it back from a backup. To begin anew and lose every link and stored document, remove {MARK} too"
    )]
    Gone {
        /// The file.
        path: String,
    },
    /// The disk does not let us.
    #[error("{path}: {source}")]
    Disk {
        /// With what.
        path: String,
        /// What the system says.
        source: io::Error,
    },
}

/// What the file's durability hangs on, behind a trait, so that tests can make the Nth operation fail.
pub(super) trait KeyringDisk: Send + Sync {
    /// Makes a new file that only we may read, with these bytes, and flushes it.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    /// Gives a file a second name, if nothing has it.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(from, to)
    }

    /// Gives a file its name, in place of what has it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    /// Makes the names in a folder durable.
    fn flush_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }
}

/// The disk as it is.
pub(super) struct PlainDisk;

impl KeyringDisk for PlainDisk {}

/// Where the keyring is kept.
pub(crate) struct KeyringFile {
    folder: PathBuf,
    disk: Box<dyn KeyringDisk>,
}

/// What the keyring in a data folder says of itself, without opening it; none when there is none. For messages where the vault's settings
/// are missing.
pub(crate) fn keyring_summary(data: &Path) -> Result<Option<Summary>, OpenKeyringError> {
    let file = KeyringFile { folder: data.to_owned(), disk: Box::new(PlainDisk) };
    let Some(bytes) = file.read()? else { return Ok(None) };
    Keyring::peek(&bytes).map(Some).map_err(|source| file.closed(source))
}

/// Opens the keyring in a data folder or backup without changing anything there. Blocks for as long as the passphrase costs.
pub(crate) fn read_keyring(
    data: &Path,
    (passphrase, private_key): (&SecretString, &SecretString),
) -> Result<Keyring, OpenKeyringError> {
    let (passphrase, private_key) = (Passphrase::new(passphrase)?, PrivateKey::from_pem(private_key)?);
    let file = KeyringFile { folder: data.to_owned(), disk: Box::new(PlainDisk) };
    let bytes =
        file.read()?.ok_or_else(|| OpenKeyringError::Gone { path: file.path().display().to_string() })?;
    Keyring::open(&bytes, &passphrase, &private_key).map_err(|source| file.closed(source))
}

/// Opens the keyring in a data folder, or makes one where there never was any. Blocks for as long as the passphrase costs.
///
/// `made` is the time of day, for people. A wrong passphrase or private key is told before anything is written.
pub(crate) fn open_keyring(
    data: &Path,
    (passphrase, private_key): (&SecretString, &SecretString),
    cost: KdfCost,
    made: &str,
    chance: &dyn Chance,
) -> Result<(KeyringFile, Keyring), OpenKeyringError> {
    open_on(Box::new(PlainDisk), data, (passphrase, private_key), cost, made, chance)
}

pub(super) fn open_on(
    disk: Box<dyn KeyringDisk>,
    data: &Path,
    (passphrase, private_key): (&SecretString, &SecretString),
    cost: KdfCost,
    made: &str,
    chance: &dyn Chance,
) -> Result<(KeyringFile, Keyring), OpenKeyringError> {
    let passphrase = Passphrase::new(passphrase)?;
    let private_key = PrivateKey::from_pem(private_key)?;
    let file = KeyringFile { folder: data.to_owned(), disk };
    let bytes = match file.read()? {
        Some(bytes) => bytes,
        None if file.folder.join(MARK).exists() => {
            return Err(OpenKeyringError::Gone { path: file.path().display().to_string() });
        }
        None => {
            let keyring = Keyring::create(&passphrase, &private_key, cost, made, chance)
                .map_err(|source| file.closed(source))?;
            file.create(keyring.bytes())?;
            // Whoever was first: another process may have made one in the same moment.
            file.read()?.ok_or_else(|| file.trouble(ErrorKind::NotFound.into()))?
        }
    };
    let keyring = Keyring::open(&bytes, &passphrase, &private_key).map_err(|source| file.closed(source))?;
    file.mark(&keyring)?;
    Ok((file, keyring))
}

impl KeyringFile {
    /// Whether the file still holds this keyring.
    pub(crate) fn is_still(&self, keyring: &Keyring) -> bool {
        fs::read(self.path()).is_ok_and(|now| now == keyring.bytes())
    }

    /// Replaces the keyring. Durable when it returns; after an error the one before stands there, unless the text says otherwise. Blocks.
    pub(crate) fn replace(&self, before: &Keyring, after: &Keyring) -> Result<(), String> {
        let Err(error) = self.put(after.bytes()) else { return Ok(()) };
        let path = self.path();
        if fs::read(&path).is_ok_and(|now| now == before.bytes()) {
            return Err(format!("{}: {error}", path.display()));
        }
        // It has the name, but whether that survives a power cut is not known: back to what is known.
        match self.put(before.bytes()) {
            Ok(()) => Err(format!("{}: {error}", path.display())),
            Err(again) => Err(format!(
                "{}: {error}; and it could not be put back ({again}): it opens with either the old or the new passphrase and private key",
                path.display()
            )),
        }
    }

    fn put(&self, bytes: &[u8]) -> io::Result<()> {
        let aside = self.aside();
        remove(&aside)?;
        self.disk.write(&aside, bytes)?;
        self.disk.rename(&aside, &self.path())?;
        self.disk.flush_folder(&self.folder)
    }

    /// Makes the first one, if nobody else has meanwhile.
    fn create(&self, bytes: &[u8]) -> Result<(), OpenKeyringError> {
        let aside = self.folder.join(format!("{NAME}.{}", std::process::id()));
        let made = || -> io::Result<()> {
            remove(&aside)?;
            self.disk.write(&aside, bytes)?;
            match self.disk.link(&aside, &self.path()) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
                _ => remove(&aside)?,
            }
            self.disk.flush_folder(&self.folder)
        };
        made().map_err(|error| self.trouble(error))
    }

    /// Writes down that there is a keyring.
    fn mark(&self, keyring: &Keyring) -> Result<(), OpenKeyringError> {
        let mark = self.folder.join(MARK);
        let text = format!("{NAME} was made here; first seen with master key {}\n", keyring.summary().master);
        match self.disk.write(&mark, text.as_bytes()) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            Ok(()) => self.disk.flush_folder(&self.folder).map_err(|error| self.trouble(error)),
            Err(error) => Err(self.trouble(error)),
        }
    }

    fn read(&self) -> Result<Option<Vec<u8>>, OpenKeyringError> {
        match fs::read(self.path()) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.trouble(error)),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.join(NAME)
    }

    fn aside(&self) -> PathBuf {
        self.folder.join(format!("{NAME}.new"))
    }

    fn closed(&self, source: KeyringError) -> OpenKeyringError {
        OpenKeyringError::Closed { path: self.path().display().to_string(), source }
    }

    fn trouble(&self, source: io::Error) -> OpenKeyringError {
        OpenKeyringError::Disk { path: self.path().display().to_string(), source }
    }
}

/// Removes what an earlier attempt left.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
