//! The command line.

mod desk;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use postroom_domain::ids::{RepositoryName, RoleName, ServiceName, SiteName, SourceName, TeamName, TokenId};
use postroom_domain::person::Permission;

pub(crate) use desk::{
    DeskCommand, DoorsArgs, DoorsCommand, EditArgs, IntakesArgs, IntakesCommand, ListIntakesArgs, ReachArgs,
    TableArg, ViewsArgs, ViewsCommand,
};

/// The post room of a law firm: documents come in, are safe at once, and are filed in the right workspace, once.
#[derive(Debug, Parser)]
#[command(name = "postroom", version, about, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run everything on this machine, with sample matters, to look around
    #[cfg(feature = "demo")]
    Demo(DemoArgs),
    /// Run the server
    Serve(ServeArgs),
    /// Read the settings and tell every mistake in them
    CheckConfig(ConfigArgs),
    /// Try every connection and tell what will not work
    Doctor(ConfigArgs),
    /// Add and look after persons of a running server
    Person(PersonArgs),
    /// Make, list and revoke bearer tokens of programs
    Token(TokenArgs),
    /// Make and change what seals tokens and documents
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Verify and export the history
    #[command(subcommand)]
    Audit(AuditCommand),
    /// See and remove linked accounts
    Links(LinksArgs),
    /// List the libraries, cabinets or sites of a DMS, with the ids that settings need
    Discover(DiscoverArgs),
    /// Look for libraries, workspaces and folders in a DMS
    Places(PlacesArgs),
    /// Copy a stopped server's data to a new folder
    Backup(BackupArgs),
    /// Put a backup back into an empty folder
    Restore(RestoreArgs),
    /// Check a stopped server's data, or a backup, row by row and byte by byte
    Verify(VerifyArgs),
    /// See and decide over filings of a running server
    Filings(FilingsArgs),
    /// See and decide over what arrived at a running server
    Intakes(IntakesArgs),
    /// Stop sources and destinations of a running server, and let them go on
    Doors(DoorsArgs),
    /// Your saved views of the console
    Views(ViewsArgs),
    /// Follow, stop and take back sets of filings that are decided over together
    Bulk(crate::commands::bulk::BulkArgs),
    /// Print cover sheets of work items, which tell where what is scanned behind them belongs
    CoverSheets(CoverSheetsArgs),
    /// Tell where documents of a work item would go, step by step; nothing is made or filed
    Resolve(ResolveArgs),
    /// Try rules of matching on letters; nothing is filed or changed
    Rules(RulesArgs),
    /// Load work items from a table, and unload them
    Data(DataArgs),
    /// Write what belongs into Office and browsers
    #[command(subcommand)]
    Addin(AddinCommand),
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Print one line of JSON when ready
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// The settings
    #[arg(long, value_name = "FILE", default_value = "postroom.toml")]
    pub(crate) config: PathBuf,
}

#[cfg(feature = "demo")]
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Port to listen on; 0 picks one
    #[arg(long, default_value_t = 8440)]
    pub(crate) port: u16,
    /// Folder for everything the demo keeps; a second start with the same one goes on where it was [default: a fresh
    /// temporary folder, removed at the end]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Print nothing but what is asked for
    #[arg(long)]
    pub(crate) quiet: bool,
    /// Print one line of JSON instead of the tour
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which server administration talks to. Without an address it is the one on this machine whose settings are named, by its socket: who
/// may open that is the local administrator.
#[derive(Debug, Clone, Args)]
pub(crate) struct ServerArgs {
    /// The settings of the server on this machine
    #[arg(long, value_name = "FILE", default_value = "postroom.toml", global = true)]
    pub(crate) config: PathBuf,
    /// The address of a server elsewhere; needs a token of an administrator
    #[arg(long, value_name = "URL", global = true)]
    pub(crate) server: Option<String>,
    /// A file with that token
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) token_file: Option<PathBuf>,
    /// Print JSON, one object a line
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PersonArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(subcommand)]
    pub(crate) command: PersonCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PersonCommand {
    /// Add a person and print a one-time link with which they set a password
    Add(AddPersonArgs),
    /// List persons
    List {
        /// Name or e-mail contains this
        #[arg(default_value = "")]
        text: String,
    },
    /// Show one
    Show {
        /// Their e-mail or name
        who: String,
    },
    /// Change one
    Set(SetPersonArgs),
    /// Print a new one-time link, in place of those before
    Invite {
        /// Their e-mail or name
        who: String,
    },
    /// End a lock-out after wrong passwords
    Unlock {
        /// Their e-mail or name
        who: String,
    },
    /// Find a person's account in a DMS by their e-mail, or make one where the settings allow it
    #[command(
        long_about = "Find a person's account in a DMS by their e-mail, or make one where the settings allow it \
        (create in [destinations.accounts]).\n\n\
        An account that is there is left as it is, also one that is locked. Ends with a failure when there is none afterwards."
    )]
    Account {
        /// Their e-mail or name
        who: String,
        /// The destination
        #[arg(long)]
        service: ServiceName,
    },
}

