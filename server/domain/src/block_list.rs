//! Kinds of files that a repository does not take: by every extension in the name, and by what the content really is.

use std::collections::BTreeSet;
use std::fmt;

use crate::screening::Inside;

/// Extensions that are not filed, lower-cased and without their dots.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockList(BTreeSet<String>);

/// How many of the first bytes of a document are enough to know what it is.
pub const HEAD: usize = 8 * 1024;

/// Extensions that stand for the same kind of content: the name that was given to a program says nothing about what it does.
const FAMILIES: [&[&str]; 9] = [
    &["exe", "dll", "scr", "com", "pif", "cpl", "sys", "ocx", "drv", "mui"],
    &["elf", "so", "bin"],
    &["mach", "dylib"],
    &["sh", "bash", "csh", "zsh"],
    &["class", "jar"],
    &["lnk"],
    &["jpg", "jpeg", "jpe"],
    &["tif", "tiff"],
    &["htm", "html", "xhtml"],
];

/// Kinds, as contents are called, that are programs.
const PROGRAMS: [&str; 8] = ["exe", "dll", "elf", "mach", "lnk", "class", "sh", "wasm"];

/// Why a document is withheld.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blocked {
    /// An extension of its name is on the list.
    Name(String),
    /// Its content is of a kind on the list, whatever its name says. First what it is, then the entry of the list.
    Content(String, String),
    /// A file in an archive is of a kind on the list. First the file, then the entry of the list.
    Inside(String, String),
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(extension) => write!(f, "files with the extension .{extension} are not filed there"),
            Self::Content(kind, listed) if kind == listed => {
                write!(f, "its content is that of a .{kind} file, which is not filed there")
            }
            Self::Content(kind, listed) => {
                write!(f, "its content is that of a .{kind} file, and .{listed} files are not filed there")
            }
            Self::Inside(name, listed) => {
                write!(f, "\"{name}\" in it is a .{listed} file, and such files are not filed there")
            }
        }
    }
}

impl BlockList {
    /// Reads extensions as they stand in the settings, with or without a dot. The error is the entry that is none.
    pub fn parse<T: AsRef<str>>(entries: &[T]) -> Result<Self, String> {
        let mut list = BTreeSet::new();
        for entry in entries {
            let extension = tidy(entry.as_ref().trim().trim_start_matches('.'));
            if extension.is_empty() || extension.contains(['.', '/', '\\', '*']) {
                return Err(entry.as_ref().to_owned());
            }
            list.insert(extension);
        }
        Ok(Self(list))
    }

    /// Whether everything is taken.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Why a document is withheld, by its name and its first bytes ([`HEAD`] are enough); none when it is taken.
    pub fn blocks(&self, file_name: &str, head: &[u8]) -> Option<Blocked> {
        let named = extensions(file_name).find(|extension| self.0.contains(extension));
        named.map(Blocked::Name).or_else(|| self.blocks_content(head))
    }

    /// Why an archive is withheld, by what lies in it; none when it is taken.
    pub fn blocks_inside(&self, inside: &Inside) -> Option<Blocked> {
        let named = inside.names.iter().find(|(extension, _)| self.0.contains(*extension));
        if let Some((extension, name)) = named {
            return Some(Blocked::Inside(name.clone(), extension.clone()));
        }
        let mut contents = inside.contents.iter();
        contents.find_map(|(kind, name)| Some(Blocked::Inside(name.clone(), self.lists(kind)?.to_owned())))
    }

    fn blocks_content(&self, head: &[u8]) -> Option<Blocked> {
        let kind = kind_of(head)?;
        Some(Blocked::Content(kind.to_owned(), self.lists(kind)?.to_owned()))
    }

    /// The entry by which content of a kind is on the list.
    fn lists<'a>(&self, kind: &'a str) -> Option<&'a str> {
        let mut alike = std::iter::once(kind).chain(family(kind).iter().copied());
        alike.find(|listed| self.0.contains(*listed))
    }
}

/// Extensions that stand for the same kind of content; none where a kind has only one.
fn family(kind: &str) -> &'static [&'static str] {
    FAMILIES.iter().find(|family| family.contains(&kind)).copied().unwrap_or(&[])
}

/// Whether two extensions stand for the same kind of content.
pub(crate) fn alike(one: &str, other: &str) -> bool {
    one == other || family(one).contains(&other)
}

/// Whether content of a kind is a program.
pub(crate) fn is_program(kind: &str) -> bool {
    PROGRAMS.contains(&kind)
}

/// Every extension of a name, the last first: `invoice.pdf.exe .` has `exe` and `pdf`. What a file system drops at the end of a name
/// (dots and spaces) does not count, nor do characters that cannot be seen.
pub(crate) fn extensions(file_name: &str) -> impl Iterator<Item = String> + '_ {
    let name = file_name.rsplit(['/', '\\']).next().unwrap_or("");
    let parts: Vec<String> = name.split('.').skip(1).map(tidy).filter(|part| !part.is_empty()).collect();
    parts.into_iter().rev()
}

