//! The manifests and packages as a whole: whole files as snapshots, and what the schemas want of them. No XSD of the present schema can be
//! had; the order is held against the published list of elements.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read as _};

use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::{Value, json};

use crate::{AddIn, BaseUrl, Extension, OnSend, PublicKey, Service};

const FIRM: &str = "https://postroom.firm.example";

fn base() -> BaseUrl {
    BaseUrl::new(FIRM).unwrap()
}

fn firm() -> AddIn {
    AddIn::new(base(), "Harrow & Finch LLP", None, OnSend::PromptUser).unwrap()
}

/// An element as it was read.
#[derive(Debug, Default)]
struct Read {
    /// Its name and those around it: `OfficeApp/Hosts/Host`.
    path: String,
    attributes: BTreeMap<String, String>,
    text: String,
    children: Vec<String>,
}

fn read(xml: &str) -> Vec<Read> {
    let mut reader = Reader::from_str(xml);
    let (mut open, mut done): (Vec<Read>, Vec<Read>) = (Vec::new(), Vec::new());
    loop {
        let event = reader.read_event().unwrap();
        match &event {
            Event::Start(start) | Event::Empty(start) => {
                let name = start.name().as_ref().to_owned();
                let path = open.last().map_or_else(|| name.clone(), |it| format!("{}/{name}", it.path));
                let attributes = start.attributes().map(|it| {
                    let it = it.unwrap();
                    let value = quick_xml::escape::unescape(&it.value).unwrap().into_owned();
                    (it.key.as_ref().to_owned(), value)
                });
                let element = Read { path, attributes: attributes.collect(), ..Read::default() };
                if let Some(parent) = open.last_mut() {
                    parent.children.push(name);
                }
                if matches!(event, Event::Start(_)) {
                    open.push(element);
                } else {
                    done.push(element);
                }
            }
            Event::Text(text) => {
                if let Some(element) = open.last_mut() {
                    element.text.push_str(text);
                }
            }
            Event::GeneralRef(name) => {
                let known = quick_xml::escape::resolve_predefined_entity(name).unwrap();
                open.last_mut().unwrap().text.push_str(known);
            }
            Event::End(_) => done.push(open.pop().unwrap()),
            Event::Eof => break,
            _ => {}
        }
    }
    assert!(open.is_empty());
    done
}

/// What may stand in an element, in its order; `*` marks what must. The first row whose path ends the element's counts.
const ORDER: &[(&str, &[&str])] = &[
    (
        "VersionOverrides/VersionOverrides",
        &["Description", "Requirements", "Hosts*", "Resources*", "WebApplicationInfo"],
    ),
    ("MailApp/VersionOverrides", &["Description", "Requirements", "Hosts", "Resources", "VersionOverrides*"]),
    (
        "TaskPaneApp/VersionOverrides",
        &["Description", "Requirements", "Hosts*", "Resources*", "WebApplicationInfo"],
    ),
    (
        "MailApp",
        &[
            "Id*",
            "AlternateId",
            "Version*",
            "ProviderName*",
            "DefaultLocale*",
            "DisplayName*",
            "Description*",
            "IconUrl*",
            "HighResolutionIconUrl*",
            "SupportUrl*",
            "AppDomains",
            "Hosts*",
            "Requirements*",
            "FormSettings*",
            "Permissions*",
            "Rule*",
            "DisableEntityHighlighting",
            "VersionOverrides*",
        ],
    ),
    (
        "TaskPaneApp",
        &[
            "Id*",
            "AlternateId",
            "Version*",
            "ProviderName*",
            "DefaultLocale*",
            "DisplayName*",
            "Description*",
            "IconUrl*",
            "HighResolutionIconUrl*",
            "SupportUrl*",
            "AppDomains",
            "Hosts*",
            "Requirements",
            "DefaultSettings*",
            "Permissions*",
            "Dictionary",
            "VersionOverrides*",
        ],
    ),
    ("DisplayName", &["Override*"]),
    ("Description", &["Override*"]),
    ("bt:String", &["bt:Override*"]),
    ("AppDomains", &["AppDomain*"]),
    ("VersionOverrides/Requirements", &["bt:Sets*"]),
    ("bt:Sets", &["bt:Set*"]),
    ("Requirements", &["Sets*", "Methods"]),
    ("Sets", &["Set*"]),
    ("FormSettings", &["Form*"]),
    ("Form", &["DesktopSettings*", "TabletSettings", "PhoneSettings"]),
    ("DesktopSettings", &["SourceLocation*", "RequestedHeight*"]),
    ("DefaultSettings", &["SourceLocation*"]),
    ("Rule", &["Rule*"]),
    ("Hosts", &["Host*"]),
    (
        "MailApp/VersionOverrides/VersionOverrides/Hosts/Host",
        &["Runtimes*", "DesktopFormFactor*", "MobileFormFactor"],
    ),
    ("Host", &["Runtimes", "AllFormFactors", "DesktopFormFactor*"]),
    ("Runtimes", &["Runtime*"]),
    ("Runtime", &["Override*"]),
    (
        "MailApp/VersionOverrides/VersionOverrides/Hosts/Host/DesktopFormFactor",
        &["SupportsSharedFolders*", "FunctionFile*", "ExtensionPoint*"],
    ),
    ("DesktopFormFactor", &["GetStarted", "FunctionFile", "ExtensionPoint*"]),
    ("ExtensionPoint", &["OfficeTab", "CustomTab", "LaunchEvents", "SourceLocation"]),
    ("OfficeTab", &["Group*"]),
    (
        "TaskPaneApp/VersionOverrides/Hosts/Host/DesktopFormFactor/ExtensionPoint/OfficeTab/Group",
        &["Label*", "Icon*", "Control*"],
    ),
    ("Group", &["Label*", "Control*"]),
    ("Control", &["Label*", "Supertip*", "Icon*", "Action*"]),
    ("Supertip", &["Title*", "Description*"]),
    ("Icon", &["bt:Image*"]),
    (
        "TaskPaneApp/VersionOverrides/Hosts/Host/DesktopFormFactor/ExtensionPoint/OfficeTab/Group/Control/Action",
        &["TaskpaneId*", "SourceLocation*"],
    ),
    ("Action", &["SourceLocation*", "SupportsPinning", "SupportsNoItemContext", "SupportsMultiSelect"]),
    ("LaunchEvents", &["LaunchEvent*"]),
    ("Resources", &["bt:Images*", "bt:Urls*", "bt:ShortStrings*", "bt:LongStrings*"]),
    ("bt:Images", &["bt:Image*"]),
    ("bt:Urls", &["bt:Url*"]),
    ("bt:ShortStrings", &["bt:String*"]),
    ("bt:LongStrings", &["bt:String*"]),
];

