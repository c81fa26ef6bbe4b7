//! Process-wide locks for engines that are not re-entrant.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Runs `work`, alone among all callers that name the same `group`.
///
/// The locks live here, in the host's copy of this crate, and not in the plugins: two plugins that
/// bundle the same engine each have their own statics and would not exclude each other.
///
/// ```
/// let sum = imle_api::in_serial_group(Some("libCbc"), || 1 + 1);
/// assert_eq!(sum, 2);
/// ```
pub fn in_serial_group<T>(group: Option<&str>, work: impl FnOnce() -> T) -> T {
    static LOCKS: Mutex<BTreeMap<String, &'static Mutex<()>>> = Mutex::new(BTreeMap::new());
    let Some(group) = group else {
        return work();
    };
    let lock: &'static Mutex<()> = {
        let mut locks = LOCKS.lock().unwrap_or_else(PoisonError::into_inner);
        match locks.get(group) {
            Some(lock) => lock,
            None => {
                // Leaked on purpose: one lock a group name, for the life of the process.
                let lock: &'static Mutex<()> = Box::leak(Box::default());
                locks.insert(group.to_owned(), lock);
                lock
            }
        }
    };
    // The lock guards no data, so a holder that panicked left nothing half done.
    let _alone = lock.lock().unwrap_or_else(PoisonError::into_inner);
    work()
}