/// Lower-cased, without spaces at its ends and without characters that cannot be seen. A stream of Windows (`a.exe:x`) is cut off.
fn tidy(extension: &str) -> String {
    let plain = extension.split(':').next().unwrap_or("");
    plain.chars().filter(|c| !is_unseen(*c)).collect::<String>().trim().to_lowercase()
}

/// Whether a character cannot be seen, or turns around how others are.
pub(crate) fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// What content is, as the extension that it usually has; none where its first bytes do not tell.
pub(crate) fn kind_of(head: &[u8]) -> Option<&'static str> {
    // The magic of a Windows shortcut, [MS-SHLLINK] 2.1: the header's size, then the start of its class id.
    if head.starts_with(&[0x4c, 0, 0, 0, 0x01, 0x14, 0x02, 0]) {
        return Some("lnk");
    }
    infer::get(head).map(|kind| kind.extension())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_looked_through_from_the_last_extension_to_the_first() {
        let list = BlockList::parse(&["exe", ".JS", " vbs "]).unwrap();
        // Name, and the extension that it is withheld for.
        let table: &[(&str, Option<&str>)] = &[
            ("letter.pdf", None),
            ("letter", None),
            ("", None),
            ("exe", None),
            ("setup.exe", Some("exe")),
            ("SETUP.EXE", Some("exe")),
            ("setup.exe.", Some("exe")),
            ("setup.exe. . ", Some("exe")),
            ("setup.exe ", Some("exe")),
            ("setup. exe", Some("exe")),
            ("invoice.pdf.exe", Some("exe")),
            ("invoice.exe.pdf", Some("exe")),
            ("a.Js.txt.zip", Some("js")),
            (".vbs", Some("vbs")),
            ("a.exe:stream", Some("exe")),
            ("a.ex\u{200b}e", Some("exe")),
            ("a.\u{202e}exe", Some("exe")),
            ("dir.exe/letter.pdf", None),
            ("C:\\x.exe\\letter.pdf", None),
            ("a.exes", None),
            ("a.jse", None),
        ];
        for (name, wanted) in table {
            let wanted = wanted.map(|extension| Blocked::Name(extension.to_owned()));
            assert_eq!(list.blocks(name, b"plain words"), wanted, "{name:?}");
        }
    }

    #[test]
    fn content_is_what_it_is_whatever_its_name() {
        let pe = [b"MZ".as_slice(), &[0; 200]].concat();
        let elf = [b"\x7fELF\x02\x01\x01".as_slice(), &[0; 200]].concat();
        let shortcut = [0x4c, 0, 0, 0, 0x01, 0x14, 0x02, 0, 0, 0];
        let table: &[(&[&str], &[u8], Option<(&str, &str)>)] = &[
            (&["exe"], &pe, Some(("exe", "exe"))),
            (&["dll"], &pe, Some(("exe", "dll"))),
            (&["so"], &elf, Some(("elf", "so"))),
            (&["sh"], b"#!/bin/sh\nrm -rf /\n", Some(("sh", "sh"))),
            (&["lnk"], &shortcut, Some(("lnk", "lnk"))),
            (&["zip"], b"PK\x03\x04\x14\0\0\0", Some(("zip", "zip"))),
            (&["exe", "js"], b"%PDF-1.7\n", None),
            (&["pdf"], b"%PDF-1.7\n", Some(("pdf", "pdf"))),
            (&["exe"], b"", None),
            (&["exe"], b"M", None),
            (&[], &pe, None),
        ];
        for (listed, head, wanted) in table {
            let list = BlockList::parse(listed).unwrap();
            let wanted = wanted.map(|(kind, listed)| Blocked::Content(kind.to_owned(), listed.to_owned()));
            assert_eq!(list.blocks("letter.txt", head), wanted, "{listed:?}");
        }
    }

    #[test]
    fn archives_are_withheld_for_what_lies_in_them() {
        let mut inside = Inside::of(crate::ids::BlobHash::new([1; 32]));
        for (name, head) in [
            ("readme.txt", b"plain".as_slice()),
            ("a/setup.EXE", b"plain"),
            ("b/letter.doc", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
            ("c.zip/d.pdf.js", b"plain"),
        ] {
            assert!(inside.add(name, head));
        }
        let table: &[(&[&str], Option<(&str, &str)>)] = &[
            (&["exe"], Some(("a/setup.EXE", "exe"))),
            (&["js"], Some(("c.zip/d.pdf.js", "js"))),
            (&["so"], Some(("b/letter.doc", "so"))),
            (&["zip"], None),
            (&["vbs"], None),
            (&[], None),
        ];
        for (listed, wanted) in table {
            let list = BlockList::parse(listed).unwrap();
            let wanted = wanted.map(|(name, listed)| Blocked::Inside(name.to_owned(), listed.to_owned()));
            assert_eq!(list.blocks_inside(&inside), wanted, "{listed:?}");
        }
    }

    #[test]
    fn what_is_no_extension_is_told() {
        for bad in ["", ".", "*.exe", "a.b", "a/b"] {
            assert_eq!(BlockList::parse(&["exe", bad]), Err(bad.to_owned()));
        }
    }
}