/// What is wrong with the order of a manifest's elements.
fn disorder(xml: &str, kind: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for element in read(xml).iter().filter(|it| !it.children.is_empty()) {
        let path = element.path.replacen("OfficeApp", kind, 1);
        let ends = |row: &&(&str, &[&str])| path == row.0 || path.ends_with(&format!("/{}", row.0));
        // The longest path that fits says the most.
        let Some((_, allowed)) = ORDER.iter().filter(ends).max_by_key(|row| row.0.len()) else {
            wrong.push(format!("{path} is not in the list"));
            continue;
        };
        let place = |name: &str| allowed.iter().position(|it| it.trim_end_matches('*') == name);
        let places: Vec<_> = element.children.iter().map(|it| place(it)).collect();
        if places.contains(&None) || !places.is_sorted() {
            wrong.push(format!("{path} holds {:?}, and may hold {allowed:?}", element.children));
        }
        for needed in allowed.iter().filter_map(|it| it.strip_suffix('*')) {
            if !element.children.iter().any(|it| it == needed) {
                wrong.push(format!("{path} lacks {needed}"));
            }
        }
    }
    wrong
}

#[test]
fn the_manifests_of_a_firm() {
    insta::assert_snapshot!("outlook", firm().outlook_xml().unwrap());
    insta::assert_snapshot!("word", firm().word_xml().unwrap());
    insta::assert_snapshot!("unified", firm().unified_json().unwrap());
}

#[test]
fn elements_stand_in_the_schemas_order() {
    let (outlook, word) = (firm().outlook_xml().unwrap(), firm().word_xml().unwrap());
    assert_eq!(disorder(&outlook, "MailApp"), Vec::<String>::new());
    assert_eq!(disorder(&word, "TaskPaneApp"), Vec::<String>::new());

    // The list finds what it is there to find.
    let swap = |from: &str, to: &str| {
        disorder(&outlook.replacen(from, "<X/>", 1).replacen(to, from, 1).replacen("<X/>", to, 1), "MailApp")
    };
    let (first, second) =
        ("<SupportsPinning>true</SupportsPinning>", "<SupportsMultiSelect>true</SupportsMultiSelect>");
    assert!(!swap(first, second).is_empty());
    assert!(
        !disorder(&outlook.replacen("<SupportsSharedFolders>true</SupportsSharedFolders>", "", 1), "MailApp")
            .is_empty()
    );
}

