//! Word from a mail server that something is new. It is believed in nothing but that: a look at the mailbox tells what it is.

use secrecy::SecretString;

/// What a server says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeKind {
    /// Something changed in a folder, or words before were lost.
    Look,
    /// It wants to be asked again soon, or will say nothing more.
    Renew,
    /// It says nothing more.
    Ended,
}

/// One word.
#[derive(Debug, Clone)]
pub struct MailNotice {
    /// Under which name the server keeps its promise to tell.
    pub subscription: String,
    /// What only the server and the mailbox know.
    pub secret: SecretString,
    /// What it says.
    pub kind: NoticeKind,
}
