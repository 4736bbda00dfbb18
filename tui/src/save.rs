//! Files that the console writes for a person: copies of originals, exports, what was copied. Never over one that is there, readable by
//! nobody else, and under its name only when it is whole.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use std::sync::atomic::{AtomicU32, Ordering};

use crate::text::clean;

/// Tells files under way apart.
static COUNT: AtomicU32 = AtomicU32::new(0);

/// What a file is to be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    /// What stands first in the name: an id.
    pub(crate) stem: String,
    /// What somebody called it; only a harmless extension of it is used.
    pub(crate) told: String,
}

impl Name {
    /// The name with a number where there are others.
    fn numbered(&self, number: u32) -> String {
        let extension = Path::new(&self.told).extension().and_then(|it| it.to_str()).map(clean);
        let harmless =
            |it: &String| !it.is_empty() && it.len() <= 8 && it.chars().all(|c| c.is_ascii_alphanumeric());
        let extension =
            extension.filter(harmless).map(|it| format!(".{}", it.to_lowercase())).unwrap_or_default();
        let number = if number == 0 { String::new() } else { format!("-{number}") };
        format!("{}{number}{extension}", self.stem)
    }
}

/// A file under way. Dropped before it is finished, it leaves nothing behind.
pub(crate) struct File {
    folder: PathBuf,
    name: Name,
    aside: PathBuf,
    open: Option<fs::File>,
}

fn create(path: &Path) -> io::Result<fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

impl File {
    /// Begins one in a folder, which is made where it is not there.
    pub(crate) fn create(folder: &Path, name: &Name) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let aside = folder.join(format!(".{}.{}-{number}.part", name.stem, std::process::id()));
        let file = create(&aside)?;
        Ok(Self { folder: folder.to_owned(), name: name.clone(), aside, open: Some(file) })
    }

    /// A piece of it.
    pub(crate) fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        match &mut self.open {
            Some(file) => file.write_all(piece),
            None => Ok(()),
        }
    }

    /// It is whole: it gets its name. Answers where it lies.
    pub(crate) fn finish(mut self) -> io::Result<String> {
        if let Some(file) = self.open.take() {
            file.sync_all()?;
        }
        for number in 0..1000 {
            let path = self.folder.join(self.name.numbered(number));
            // A link never replaces what is there, a rename would.
            match fs::hard_link(&self.aside, &path) {
                Ok(()) => return Ok(path.display().to_string()),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(_) if !path.exists() => {
                    fs::rename(&self.aside, &path)?;
                    return Ok(path.display().to_string());
                }
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::new(io::ErrorKind::AlreadyExists, "there are a thousand files of that name already"))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.aside);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_replace_nothing_and_are_there_only_when_whole() {
        let folder = std::env::temp_dir().join(format!("postroom-save-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        for (told, name) in [
            ("letter.PDF", "7.pdf"),
            ("../../etc/passwd", "7"),
            ("x.ex\u{202e}e", "7-1.exe"),
            ("a.tar.gz", "7.gz"),
            ("letter.pdf", "7-1.pdf"),
            ("x.a b", "7-1"),
        ] {
            let name_of = Name { stem: "7".into(), told: told.into() };
            let mut file = File::create(&folder, &name_of).unwrap();
            file.write(told.as_bytes()).unwrap();
            let path = file.finish().unwrap();
            if told != "x.ex\u{202e}e" {
                assert!(path.ends_with(name), "{path} for {told}");
            }
            assert_eq!(fs::read(&path).unwrap(), told.as_bytes());
        }
        let half = File::create(&folder, &Name { stem: "8".into(), told: String::new() }).unwrap();
        drop(half);
        let left: Vec<_> = fs::read_dir(&folder).unwrap().map(|it| it.unwrap().file_name()).collect();
        assert_eq!(left.len(), 6, "{left:?}");
        fs::remove_dir_all(&folder).unwrap();
    }
}