/// The rules that are not about order: ids that exist and are used once, lengths, sizes of icons.
#[test]
fn resources_are_whole() {
    for xml in [firm().outlook_xml().unwrap(), firm().word_xml().unwrap()] {
        let all = read(&xml);
        let mut ids = BTreeSet::new();
        // A tab's id is Office's own.
        for (element, id) in all
            .iter()
            .filter_map(|it| Some((it, it.attributes.get("id")?)))
            .filter(|it| !it.0.path.ends_with("/OfficeTab"))
        {
            assert!(ids.insert(id.clone()), "{id} stands twice");
            assert!(id.len() <= 32, "{id}");
            let most = match element.path.rsplit('/').take(2).collect::<Vec<_>>()[..] {
                ["bt:Url", _] => 2048,
                ["bt:String", "bt:ShortStrings"] => 125,
                ["bt:String", "bt:LongStrings"] => 250,
                _ => continue,
            };
            assert!(element.attributes["DefaultValue"].chars().count() <= most);
        }
        for id in all.iter().filter_map(|it| it.attributes.get("resid")) {
            assert!(ids.contains(id), "{id} is no resource");
        }
        for control in all.iter().filter(|it| it.path.ends_with("/Icon")) {
            assert_eq!(control.children, ["bt:Image"; 3]);
        }
        let addresses =
            all.iter().filter(|it| it.path.ends_with("bt:Url") || it.path.ends_with("bt:Images/bt:Image"));
        for address in addresses.map(|it| &it.attributes["DefaultValue"]) {
            assert!(address.starts_with(&format!("{FIRM}/addin/")), "{address}");
        }
    }
}

/// What the schema of each says of sending: never `Block`, whatever is asked for.
#[test]
fn sending_is_never_blocked() {
    for (on_send, xml, json) in
        [(OnSend::PromptUser, "PromptUser", "promptUser"), (OnSend::SoftBlock, "SoftBlock", "softBlock")]
    {
        let firm = AddIn::new(base(), "Firm", None, on_send).unwrap();
        let all = read(&firm.outlook_xml().unwrap());
        let event = all.iter().find(|it| it.path.ends_with("/LaunchEvent")).unwrap();
        assert_eq!(event.attributes["SendMode"], xml);
        assert_eq!(event.attributes["FunctionName"], "onMessageSendHandler");
        let unified: Value = serde_json::from_str(&firm.unified_json().unwrap()).unwrap();
        assert_eq!(unified["extensions"][0]["autoRunEvents"][0]["events"][0]["options"]["sendMode"], json);
    }
}

#[test]
fn a_providers_name_is_text() {
    let hostile = r#"A & B <script>"x"</script> ]]> 'Ø' 事務所"#;
    let firm = AddIn::new(base(), hostile, Some("https://help.firm.example/?a=1&b=\"2\""), OnSend::default())
        .unwrap();
    for xml in [firm.outlook_xml().unwrap(), firm.word_xml().unwrap()] {
        let all = read(&xml);
        assert_eq!(all.iter().find(|it| it.path.ends_with("ProviderName")).unwrap().text, hostile);
        let support = all.iter().find(|it| it.path.ends_with("SupportUrl")).unwrap();
        assert_eq!(support.attributes["DefaultValue"], "https://help.firm.example/?a=1&b=%222%22");
    }
    let unified: Value = serde_json::from_str(&firm.unified_json().unwrap()).unwrap();
    assert_eq!(unified["developer"]["name"], hostile.chars().take(32).collect::<String>());
    for (name, wanted) in [
        ("", "is empty"),
        ("  ", "is empty"),
        ("a\nb", "cannot be written"),
        (&"x".repeat(126), "longer than 125"),
    ] {
        let told = AddIn::new(base(), name, None, OnSend::default()).unwrap_err().to_string();
        assert!(told.contains(wanted), "{told}");
    }
    let told = AddIn::new(base(), "Firm", Some("http://help.firm.example"), OnSend::default())
        .unwrap_err()
        .to_string();
    assert!(told.contains("must begin with https://"), "{told}");
}

fn unzip(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    (0..archive.len())
        .map(|at| {
            let mut file = archive.by_index(at).unwrap();
            let mut content = Vec::new();
            file.read_to_end(&mut content).unwrap();
            (file.name().unwrap().into_owned(), content)
        })
        .collect()
}

fn json_of(files: &BTreeMap<String, Vec<u8>>, name: &str) -> Value {
    serde_json::from_slice(&files[name]).unwrap()
}

#[test]
fn the_unified_package_holds_what_its_manifest_names() {
    let bytes = firm().unified_zip().unwrap();
    assert_eq!(bytes, firm().unified_zip().unwrap(), "the same bytes each time");
    let files = unzip(&bytes);
    assert_eq!(files.keys().collect::<Vec<_>>(), ["color.png", "de.json", "manifest.json", "outline.png"]);
    let manifest = json_of(&files, "manifest.json");
    assert_eq!(manifest["icons"], json!({ "color": "color.png", "outline": "outline.png" }));
    assert_eq!(manifest["localizationInfo"]["additionalLanguages"][0]["file"], "de.json");
    assert_eq!(files["color.png"], *crate::icon("icon-192.png").unwrap());
}

