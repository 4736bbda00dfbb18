//! The manifest for Outlook, as the schema of mail add-ins wants it: the order of its elements counts, and what it does not know by that
//! order makes the whole add-in not load.

use crate::texts::{self, Said};
use crate::xml::{Element, empty, holds, said, says, value};
use crate::{AddIn, Mistake};

/// The oldest Mailbox that the pane runs on. What is newer it asks for in code.
const MAILBOX: &str = "1.8";
const OVERRIDES: &str = "http://schemas.microsoft.com/office/mailappversionoverrides";

/// The texts of the ribbon, by the ids that the manifest calls them.
const SHORT: &[(&str, Said)] = &[("group", texts::NAME), ("file", texts::FILE), ("send", texts::SEND)];
const LONG: &[(&str, Said)] = &[("fileTip", texts::FILE_TIP), ("sendTip", texts::SEND_TIP)];
/// Sizes of a button's icon.
pub(crate) const BUTTON: [u32; 3] = [16, 32, 80];

impl AddIn {
    /// The manifest for Outlook: reading, writing and sending.
    pub fn outlook_xml(&self) -> Result<String, Mistake> {
        let mut all =
            vec![says("Id", self.outlook_id().to_string()), says("Version", format!("{}.0", Self::VERSION))];
        all.extend(self.head(texts::MAIL, [64, 128]));
        all.extend([
            holds("Hosts", [empty("Host").with("Name", "Mailbox")]),
            holds(
                "Requirements",
                [holds("Sets", [empty("Set").with("Name", "Mailbox").with("MinVersion", MAILBOX)])],
            ),
            // The schema wants a form; Outlook does not look at it where it knows the overrides.
            holds("FormSettings", [self.form()]),
            says("Permissions", "ReadWriteMailbox"),
            holds(
                "Rule",
                [empty("Rule")
                    .with("xsi:type", "ItemIs")
                    .with("ItemType", "Message")
                    .with("FormType", "Read")],
            )
            .with("xsi:type", "RuleCollection")
            .with("Mode", "Or"),
            says("DisableEntityHighlighting", "true"),
            holds("VersionOverrides", [self.overrides()])
                .with("xmlns", OVERRIDES)
                .with("xsi:type", "VersionOverridesV1_0"),
        ]);
        office_app("MailApp", all).document()
    }

    /// What every manifest in XML begins with, after its id and version.
    pub(crate) fn head(&self, about: Said, [icon, large]: [u32; 2]) -> Vec<Element> {
        vec![
            says("ProviderName", &self.provider),
            says("DefaultLocale", texts::DEFAULT),
            said(("DisplayName", "Override"), texts::NAME),
            said(("Description", "Override"), about),
            value("IconUrl", self.icon(icon)),
            value("HighResolutionIconUrl", self.icon(large)),
            value("SupportUrl", &self.support),
            // The sign-in's dialog opens on our own address: on localhost Outlook on the web opens it only when that is named here.
            holds("AppDomains", [says("AppDomain", self.base.to_string())]),
        ]
    }

    fn form(&self) -> Element {
        let settings = holds(
            "DesktopSettings",
            [value("SourceLocation", self.base.page("/addin/outlook")), says("RequestedHeight", "250")],
        );
        holds("Form", [settings]).with("xsi:type", "ItemRead")
    }

    fn overrides(&self) -> Element {
        let sets =
            holds("bt:Sets", [empty("bt:Set").with("Name", "Mailbox")]).with("DefaultMinVersion", MAILBOX);
        let host = holds("Host", [runtimes(), self.form_factor()]).with("xsi:type", "MailHost");
        let urls = [
            ("pane", "/addin/outlook"),
            ("commands", "/addin/commands"),
            ("launchEvent", "/addin/launchevent.js"),
        ];
        holds(
            "VersionOverrides",
            [holds("Requirements", [sets]), holds("Hosts", [host]), self.resources(&urls, SHORT, LONG)],
        )
        .with("xmlns", format!("{OVERRIDES}/1.1"))
        .with("xsi:type", "VersionOverridesV1_1")
    }

