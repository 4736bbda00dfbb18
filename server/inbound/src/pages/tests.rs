//! Pages that are made here, as scanners would deliver them, read and split.

mod batches;
mod corpora;
mod damage;
mod files;
mod opened;
mod rates;
mod sheets;

use super::{Cover, CoverKey};

pub(super) fn key() -> CoverKey {
    CoverKey::new([42; 32])
}

pub(super) fn cover(reference: &str) -> Cover {
    Cover { site: "LON".to_owned(), reference: reference.to_owned() }
}

/// Numbers that look like chance and are the same in every run.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    /// Below `sides`.
    pub(super) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) % sides.max(1)
    }

    /// Between two measures.
    pub(super) fn between(&mut self, low: f32, high: f32) -> f32 {
        let share = f32::from(u16::try_from(self.roll(10_001)).unwrap()) / 10_000.0;
        low + (high - low) * share
    }
}
