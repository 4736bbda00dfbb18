//! Choosing a place in a DMS: destinations, libraries, workspaces, folders, and values of profile fields.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use jiff::Timestamp;
use postroom_domain::dms::{ContainerKind, Document, Library, LookupRow, Shelf};
use postroom_domain::ids::ServiceName;
use postroom_domain::places::{MayFile, Offered, Origin, Place, PlaceId, Step};
use serde::{Deserialize, Serialize};

/// A place's id as addresses and answers carry it: library and container in one word that needs no escaping anywhere. The DMSs' own ids
/// hold slashes, colons and `^`, which proxies on the way decode, join or refuse.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PlaceKey(pub PlaceId);

/// Why a text is not a place's id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is not the id of a place; pass the `id` of one that was listed, unchanged")]
pub struct NotAPlace;

impl fmt::Display for PlaceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PlaceId { library, container } = &self.0;
        // A library's name holds no line end; one that does would only not be found again.
        f.write_str(&Base64UrlUnpadded::encode_string(format!("{library}\n{container}").as_bytes()))
    }
}

impl FromStr for PlaceKey {
    type Err = NotAPlace;
    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        let bytes = Base64UrlUnpadded::decode_vec(text).map_err(|_| NotAPlace)?;
        let both = String::from_utf8(bytes).map_err(|_| NotAPlace)?;
        let (library, container) = both.split_once('\n').ok_or(NotAPlace)?;
        if container.is_empty() || both.chars().filter(|c| c.is_control()).count() > 1 {
            return Err(NotAPlace);
        }
        Ok(Self(PlaceId { library: library.to_owned(), container: container.to_owned() }))
    }
}

fn key(id: &PlaceId) -> String {
    PlaceKey(id.clone()).to_string()
}

/// A destination and what it offers to people who choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DestinationView {
    /// Its name in the settings.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub name: ServiceName,
    /// What it can do, such as `libraries`, `search_workspaces`, `recent`, `favourites`, `lookups`, `list_documents`.
    pub can: Vec<String>,
}

impl From<Offered> for DestinationView {
    fn from(offered: Offered) -> Self {
        let flags = offered.capabilities.flags().into_iter().filter(|(_, on)| *on);
        Self { name: offered.name, can: flags.map(|(name, _)| name.to_owned()).collect() }
    }
}

/// Destinations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Destinations {
    /// In the order of the settings.
    pub items: Vec<DestinationView>,
}

/// A library, cabinet or site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LibraryView {
    /// Its id, to pass as `library`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its fields, by the DMS's own names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
}

impl From<Library> for LibraryView {
    fn from(library: Library) -> Self {
        Self { id: library.id, name: library.name, fields: library.fields }
    }
}

/// A step on the way down to a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StepView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

impl From<Step> for StepView {
    fn from(step: Step) -> Self {
        Self { id: key(&step.id), name: step.name }
    }
}

/// A workspace or folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlaceView {
    /// Its id in this API; the same place has always the same.
    pub id: String,
    /// The library, cabinet or site; absent where there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub library: String,
    /// The DMS's own id of it.
    pub dms_id: String,
    /// Its name.
    pub name: String,
    /// `workspace`, `folder`, or `search` for what looks like a folder and keeps no documents.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub kind: ContainerKind,
    /// Whether it is open to new documents.
    pub open: bool,
    /// Whether who asks may file into it: `yes`, `no`, or `unknown` when only filing tells.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub may_file: MayFile,
    /// The place it lies in, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// The workspace it belongs to, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
    /// The places above it, uppermost first; only of a place that was asked for by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<StepView>,
    /// Who put it on the list, on lists of recent and favourite places: `dms`, `postroom` or both.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub origins: Vec<Origin>,
    /// Where it opens in the DMS's own pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

impl From<Place> for PlaceView {
    fn from(place: Place) -> Self {
        Self {
            id: key(&place.id),
            library: place.id.library,
            dms_id: place.id.container,
            name: place.name,
            kind: place.kind,
            open: place.open,
            may_file: place.may_file,
            parent: place.parent.as_ref().map(key),
            workspace: place.workspace.as_ref().map(key),
            path: place.path.into_iter().map(StepView::from).collect(),
            origins: place.origins,
            link: place.link,
        }
    }
}

/// A document in a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DocumentView {
    /// The DMS's id of it.
    pub id: String,
    /// The newest version, where the DMS has versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its file name.
    pub name: String,
    /// Its length in bytes, where the DMS says it exactly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// When it was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<Timestamp>,
    /// Who has it checked out or locked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked_by: Option<String>,
}

impl From<Document> for DocumentView {
    fn from(document: Document) -> Self {
        let Document { id, version, name, size, changed, locked_by, .. } = document;
        Self { id, version, name, size, changed, locked_by }
    }
}

/// A value of a profile field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ValueView {
    /// The value that profiles hold.
    pub key: String,
    /// What it means.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Whether new documents may still use it.
    pub open: bool,
}

impl From<LookupRow> for ValueView {
    fn from(row: LookupRow) -> Self {
        Self { key: row.key, description: row.description, open: row.open }
    }
}

/// Which part of a list is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
pub struct PartList {
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Which places are listed: by words, or those of a list of one's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
pub struct PlaceList {
    /// Words that workspaces are searched by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The library, cabinet or site; the destination's usual one when absent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub library: String,
    /// `recent` or `favourites`, in place of words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(value_type = Option<String>), schema(value_type = Option<String>))]
    pub shelf: Option<Shelf>,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Which values of a field are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
pub struct ValueList {
    /// What key or description begin with or hold; all when empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// The value of the field above, where this one depends on it: the client whose matters are wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// The library, cabinet or site.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub library: String,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_dmss_call_their_places_goes_through_addresses() {
        let long = "x".repeat(300);
        for (library, container) in [
            ("ACTIVE", "ACTIVE!12"),
            ("", "4842-3321-9984"),
            ("NG-AB12CD", ":Q12:q^F210908150223456.nev"),
            ("", "/Harrow/Teal & Söhne/100 %/a+b?c#d"),
            ("1 2/3", "~../.."),
            ("", long.as_str()),
        ] {
            let id = PlaceId { library: library.to_owned(), container: container.to_owned() };
            let text = PlaceKey(id.clone()).to_string();
            assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)), "{text}");
            assert_eq!(text.parse(), Ok(PlaceKey(id)), "{container:?}");
        }
        let encode = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
        for wrong in [
            "",
            "ACTIVE!12",
            "%",
            "AAAA=",
            &encode("no line"),
            &encode("lib\n"),
            &encode("a\nb\nc"),
            &encode("a\nb\0"),
        ] {
            assert_eq!(wrong.parse::<PlaceKey>(), Err(NotAPlace), "{wrong:?}");
        }
    }
}
