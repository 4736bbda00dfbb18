//! The numbers that stand for sites, services and sources in this file: given out once, never taken back.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use postroom_domain::ids::{ServiceName, SiteName, SourceName};
use postroom_domain::person::Scope;
use redb::ReadableTable;

use super::Stop;
use super::schema::Shelf;

/// Names of one kind by their numbers.
#[derive(Debug)]
pub(super) struct Roll<T> {
    kind: u8,
    names: Vec<T>,
    numbers: HashMap<T, u16>,
}

impl<T: Clone + Hash + Eq + TryFrom<String>> Roll<T> {
    fn new(kind: u8) -> Self {
        Self { kind, names: Vec::new(), numbers: HashMap::new() }
    }

    /// The kind in the keys of the table.
    pub(super) const fn kind(&self) -> u8 {
        self.kind
    }

    /// The number of a name; none when no record has used it.
    pub(super) fn number(&self, name: &T) -> Option<u16> {
        self.numbers.get(name).copied()
    }

    /// The name behind a number.
    pub(super) fn name(&self, number: u16) -> Result<T, Stop> {
        self.names
            .get(usize::from(number))
            .cloned()
            .ok_or_else(|| Stop::damaged(&format!("number {number} for a name that nobody wrote")))
    }

    /// The number that the next new name gets; none when all are used.
    pub(super) fn next(&self) -> Option<u16> {
        u16::try_from(self.names.len()).ok()
    }

    /// Adds a name under the next number.
    pub(super) fn add(&mut self, name: T) {
        if let Some(number) = self.next() {
            self.names.push(name.clone());
            self.numbers.insert(name, number);
        }
    }

    fn load(&mut self, key: [u8; 3], name: &str) -> Result<(), Stop> {
        let number = u16::from_be_bytes([key[1], key[2]]);
        let name = T::try_from(name.to_owned()).map_err(|_| Stop::damaged(&format!("name \"{name}\"")))?;
        if self.next() != Some(number) {
            return Err(Stop::damaged(&format!("gap in the numbers of names before {number}")));
        }
        self.add(name);
        Ok(())
    }
}

/// All names.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) sites: Roll<SiteName>,
    pub(super) services: Roll<ServiceName>,
    pub(super) sources: Roll<SourceName>,
}

impl Names {
    pub(super) fn new() -> Self {
        Self { sites: Roll::new(0), services: Roll::new(1), sources: Roll::new(2) }
    }

    pub(super) fn load(shelf: &Shelf) -> Result<Self, Stop> {
        let mut names = Self::new();
        for row in shelf.names()?.iter()? {
            let (key, name) = row?;
            let key = *key.value();
            match key[0] {
                0 => names.sites.load(key, name.value())?,
                1 => names.services.load(key, name.value())?,
                2 => names.sources.load(key, name.value())?,
                other => return Err(Stop::damaged(&format!("kind {other} of names"))),
            }
        }
        Ok(names)
    }
}

/// Whose records are wanted, by numbers.
pub(super) enum Sites {
    All,
    /// Those of these sites; sites that no record has are left out.
    Only(BTreeSet<u16>),
}

impl Sites {
    pub(super) fn of(scope: &Scope, names: &Names) -> Self {
        match scope {
            Scope::All => Self::All,
            Scope::Only(sites) => {
                Self::Only(sites.iter().filter_map(|site| names.sites.number(site)).collect())
            }
        }
    }

    pub(super) fn includes(&self, site: u16) -> bool {
        match self {
            Self::All => true,
            Self::Only(sites) => sites.contains(&site),
        }
    }
}