#[derive(Debug, Args)]
pub(crate) struct AddPersonArgs {
    /// Their e-mail
    pub(crate) email: String,
    /// How they are called
    #[arg(long, default_value = "")]
    pub(crate) name: String,
    /// An administrator of every site
    #[arg(long, conflicts_with_all = ["role", "all_sites"])]
    pub(crate) admin: bool,
    /// What they may do; can be given more than once [default: user]
    #[arg(long)]
    pub(crate) role: Vec<RoleName>,
    #[command(flatten)]
    pub(crate) sites: SitesArgs,
    /// A team they are in; can be given more than once
    #[arg(long)]
    pub(crate) team: Vec<TeamName>,
    /// Only added: they may not come in yet
    #[arg(long)]
    pub(crate) pending: bool,
    /// Print no one-time link: they sign in with a provider
    #[arg(long)]
    pub(crate) no_link: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct SitesArgs {
    /// The home site
    #[arg(long, default_value = "main")]
    pub(crate) site: SiteName,
    /// A further site; can be given more than once
    #[arg(long)]
    pub(crate) also_site: Vec<SiteName>,
    /// Every site
    #[arg(long)]
    pub(crate) all_sites: bool,
}

/// Whether a person may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StatusArg {
    Active,
    Pending,
    Disabled,
}

#[derive(Debug, Args)]
pub(crate) struct SetPersonArgs {
    /// Their e-mail or name
    pub(crate) who: String,
    /// A new e-mail
    #[arg(long)]
    pub(crate) email: Option<String>,
    /// How they are called
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Whether they may come in
    #[arg(long)]
    pub(crate) status: Option<StatusArg>,
    /// What they may do, in place of all before; can be given more than once
    #[arg(long)]
    pub(crate) role: Vec<RoleName>,
    /// The home site, in place of all sites before
    #[arg(long)]
    pub(crate) site: Option<SiteName>,
    /// A further site; can be given more than once
    #[arg(long, requires = "site")]
    pub(crate) also_site: Vec<SiteName>,
    /// Every site
    #[arg(long, requires = "site")]
    pub(crate) all_sites: bool,
    /// A team they are in, in place of all before; can be given more than once
    #[arg(long)]
    pub(crate) team: Vec<TeamName>,
}

#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(subcommand)]
    pub(crate) command: TokenCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token for a program and print it once
    New(NewTokenArgs),
    /// List the tokens of programs
    List,
    /// Revoke one
    Revoke {
        /// Its id
        id: TokenId,
    },
}

