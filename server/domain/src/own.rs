//! Lists that belong to a person alone: what they marked, and what they saved for themselves.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor};
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ids::PersonId;
use crate::record::{Commit, Kept, Kind, by_id};
use crate::store::{Store, StoreError, StoreResult};

/// How often a list is changed again after somebody else changed it at the same moment.
const TRIES: usize = 5;

/// What stands on such a list.
pub trait Listed: Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync {
    /// What the list is.
    const KIND: Kind;
    /// The word for more than one.
    const NOUN: &'static str;
    /// What the items are called in the record.
    const FIELD: &'static str;
    /// So many a person may have.
    const MOST: usize;

    /// Whether it takes the place of the other one.
    fn replaces(&self, other: &Self) -> bool {
        self == other
    }
}

/// A person's list, newest first. It belongs to its person alone and has the person's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own<T> {
    /// Whose it is.
    pub person: PersonId,
    /// See [`Kept::version`].
    pub version: u64,
    /// What is on it.
    pub items: Vec<T>,
}

/// There is as much on the list as there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there are {most} {noun} already; remove some first")]
pub struct TooMany {
    /// So many there may be.
    pub most: usize,
    /// Of what.
    pub noun: &'static str,
}

/// Why a list was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OwnError {
    /// There is as much on it as there may be.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<T: Listed> Own<T> {
    /// That of a person who has none yet.
    pub const fn none(person: PersonId) -> Self {
        Self { person, version: 0, items: Vec::new() }
    }

    /// With an item; none where that changes nothing.
    pub fn with(&self, item: T) -> Result<Option<Self>, TooMany> {
        if self.items.contains(&item) {
            return Ok(None);
        }
        let mut after = Self { version: self.version + 1, ..self.clone() };
        after.items.retain(|other| !item.replaces(other));
        if after.items.len() >= T::MOST {
            return Err(TooMany { most: T::MOST, noun: T::NOUN });
        }
        after.items.insert(0, item);
        Ok(Some(after))
    }

    /// Without some items; none where that changes nothing.
    pub fn without(&self, gone: impl Fn(&T) -> bool) -> Option<Self> {
        let mut after = Self { version: self.version + 1, ..self.clone() };
        after.items.retain(|item| !gone(item));
        (after.items.len() < self.items.len()).then_some(after)
    }
}

/// A person's list as it is now.
pub async fn of<T: Listed>(store: &dyn Store, person: PersonId) -> StoreResult<Own<T>> {
    Ok(by_id(store, person.as_u128()).await?.unwrap_or_else(|| Own::none(person)))
}

/// Changes a person's list, anew where somebody else was quicker; `change` answers none where there is nothing to do.
pub async fn change<T: Listed>(
    store: &dyn Store,
    person: PersonId,
    change: impl Fn(&Own<T>) -> Result<Option<Own<T>>, TooMany>,
) -> Result<(), OwnError> {
    let mut tries = 0;
    loop {
        let Some(after) = change(&of(store, person).await?)? else { return Ok(()) };
        let commit = Commit { writes: vec![after.put()?], events: Vec::new() };
        match store.commit(commit).await {
            Err(StoreError::Conflict { .. }) if tries < TRIES => tries += 1,
            written => return Ok(written?),
        }
    }
}

impl<T: Listed> Kept for Own<T> {
    const KIND: Kind = T::KIND;
    fn number(&self) -> u128 {
        self.person.as_u128()
    }
    fn version(&self) -> u64 {
        self.version
    }
    fn set_version(&mut self, version: u64) {
        self.version = version;
    }
    fn keys(&self) -> Vec<String> {
        Vec::new()
    }
    fn groups(&self) -> Vec<String> {
        vec![crate::people::group_of(self.person)]
    }
}

// By hand, because each list calls its items by a name of its own.
impl<T: Listed> Serialize for Own<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut own = serializer.serialize_struct("Own", 2)?;
        own.serialize_field("person", &self.person)?;
        own.serialize_field(T::FIELD, &self.items)?;
        own.end()
    }
}

impl<'de, T: Listed> Deserialize<'de> for Own<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Reading(PhantomData))
    }
}

struct Reading<T>(PhantomData<T>);

