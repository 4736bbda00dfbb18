//! Values as pages show them.

use std::fmt::Display;

use jiff::Timestamp;
use minijinja::{Value, context};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use postroom_domain::ids::SessionId;
use postroom_domain::link::{Link, LinkState};
use postroom_domain::people::{Session, Token};
use postroom_domain::person::{Permission, Sites};

/// A time, to the minute.
pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%-d %b %Y, %H:%M UTC").to_string()
}

/// Texts with commas between them.
pub(super) fn list<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let texts: Vec<_> = items.into_iter().map(|it| it.to_string()).collect();
    texts.join(", ")
}

pub(super) fn sites(sites: &Sites) -> String {
    if sites.all {
        return format!("all (home: {})", sites.home);
    }
    list(std::iter::once(&sites.home).chain(&sites.also))
}

/// A text as the value of an address's parameter.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

pub(super) fn permission(permission: Permission) -> &'static str {
    match permission {
        Permission::File => "Hand in documents and see your own",
        Permission::SeeAll => "See all documents of your sites",
        Permission::Decide => "Decide over filings",
        Permission::Pause => "Pause and resume sources and destinations",
        Permission::EditWorkItems => "Change work items",
        Permission::ManagePersons => "Look after persons",
        Permission::ManageLinks => "Look after links",
        Permission::ReadAudit => "Read the audit",
        Permission::Administer => "Administer the server",
    }
}

/// A browser by the name that people know it by; what is none we know is shown as it calls itself.
fn browser(agent: &str) -> String {
    // Most call themselves by the names of others too: the first that fits is the one.
    let named = |names: &[(&str, &'static str)]| {
        names.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name)
    };
    let browser = named(&[
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = named(&[
        ("iPhone", "an iPhone"),
        ("iPad", "an iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS", "a Mac"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        _ => agent.to_owned(),
    }
}

pub(super) fn sessions(sessions: &[Session], here: Option<SessionId>) -> Vec<Value> {
    let row = |it: &Session| {
        context! {
            id => it.id.to_string(), agent => browser(&it.agent), by => it.by.as_str(), since => time(it.created), used => time(it.used),
            ends => time(it.ends), here => here == Some(it.id),
        }
    };
    sessions.iter().map(row).collect()
}

pub(super) fn tokens(tokens: &[Token]) -> Vec<Value> {
    let row = |it: &Token| {
        let scope = it
            .scope
            .as_ref()
            .map_or_else(|| "everything".to_owned(), |it| list(it.iter().copied().map(permission)));
        context! {
            id => it.id.to_string(), name => it.name.as_str(), scope, made => time(it.created),
            used => it.used.map_or_else(|| "never".to_owned(), time), ends => time(it.expires),
        }
    };
    tokens.iter().map(row).collect()
}

/// A link, or that there is none.
pub(super) fn link(link: Option<&Link>) -> Value {
    let Some(link) = link else {
        return context! { state => "none", state_text => "Not linked" };
    };
    let (state, text, reason) = match &link.state {
        LinkState::Active => ("active", "Linked".to_owned(), ""),
        LinkState::Unconfirmed => ("unconfirmed", "Waits until the account is confirmed".to_owned(), ""),
        LinkState::Broken { since, reason } => {
            ("broken", format!("Does not work since {}: link it again", time(*since)), reason.as_str())
        }
    };
    context! {
        link => link.id.to_string(), state, state_text => text, reason, account => account(link),
        account_email => (account(link) != link.account.email).then_some(&link.account.email), owner => link.made_by.as_str(),
        since => time(link.linked), ends => link.ends().map(time),
    }
}

/// The outside account's name; its e-mail or id where the service tells no name.
pub(super) fn account(link: &Link) -> &str {
    let account = &link.account;
    [&account.name, &account.email, &account.id].into_iter().find(|it| !it.is_empty()).map_or("?", |it| it)
}

#[cfg(test)]
mod tests {
    use super::browser;

    #[test]
    fn browsers_have_the_names_that_people_know() {
        let windows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
        let table = [
            (windows.to_owned(), "Chrome on Windows"),
            (format!("{windows} Edg/140.0.0.0"), "Edge on Windows"),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15".to_owned(),
                "Safari on a Mac",
            ),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".to_owned(), "Firefox on Linux"),
            ("curl/8.5.0".to_owned(), "curl/8.5.0"),
            (String::new(), ""),
        ];
        for (agent, wanted) in table {
            assert_eq!(browser(&agent), wanted, "{agent}");
        }
    }
}