#[derive(Debug, Args)]
pub(crate) struct NewTokenArgs {
    /// What the program may do: user, operator, support, admin, or a role of the firm's own
    #[arg(long)]
    pub(crate) role: RoleName,
    /// The name that audit and screens show
    #[arg(long)]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) sites: SitesArgs,
    /// Days until it ends
    #[arg(long, conflicts_with = "for_settings")]
    pub(crate) days: Option<u32>,
    /// What it may do at most; can be given more than once [default: all that the role allows]
    #[arg(long, conflicts_with = "for_settings")]
    pub(crate) scope: Vec<Permission>,
    /// Ask no server: print the lines for the settings, for a token that ends only when they are taken out again
    #[arg(long)]
    pub(crate) for_settings: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a certificate, its private key and a passphrase, and print the section for the settings
    #[command(
        long_about = "Make a certificate, its private key and a passphrase, and print the section for the settings.\n\n\
        An existing certificate does as well: its private key as PEM, unencrypted, in a file that only Postroom's user reads. \
        From a PKCS#12 file (.pfx, .p12):\n\n    \
        openssl pkcs12 -in firm.pfx -nocerts -nodes | openssl pkey -out postroom-key.pem\n    \
        chmod 600 postroom-key.pem\n\n\
        Keep copies of passphrase and key apart from the backups of the data: without both nothing sealed opens again."
    )]
    Init(InitArgs),
    /// Tell which keys there are, and how far a change of them is
    Status(ServerArgs),
    /// Change keys while the server runs
    #[command(long_about = "Change keys while the server runs.\n\n\
        A new data key (--data) seals everything anew in the background; killed in between it goes on at the next start. \
        A new master key (--passphrase-file and --private-key-file) is in force at once: put the same two files into the section \
        [vault] of the settings before the next start.")]
    Rotate(RotateArgs),
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The folder for the three files
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) to: PathBuf,
    /// The name in the certificate
    #[arg(long, default_value = "Postroom")]
    pub(crate) name: String,
    /// Make no passphrase: there is one of more than 100 characters already
    #[arg(long)]
    pub(crate) no_passphrase: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RotateArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// A new data key
    #[arg(long)]
    pub(crate) data: bool,
    /// A file with the new passphrase
    #[arg(long, value_name = "FILE", requires = "private_key_file")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// A file with the new private key, as PEM
    #[arg(long, value_name = "FILE", requires = "passphrase_file")]
    pub(crate) private_key_file: Option<PathBuf>,
    /// Return at once instead of showing how far it is
    #[arg(long)]
    pub(crate) no_wait: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Look through the whole history: whether anything was changed, taken out, put in or reordered
    Verify(VerifyAuditArgs),
    /// Write the whole history to a file
    Export(ExportArgs),
}

#[derive(Debug, Args)]
pub(crate) struct VerifyAuditArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// An event known from elsewhere, as an earlier verification printed it (NUMBER:HASH): finds a history that was cut off or written anew
    #[arg(long)]
    pub(crate) known: Option<String>,
    /// Verify an export in JSON Lines instead of a server's history
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    pub(crate) file: Option<PathBuf>,
    /// Verify a stopped server's data folder, or a backup
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormatArg {
    /// One JSON object a line, with the hashes: verifies on its own
    Jsonl,
    /// For spreadsheets; cells that would be formulas are made harmless
    Csv,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// The form
    #[arg(long, value_enum, default_value = "jsonl")]
    pub(crate) format: ExportFormatArg,
    /// Only what came after this event
    #[arg(long, default_value_t = 0)]
    pub(crate) after: u64,
    /// The file; it must not exist [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct LinksArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(subcommand)]
    pub(crate) command: LinksCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LinksCommand {
    /// List linked accounts, broken ones first
    List,
    /// Remove one; what waits to be filed with it waits until an account is linked again
    Remove {
        /// Its id
        id: postroom_domain::ids::LinkId,
    },
}

#[derive(Debug, Args)]
pub(crate) struct DiscoverArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// The destination's name, or its kind where only one is of that kind (imanage, netdocuments, highq)
    pub(crate) destination: String,
    /// Print JSON, one object a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PlacesArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// The destination
    #[arg(long, value_name = "NAME")]
    pub(crate) service: postroom_domain::ids::ServiceName,
    /// The library, cabinet or site [default: the destination's usual one]
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    pub(crate) library: String,
    /// List workspaces that hold these words
    #[arg(long, value_name = "WORDS", conflicts_with_all = ["inside", "shelf"])]
    pub(crate) text: Option<String>,
    /// List the folders in a place, by the id that another list gave
    #[arg(long = "in", value_name = "ID", conflicts_with = "shelf")]
    pub(crate) inside: Option<String>,
    /// List recent or favourite places
    #[arg(long, value_name = "LIST")]
    pub(crate) shelf: Option<ShelfArg>,
    /// Print at most so many
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
}

/// A list of places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShelfArg {
    /// Used lately
    Recent,
    /// Marked
    Favourites,
}

