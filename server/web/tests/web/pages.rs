//! The pages as a browser asks for them: who sees which, what stands around them, and how errors read. What they do is tried in a real
//! browser elsewhere.

use postroom_domain::people::Status;
use postroom_domain::person::Permission::{
    self, Administer, EditWorkItems, File, ManageLinks, ManagePersons, ReadAudit,
};
use postroom_domain::person::Role;
use reqwest::{Client, Method, Response, redirect};
use secrecy::ExposeSecret as _;

use crate::world::World;

const PAGES: [(&str, Option<Permission>); 9] = [
    ("/", None),
    ("/upload", Some(File)),
    ("/account", None),
    ("/links", Some(File)),
    ("/admin/persons", Some(ManagePersons)),
    ("/admin/links", Some(ManageLinks)),
    ("/admin/data-uploads", Some(EditWorkItems)),
    ("/admin/audit", Some(ReadAudit)),
    ("/admin/capabilities", Some(Administer)),
];

/// As a browser asks, without following.
async fn ask(world: &World, method: Method, path: &str, cookie: &str) -> Response {
    let client = Client::builder().no_proxy().redirect(redirect::Policy::none()).build().unwrap();
    let request = client
        .request(method, world.url(path))
        .header("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
        .header("cookie", cookie);
    request.send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_by_every_role_and_strangers() {
    let world = World::new().await;
    for role in Role::ALL {
        let email = format!("{role}@harrow.example");
        let session = world.desk.member(&email, role.as_str(), "london").await;
        let cookie = format!("__Host-postroom={}", session.secret.expose_secret());
        for (path, needs) in PAGES {
            let case = format!("{role}: {path}");
            let answer = ask(&world, Method::GET, path, &cookie).await;
            let wanted = if needs.is_none_or(|needs| role.may(needs)) { 200 } else { 404 };
            assert_eq!(answer.status(), wanted, "{case}");
            let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
            assert!(header("content-type").starts_with("text/html"), "{case}");
            assert!(header("content-security-policy").contains("default-src 'none'"), "{case}");
            assert!(header("cache-control").contains("no-store"), "{case}");
            assert_eq!(header("x-content-type-options"), "nosniff", "{case}");
            let text = answer.text().await.unwrap();
            // One page has a script, in a file of its own.
            let script = "<script type=\"module\" src=\"/assets/upload.js\"></script>";
            let others = text.replacen(script, "", usize::from(path == "/upload"));
            assert!(!others.contains("<script") && !text.contains(" style="), "{case}");
            // The menu leads to nothing that is not there for them.
            for (other, needs) in PAGES {
                let may = needs.is_none_or(|needs| role.may(needs));
                let leads = text.contains(&format!("href=\"{}\"", other.replace('/', "&#x2f;")));
                assert!(wanted != 200 || leads == may, "{case}: the menu and {other}");
            }
        }
    }
    for (path, _) in PAGES {
        let answer = ask(&world, Method::GET, path, "").await;
        let to = answer.headers()["location"].to_str().unwrap();
        assert!(answer.status() == 303 && to.starts_with("/auth/sign-in?then="), "{path}: {to}");
        // A session that never was is nobody's.
        let made_up = format!("__Host-postroom={}", "a".repeat(64));
        assert_eq!(ask(&world, Method::GET, path, &made_up).await.status(), 303, "{path}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_pages_for_browsers_and_problems_for_programs() {
    let world = World::new().await;
    let session = world.desk.member("m@harrow.example", "user", "london").await;
    let cookie = format!("__Host-postroom={}", session.secret.expose_secret());
    for (method, path, status, words) in [
        (Method::GET, "/admin/persons/not-an-id", 404, "There is no such page"),
        (Method::GET, "/links/confirm/not-an-id", 404, "There is no such page"),
        (Method::GET, "/auth/invitation/0000", 403, "You are not signed in"),
        (Method::GET, "/auth/nobody", 403, "You are not signed in"),
        (Method::POST, "/account/tokens", 415, "That did not work"),
    ] {
        let answer = ask(&world, method, path, &cookie).await;
        assert_eq!(answer.status(), status, "{path}");
        let text = answer.text().await.unwrap();
        assert!(text.contains("<!doctype html>") && text.contains(words), "{path}: {text}");
    }
    // What is under /api speaks JSON to everybody.
    let answer = ask(&world, Method::GET, "/api/v1/nothing", &cookie).await;
    assert_eq!(answer.status(), 404);
    assert!(answer.headers()["content-type"].to_str().unwrap().contains("json"));
    world.stop().await;
}

/// The page of a person tells of their accounts, and offers to ask only where that is of use.
#[tokio::test(flavor = "multi_thread")]
async fn a_persons_accounts_are_shown_and_asked_for() {
    let world = World::new().await;
    let session = world.desk.member("boss@harrow.example", "admin", "london").await;
    let cookie = format!("__Host-postroom={}", session.secret.expose_secret());
    let mary = world.desk.add("mary.harrow@harrow.example", "user", "london", Status::Active).await;
    let path = format!("/admin/persons/{}", mary.id);
    let shown = ask(&world, Method::GET, &path, &cookie).await.text().await.unwrap();
    for words in [
        "Accounts in document systems",
        "the account at dms-eu",
        "the account at dms-us",
        "Nobody looked yet",
    ] {
        assert!(shown.contains(words), "{words:?} is not in {shown}");
    }
    assert!(!shown.contains("the account at files"), "{shown}");
    let token = shown.split("name=\"form_token\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let post = async |service: &str, token: &str| {
        let request = world.request("", Method::POST, &format!("{path}/accounts/{service}"));
        let request = request.header("cookie", &cookie).header("origin", "https://postroom.example");
        let request = request.header("accept", "text/html").header("sec-fetch-site", "same-origin");
        let answer = request.form(&[("form_token", token)]).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    // Without the form's code nothing happens.
    assert_eq!(post("dms-eu", "made up").await.0, 403);
    assert_eq!(world.desk.directory.emails(), Vec::<String>::new());
    let (status, shown) = post("dms-eu", token).await;
    assert_eq!(status, 200, "{shown}");
    assert!(shown.contains("It was made: u1 (U1)."), "{shown}");
    assert_eq!(post("files", token).await.0, 409);
    assert_eq!(post("no-such", token).await.0, 404);
    assert_eq!(world.desk.directory.emails(), ["mary.harrow@harrow.example"]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn icons_of_the_add_in_are_for_everybody_and_may_be_kept() {
    let world = World::new().await;
    for size in [16, 20, 24, 25, 32, 40, 48, 64, 80, 96, 128, 192] {
        let answer = ask(&world, Method::GET, &format!("/addin/icons/icon-{size}.png"), "").await;
        assert_eq!(answer.status(), 200, "{size}");
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), "image/png");
        assert_eq!(header("cache-control"), "public, max-age=86400");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert!(answer.bytes().await.unwrap().starts_with(b"\x89PNG\r\n"));
    }
    for name in ["icon-17.png", "icon.svg", "..%2fCargo.toml", ""] {
        assert_eq!(
            ask(&world, Method::GET, &format!("/addin/icons/{name}"), "").await.status(),
            404,
            "{name}"
        );
    }
    world.stop().await;
}
