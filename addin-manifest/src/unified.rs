//! The unified manifest, which is JSON in a ZIP file: for Outlook, beside the one in XML, which it does not replace on Mac, on telephones
//! and in Office that was bought once.

use serde_json::{Value, json};

use crate::outlook::BUTTON;
use crate::texts::{self, Said};
use crate::{AddIn, Mistake, icon, package};

/// The version of the schema.
const SCHEMA: &str = "1.24";

impl AddIn {
    /// The unified manifest.
    pub fn unified_json(&self) -> Result<String, Mistake> {
        pretty(&self.unified())
    }

    /// The unified manifest with what belongs to it, as Microsoft 365 takes it in.
    pub fn unified_zip(&self) -> Result<Vec<u8>, Mistake> {
        let drawn = |name| icon(name).ok_or_else(|| Mistake::written("the package", &"an icon is missing"));
        package::zip([
            ("manifest.json", self.unified_json()?.into_bytes().into()),
            ("de.json", pretty(&in_german())?.into_bytes().into()),
            ("color.png", drawn("icon-192.png")?),
            ("outline.png", drawn("outline-32.png")?),
        ])
    }

    fn unified(&self) -> Value {
        let help = self.base.page("/addin/help");
        json!({
            "$schema": format!("https://developer.microsoft.com/json-schemas/teams/v{SCHEMA}/MicrosoftTeams.schema.json"),
            "manifestVersion": SCHEMA,
            "id": self.unified_id(),
            "version": Self::VERSION,
            "name": { "short": texts::NAME.en, "full": texts::FULL_NAME.en },
            "description": { "short": texts::MAIL.en, "full": texts::FULL_MAIL.en },
            "localizationInfo": {
                "defaultLanguageTag": "en",
                "additionalLanguages": [{ "languageTag": "de", "file": "de.json" }],
            },
            "developer": {
                // The schema allows no more.
                "name": self.provider.chars().take(32).collect::<String>().trim_end(),
                "websiteUrl": self.support,
                "privacyUrl": help,
                "termsOfUseUrl": help,
            },
            "icons": { "color": "color.png", "outline": "outline.png" },
            "accentColor": "#1b5e5a",
            "validDomains": [self.base.authority()],
            "authorization": { "permissions": { "resourceSpecific": [
                { "name": "Mailbox.ReadWrite.User", "type": "Delegated" },
                { "name": "Mailbox.SharedFolder", "type": "Delegated" },
            ] } },
            "extensions": [self.extension()],
        })
    }

    fn extension(&self) -> Value {
        let sending = json!({ "capabilities": [{ "name": "Mailbox", "minVersion": "1.12" }] });
        let pane = self.base.page("/addin/outlook");
        json!({
            "requirements": { "scopes": ["mail"], "capabilities": [{ "name": "Mailbox", "minVersion": "1.8" }] },
            "runtimes": [
                { "id": "Reading", "type": "general", "lifetime": "short", "code": { "page": pane }, "actions": [{
                    "id": "openReading", "type": "openPage", "view": "reading",
                    "pinnable": true, "supportsNoItemContext": true, "multiselect": true,
                }] },
                { "id": "Writing", "type": "general", "lifetime": "short", "code": { "page": pane }, "actions": [{
                    "id": "openWriting", "type": "openPage", "view": "writing",
                }] },
                { "id": "Sending", "type": "general", "lifetime": "short", "requirements": sending, "code": {
                    "page": self.base.page("/addin/commands"),
                    "script": self.base.page("/addin/launchevent.js"),
                }, "actions": [{ "id": Self::SEND_HANDLER, "type": "executeFunction" }] },
            ],
            "ribbons": [
                self.ribbon("mailRead", "read", "openReading", [texts::FILE, texts::FILE_TIP]),
                self.ribbon("mailCompose", "compose", "openWriting", [texts::SEND, texts::SEND_TIP]),
            ],
            "autoRunEvents": [{ "requirements": sending, "events": [{
                "type": "messageSending",
                "actionId": Self::SEND_HANDLER,
                "options": { "sendMode": self.on_send.in_json() },
            }] }],
        })
    }

    fn ribbon(&self, context: &str, id: &str, action: &str, [label, tip]: [Said; 2]) -> Value {
        let icons = BUTTON.map(|size| json!({ "size": size, "url": self.icon(size) }));
        json!({ "contexts": [context], "tabs": [{ "builtInTabId": "TabDefault", "groups": [{
            "id": format!("{id}Group"),
            "label": texts::NAME.en,
            "icons": icons,
            "controls": [{
                "id": id,
                "type": "button",
                "label": label.en,
                "icons": icons,
                "supertip": { "title": label.en, "description": tip.en },
                "actionId": action,
            }],
        }] }] })
    }
}

/// What the manifest says, in German. The schema of such files of this version knows no keys for the ribbon.
fn in_german() -> Value {
    json!({
        "$schema": format!("https://developer.microsoft.com/json-schemas/teams/v{SCHEMA}/MicrosoftTeams.Localization.schema.json"),
        "name.short": texts::NAME.de,
        "name.full": texts::FULL_NAME.de,
        "description.short": texts::MAIL.de,
        "description.full": texts::FULL_MAIL.de,
    })
}

fn pretty(value: &Value) -> Result<String, Mistake> {
    let text =
        serde_json::to_string_pretty(value).map_err(|error| Mistake::written("the manifest", &error))?;
    Ok(text + "\n")
}