/// Where the keys of a data folder are: needed where its documents are sealed.
#[derive(Debug, Clone, Args)]
pub(crate) struct UnsealArgs {
    /// The settings, whose section [vault] opens the data folder's keys
    #[arg(long, value_name = "FILE", default_value = "postroom.toml")]
    pub(crate) config: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// The data folder
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// The new folder; it must not exist or be empty
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
    #[command(flatten)]
    pub(crate) unseal: UnsealArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The backup
    #[arg(long, value_name = "DIR")]
    pub(crate) from: PathBuf,
    /// The data folder; it must not exist or be empty
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    #[command(flatten)]
    pub(crate) unseal: UnsealArgs,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The data folder, or a backup
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    #[command(flatten)]
    pub(crate) unseal: UnsealArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ResolveArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// The work item: its reference, or its id
    #[arg(long, value_name = "REFERENCE")]
    pub(crate) work_item: String,
    /// The area whose repository is looked at
    #[arg(long, default_value = "matter_documents")]
    pub(crate) area: String,
    /// A repository by its name instead of the one of the work type
    #[arg(long, value_name = "NAME")]
    pub(crate) repository: Option<RepositoryName>,
    /// Look as this person's documents would be filed
    #[arg(long = "as", value_name = "PERSON")]
    pub(crate) person: Option<String>,
    /// A file name that is held against the block list; can be given more than once
    #[arg(long, value_name = "NAME")]
    pub(crate) file_name: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct RulesArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(subcommand)]
    pub(crate) command: RulesCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Tell what other rules would do with letters
    #[command(long_about = "Tell what other rules would do with letters.\n\n\
        Without letters it looks at those that the server has, the newest first, and compares the rules in force with those of --rules, or \
        else with [mail.matching] of the settings as they stand in the file now: edit them, look at what would change, then start the \
        server anew. With letters (.eml files) it tells what would become of each.\n\n\
        Of earlier letters everything is known as it was when the letter came; of work items as it is now. Ends with a failure when a \
        letter would be filed elsewhere than by the rules in force, or without anybody asked.")]
    Test(TestRulesArgs),
}

#[derive(Debug, Args)]
pub(crate) struct TestRulesArgs {
    /// Letters that are held out to the rules, as .eml files
    pub(crate) letters: Vec<PathBuf>,
    /// A file with other rules: settings with [mail.matching], or that table alone
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: Option<PathBuf>,
    /// Only letters of this mailbox
    #[arg(long, value_name = "NAME", conflicts_with = "letters")]
    pub(crate) source: Option<SourceName>,
    /// How many letters of the server's are looked at
    #[arg(long, value_name = "NUMBER", default_value_t = 1000, conflicts_with = "letters")]
    pub(crate) last: usize,
    /// Only letters that arrived since then, such as 2026-11-01T00:00:00Z
    #[arg(long, value_name = "TIME", conflicts_with = "letters")]
    pub(crate) since: Option<jiff::Timestamp>,
    /// The site of letters that are held out
    #[arg(long, value_name = "SITE", requires = "letters")]
    pub(crate) site: Option<SiteName>,
    /// Show also letters for which nothing would change
    #[arg(long)]
    pub(crate) all: bool,
    /// Show each rule with what it found
    #[arg(long)]
    pub(crate) trace: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CoverSheetsArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// The work item: its reference, or its id; can be given more than once
    #[arg(long, value_name = "REFERENCE")]
    pub(crate) work_item: Vec<String>,
    /// A separator too: it parts two documents of the same matter
    #[arg(long)]
    pub(crate) separator: bool,
    /// The PDF to write; it must not exist
    #[arg(long, value_name = "FILE", default_value = "cover-sheets.pdf")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct FilingsArgs {
    #[command(flatten)]
    pub(crate) reach: ReachArgs,
    #[command(subcommand)]
    pub(crate) command: FilingsCommand,
}