impl<'de, T: Listed> Visitor<'de> for Reading<T> {
    type Value = Own<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a person's {}", T::NOUN)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Own<T>, A::Error> {
        let (mut person, mut items) = (None, None);
        while let Some(key) = map.next_key::<String>()? {
            if key == "person" {
                person = Some(map.next_value()?);
            } else if key == T::FIELD {
                items = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        let missing = serde::de::Error::missing_field;
        Ok(Own {
            person: person.ok_or_else(|| missing("person"))?,
            version: 0,
            items: items.ok_or_else(|| missing(T::FIELD))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bookmarks::Bookmark;
    use crate::ids::WorkItemId;
    use crate::places::{Favourite, PlaceId};
    use crate::record::{Record, Write};
    use crate::views::SavedView;

    fn person() -> PersonId {
        PersonId::from_u128(7)
    }

    fn record<T: Listed>(list: &Own<T>) -> Record {
        match list.put().unwrap() {
            Write::Put(record) => record,
            other @ Write::Remove { .. } => panic!("{other:?}"),
        }
    }

    #[test]
    fn items_stand_once_newest_first_and_not_without_end() {
        let one = |number: usize| Bookmark(WorkItemId::from_u128(number as u128));
        let mut list = Own::<Bookmark>::none(person());
        for number in 0..Bookmark::MOST {
            list = list.with(one(number)).unwrap().unwrap();
        }
        assert_eq!(list.items.first(), Some(&one(Bookmark::MOST - 1)));
        assert_eq!(list.with(one(3)), Ok(None), "there already");
        let full = TooMany { most: Bookmark::MOST, noun: "bookmarks" };
        assert_eq!(list.with(one(Bookmark::MOST)), Err(full));
        let fewer = list.without(|it| *it == one(3)).unwrap();
        assert_eq!((fewer.items.len(), fewer.version), (Bookmark::MOST - 1, list.version + 1));
        assert_eq!(fewer.without(|it| *it == one(3)), None);
    }

    #[test]
    fn a_view_takes_the_place_of_the_one_of_its_name() {
        let view = |name: &str, q: &str| SavedView {
            name: name.to_owned(),
            screen: "filings".to_owned(),
            q: q.to_owned(),
        };
        let mut list = Own::<SavedView>::none(person());
        for number in 0..SavedView::MOST {
            list = list.with(view(&number.to_string(), "")).unwrap().unwrap();
        }
        list = list.with(view("7", "state:failed")).unwrap().unwrap();
        assert_eq!((list.items.len(), list.items[0].q.as_str()), (SavedView::MOST, "state:failed"));
        assert!(list.with(view("Another", "")).is_err());
        let mut list = Own::<SavedView>::none(person());
        for name in ["Käse", "KÄSE"] {
            list = list.with(view(name, "")).unwrap().unwrap();
        }
        assert_eq!(list.items, [view("KÄSE", "")]);
    }

    /// Records that are there already are read, and written as they always were.
    #[test]
    fn stored_lists_keep_their_form() {
        let id = person();
        let bookmarks = format!(r#"{{"person":"{id}","items":["{}"]}}"#, WorkItemId::from_u128(9));
        let favourites =
            format!(r#"{{"person":"{id}","places":[{{"service":"dms","library":"A","container":"9"}}]}}"#);
        let mut one = Own::<Bookmark>::none(id).with(Bookmark(WorkItemId::from_u128(9))).unwrap().unwrap();
        one.version = 3;
        let written = record(&one);
        assert_eq!(String::from_utf8(written.body.clone()).unwrap(), bookmarks);
        assert_eq!(Own::read(&written).unwrap(), one);
        let place = PlaceId { library: "A".to_owned(), container: "9".to_owned() };
        let favourite = Favourite { service: "dms".parse().unwrap(), place };
        let one = Own::<Favourite>::none(id).with(favourite).unwrap().unwrap();
        let written = record(&one);
        assert_eq!(String::from_utf8(written.body.clone()).unwrap(), favourites);
        assert_eq!(Own::read(&written).unwrap(), one);
        let body = format!(r#"{{"person":"{id}"}}"#).into_bytes();
        assert!(Own::<Favourite>::read(&Record { body, ..written }).is_err());
    }
}
