//! What mail servers say to us. They know no token of ours: each entry carries a secret that only they and the mailbox know.
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
}
