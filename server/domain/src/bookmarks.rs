//! The work items that a person marked, to have them at hand.

use serde::{Deserialize, Serialize};

use crate::ids::{PersonId, WorkItemId};
use crate::record::{Kept, Kind};

/// A person's bookmarks, newest first. They belong to their person alone and have the person's id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bookmarks {
    /// Whose they are.
    pub person: PersonId,
    /// See [`Kept::version`].
    #[serde(skip)]
    pub version: u64,
    /// Which work items.
    pub items: Vec<WorkItemId>,
}

/// There are as many bookmarks as there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there are {} bookmarks already; remove some first", Bookmarks::MOST)]
pub struct TooMany;

impl Bookmarks {
    /// So many a person may have.
    pub const MOST: usize = 200;

    /// Those of a person who has none yet.
    pub const fn none(person: PersonId) -> Self {
        Self { person, version: 0, items: Vec::new() }
    }

    /// With the change; none where it changes nothing.
    pub fn with(&self, item: WorkItemId, keep: bool) -> Result<Option<Self>, TooMany> {
        if self.items.contains(&item) == keep {
            return Ok(None);
        }
        let mut after = Self { version: self.version + 1, ..self.clone() };
        if keep {
            if after.items.len() >= Self::MOST {
                return Err(TooMany);
            }
            after.items.insert(0, item);
        } else {
            after.items.retain(|it| *it != item);
        }
        Ok(Some(after))
    }
}

impl Kept for Bookmarks {
    const KIND: Kind = Kind::Bookmarks;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bookmarks_stand_once_newest_first_and_not_without_end() {
        let one = |number: usize| WorkItemId::from_u128(number as u128);
        let mut list = Bookmarks::none(PersonId::from_u128(7));
        for number in 0..Bookmarks::MOST {
            list = list.with(one(number), true).unwrap().unwrap();
        }
        assert_eq!(list.items.first(), Some(&one(Bookmarks::MOST - 1)));
        assert_eq!(list.with(one(3), true), Ok(None), "there already");
        assert_eq!(list.with(one(Bookmarks::MOST), true), Err(TooMany));
        let fewer = list.with(one(3), false).unwrap().unwrap();
        assert_eq!((fewer.items.len(), fewer.version), (Bookmarks::MOST - 1, list.version + 1));
        assert_eq!(fewer.with(one(3), false), Ok(None));
    }
}
