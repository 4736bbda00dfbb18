//! `person …`: the first administrator, and everybody after.

use std::process::ExitCode;

use anyhow::bail;
use postroom_api::client::{Client, ClientError};
use postroom_api::dms_account::DmsAccountView;
use postroom_api::person::{NewPersonBody, PersonBody, PersonList, PersonView, SitesBody};
use postroom_api::problem::Code;
use postroom_domain::people::Status;
use postroom_domain::person::Role;
use serde::Serialize;

use super::connection::{connect, explained};
use super::{lines, print, when};
use crate::cli::{AddPersonArgs, PersonArgs, PersonCommand, SetPersonArgs, SitesArgs, StatusArg};

/// Persons asked for at once.
const PAGE: usize = 200;

/// Runs the subcommand.
pub(super) async fn run(args: PersonArgs) -> anyhow::Result<ExitCode> {
    let client = connect(&args.server)?;
    let json = args.server.json;
    carry_out(&client, args.command, json).await.map_err(|error| explained(error, &args.server))
}

async fn carry_out(client: &Client, command: PersonCommand, json: bool) -> anyhow::Result<ExitCode> {
    match command {
        PersonCommand::Add(args) => add(client, args, json).await?,
        PersonCommand::List { text } => {
            let all = search(client, &text).await?;
            lines(&all, json, line)?;
            if all.is_empty() && !json {
                print("Nobody fits.\n")?;
            }
        }
        PersonCommand::Show { who } => {
            let person = find(client, &who).await?;
            let accounts = client.dms_accounts(person.id).await?.items;
            lines(&[Shown { person, accounts }], json, whole_card)?;
        }
        PersonCommand::Account { who, service } => {
            let person = find(client, &who).await?;
            let account = client.make_dms_account(person.id, &service).await?;
            lines(std::slice::from_ref(&account), json, |it| format!("{}: {}\n", it.service, it.text))?;
            return Ok(if account.account.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        PersonCommand::Set(args) => set(client, args, json).await?,
        PersonCommand::Invite { who } => {
            let person = find(client, &who).await?;
            invite(client, &person, json).await?;
        }
        PersonCommand::Unlock { who } => {
            let person = find(client, &who).await?;
            lines(&[client.unlock(person.id).await?], json, card)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn add(client: &Client, args: AddPersonArgs, json: bool) -> anyhow::Result<()> {
    let mut sites = sites(args.sites);
    sites.all |= args.admin;
    let roles = match (args.admin, args.role.is_empty()) {
        (true, _) => vec![Role::Admin.name()],
        (false, true) => vec![Role::User.name()],
        (false, false) => args.role,
    };
    let body = NewPersonBody {
        email: args.email.clone(),
        display_name: args.name,
        roles,
        sites,
        teams: args.team,
        pending: args.pending,
    };
    let person = match client.add_person(&body).await {
        Err(ClientError::Problem(problem)) if problem.code == Code::Exists.as_str() => {
            let who = &args.email;
            bail!("{problem}\nhint: `postroom person invite {who}` prints a new one-time link")
        }
        other => other?,
    };
    if args.no_link || args.pending {
        return lines(&[person], json, card);
    }
    invite(client, &person, json).await
}

/// A person with their accounts in the DMSs.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    person: PersonView,
    accounts: Vec<DmsAccountView>,
}

fn whole_card(shown: &Shown) -> String {
    let rows = shown.accounts.iter().map(|it| format!("  {:<10}  {}: {}\n", "account", it.service, it.text));
    card(&shown.person) + &rows.collect::<String>()
}

/// Prints a one-time link. It is shown here and nowhere else.
async fn invite(client: &Client, person: &PersonView, json: bool) -> anyhow::Result<()> {
    let made = client.invite(person.id).await?;
    if json {
        let line = serde_json::json!({
            "person": person, "invitation": {"url": made.url.expose(), "expires": made.expires},
        });
        return Ok(print(&format!("{line}\n"))?);
    }
    let url = made.url.expose();
    Ok(print(&format!(
        "{}One-time link for {}, which works once, until {}:\n\n    {url}\n\n",
        card(person),
        person.display_name,
        when(made.expires),
    ))?)
}

async fn set(client: &Client, args: SetPersonArgs, json: bool) -> anyhow::Result<()> {
    let person = find(client, &args.who).await?;
    let some = |empty: bool| (!empty).then_some(());
    let body = PersonBody {
        email: args.email,
        display_name: args.name,
        status: args.status.map(|it| match it {
            StatusArg::Active => Status::Active,
            StatusArg::Pending => Status::Pending,
            StatusArg::Disabled => Status::Disabled,
        }),
        roles: some(args.role.is_empty()).map(|()| args.role),
        sites: args
            .site
            .map(|site| sites(SitesArgs { site, also_site: args.also_site, all_sites: args.all_sites })),
        teams: some(args.team.is_empty()).map(|()| args.team),
        forget: Vec::new(),
    };
    if body == PersonBody::default() {
        bail!("nothing is to be changed; `postroom person set --help` lists what can be");
    }
    lines(&[client.change_person(person.id, person.version, &body).await?], json, card)
}

pub(super) fn sites(args: SitesArgs) -> SitesBody {
    SitesBody { home: args.site, also: args.also_site, all: args.all_sites }
}

async fn search(client: &Client, text: &str) -> anyhow::Result<Vec<PersonView>> {
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let list = PersonList { search: text.to_owned(), limit: Some(PAGE), cursor };
        let page = client.persons(&list).await?;
        all.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(all);
        }
    }
}

async fn find(client: &Client, who: &str) -> anyhow::Result<PersonView> {
    let wanted = who.trim().to_lowercase();
    let is = |it: &PersonView| it.email == wanted || it.name == wanted;
    match search(client, &wanted).await?.into_iter().find(is) {
        Some(person) => Ok(person),
        None => {
            bail!("there is nobody with the e-mail or name {who}; `postroom person list` shows who there is")
        }
    }
}

const fn word(status: Status) -> &'static str {
    match status {
        Status::Active => "active",
        Status::Pending => "pending",
        Status::Disabled => "disabled",
    }
}

fn joined<T: ToString>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn line(person: &PersonView) -> String {
    let last = person.last_sign_in.map_or_else(|| "never".to_owned(), when);
    format!(
        "{:<8}  {:<36}  {:<20}  {:<12}  {last}\n",
        word(person.status),
        person.email,
        joined(&person.roles),
        person.sites.home,
    )
}

fn card(person: &PersonView) -> String {
    use std::fmt::Write as _;
    let sites = match (&person.sites.also, person.sites.all) {
        (_, true) => "all".to_owned(),
        (also, false) => joined(&[std::slice::from_ref(&person.sites.home), also].concat()),
    };
    let mut text = format!("{} <{}>\n", person.display_name, person.email);
    let mut row = |key: &str, value: &str| {
        // Writing to a text does not fail.
        let _ = writeln!(text, "  {key:<10}  {value}");
    };
    row("id", &person.id.to_string());
    row("known as", &person.name);
    row("status", word(person.status));
    row("roles", &joined(&person.roles));
    row("sites", &sites);
    if !person.teams.is_empty() {
        row("teams", &joined(&person.teams));
    }
    row("password", if person.has_password { "set" } else { "none" });
    for identity in &person.identities {
        row("known at", &format!("{} as {}", identity.service, identity.email));
    }
    if let Some(until) = person.locked_until {
        row("locked", &format!("until {}", when(until)));
    }
    text
}
