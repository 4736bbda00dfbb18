//! `places …`: libraries, workspaces and folders of a DMS, as people who choose a place see them.

use std::process::ExitCode;

use postroom_api::client::Client;
use postroom_api::page::Page;
use postroom_api::place::{LibraryView, PartList, PlaceList, PlaceView};
use postroom_domain::dms::Shelf;
use postroom_domain::places::MayFile;
use serde::Serialize;

use super::connection::{connect, explained};
use super::{lines, plain, print};
use crate::cli::{PlacesArgs, ShelfArg};

/// Runs the subcommand.
pub(super) async fn run(args: PlacesArgs) -> anyhow::Result<ExitCode> {
    let client = connect(&args.server)?;
    carry_out(&client, &args).await.map_err(|error| explained(error, &args.server))?;
    Ok(ExitCode::SUCCESS)
}

async fn carry_out(client: &Client, args: &PlacesArgs) -> anyhow::Result<()> {
    let (at, library) = (&args.service, &args.library);
    if let Some(id) = &args.inside {
        let next = async |cursor| client.place_folders(at, id, &PartList { cursor }).await;
        return show(args, next, line, "There is no folder in it, or none that may be shown.\n").await;
    }
    if args.text.is_some() || args.shelf.is_some() {
        let shelf = args.shelf.map(|shelf| match shelf {
            ShelfArg::Recent => Shelf::Recent,
            ShelfArg::Favourites => Shelf::Favourites,
        });
        let list = |cursor| PlaceList { text: args.text.clone(), library: library.clone(), shelf, cursor };
        let next = async |cursor| client.places(at, &list(cursor)).await;
        return show(args, next, line, "No place was found, or none that may be shown.\n").await;
    }
    let next = async |cursor| client.libraries(at, &PartList { cursor }).await;
    let library = |library: &LibraryView| format!("{:<20}  {}\n", plain(&library.id), plain(&library.name));
    show(args, next, library, "There is no library, or none that may be shown.\n").await
}

/// Page by page until there are enough.
async fn show<T: Serialize>(
    args: &PlacesArgs,
    next: impl AsyncFn(Option<String>) -> Result<Page<T>, postroom_api::client::ClientError>,
    words: impl Fn(&T) -> String,
    none: &str,
) -> anyhow::Result<()> {
    let (mut cursor, mut shown) = (None, 0);
    loop {
        let mut page = next(cursor).await?;
        page.items.truncate(args.limit - shown);
        shown += page.items.len();
        lines(&page.items, args.server.json, &words)?;
        cursor = page.next;
        if cursor.is_none() || shown >= args.limit {
            break;
        }
    }
    if shown == 0 && !args.server.json {
        print(none)?;
    }
    if cursor.is_some() && !args.server.json {
        print("There are more; --limit shows more of them.\n")?;
    }
    Ok(())
}

fn line(place: &PlaceView) -> String {
    let may = match (place.open, place.may_file) {
        (false, _) => "closed",
        (true, MayFile::Yes) => "may file",
        (true, MayFile::No) => "takes none",
        (true, MayFile::Unknown) => "",
    };
    let kind = serde_json::to_value(place.kind).unwrap_or_default();
    let kind = kind.as_str().unwrap_or_default();
    format!("{}  {kind:<9}  {may:<10}  {}  ({})\n", place.id, plain(&place.name), plain(&place.dms_id))
}