#[derive(Debug, Args)]
pub(crate) struct DataArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(subcommand)]
    pub(crate) command: DataCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// Load a CSV file or a workbook (.xlsx), row by row; exit status 1 when a row is rejected
    Load {
        /// The file
        file: PathBuf,
        /// How it is read: a `[[data_uploads]]` of the settings, or a mapping as JSON
        #[arg(long, value_name = "NAME")]
        mapping: String,
        /// Tell what every row would do, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Print the work items as CSV: loaded again, it changes nothing
    Unload {
        /// A `[[data_uploads]]` of the settings
        #[arg(long, value_name = "NAME")]
        mapping: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum AddinCommand {
    /// Write the manifests of the add-in for Outlook, Word and Excel
    #[command(long_about = "Write the manifests of the add-in for Outlook, Word and Excel.\n\n\
        outlook.xml and word.xml run everywhere. postroom-outlook.zip is the unified manifest, for firms that hand out everything by \
        Microsoft 365 apps; it does not run on Mac, on telephones and in Office that was bought once. The same address always gives the \
        same ids, so writing them again updates what is installed.")]
    Manifest(ManifestArgs),
    /// Write the browser extension for Chrome, Edge and Firefox
    #[command(long_about = "Write the browser extension for Chrome, Edge and Firefox.\n\n\
        It opens Postroom with the documents or the folder of a page of iManage, NetDocuments or HighQ. The address of the server and the \
        firm's services are put into it; a policy of the firm's (baseUrl, services, view) can set others.")]
    Extension(ExtensionArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ManifestArgs {
    /// The address by which browsers reach the server
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: String,
    /// The folder to write to; files of an earlier time are replaced
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) out: PathBuf,
    /// Who provides the add-in: the firm, as people know it
    #[arg(long, value_name = "NAME", default_value = "Postroom")]
    pub(crate) provider: String,
    /// A page where people find help [default: the add-in's own]
    #[arg(long, value_name = "URL")]
    pub(crate) support_url: Option<String>,
    /// What becomes of a message that is sent while the add-in objects; mail is never stopped because Postroom cannot be reached
    #[arg(long, value_enum, default_value = "prompt-user")]
    pub(crate) on_send: OnSendArg,
    /// Print JSON, one object a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// What becomes of a message that is sent while the add-in objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnSendArg {
    /// The person may send all the same
    PromptUser,
    /// The person must put it right first
    SoftBlock,
}

#[derive(Debug, Args)]
pub(crate) struct ExtensionArgs {
    /// The address by which browsers reach the server [default: that of the settings]
    #[arg(long, value_name = "URL", required_unless_present = "config")]
    pub(crate) base_url: Option<String>,
    /// The settings, for their destinations
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// A service by kind, name and the hosts of its pages, such as imanage=dms=firm.imanage.work; can be given more than once. Stands in
    /// place of the destination of that name
    #[arg(long, value_name = "KIND=NAME=HOST[,HOST]")]
    pub(crate) service: Vec<postroom_addin_manifest::Service>,
    /// An RSA key as PEM, which gives the extension the same id in Chrome and Edge wherever it is loaded from
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// The folder to write to; files of an earlier time are replaced
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) out: PathBuf,
    /// Print JSON, one object a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FilingsCommand {
    /// List filings, newest first: `postroom filings list state:failed dest:dms-eu`
    List {
        /// The filter, in the filter language
        filter: Vec<String>,
        /// How many at most
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Show one with its attempts and history
    Show {
        /// Its id
        id: String,
    },
    /// Try failed ones again
    Retry(DecideArgs),
    /// Take them out of automatic work
    Hold(DecideArgs),
    /// Give held ones back
    Release(DecideArgs),
    /// End them; needs --reason
    Cancel(DecideArgs),
    #[command(flatten)]
    Desk(DeskCommand),
    /// File duplicates although the same content is there; needs --reason
    FileAnyway(DecideArgs),
    /// Follow what happens, until Ctrl-C
    Watch,
}

#[derive(Debug, Args)]
pub(crate) struct DecideArgs {
    /// Ids
    #[arg(required_unless_present = "filter")]
    pub(crate) ids: Vec<String>,
    /// All that match this filter now, together: they are frozen and shown first
    #[arg(long, conflicts_with = "ids")]
    pub(crate) filter: Option<String>,
    /// Why
    #[arg(long, default_value = "")]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) set: crate::commands::bulk::SetArgs,
}
