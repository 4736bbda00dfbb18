//! The add-in's pages as a browser in Outlook's frame asks for them: open to all, framed by whom the settings name, small.

use reqwest::{Client, Response, header};

use crate::world::World;

async fn ask(world: &World, path: &str, headers: &[(&str, &str)]) -> Response {
    let client = Client::builder().no_proxy().no_gzip().build().unwrap();
    let request =
        headers.iter().fold(client.get(world.url(path)), |it, (name, value)| it.header(*name, *value));
    request.send().await.unwrap()
}

fn word<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |it| it.to_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn panes_are_open_to_all_framed_by_office_and_the_same_for_everybody() {
    let world = World::new().await;
    for path in ["/addin/outlook", "/addin/word", "/addin/commands", "/addin/help"] {
        let answer = ask(&world, path, &[("accept", "text/html")]).await;
        assert_eq!(answer.status(), 200, "{path}");
        let policy = word(&answer, "content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self' https://appsforoffice.microsoft.com;"),
            "{path}: {policy}"
        );
        assert!(policy.ends_with("frame-ancestors 'self' https://outlook.example"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        for absent in ["x-frame-options", "cross-origin-opener-policy", "set-cookie"] {
            assert_eq!(word(&answer, absent), "", "{path}: {absent}");
        }
        let text = answer.text().await.unwrap();
        for inline in ["<script>", " style=", "<style", " onclick"] {
            assert!(!text.contains(inline), "{path}: {inline}");
        }
    }
    // Nobody else's pages are for frames.
    let other = ask(&world, "/auth/sign-in", &[("accept", "text/html")]).await;
    assert!(word(&other, "content-security-policy").ends_with("frame-ancestors 'none'"));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn panes_speak_the_language_asked_for() {
    let world = World::new().await;
    let table = [
        ("/addin/outlook", "de-AT,en;q=0.5", "lang=\"de\"", "Einen Moment…"),
        ("/addin/outlook", "fr", "lang=\"en\"", "One moment…"),
        ("/addin/outlook?_host_Info=Outlook$Web&lang=de", "en", "lang=\"de\"", "Einen Moment…"),
        ("/addin/help?lang=de", "en", "lang=\"de\"", "Mit der Tastatur"),
        ("/addin/help", "en", "lang=\"en\"", "By keyboard"),
        ("/addin/texts/de.json", "en", "addin.file\":\"Ablegen\"", "common.retry"),
    ];
    for (path, accepted, lang, words) in table {
        let text = ask(&world, path, &[("accept-language", accepted)]).await.text().await.unwrap();
        assert!(text.contains(lang) && text.contains(words), "{path} {accepted}: {text}");
    }
    let no_such = ask(&world, "/addin/texts/fr.json", &[]).await;
    assert_eq!(no_such.status(), 404);
    // What the scripts say is one attribute of JSON, whole.
    let page = ask(&world, "/addin/outlook", &[]).await.text().await.unwrap();
    let texts = page.split("data-texts='").nth(1).unwrap().split('\'').next().unwrap();
    let texts: serde_json::Value = serde_json::from_str(texts).unwrap();
    assert_eq!(texts["addin.file"], "File");
    assert_eq!(texts.get("help.title"), None, "the help is not sent along");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_are_told_at_once_compressed_and_asked_for_again_only_when_they_changed() {
    let world = World::new().await;
    for path in ["/addin/outlook", "/addin/word"] {
        let page = ask(&world, path, &[]).await.text().await.unwrap();
        let told: Vec<&str> =
            page.split("/assets/addin/").skip(1).map(|it| it.split('"').next().unwrap()).collect();
        assert!(told.len() > 8, "{told:?}");
        for name in told {
            let path = format!("/assets/addin/{name}");
            let whole = ask(&world, &path, &[]).await;
            assert_eq!(whole.status(), 200, "{path}");
            let tag = word(&whole, "etag").to_owned();
            let text = whole.text().await.unwrap();
            // What a module imports is on the page's list, or it is found out only when that module has come.
            for import in text.split(" from './").skip(1) {
                let import = import.split('\'').next().unwrap();
                assert!(page.contains(&format!("/assets/addin/{import}")), "{path} imports {import}");
            }
            let small = ask(&world, &path, &[("accept-encoding", "gzip")]).await;
            assert_eq!(word(&small, "content-encoding"), "gzip", "{path}");
            assert!(small.bytes().await.unwrap().len() * 2 < text.len() || text.len() < 1000, "{path}");
            let again = ask(&world, &path, &[(header::IF_NONE_MATCH.as_str(), &tag)]).await;
            assert_eq!(again.status(), 304, "{path}");
        }
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_handler_of_sending_is_one_old_file_at_the_address_that_classic_outlook_is_told() {
    let world = World::new().await;
    let allowed = ask(&world, "/.well-known/microsoft-officeaddins-allowed.json", &[]).await;
    let allowed: serde_json::Value = allowed.json().await.unwrap();
    assert_eq!(allowed, serde_json::json!({ "allowed": ["https://postroom.example/addin/launchevent.js"] }));
    let handler = ask(&world, "/addin/launchevent.js", &[]).await;
    assert!(word(&handler, "content-type").starts_with("text/javascript"));
    let text = handler.text().await.unwrap();
    for new in
        ["import ", "export ", "=>", "const ", "let ", "`", "async ", "?.", "localStorage", "document."]
    {
        assert!(!text.contains(new), "{new:?} is not for the classic runtime");
    }
    let page = ask(&world, "/addin/commands", &[]).await.text().await.unwrap();
    assert!(
        page.contains("appsforoffice.microsoft.com/lib/1/hosted/office.js")
            && page.contains("launchevent.js"),
        "{page}"
    );
    world.stop().await;
}
