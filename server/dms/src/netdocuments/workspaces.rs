//! Making workspaces: NetDocuments makes one when it is asked for by the keys that define it, and gives the same one ever after.

use postroom_domain::cause::Cause;
use postroom_domain::dms::{Container, ContainerKind, DmsError, DmsResult, Trouble};
use postroom_outbound::Method;

use super::errors;
use super::places::Kind;
use super::seat::{Body, Seat};
use super::wire::{self, Item};

impl Seat {
    /// The workspace that the fields name, made if there is none. The rows of the lookup tables must be there and open first: a
    /// workspace for a matter that nobody opened would be a place where documents get lost.
    pub(super) async fn make_workspace(
        &self,
        library: &str,
        fields: &[(String, String)],
    ) -> DmsResult<Container> {
        let cabinet = self.cabinet(library).await?;
        if cabinet.workspace.is_empty() {
            let text = "neither the settings nor the cabinet tell which attributes define workspaces";
            return Err(errors::trouble(Cause::Misconfigured, text));
        }
        let mut keys = Vec::new();
        for number in &cabinet.workspace {
            let name = self.settings.field(*number);
            let given = fields.iter().find(|(field, _)| self.settings.number(field) == Some(*number));
            let Some((field, value)) = given else {
                let text = format!("a workspace is named by {name}, which the target does not say");
                return Err(errors::rejected(&name, text));
            };
            keys.push((*number, self.key(field, value)?, field.clone()));
        }
        let described = |field: &str, key: &str| {
            let wanted = [format!("{field}_description"), format!("{field}.description")];
            let found = fields.iter().find(|(name, _)| wanted.contains(name));
            found.map_or_else(|| key.to_owned(), |(_, text)| text.clone())
        };
        let known = |name: &String| {
            keys.iter().any(|(number, _, _)| self.settings.number(name) == Some(*number))
                || name.ends_with("description")
        };
        if let Some((odd, _)) = fields.iter().find(|(name, _)| !known(name)) {
            return Err(errors::rejected(odd, format!("{odd} does not name a workspace of this cabinet")));
        }
        let mut parent: Option<&str> = None;
        for (number, key, field) in &keys {
            match self.row(&cabinet, *number, parent, key).await? {
                Some(row) if !row.open => {
                    let text = format!("{field} {key} is closed in the lookup table");
                    return Err(errors::trouble(Cause::TargetClosed, text));
                }
                Some(_) => {}
                None if self.settings.create_lookup_rows => {
                    self.make_row(&cabinet, *number, parent, key, &described(field, key)).await?;
                }
                None => {
                    let text = format!("{field} {key} is not in the lookup table");
                    return Err(errors::trouble(Cause::TargetNotFound, text));
                }
            }
            parent = Some(key);
        }
        let mut path = vec!["v1", "Workspace", cabinet.id.as_str()];
        path.extend(keys.iter().map(|(_, key, _)| key.as_str()));
        path.push("info");
        let url = self.url(&path, &[])?;
        let reply = self.ask("create_workspace", Method::GET, url, Body::None).await?;
        if !reply.is_success() {
            let all: Vec<&str> = keys.iter().map(|(_, key, _)| key.as_str()).collect();
            return Err(errors::shape(
                &reply,
                &format!("asking for workspace {}", all.join("/")),
                &self.settings,
            ));
        }
        let item = Item::of(wire::value(&reply)?).unwrap_or_default();
        let made = self.container_of(&item, Kind::Workspace);
        let made = made.ok_or_else(|| DmsError::from(reply.unreadable("the workspace has no id")))?;
        let found = self.by_id(&cabinet.id, &made.id).await?;
        for (number, key, field) in &keys {
            let there = found.fields.get(&self.settings.field(*number));
            if there.is_some_and(|there| !self.same_key(key, there)) || found.kind != ContainerKind::Workspace
            {
                let text =
                    format!("asked for {field} {key}, NetDocuments gave {} with another one", found.id);
                return Err(DmsError::Conflict {
                    existing: None,
                    trouble: Trouble::new(Cause::Conflict, text),
                });
            }
        }
        Ok(found)
    }
}
