//! Where log lines go. A log that cannot be written never stops the house.

use std::fs::OpenOptions;
use std::io;
use std::sync::Mutex;

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

use crate::settings::{Log, LogFormat};

/// A writer that swallows its errors: a full disk under the log is no reason to stop filing.
struct Unbreakable<W>(W);

impl<W: io::Write> io::Write for Unbreakable<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(self.0.write(bytes).unwrap_or(bytes.len()))
    }
    fn flush(&mut self) -> io::Result<()> {
        let _lost = self.0.flush();
        Ok(())
    }
}

/// Starts logging as the settings say.
pub(crate) fn start(log: &Log) -> anyhow::Result<()> {
    let filter =
        EnvFilter::try_new(&log.filter).with_context(|| format!("log.filter: \"{}\"", log.filter))?;
    let writer: Box<dyn io::Write + Send> = match &log.file {
        Some(path) => Box::new(Unbreakable(
            OpenOptions::new()
                .create(true)
                .append(true)
                .open(path)
                .with_context(|| format!("log.file: cannot open {}", path.display()))?,
        )),
        None => Box::new(Unbreakable(io::stderr())),
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(log.file.is_none() && io::IsTerminal::is_terminal(&io::stderr()))
        .with_writer(Mutex::new(writer));
    // A second start within one process (tests) keeps the first one's log.
    let _already = match log.format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    Ok(())
}
