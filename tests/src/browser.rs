//! A browser without a screen: it keeps cookies, follows redirects also to other servers and back, and fills in forms by their
//! fields' names. What a page's script would do is not done; nothing on the way to a linked account needs one.
//!
//! ```no_run
//! # async fn test() {
//! use postroom_tests::browser::{Browser, command};
//! use postroom_tests::{Upload, World};
//! let mut world = World::new("linked").with_imanage(postroom_tests::world::sample()).build();
//! let address = world.sim("dms").url();
//! world.settings.more = postroom_tests::browser::imanage_service("dms", &address);
//! world.write_settings();
//! world.start().await;
//! world.create_matters().await;
//! // A person with a password, in their first session.
//! let mut mina = Browser::of_new_person(&world, "m.patel@firm.example").await;
//! // Links the account of the same e-mail; an account of another e-mail is confirmed as well.
//! let link = mina.link("dms", "m.patel@firm.example").await;
//! assert_eq!(link["state"], "active");
//! // Hands in as that person, with a token that they made for themself.
//! let api = mina.api().await;
//! api.upload(&Upload::to("10442-0007").file("a.pdf", "%PDF-1.7")).await.expect(202);
//! // Sessions outlive a restart; another browser signs in with the password.
//! let mut other = Browser::new(&world.url());
//! other.sign_in("m.patel@firm.example", postroom_tests::browser::PASSWORD).await;
//! // Administration from the command line.
//! let keys = command(&world, &["keys", "status"]).await;
//! # }
//! ```

use std::collections::BTreeMap;

use reqwest::{Method, Url, redirect};
use serde_json::Value;

use crate::client::{Answer, Api, percent};
use crate::process::run;
use crate::world::World;

/// The password of everybody whom [`Browser::of_new_person`] makes.
pub const PASSWORD: &str = "nine lamps beside a quiet harbour";

/// So many redirects in a row are no loop yet.
const REDIRECTS: usize = 12;

/// A browser with the cookies it was given.
#[derive(Clone)]
pub struct Browser {
    home: Url,
    http: reqwest::Client,
    /// By host with port.
    cookies: BTreeMap<String, BTreeMap<String, String>>,
}

/// A page as it was shown, after all redirects.
#[derive(Debug, Clone)]
pub struct Page {
    /// Where it is.
    pub url: Url,
    /// Its status.
    pub status: u16,
    /// Its source.
    pub text: String,
}

impl Page {
    /// Fails the test unless the status is this one.
    #[track_caller]
    #[expect(
        clippy::return_self_not_must_use,
        reason = "the check is the point, the page is read only by some"
    )]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{} shows:\n{}", self.url, self.text);
        self
    }

    /// The value of the first field of that name, decoded.
    pub fn field(&self, name: &str) -> Option<String> {
        let at = self.text.find(&format!("name=\"{name}\""))?;
        let tag = self.text[at..].split('>').next()?;
        attribute(tag, "value")
    }

    /// The text between two marks in the source, decoded.
    pub fn between(&self, from: &str, to: &str) -> Option<String> {
        let rest = &self.text[self.text.find(from)? + from.len()..];
        Some(decoded(&rest[..rest.find(to)?]))
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let from = format!("{name}=\"");
    let rest = &tag[tag.find(&from)? + from.len()..];
    Some(decoded(&rest[..rest.find('"')?]))
}

