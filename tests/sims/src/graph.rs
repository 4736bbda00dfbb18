//! A fake Microsoft Graph, as far as mail goes, with the token endpoint beside it: mailboxes with folders and messages, changes by links
//! that grow old, two kinds of ids, subscriptions that really call back.
//!
//! ```no_run
//! use postroom_sims::graph::{APP, Options, SECRET, Sim, TENANT};
//!
//! let sim = Sim::start(Options::sample())?;
//! let control = sim.control();
//! let id = control.deliver("post@firm.example", "inbox", b"Subject: hello\r\n\r\nhello\r\n");
//! assert_eq!(control.messages("post@firm.example", "inbox")[0].id, id);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! **Sample.** Tenant [`TENANT`], application [`APP`] with [`SECRET`]. Mailboxes: `post@firm.example`, `clerks@firm.example` (shared),
//! `private@firm.example` (outside of the application's access policy), `old@firm.example` (not in the cloud).
//!
//! **What it holds to.** Immutable ids only where they are asked for, and plain ones that change with each move; ids that differ only in
//! case; query options refused beside a token; pages that are empty and go on; `categories` replaced as a whole; no `subject` of a
//! message that was sent is changed; at most [`Switches::abreast`] calls at once in a mailbox; a subscription is made only when its
//! address gives the validation token back as it is. What goes wrong is a [`Rule`] on one of the operations `token`, `user`, `folders`,
//! `folder`, `delta`, `message`, `value`, `patch`, `move`, `copy`, `delete`, `subscriptions`, `subscribe`, `renew`, `unsubscribe`,
//! `reauthorize`.
//!
//! **Control over HTTP** (JSON, below [`SimHandle::control_url`]): what every simulator has, and `POST mailboxes/{address}/{folder}` (a
//! message as it is, → `{"id":…}`), `GET mailboxes/{address}/{folder}`, `POST links/forget`, `GET subscriptions`,
//! `GET notifications`. Not here: attachments apart from the message, `$batch`, users and groups.

mod control;
mod delta;
mod flaws;
mod messages;
mod model;
mod sample;
mod serve;
mod subscriptions;
mod switches;
mod tokens;

use std::io;

pub use crate::common::faults::{Fire, Pattern};
pub use crate::common::options::App;
pub use crate::common::post::Delivered;
pub use crate::common::secrets::{Secret, SecretKind};
pub use crate::common::stats::Stats;
pub use crate::common::throttle::{RetryAfter, Throttle};
pub use control::{MessageView, SubscriptionView};
pub use flaws::Flaw;
pub use model::Graph;
pub use sample::{APP, SECRET, TENANT};
pub use switches::{Owner, Standing, Switches};

/// What it starts with.
pub type Options = crate::common::options::Options<Graph>;
/// A running server; dropping it stops it.
pub type SimHandle = crate::common::sim::SimHandle<Graph>;
/// Access to a running server's state.
pub type Control = crate::common::control::Control<Graph>;
/// What a fault does.
pub type Action = crate::common::mischief::Action<Flaw>;
/// A scripted fault.
pub type Rule = crate::common::faults::Rule<Action>;

/// Starts servers.
#[derive(Debug)]
pub struct Sim;

impl Sim {
    /// Bind 127.0.0.1 and serve on threads of its own; works with or without a runtime around it.
    pub fn start(options: Options) -> io::Result<SimHandle> {
        crate::common::sim::start(options)
    }
}
