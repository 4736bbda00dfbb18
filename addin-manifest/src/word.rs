//! The manifest for Word and Excel: one pane, opened from the Home tab.

use crate::outlook::{button, button_icon, office_app, refers};
use crate::texts::{self, Said};
use crate::xml::{Element, empty, holds, says, value};
use crate::{AddIn, Mistake};

const OVERRIDES: &str = "http://schemas.microsoft.com/office/taskpaneappversionoverrides";
/// Word and Excel, as manifests call them.
const HOSTS: [&str; 2] = ["Document", "Workbook"];

const SHORT: &[(&str, Said)] = &[("group", texts::NAME), ("file", texts::FILE)];
const LONG: &[(&str, Said)] = &[("fileTip", texts::DOCUMENT_TIP)];

impl AddIn {
    /// The manifest for Word and Excel.
    pub fn word_xml(&self) -> Result<String, Mistake> {
        let mut all =
            vec![says("Id", self.word_id().to_string()), says("Version", format!("{}.0", Self::VERSION))];
        all.extend(self.head(texts::OFFICE, [32, 64]));
        all.extend([
            holds("Hosts", HOSTS.map(|host| empty("Host").with("Name", host))),
            holds("DefaultSettings", [value("SourceLocation", self.base.page("/addin/word"))]),
            says("Permissions", "ReadWriteDocument"),
            holds(
                "VersionOverrides",
                [holds("Hosts", HOSTS.map(host)), self.resources(&[("pane", "/addin/word")], SHORT, LONG)],
            )
            .with("xmlns", OVERRIDES)
            .with("xsi:type", "VersionOverridesV1_0"),
        ]);
        office_app("TaskPaneApp", all).document()
    }
}

fn host(kind: &str) -> Element {
    let pane = holds("Action", [says("TaskpaneId", "Postroom"), refers("SourceLocation", "pane")])
        .with("xsi:type", "ShowTaskpane");
    // A group has an icon of its own here; in Outlook it has none.
    let group = holds(
        "Group",
        [refers("Label", "group"), button_icon(), button(&format!("file{kind}"), ["file", "fileTip"], pane)],
    )
    .with("id", format!("group{kind}"));
    let tab = holds("OfficeTab", [group]).with("id", "TabHome");
    let surface = holds("ExtensionPoint", [tab]).with("xsi:type", "PrimaryCommandSurface");
    holds("Host", [holds("DesktopFormFactor", [surface])]).with("xsi:type", kind)
}
