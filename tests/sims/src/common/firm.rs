//! The people of the sample firm. Every simulator knows them, each under ids of its own.

/// Somebody who works at the sample firm, or beside it.
pub(crate) struct Human {
    /// Short id; iManage uses it as it is.
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) email: &'static str,
}

const fn human(id: &'static str, name: &'static str, email: &'static str) -> Human {
    Human { id, name, email }
}

/// The service account, three fee earners, one who has left, a guest and an administrator.
pub(crate) const PEOPLE: [Human; 7] = [
    human("POSTROOM", "Postroom service", "postroom@firm.example"),
    human("MPATEL", "Mina Patel", "m.patel@firm.example"),
    human("JREED", "Jonah Reed", "j.reed@firm.example"),
    human("TCHEN", "Tao Chen", "t.chen@firm.example"),
    human("KOLD", "Kim Old", "k.old@firm.example"),
    human("XGUEST", "Xenia Guest", "x.guest@outside.example"),
    human("WADMIN", "Work Admin", "w.admin@firm.example"),
];

/// Who may not sign in any more.
pub(crate) const LEFT: &str = "KOLD";

/// Who does not belong to the firm.
pub(crate) const OUTSIDE: &str = "XGUEST";

/// Who administers.
pub(crate) const ADMIN: &str = "WADMIN";