    fn form_factor(&self) -> Element {
        let event = empty("LaunchEvent")
            .with("Type", "OnMessageSend")
            .with("FunctionName", Self::SEND_HANDLER)
            .with("SendMode", self.on_send.in_xml());
        let sending =
            holds("ExtensionPoint", [holds("LaunchEvents", [event]), refers("SourceLocation", "commands")])
                .with("xsi:type", "LaunchEvent");
        holds(
            "DesktopFormFactor",
            [
                says("SupportsSharedFolders", "true"),
                refers("FunctionFile", "commands"),
                surface(
                    "MessageReadCommandSurface",
                    "readGroup",
                    button("read", ["file", "fileTip"], reading()),
                ),
                surface(
                    "MessageComposeCommandSurface",
                    "composeGroup",
                    button("compose", ["send", "sendTip"], pane()),
                ),
                sending,
            ],
        )
    }

    /// Icons, addresses and texts, which the rest of the overrides calls by their ids.
    pub(crate) fn resources(
        &self,
        urls: &[(&str, &str)],
        short: &[(&str, Said)],
        long: &[(&str, Said)],
    ) -> Element {
        let image = |size: u32| value("bt:Image", self.icon(size)).first("id", icon_id(size));
        let text = |it: &(&str, Said)| said(("bt:String", "bt:Override"), it.1).first("id", it.0);
        holds(
            "Resources",
            [
                holds("bt:Images", BUTTON.map(image)),
                holds(
                    "bt:Urls",
                    urls.iter().map(|(id, path)| value("bt:Url", self.base.page(path)).first("id", *id)),
                ),
                holds("bt:ShortStrings", short.iter().map(text)),
                holds("bt:LongStrings", long.iter().map(text)),
            ],
        )
    }
}

/// The root of a manifest in XML.
pub(crate) fn office_app(kind: &str, children: Vec<Element>) -> Element {
    holds("OfficeApp", children)
        .with("xmlns", "http://schemas.microsoft.com/office/appforoffice/1.1")
        .with("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance")
        .with("xmlns:bt", "http://schemas.microsoft.com/office/officeappbasictypes/1.0")
        .with("xsi:type", kind)
}

/// Where the event of sending runs: a page on the web, in new Outlook and on Mac; a script alone in classic Outlook on Windows.
fn runtimes() -> Element {
    let classic = refers("Override", "launchEvent").first("type", "javascript");
    holds("Runtimes", [refers("Runtime", "commands").and([classic])])
}

fn surface(kind: &str, group: &str, control: Element) -> Element {
    let group = holds("Group", [refers("Label", "group"), control]).with("id", group);
    let tab = holds("OfficeTab", [group]).with("id", "TabDefault");
    holds("ExtensionPoint", [tab]).with("xsi:type", kind)
}

/// A button that opens a pane.
pub(crate) fn button(id: &str, [label, tip]: [&str; 2], action: Element) -> Element {
    holds(
        "Control",
        [
            refers("Label", label),
            holds("Supertip", [refers("Title", label), refers("Description", tip)]),
            button_icon(),
            action,
        ],
    )
    .with("xsi:type", "Button")
    .with("id", id)
}

/// The icon of a button or group.
pub(crate) fn button_icon() -> Element {
    holds("Icon", BUTTON.map(|size| refers("bt:Image", &icon_id(size)).first("size", size.to_string())))
}

/// Opens the pane on the open message; it stays open beside others, without one, and with several selected.
fn reading() -> Element {
    holds(
        "Action",
        [
            refers("SourceLocation", "pane"),
            says("SupportsPinning", "true"),
            says("SupportsNoItemContext", "true"),
            says("SupportsMultiSelect", "true"),
        ],
    )
    .with("xsi:type", "ShowTaskpane")
}

fn pane() -> Element {
    holds("Action", [refers("SourceLocation", "pane")]).with("xsi:type", "ShowTaskpane")
}

/// An element that stands for what is among the resources.
pub(crate) fn refers(name: &'static str, id: &str) -> Element {
    empty(name).with("resid", id)
}

fn icon_id(size: u32) -> String {
    format!("icon{size}")
}