fn extension(services: &[&str], key: Option<PublicKey>) -> Extension {
    let services = services.iter().map(|it| it.parse::<Service>().unwrap()).collect();
    Extension::new(base(), services, key).unwrap()
}

const SERVICES: [&str; 3] = [
    "imanage=dms=Firm.imanage.work,dms.firm.example",
    "netdocuments=nd=eu.netdocuments.com",
    "highq=collab=collab.firm.example",
];

#[test]
fn an_extension_is_packed_for_its_firm() {
    let it = extension(&SERVICES, None);
    let bytes = it.chrome_zip().unwrap();
    assert_eq!(bytes, extension(&SERVICES, None).chrome_zip().unwrap(), "the same bytes each time");
    let files = unzip(&bytes);
    insta::assert_json_snapshot!("extension_files", files.keys().collect::<Vec<_>>());
    insta::assert_snapshot!("extension_config", String::from_utf8(files["config.js"].clone()).unwrap());
    insta::assert_json_snapshot!("extension_chrome", json_of(&files, "manifest.json"));

    let firefox = unzip(&it.firefox_zip().unwrap());
    insta::assert_json_snapshot!("extension_firefox", json_of(&firefox, "manifest.json"));
    assert!(!firefox.contains_key("managed_schema.json"));
    let shared = |name: &&String| !matches!(name.as_str(), "manifest.json" | "managed_schema.json");
    for name in files.keys().filter(shared) {
        assert_eq!(files[name], firefox[name], "{name}");
    }
}

#[test]
fn an_extension_asks_for_hosts_of_highq_only() {
    let asked = |services: &[&str]| {
        json_of(&unzip(&extension(services, None).chrome_zip().unwrap()), "manifest.json")["optional_host_permissions"].clone()
    };
    assert_eq!(asked(&[]), json!(["https://*.highq.com/*"]));
    assert_eq!(asked(&SERVICES[..2]), Value::Null);
    assert_eq!(asked(&SERVICES), json!(["https://collab.firm.example/*", "https://*.highq.com/*"]));
    assert_eq!(asked(&["highq=a=*.highq.com"]), json!(["https://*.highq.com/*"]));
}

#[test]
fn a_service_is_named_and_on_hosts() {
    let bad = [
        ("imanage", "a part is missing"),
        ("imanage=dms", "a part is missing"),
        ("sharepoint=dms=a.example", "the kind is"),
        ("imanage==a.example", "no name"),
        ("imanage=a/b=a.example", "no name"),
        ("imanage=dms=", "no host"),
        ("imanage=dms=https://a.example", "no host"),
        ("imanage=dms=a.example:443", "no host"),
        ("imanage=dms=a.example/work", "no host"),
        ("imanage=dms=*", "no host"),
        ("imanage=dms=*.example", "no host"),
        ("imanage=dms=a.*.example", "no host"),
        ("imanage=dms=\"};alert(1)//", "no host"),
    ];
    for (given, wanted) in bad {
        let told = given.parse::<Service>().unwrap_err().to_string();
        assert!(told.contains(wanted) && told.contains("\nhint: "), "{given}: {told}");
    }
    let twice = ["imanage=dms=a.example", "highq=dms=b.example"].map(|it| it.parse().unwrap());
    assert!(Extension::new(base(), twice.into(), None).unwrap_err().to_string().contains("stands twice"));
}

/// A key made by `openssl genrsa 2048` for this test alone, and what openssl and sha256sum say its id is.
const KEY: &str = include_str!("../fixtures/extension-key.pem");
const PUBLIC: &str = include_str!("../fixtures/extension-public.pem");
const ID: &str = include_str!("../fixtures/extension-id");

#[test]
fn an_extensions_id_comes_from_its_key() {
    let key = PublicKey::from_pem(KEY).unwrap();
    assert_eq!(key, PublicKey::from_pem(PUBLIC).unwrap());
    assert_eq!(key.id(), ID.trim());
    let it = extension(&[], Some(key));
    let text: String = PUBLIC.lines().filter(|line| !line.starts_with('-')).collect();
    assert_eq!(json_of(&unzip(&it.chrome_zip().unwrap()), "manifest.json")["key"], text);
    assert_eq!(json_of(&unzip(&it.firefox_zip().unwrap()), "manifest.json")["key"], Value::Null);

    let ec = rcgen::KeyPair::generate().unwrap();
    for (pem, wanted) in [
        (String::new(), "is not one PEM section"),
        ("no key".to_owned(), "is not one PEM section"),
        (ec.serialize_pem(), "no RSA key"),
        (ec.public_key_pem(), "no RSA key"),
        (KEY.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"), "is encrypted"),
    ] {
        let told = PublicKey::from_pem(&pem).unwrap_err().to_string();
        assert!(told.contains(wanted), "{told}");
    }
}
