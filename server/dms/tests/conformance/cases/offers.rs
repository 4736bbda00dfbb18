//! A capability that is off is answered "not available", and one that is on never is.

use std::collections::BTreeMap;

use postroom_domain::dms::{DmsError, DmsResult, LookupQuery, NewUser, Shelf};
use postroom_domain::link::Rights;
use postroom_domain::target::WorkspaceQuery;

use crate::content::Made;
use crate::table::Outcome;
use crate::world::{World, actor, ask, send_onto};

crate::worlds::cases![a_capability_is_off_exactly_where_its_call_is_not_available];

async fn a_capability_is_off_exactly_where_its_call_is_not_available(world: &dyn World) -> Outcome {
    let (dms, actor) = (world.dms(), actor());
    let flags: BTreeMap<&str, bool> = dms.capabilities().flags().into_iter().collect();
    // Sign-in and discovery are over before.
    dms.whoami().await.unwrap();
    let (missing, folder) = (world.missing_folder(), world.folder());
    let [client, _] = world.key_fields();
    let by_field = WorkspaceQuery::Fields(vec![(client.to_owned(), "no such client".to_owned())]);
    let fields = BTreeMap::from([(client.to_owned(), "10442".to_owned())]);
    let keys = world.new_workspace().unwrap_or_else(|| vec![(client.to_owned(), "10442".to_owned())]);
    let email = world.new_user_email().unwrap_or_else(|| "nobody@nowhere.example".to_owned());
    let user = NewUser {
        email: &email,
        given_name: "No",
        family_name: "Body",
        external: false,
        invite: false,
        library: "",
    };
    let lookup = LookupQuery { field: client, parent: None, text: "x" };
    let version = send_onto(dms, &folder, &missing, "x.pdf", 1, &Made::new(1, 1)).await.0;
    let rights = dms.rights(&actor, "", &folder, "m.patel@firm.example").await;
    // Of things that are not there, so that nothing changes.
    let calls: Vec<(&str, DmsResult<()>)> = vec![
        ("probe", ask(dms, &folder, "x.pdf", 1).await.map(drop)),
        ("search_by_fields", dms.find_workspaces(&actor, "", &by_field, 1).await.map(drop)),
        ("create_folders", dms.create_folder(&actor, "", &missing, "x").await.map(drop)),
        ("versions", version.map(drop)),
        ("create_workspaces", dms.create_workspace(&actor, "", &keys).await.map(drop)),
        ("libraries", dms.libraries(&actor, None).await.map(drop)),
        ("search_workspaces", dms.search_workspaces(&actor, "", "x", None).await.map(drop)),
        ("recent", dms.shelf(&actor, "", Shelf::Recent).await.map(drop)),
        ("favourites", dms.shelf(&actor, "", Shelf::Favourites).await.map(drop)),
        ("lookups", dms.lookup(&actor, "", lookup, None).await.map(drop)),
        ("list_documents", dms.documents(&actor, "", &folder, None).await.map(drop)),
        ("set_profile", dms.set_profile(&actor, "", &missing, &fields).await),
        ("rename", dms.rename(&actor, "", &missing, "x.pdf").await.map(drop)),
        ("move_documents", dms.move_document(&actor, "", &missing, &folder, &folder).await.map(drop)),
        ("copy_documents", dms.copy_document(&actor, "", &missing, &folder).await.map(drop)),
        ("delete_documents", dms.delete_document(&actor, "", &missing).await),
        ("find_users", dms.find_users(&actor, "", "nobody@nowhere.example").await.map(drop)),
        ("create_users", dms.create_user(&actor, user).await.map(drop)),
    ];
    let wrong: Vec<String> = calls
        .iter()
        .filter(|(flag, result)| flags[flag] == matches!(result, Err(DmsError::Unsupported(_))))
        .map(|(flag, result)| format!("{flag} is {}, but its call answers {result:?}", flags[flag]))
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
    if !flags["rights"] {
        assert_eq!(rights.unwrap(), Rights::Unknown);
    }
    // Every flag has its call here, or is told by another case.
    let told = ["files_in_workspace", "rights", "persons"];
    let missing: Vec<&&str> = flags
        .keys()
        .filter(|flag| !told.contains(flag) && !calls.iter().any(|(it, _)| it == *flag))
        .collect();
    assert_eq!(missing, Vec::<&&str>::new());
    assert_eq!(world.held(), []);
    Outcome::Held
}
