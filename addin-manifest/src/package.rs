//! ZIP files that are the same bytes each time: no times, and files in the order they are given.

use std::borrow::Cow;
use std::io::{Cursor, Write as _};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::Mistake;

/// Puts files into one.
pub(crate) fn zip<'a>(
    files: impl IntoIterator<Item = (&'a str, Cow<'static, [u8]>)>,
) -> Result<Vec<u8>, Mistake> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let written = |error: zip::result::ZipError| Mistake::written("the package", &error);
    for (name, bytes) in files {
        zip.start_file(name, SimpleFileOptions::default()).map_err(written)?;
        zip.write_all(&bytes).map_err(|error| Mistake::written("the package", &error))?;
    }
    Ok(zip.finish().map_err(written)?.into_inner())
}
