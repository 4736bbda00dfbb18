//! What people choose from in iManage, and accounts of users.

use postroom_dms::Connector;
use postroom_dms::doctor::Level;
use postroom_domain::cause::Cause;
use postroom_domain::dms::{Dms, DmsError, LookupQuery, Made, NewUser, Shelf};
use postroom_sims::imanage::{EmptySearch, SearchShape, Seed, SeedUser};

use crate::cases;
use crate::table::Outcome;
use crate::world::{Simulated, World, actor};

/// The names of all workspaces that words find.
async fn words(world: &Simulated, text: &str) -> Vec<String> {
    let (mut found, mut page) = (Vec::new(), None::<String>);
    loop {
        let listed = world.dms.search_workspaces(&actor(), "", text, page.as_deref()).await.unwrap();
        found.extend(listed.items.into_iter().map(|it| it.name));
        page = listed.next;
        if page.is_none() {
            found.sort();
            return found;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn words_find_workspaces_by_every_form_of_search_and_paging() {
    let harrow = ["Harrow share purchase 2019", "Harrow v Teal", "Okafor v Harrow"];
    for paging in ["page = 1", "paging = \"standard\"\npage = 1", "page = 2", ""] {
        for shape in [SearchShape::Results, SearchShape::Array] {
            let world = Simulated::with(paging);
            world.control.update_switches(|switches| {
                (switches.workspace_search_shape, switches.empty_search) = (shape, EmptySearch::NotFound);
            });
            assert_eq!(words(&world, "arrow").await, harrow, "{paging}");
            assert_eq!(words(&world, "  HARROW  v ").await, ["Harrow v Teal"], "{paging}");
            assert_eq!(words(&world, "10442/0007").await, ["Harrow v Teal"], "{paging}: by its description");
            assert_eq!(words(&world, "Larch").await, Vec::<String>::new(), "{paging}: behind a wall");
        }
    }
    for search in ["file_target", "anywhere"] {
        for paging in ["", "paging = \"standard\"\npage = 1"] {
            let world = Simulated::with(&format!("word_search = \"{search}\"\n{paging}"));
            assert_eq!(words(&world, "harrow").await, harrow, "{search} {paging}");
            assert_eq!(words(&world, "arrow").await, Vec::<String>::new(), "{search} {paging}: whole words");
        }
    }
    let world = Simulated::with("word_search = \"file_target\"");
    assert_eq!(words(&world, "10517").await, ["Boundary dispute, Brook Farm", "General advice"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn shelves_hold_workspaces_of_the_library_page_by_page() {
    let world = Simulated::with("page = 2");
    // A folder among the favourites is none of the workspaces; one behind a wall is not seen.
    world.control.set_favourites("POSTROOM", &[3650, 3652, 3710, 3680, 3700]);
    world.control.set_recent("POSTROOM", &[3700, 3690, 3680, 3650, 3660]);
    let shelf = async |shelf| {
        let found = world.dms.shelf(&actor(), "", shelf).await.unwrap();
        found.into_iter().map(|it| it.id).collect::<Vec<_>>()
    };
    assert_eq!(shelf(Shelf::Favourites).await, ["ACTIVE!3650", "ACTIVE!3680", "ACTIVE!3700"]);
    let recent = ["ACTIVE!3700", "ACTIVE!3690", "ACTIVE!3680", "ACTIVE!3650", "ACTIVE!3660"];
    assert_eq!(shelf(Shelf::Recent).await, recent);
    world.control.set_favourites("POSTROOM", &[]);
    assert_eq!(shelf(Shelf::Favourites).await, Vec::<String>::new());
    let error = world.dms.shelf(&actor(), "NOWHERE", Shelf::Recent).await;
    assert!(error.is_ok_and(|found| found.is_empty()), "a library that is not there has nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_compared_again_where_the_server_does_not_know_the_parameter() {
    for parameter in ["query", "alias", "unheard_of"] {
        let world = Simulated::with(&format!("lookup_parameter = \"{parameter}\"\npage = 2"));
        let keys = async |field, parent, text| {
            let (mut found, mut page) = (Vec::new(), None::<String>);
            loop {
                let query = LookupQuery { field, parent, text };
                let listed = world.dms.lookup(&actor(), "", query, page.as_deref()).await.unwrap();
                found.extend(listed.items.into_iter().map(|row| row.key));
                page = listed.next;
                if page.is_none() {
                    break found;
                }
            }
        };
        assert_eq!(keys("custom1", None, "harrow").await, ["10442"], "{parameter}");
        assert_eq!(keys("custom1", None, "").await, ["10442", "10517", "10630"], "{parameter}");
        assert_eq!(keys("custom2", Some("10630"), "").await, ["0001", "0004", "0009"], "{parameter}");
        assert_eq!(keys("custom2", Some("10630"), "000").await, ["0001", "0004", "0009"], "{parameter}");
        let query = LookupQuery { field: "custom13", parent: None, text: "" };
        let error = world.dms.lookup(&actor(), "", query, None).await.unwrap_err();
        assert!(matches!(error, DmsError::Rejected { .. }), "{error:?}");
    }
}

fn person(email: &str) -> NewUser<'_> {
    NewUser { email, given_name: "Ada", family_name: "Byron", external: true, invite: false, library: "" }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_made_only_where_everything_allows_it() {
    let email = "a.byron@client.example";
    let off = Simulated::new();
    let error = off.dms.create_user(&actor(), person(email)).await.unwrap_err();
    assert!(matches!(error, DmsError::Unsupported(_)), "{error:?}");

    let world = Simulated::with("create_users = true");
    let error = world.dms.create_user(&actor(), person(email)).await.unwrap_err();
    assert!(matches!(error, DmsError::Unsupported(_)), "a server without the path: {error:?}");
    world.control.update_switches(|switches| switches.create_users = true);
    let error = world.dms.create_user(&actor(), person(email)).await.unwrap_err();
    assert!(matches!(error, DmsError::Forbidden(_)), "no administrator: {error:?}");
    let wrong = |findings: Vec<postroom_dms::doctor::Finding>| {
        findings.into_iter().any(|it| it.subject == "rights" && it.level == Level::Bad)
    };
    assert!(wrong(world.dms.doctor().await));
    world.control.update_user("POSTROOM", |user| user.is_admin = true);
    assert!(!wrong(world.dms.doctor().await));
    assert_eq!(world.accounts(email), Some(0));
    assert_eq!(cases::people::an_account_is_made_once(&world).await, Outcome::Held);

    // Who is there is found first, and left as they are.
    let made = world.dms.create_user(&actor(), person("M.Patel@firm.example")).await.unwrap();
    assert!(matches!(&made, Made::Present(user) if user.id == "MPATEL" && !user.external), "{made:?}");
    // An id that somebody else has is no reason to take their account.
    let other =
        SeedUser { id: "A.BYRON".into(), email: "a.byron@firm.example".into(), ..SeedUser::default() };
    world.control.seed(&Seed { users: vec![other], ..Seed::default() });
    let error = world.dms.create_user(&actor(), person(email)).await.unwrap_err();
    assert!(matches!(error, DmsError::Conflict { .. }), "{error:?}");
    assert_eq!(world.accounts(email), Some(0));
    let whole = world.another("create_users = true\nuser_ids = \"email\"");
    let made = whole.create_user(&actor(), person(email)).await.unwrap();
    assert!(matches!(&made, Made::New(user) if user.id == "A.BYRON@CLIENT.EXAMPLE"), "{made:?}");
    for bad in ["nobody", "", "a b@c.example"] {
        let error = world.dms.create_user(&actor(), person(bad)).await.unwrap_err();
        assert!(matches!(error, DmsError::Rejected { .. }), "{bad}: {error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn users_who_cannot_sign_in_are_told_as_such() {
    let world = Simulated::new();
    let find = async |text: &str| {
        let found = world.dms.find_users(&actor(), "", text).await.unwrap();
        found.into_iter().map(|user| (user.id, user.external, user.active)).collect::<Vec<_>>()
    };
    assert_eq!(find("k.old@firm.example").await, [("KOLD".to_owned(), false, false)]);
    assert_eq!(find("Xenia").await, [("XGUEST".to_owned(), true, true)]);
    assert_eq!(find("jreed").await, [("JREED".to_owned(), false, true)]);
    world.control.update_user("JREED", |user| user.is_locked = true);
    assert_eq!(find("Jonah Reed").await, [("JREED".to_owned(), false, false)]);
    assert_eq!(find("  ").await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_is_made_where_the_settings_allow_it() {
    let fields = |fields: &[(&str, &str)]| {
        fields.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect::<Vec<_>>()
    };
    let world = Simulated::with("create_workspaces = true");
    assert_eq!(cases::places::a_workspace_is_made_once(&world).await, Outcome::Held);
    let count = world.control.workspaces().len();
    // One that is there is found by its fields, whatever it is called.
    let there = fields(&[("custom1", "10442"), ("custom2", "0007"), ("name", "Another name")]);
    let found = world.dms.create_workspace(&actor(), "", &there).await.unwrap();
    assert_eq!((found.id.as_str(), found.name.as_str()), ("ACTIVE!3650", "Harrow v Teal"));
    let error = world.dms.create_workspace(&actor(), "", &fields(&[("custom1", "10442")])).await.unwrap_err();
    assert_eq!(error.trouble().cause, Cause::TargetAmbiguous, "{error}");
    for (given, field) in [(&[][..], "workspace"), (&[("custom1", "10442"), ("custom2", "0042")][..], "name")]
    {
        let error = world.dms.create_workspace(&actor(), "", &fields(given)).await.unwrap_err();
        assert!(matches!(&error, DmsError::Rejected { field: Some(f), .. } if f == field), "{error:?}");
    }
    assert_eq!(world.control.workspaces().len(), count);
}
