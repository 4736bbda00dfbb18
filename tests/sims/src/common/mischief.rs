//! What can go wrong on purpose at an OAuth simulator, and the plan the rules make for one call.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::wire::{TokenError, error_body};

/// What a fault does. `F` are the flaws of the simulator's own answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action<F> {
    /// Answer at once, without doing the work.
    Status {
        /// HTTP status.
        status: u16,
        /// Headers such as `Retry-After`.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// Body; a JSON object without meaning if none.
        #[serde(default)]
        body: Option<String>,
    },
    /// Answer with an OAuth error, without doing the work.
    Refuse {
        /// Code, such as `invalid_grant`.
        error: String,
        /// Text.
        #[serde(default)]
        description: String,
        /// Keys of the body.
        #[serde(default)]
        form: TokenError,
    },
    /// Answer 200 with a page, as a proxy or a maintenance screen would.
    Html {},
    /// Answer 200 with a JSON object of this size.
    Huge {
        /// Bytes.
        bytes: u64,
    },
    /// Send the client elsewhere. By default that is `/_elsewhere`, whose calls are counted: nobody should follow.
    Redirect {
        /// HTTP status, such as 307.
        status: u16,
        /// Address.
        #[serde(default)]
        to: Option<String>,
    },
    /// Wait before anything else.
    Delay {
        /// Milliseconds.
        ms: u64,
    },
    /// Wait until released through control.
    Hang {},
    /// Close the connection; the client gets no status and nothing is done.
    Close {},
    /// Do the work, then close without an answer.
    LoseAnswer {},
    /// Do the work, then answer with this status.
    CommitThenStatus {
        /// HTTP status, such as 502.
        status: u16,
    },
    /// Send head and so many bytes of the answer's body, then close.
    CutAnswer {
        /// Bytes.
        after: u64,
    },
    /// Let all access tokens expire before the work; refresh tokens stay.
    ExpireTokens {},
    /// Revoke the grants of a person, or of everybody, before the work.
    RevokeTokens {
        /// Id or mail address.
        #[serde(default)]
        person: Option<String>,
    },
    /// Do the work, but get this wrong in the answer.
    Flaw {
        /// What.
        flaw: F,
    },
}

/// Whose grants an action ends.
#[derive(Clone, Debug)]
pub(crate) enum Whose {
    Nobodys,
    Everybodys,
    /// By id or mail address.
    Of(String),
}

/// What the faults decided for one call.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent things that go wrong, not a state")]
pub(crate) struct Plan<F> {
    pub(crate) delay_ms: u64,
    pub(crate) hang: bool,
    pub(crate) close: bool,
    /// Answer instead of the work.
    pub(crate) answer: Option<Answer>,
    pub(crate) huge: Option<u64>,
    pub(crate) lose_answer: bool,
    pub(crate) after_commit: Option<u16>,
    pub(crate) cut_answer: Option<u64>,
    pub(crate) expire: bool,
    /// Whose grants end.
    pub(crate) revoke: Whose,
    pub(crate) flaws: Vec<F>,
}

impl<F> Default for Plan<F> {
    fn default() -> Self {
        Self {
            delay_ms: 0,
            hang: false,
            close: false,
            answer: None,
            huge: None,
            lose_answer: false,
            after_commit: None,
            cut_answer: None,
            expire: false,
            revoke: Whose::Nobodys,
            flaws: Vec::new(),
        }
    }
}

impl<F: Clone> Plan<F> {
    /// Write an action in. `base` is the simulator's own address.
    pub(crate) fn note(&mut self, action: &Action<F>, base: &str) {
        match action {
            Action::Status { status, headers, body } => {
                let body = body.clone().unwrap_or_else(|| format!("{{\"simulated\":{status}}}"));
                let kind = if body.starts_with('<') { "text/html" } else { "application/json" };
                let answer = Answer::new(*status, kind, body);
                self.answer = Some(headers.iter().fold(answer, |a, (name, value)| a.header(name, value)));
            }
            Action::Refuse { error, description, form } => {
                self.answer = Some(Answer::tokens(400, &error_body(*form, error, description)));
            }
            Action::Html {} => {
                let page = "<!doctype html><title>Maintenance</title><h1>We will be back soon</h1>";
                self.answer = Some(Answer::html(200, page.to_owned()));
            }
            Action::Huge { bytes } => self.huge = Some(*bytes),
            Action::Redirect { status, to } => {
                let to = to.clone().unwrap_or_else(|| format!("{base}/_elsewhere"));
                self.answer = Some(Answer::new(*status, "text/plain", "").header("Location", &to));
            }
            Action::Delay { ms } => self.delay_ms += ms,
            Action::Hang {} => self.hang = true,
            Action::Close {} => self.close = true,
            Action::LoseAnswer {} => self.lose_answer = true,
            Action::CommitThenStatus { status } => self.after_commit = Some(*status),
            Action::CutAnswer { after } => self.cut_answer = Some(*after),
            Action::ExpireTokens {} => self.expire = true,
            Action::RevokeTokens { person } => {
                self.revoke = person.clone().map_or(Whose::Everybodys, Whose::Of);
            }
            Action::Flaw { flaw } => self.flaws.push(flaw.clone()),
        }
    }
}
