//! `token …`: bearer tokens of programs.

use std::process::ExitCode;

use postroom_api::account::{ProgramBody, TokenBody, TokenList, TokenView};

use super::connection::{connect, explained};
use super::person::sites;
use super::{lines, print, when};
use crate::cli::{NewTokenArgs, ServerArgs, TokenArgs, TokenCommand};
use crate::system::SystemEntropy;
use crate::tokens;

/// Runs the subcommand.
pub(super) async fn run(args: TokenArgs) -> anyhow::Result<ExitCode> {
    let server = args.server;
    if let TokenCommand::New(new) = &args.command
        && new.for_settings
    {
        for_settings(new)?;
        return Ok(ExitCode::SUCCESS);
    }
    carry_out(&server, args.command).await.map_err(|error| explained(error, &server))
}

async fn carry_out(server: &ServerArgs, command: TokenCommand) -> anyhow::Result<ExitCode> {
    let client = connect(server)?;
    match command {
        TokenCommand::New(args) => {
            let body = TokenBody {
                name: args.name,
                days: args.days,
                scope: (!args.scope.is_empty()).then_some(args.scope),
                program: Some(ProgramBody { roles: vec![args.role], sites: sites(args.sites) }),
            };
            let made = client.make_token(&body).await?;
            if server.json {
                let line = serde_json::json!({"secret": made.secret.expose(), "token": made.token});
                print(&format!("{line}\n"))?;
            } else {
                let (id, ends) = (made.token.id, when(made.token.expires));
                let secret = made.secret.expose();
                print(&format!("{secret}\n\n# Token {id}, until {ends}. It is shown here only.\n"))?;
            }
        }
        TokenCommand::List => {
            let all = client.tokens(&TokenList { person: None, programs: true }).await?.items;
            lines(&all, server.json, line)?;
            if all.is_empty() && !server.json {
                print("No program has a token that was made here; those of the settings stand there.\n")?;
            }
        }
        TokenCommand::Revoke { id } => {
            client.revoke_token(id).await?;
            if !server.json {
                print("Revoked: it is not let in any more.\n")?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn for_settings(args: &NewTokenArgs) -> std::io::Result<()> {
    let token = tokens::mint(&SystemEntropy);
    let mut sites = format!("site = \"{}\"\n", args.sites.site);
    if !args.sites.also_site.is_empty() {
        let also: Vec<_> = args.sites.also_site.iter().map(|it| format!("\"{it}\"")).collect();
        sites = format!("{sites}also_sites = [{}]\n", also.join(", "));
    }
    if args.sites.all_sites {
        sites += "all_sites = true\n";
    }
    print(&format!(
        "{token}\n\n# Add this to the settings and restart; the token itself is not kept anywhere.\n\
         [[tokens]]\nname = {:?}\nrole = \"{}\"\n{sites}sha256 = \"{}\"\n",
        args.name,
        args.role,
        tokens::digest_hex(&token)
    ))
}

fn line(token: &TokenView) -> String {
    let used = token.used.map_or_else(|| "never used".to_owned(), |at| format!("used {}", when(at)));
    let roles = token.program.iter().flat_map(|it| &it.roles).map(ToString::to_string).collect::<Vec<_>>();
    format!(
        "{}  {:<24}  {:<16}  {used}, until {}\n",
        token.id,
        token.name,
        roles.join(", "),
        when(token.expires)
    )
}
