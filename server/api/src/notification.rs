//! What mail servers and DMSs say to us. Mail servers know no token of ours: each entry carries a secret that only they and the mailbox know.
//!
//! Read tolerantly, unlike other bodies: what is new in it is the server's to decide, and an entry that cannot be read must not cost the
//! others beside it.

use serde::{Deserialize, Serialize};

/// A body of `POST /notifications/graph`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GraphNotifications {
    /// The entries; those of several subscriptions may come together.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<GraphNotification>))]
    pub value: Vec<serde_json::Value>,
}

/// One entry: something changed, or something becomes of the subscription itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct GraphNotification {
    /// The subscription.
    pub subscription_id: String,
    /// What only the server and the mailbox know.
    pub client_state: String,
    /// What becomes of the subscription: `reauthorizationRequired`, `subscriptionRemoved`, `missed`, or something that is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifecycle_event: Option<String>,
}

impl GraphNotifications {
    /// The entries that can be read.
    pub fn entries(&self) -> impl Iterator<Item = GraphNotification> {
        self.value.iter().filter_map(|it| GraphNotification::deserialize(it).ok())
    }
}

/// What a workflow of HighQ says of a file or record. Only its site is heard, and nothing is believed but that something may be new there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct HighqNotification {
    /// The site's number.
    #[serde(deserialize_with = "number")]
    pub site_id: Option<String>,
    /// `SITE_MODULE_DOCUMENTS` or `SITE_MODULE_ISHEET`.
    #[serde(deserialize_with = "words")]
    pub module_alias: Option<String>,
    /// `ACTIVITY_DOCUMENT_ADDED`, `ACTIVITY_VERSION_UPLOADED`, `ADD_ITEM` or `EDIT_ITEM`.
    #[serde(deserialize_with = "words")]
    pub operation: Option<String>,
    /// The number of the file or record.
    #[serde(rename = "contentID", deserialize_with = "number")]
    pub content_id: Option<String>,
    /// The number of the file's folder.
    #[serde(deserialize_with = "number")]
    pub parent_folder_id: Option<String>,
}

/// A number of HighQ's, which it writes as a number or as text. What is none is nothing.
fn number<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let text = match serde_json::Value::deserialize(from)? {
        serde_json::Value::Number(number) => number.to_string(),
        serde_json::Value::String(text) => text.trim().to_owned(),
        _ => String::new(),
    };
    let plain = !text.is_empty() && text.len() <= 19 && text.bytes().all(|byte| byte.is_ascii_digit());
    Ok(Some(text).filter(|_| plain))
}

fn words<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(serde_json::Value::deserialize(from)?.as_str().map(|text| text.chars().take(100).collect()))
}

impl HighqNotification {
    /// The notifications in a body: one, or a list of them. None where it is neither.
    pub fn all(body: serde_json::Value) -> Option<Vec<Self>> {
        let read = |it: serde_json::Value| Self::deserialize(it).ok();
        match body {
            serde_json::Value::Array(list) => {
                Some(list.into_iter().filter(serde_json::Value::is_object).filter_map(read).collect())
            }
            one @ serde_json::Value::Object(_) => Some(read(one).into_iter().collect()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_costs_nobody_anything() {
        let body = r#"{"value":[7,{"subscriptionId":3},{"subscriptionId":"s1","clientState":"x","more":{}},
            {"subscriptionId":"s2","clientState":"y","lifecycleEvent":"missed"}],"validationTokens":[]}"#;
        let body: GraphNotifications = serde_json::from_str(body).unwrap();
        let read: Vec<(String, Option<String>)> =
            body.entries().map(|it| (it.subscription_id, it.lifecycle_event)).collect();
        assert_eq!(read, [("s1".to_owned(), None), ("s2".to_owned(), Some("missed".to_owned()))]);
        assert_eq!(serde_json::from_str::<GraphNotifications>("{}").unwrap().entries().count(), 0);
    }

    #[test]
    fn notifications_of_highq_are_read_whatever_is_in_them() {
        let sites = |text: &str| {
            let all = HighqNotification::all(serde_json::from_str(text).unwrap())?;
            Some(all.into_iter().map(|it| it.site_id.unwrap_or_default()).collect::<Vec<_>>())
        };
        for (text, wanted) in [
            (r#"{"siteId":101,"operation":"ACTIVITY_DOCUMENT_ADDED","contentID":868}"#, Some(vec!["101"])),
            (r#"{"siteId":" 101 ","columnIds":["1",2],"more":{"x":[]}}"#, Some(vec!["101"])),
            (r#"[{"siteId":"7"},3,{"siteId":8}]"#, Some(vec!["7", "8"])),
            (r#"{"siteId":"../1"}"#, Some(vec![""])),
            (r#"{"siteId":-1,"operation":7,"moduleAlias":{}}"#, Some(vec![""])),
            (r#"{"siteId":"12345678901234567890"}"#, Some(vec![""])),
            ("{}", Some(vec![""])),
            ("[]", Some(vec![])),
            ("7", None),
            ("null", None),
        ] {
            let wanted = wanted.map(|it| it.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(sites(text), wanted, "{text}");
        }
    }
}
