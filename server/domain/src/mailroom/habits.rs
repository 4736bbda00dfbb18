//! What is learned from persons' decisions over letters, kept as records. It ranks suggestions and files nothing, so what is lost of it in a
//! crash, or to somebody quicker, is one lesson.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Mailroom, hashed};
use crate::ids::{IntakeId, SiteName, WorkItemId};
use crate::intake::Intake;
use crate::person::Actor;
use crate::ranking::{Habit, HabitKey, Lesson, learn};
use crate::reception::AssignError;
use crate::record::{self, Commit, Kept, Kind, Write};
use crate::store::{StoreError, StoreResult};

/// A habit as it is kept: each site learns for itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learned {
    site: SiteName,
    key: HabitKey,
    habit: Habit,
    #[serde(skip)]
    version: u64,
}

impl Learned {
    fn name(site: &SiteName, key: &HabitKey) -> String {
        format!("{site}/{}", hashed(key.as_str()))
    }
}

impl Kept for Learned {
    const KIND: Kind = Kind::Learned;
    fn number(&self) -> u128 {
        let hash = blake3::hash(Self::name(&self.site, &self.key).as_bytes());
        hash.as_bytes().first_chunk().map_or(0, |bytes| u128::from_be_bytes(*bytes))
    }
    fn version(&self) -> u64 {
        self.version
    }
    fn set_version(&mut self, version: u64) {
        self.version = version;
    }
    fn keys(&self) -> Vec<String> {
        vec![Self::name(&self.site, &self.key)]
    }
    fn groups(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Mailroom {
    /// A person says where an intake belongs; a letter teaches the ranking by that. See [`crate::reception::Reception::assign`].
    pub async fn assign(
        &self,
        id: IntakeId,
        version: Option<u64>,
        work_items: &[&str],
        area: Option<&str>,
        actor: &Actor,
        reason: &str,
    ) -> Result<Intake, AssignError> {
        let intake = self.reception.assign(id, version, work_items, area, actor, reason).await?;
        if intake.work_item.is_some() {
            // Decided is decided: that nothing was learned from it is nothing that the person could mend.
            let _unlearned = self.learn_from(&intake).await;
        }
        Ok(intake)
    }

    pub(super) async fn learn_from(&self, intake: &Intake) -> StoreResult<()> {
        let Some(letter) = &intake.letter else { return Ok(()) };
        let (Some(rules), Some(mail)) = (&self.matching, &letter.mail) else { return Ok(()) };
        let (keys, now) = (rules.questions(mail).habits, self.reception.clock.now());
        let before = self.learned(&intake.site, &keys).await?;
        let mut habits: BTreeMap<HabitKey, Habit> =
            before.iter().map(|(key, it)| (key.clone(), it.habit.clone())).collect();
        let chosen: Vec<WorkItemId> =
            intake.work_item.into_iter().chain(intake.also_in.iter().copied()).collect();
        for item in &chosen {
            learn(&mut habits, &keys, *item, Lesson::Chosen, now);
        }
        if let Some(refused) = letter.suggestions.first().filter(|it| !chosen.contains(&it.work_item)) {
            learn(&mut habits, &keys, refused.work_item, Lesson::Refused, now);
        }
        let mut writes: Vec<Write> = Vec::new();
        for key in &keys {
            let version = before.get(key).map_or(0, |it| it.version);
            match (habits.get(key), before.get(key)) {
                (Some(habit), _) => {
                    let (site, key, habit) = (intake.site.clone(), key.clone(), habit.clone());
                    writes.push(Learned { site, key, habit, version: version + 1 }.put()?);
                }
                (None, Some(gone)) => writes.push(gone.remove()),
                (None, None) => {}
            }
        }
        match self.reception.store.commit(Commit { writes, events: Vec::new() }).await {
            Err(StoreError::Conflict { .. } | StoreError::Exists(_)) => Ok(()),
            done => done,
        }
    }

    /// What is known under some keys.
    pub(super) async fn learned(
        &self,
        site: &SiteName,
        keys: &[HabitKey],
    ) -> StoreResult<BTreeMap<HabitKey, Learned>> {
        let mut found = BTreeMap::new();
        for key in keys {
            let known: Option<Learned> =
                record::by_key(&*self.reception.store, &Learned::name(site, key)).await?;
            if let Some(known) = known.filter(|known| known.key == *key) {
                found.insert(key.clone(), known);
            }
        }
        Ok(found)
    }
}

impl Learned {
    pub(super) fn into_habit(self) -> Habit {
        self.habit
    }
}
