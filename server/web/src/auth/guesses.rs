//! Counts wrong tokens and passwords per address, in a table that does not grow with the number of addresses.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

/// How long wrong ones are remembered.
const WINDOW: Duration = Duration::from_mins(1);
/// How many wrong tokens an address may present within the window before it is told to wait.
pub(crate) const TOKENS: u32 = 20;
/// How many wrong passwords, used links and sign-ins begun. More than tokens, because behind a proxy a whole firm has one address;
/// what bounds the guessing of one person's password is their own lock.
pub(crate) const SIGN_INS: u32 = 60;
/// How many addresses are kept.
const ADDRESSES: usize = 4096;

/// Wrong ones by address.
#[derive(Debug)]
pub(crate) struct Guesses {
    free: u32,
    counts: Mutex<HashMap<IpAddr, Count>>,
}

#[derive(Debug, Clone, Copy)]
struct Count {
    since: Duration,
    wrong: u32,
}

impl Guesses {
    /// Counts from nothing, up to so many without a wait.
    pub(crate) fn new(free: u32) -> Self {
        Self { free, counts: Mutex::default() }
    }

    /// How long an address has to wait before it is listened to; none when it need not. Counts nothing.
    pub(crate) fn waits(&self, peer: IpAddr, now: Duration) -> Option<Duration> {
        let counts = self.counts.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let count = counts.get(&peer)?;
        let age = now.saturating_sub(count.since);
        (count.wrong >= self.free && age < WINDOW).then(|| WINDOW.saturating_sub(age))
    }

    /// Counts a wrong one at monotonic time `now`; how long the address is to wait when it has presented too many.
    pub(crate) fn wrong(&self, peer: IpAddr, now: Duration) -> Option<Duration> {
        let mut counts = self.counts.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if counts.len() >= ADDRESSES && !counts.contains_key(&peer) {
            counts.retain(|_, count| now.saturating_sub(count.since) < WINDOW);
            if counts.len() >= ADDRESSES {
                // A flood from everywhere: nobody is singled out, nothing grows.
                return None;
            }
        }
        let count = counts.entry(peer).or_insert(Count { since: now, wrong: 0 });
        if now.saturating_sub(count.since) >= WINDOW {
            *count = Count { since: now, wrong: 0 };
        }
        count.wrong = count.wrong.saturating_add(1);
        (count.wrong > self.free).then(|| WINDOW.saturating_sub(now.saturating_sub(count.since)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_waits_after_twenty_and_is_forgotten_after_a_minute() {
        let guesses = Guesses::new(TOKENS);
        let peer = IpAddr::from([192, 0, 2, 1]);
        for _ in 0..TOKENS {
            assert_eq!(guesses.wrong(peer, Duration::from_secs(5)), None);
        }
        assert_eq!(guesses.waits(peer, Duration::from_secs(6)), Some(Duration::from_secs(59)));
        assert_eq!(guesses.wrong(peer, Duration::from_secs(25)), Some(Duration::from_secs(40)));
        assert_eq!(guesses.waits(IpAddr::from([192, 0, 2, 2]), Duration::from_secs(25)), None);
        assert_eq!(guesses.wrong(IpAddr::from([192, 0, 2, 2]), Duration::from_secs(25)), None);
        assert_eq!(guesses.waits(peer, Duration::from_secs(65)), None);
        assert_eq!(guesses.wrong(peer, Duration::from_secs(65)), None);
    }

    #[test]
    fn the_table_is_bounded() {
        let guesses = Guesses::new(TOKENS);
        for i in 0..u32::try_from(ADDRESSES).unwrap() * 2 {
            let _ = guesses.wrong(IpAddr::from(i.to_be_bytes()), Duration::ZERO);
        }
        assert_eq!(guesses.counts.lock().unwrap().len(), ADDRESSES);
    }
}