/// Text without character references, as far as our pages write any.
fn decoded(text: &str) -> String {
    let pairs = [
        ("&#x2f;", "/"),
        ("&#x27;", "'"),
        ("&#39;", "'"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ];
    pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

impl Browser {
    /// A browser without any cookie. `home` is the server's public address.
    pub fn new(home: &str) -> Self {
        // For the encryption that it chooses.
        let _chosen = crate::client::http();
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .timeout(std::time::Duration::from_mins(1))
            .build()
            .expect("an HTTP client");
        Self { home: home.parse().expect("an address"), http, cookies: BTreeMap::new() }
    }

    /// Adds a person of role `user` by the command line, and sets [`PASSWORD`] by the one-time link: signed in.
    pub async fn of_new_person(world: &World, email: &str) -> Self {
        Self::of_new(world, email, &[]).await
    }

    /// The same with arguments more for `person add`, such as `--admin`.
    pub async fn of_new(world: &World, email: &str, arguments: &[&str]) -> Self {
        let added = command(world, &[&["person", "add", email], arguments].concat()).await;
        let url =
            added[0]["invitation"]["url"].as_str().unwrap_or_else(|| panic!("no one-time link: {added:?}"));
        let mut browser = Self::new(&world.url());
        browser.accept(url, PASSWORD).await;
        browser
    }

    /// Opens an address of this server, or a whole one.
    pub async fn get(&mut self, address: &str) -> Page {
        let url = self.home.join(address).expect("an address");
        self.go(Method::GET, url, Vec::new(), None).await
    }

    /// Sends a form, without taking anything from a page.
    pub async fn post(&mut self, address: &str, fields: &[(&str, &str)]) -> Page {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let url = self.home.join(address).expect("an address");
        self.go(Method::POST, url, fields, None).await
    }

    /// Sends a form of a page, with the page's code.
    pub async fn submit(&mut self, page: &Page, address: &str, fields: &[(&str, &str)]) -> Page {
        let code =
            page.field("form_token").unwrap_or_else(|| panic!("{} has no form:\n{}", page.url, page.text));
        self.post(address, &[&[("form_token", code.as_str())], fields].concat()).await
    }

    /// Sets a password by a one-time link.
    pub async fn accept(&mut self, link: &str, password: &str) {
        let page = self.get(link).await.expect(200);
        let path = page.url.path().to_owned();
        let landed =
            self.submit(&page, &path, &[("password", password), ("again", password)]).await.expect(200);
        assert_eq!(landed.url.path(), "/", "the password was not taken:\n{}", landed.text);
    }

    /// Signs in with a password.
    pub async fn sign_in(&mut self, email: &str, password: &str) {
        let page = self.get("/auth/sign-in").await.expect(200);
        let landed = self.submit(&page, "/auth/password", &[("email", email), ("password", password)]).await;
        assert!(self.is_signed_in(), "not let in:\n{}", landed.text);
    }

    /// Signs in with a provider, there as `account` (id or e-mail). The page that it ends at.
    pub async fn sign_in_with(&mut self, service: &str, account: &str) -> Page {
        let url = self.home.join(&format!("/auth/{service}")).expect("an address");
        self.go(Method::GET, url, Vec::new(), Some(account)).await
    }

    /// The cookies of this server, by name.
    pub fn secrets(&self) -> BTreeMap<String, String> {
        self.cookies.get(&host(&self.home)).cloned().unwrap_or_default()
    }

    /// Whether there is a session's cookie.
    pub fn is_signed_in(&self) -> bool {
        self.cookies.get(&host(&self.home)).is_some_and(|it| it.contains_key("__Host-postroom"))
    }

    /// Links the account `account` (id or e-mail) of a service, and confirms it where that is asked for. The link.
    pub async fn link(&mut self, service: &str, account: &str) -> Value {
        self.link_from("/links", service, account).await;
        self.own_link(service).await.unwrap_or_else(|| panic!("{account} is not linked at {service}"))
    }

    /// As an administrator: links a service's system account.
    pub async fn link_system(&mut self, service: &str, account: &str) {
        self.link_from("/admin/links", service, account).await;
    }

    async fn link_from(&mut self, list: &str, service: &str, account: &str) {
        let page = self.get(list).await.expect(200);
        let leaving = self.submit(&page, &format!("{list}/{service}"), &[]).await.expect(200);
        let location = leaving.between("content=\"0; url=", "\"").expect("the page goes on to the service");
        let url = location.parse().expect("the service's address");
        let back = self.go(Method::GET, url, Vec::new(), Some(account)).await.expect(200);
        if back.url.path().starts_with("/links/confirm/") {
            let version = back.field("version").expect("the version that is confirmed");
            let path = back.url.path().to_owned();
            let done = self.submit(&back, &path, &[("version", &version)]).await.expect(200);
            assert_eq!(done.url.path(), list, "not confirmed:\n{}", done.text);
        } else {
            assert_eq!(back.url.path(), list, "not linked:\n{}", back.text);
        }
    }

    /// One's own link at a service, as the API tells it.
    pub async fn own_link(&mut self, service: &str) -> Option<Value> {
        let page = self.get("/api/v1/links").await.expect(200);
        let body: Value = serde_json::from_str(&page.text).expect("JSON");
        body["items"].as_array()?.iter().find(|link| link["service"] == service).cloned()
    }

    /// A client of the API with a token that the person makes for themself, for handing in and seeing their own.
    pub async fn api(&mut self) -> Api {
        let body = serde_json::json!({"name": "test", "days": 30, "scope": ["file"]});
        let made = self.call(Method::POST, "/api/v1/tokens", &body).await.expect(201);
        Api::new(self.home.as_str(), made.body["secret"].as_str().expect("the token is shown"))
    }

    /// One's own call of the API with the session's cookie, as a page's script would make it.
    pub async fn call(&mut self, method: Method, path: &str, body: &Value) -> Answer {
        let url = self.home.join(path).expect("an address");
        let request = self.request(&method, &url).json(body);
        Api::send(request).await.unwrap_or_else(|e| panic!("{path}: {e:?}"))
    }

    fn request(&self, method: &Method, url: &Url) -> reqwest::RequestBuilder {
        let mut request = self.http.request(method.clone(), url.clone());
        if let Some(cookies) = self.cookies.get(&host(url)).filter(|it| !it.is_empty()) {
            let all: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header("Cookie", all.join("; "));
        }
        if *method == Method::GET {
            return request;
        }
        request
            .header("Origin", self.home.origin().ascii_serialization())
            .header("Sec-Fetch-Site", "same-origin")
    }

    /// Goes there and wherever it is sent on to. `account` signs in at the first other server.
    async fn go(
        &mut self,
        method: Method,
        url: Url,
        fields: Vec<(String, String)>,
        mut account: Option<&str>,
    ) -> Page {
        let (mut method, mut url) = (method, url);
        for _ in 0..REDIRECTS {
            let away = host(&url) != host(&self.home);
            if let Some(account) = account.filter(|_| away) {
                // By hand: one vendor does not take a redirect address whose encoding was changed.
                let query = url.query().unwrap_or_default().to_owned();
                url.set_query(Some(&format!("{query}&sim_person={}", percent(account))));
            }
            account = account.filter(|_| !away);
            let mut request = self.request(&method, &url);
            if method == Method::POST {
                request = request.form(&fields);
            }
            let answer = Api::send(request).await.unwrap_or_else(|e| panic!("{method} {url}: {e:?}"));
            self.keep(&url, &answer);
            match answer.header("location").filter(|_| (300..400).contains(&answer.status)) {
                Some(location) => {
                    url = url.join(location).expect("an address to go on to");
                    method = Method::GET;
                }
                None => return Page { url, status: answer.status, text: answer.text() },
            }
        }
        panic!("{url} sends on and on")
    }

    fn keep(&mut self, url: &Url, answer: &Answer) {
        let jar = self.cookies.entry(host(url)).or_default();
        for (_, line) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let Some((name, value)) = line.split(';').next().and_then(|pair| pair.split_once('=')) else {
                continue;
            };
            if value.is_empty() || line.to_ascii_lowercase().contains("max-age=0") {
                jar.remove(name);
            } else {
                jar.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

fn host(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default())
}

/// Runs a subcommand against the world's server, by its socket. The lines of JSON that it prints; fails the test when it fails.
pub async fn command(world: &World, arguments: &[&str]) -> Vec<Value> {
    try_command(world, arguments).await.unwrap_or_else(|said| panic!("{arguments:?}: {said}"))
}

/// The same; what it said on standard error when it failed.
pub async fn try_command(world: &World, arguments: &[&str]) -> Result<Vec<Value>, String> {
    let config = world.config().display().to_string();
    let output = run("postroom", &[arguments, &["--config", config.as_str(), "--json"]].concat()).await;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect())
}

/// The settings of a world's iManage as a linked service: persons file with their own accounts, the rest with the destination's.
pub fn imanage_service(name: &str, url: &str) -> String {
    format!(
        "\n[[services]]\nname = \"{name}\"\ntitle = \"iManage Work\"\nkind = \"imanage\"\nbase_url = \"{url}\"\n\
         client_id = \"postroom\"\nclient_secret = \"postroom-client-secret\"\nlinks = true\n\
         system_account = \"destination\"\n"
    )
}

/// The settings of a fake NetDocuments as a linked service.
pub fn netdocuments_service(name: &str, url: &str) -> String {
    format!(
        "\n[[services]]\nname = \"{name}\"\ntitle = \"NetDocuments\"\nkind = \"netdocuments\"\nbase_url = \"{url}\"\n\
         web_url = \"{url}\"\nclient_id = \"{}\"\nclient_secret = \"postroom-netdocuments-secret\"\nlinks = true\n",
        postroom_sims::netdocuments::APP
    )
}

/// The settings of a fake OpenID Connect provider that people sign in with.
pub fn openid_service(name: &str, issuer: &str) -> String {
    format!(
        "\n[[services]]\nname = \"{name}\"\ntitle = \"the firm's sign-in\"\nkind = \"openid\"\nissuer = \"{issuer}\"\n\
         client_id = \"postroom\"\nclient_secret = \"postroom-openid-secret\"\nsign_in = \"visible\"\n"
    )
}
