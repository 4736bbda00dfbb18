//! Signals from outside: the terminal is given back before any of them has its way.

use std::io;

/// What a signal asks for.
pub(crate) enum Signal {
    /// To end.
    End,
    /// To stop until continued.
    Pause,
}

#[cfg(unix)]
mod system {
    use tokio::signal::unix::{SignalKind, signal};

    use super::{Signal, io};

    /// The signals that are listened to.
    pub(crate) struct Signals {
        end: [tokio::signal::unix::Signal; 3],
        pause: tokio::signal::unix::Signal,
    }

    impl Signals {
        pub(crate) fn new() -> io::Result<Self> {
            Ok(Self {
                end: [
                    signal(SignalKind::terminate())?,
                    signal(SignalKind::hangup())?,
                    signal(SignalKind::interrupt())?,
                ],
                pause: signal(SignalKind::from_raw(signal_hook::consts::SIGTSTP))?,
            })
        }

        /// Waits for the next one.
        pub(crate) async fn next(&mut self) -> Signal {
            let [terminate, hangup, interrupt] = &mut self.end;
            tokio::select! {
                _ = terminate.recv() => Signal::End,
                _ = hangup.recv() => Signal::End,
                _ = interrupt.recv() => Signal::End,
                _ = self.pause.recv() => Signal::Pause,
            }
        }
    }

    /// Stops this process until it is continued.
    pub(crate) fn stop_this_process() -> io::Result<()> {
        signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)
    }
}

#[cfg(not(unix))]
mod system {
    use super::{Signal, io};

    /// The signals that are listened to.
    pub(crate) struct Signals;

    impl Signals {
        pub(crate) fn new() -> io::Result<Self> {
            Ok(Self)
        }

        /// Waits for the next one.
        pub(crate) async fn next(&mut self) -> Signal {
            let _ = tokio::signal::ctrl_c().await;
            Signal::End
        }
    }

    /// There is no such thing here.
    pub(crate) fn stop_this_process() -> io::Result<()> {
        Ok(())
    }
}

pub(crate) use system::{Signals, stop_this_process};
