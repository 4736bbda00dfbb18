//! The rate limit: windows that begin with a first call, per token and source client.

use super::model::{Tenant, Window};
use super::switches::Throttle;

impl Tenant {
    /// Counts a call; gives when the window ends, in epoch seconds, if that is one too many.
    pub(super) fn over_limit(&mut self, key: &str, limit: Throttle, now: i64) -> Option<i64> {
        let length = i64::from(limit.seconds) * 1000;
        let window = self.windows.entry(key.to_owned()).or_insert(Window { began: now, calls: 0 });
        if now - window.began >= length {
            *window = Window { began: now, calls: 0 };
        }
        window.calls += 1;
        (window.calls > limit.calls).then(|| (window.began + length + 999) / 1000)
    }
}
