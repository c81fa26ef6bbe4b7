//! Where threads meet in the cache and in the pools of workspaces. In the unit tests of this crate these are the
//! locks of loom, which tries every order in which threads can take them.
//!
//! A unit test that uses them runs inside `loom::model`. Whatever needs no model is tested in `tests/`.

#[cfg(not(test))]
pub(crate) use std::sync::{Mutex, OnceLock, atomic::AtomicBool};

#[cfg(not(test))]
pub(crate) use dashmap::DashMap;

#[cfg(test)]
pub(crate) use loom::sync::{Mutex, atomic::AtomicBool};
#[cfg(test)]
pub(crate) use modelled::{DashMap, OnceLock};

/// What loom does not have, out of what it has: as much of it as is used.
#[cfg(test)]
mod modelled {
    use std::borrow::Borrow;
    use std::collections::HashMap;
    use std::hash::{BuildHasher, Hash};
    use std::sync::PoisonError;

    use loom::sync::atomic::{AtomicBool, Ordering};
    use loom::sync::{Condvar, Mutex, MutexGuard};

    #[derive(Debug, Default)]
    pub(crate) struct OnceLock<T> {
        value: std::sync::OnceLock<T>,
        is_set: AtomicBool,
        setting: Mutex<()>,
        was_set: Condvar,
    }

    impl<T> OnceLock<T> {
        pub(crate) fn get(&self) -> Option<&T> {
            let is_set = self.is_set.load(Ordering::Acquire);
            is_set.then(|| self.value.get().expect("it was set"))
        }

        pub(crate) fn set(&self, value: T) -> Result<(), T> {
            let _setting = lock(&self.setting);
            self.value.set(value)?;
            self.is_set.store(true, Ordering::Release);
            self.was_set.notify_all();
            Ok(())
        }

        pub(crate) fn wait(&self) -> &T {
            let mut setting = lock(&self.setting);
            loop {
                if let Some(value) = self.get() {
                    return value;
                }
                setting = self.was_set.wait(setting).expect("no holder panics");
            }
        }
    }

    /// One lock where the map has one for each of its parts.
    #[derive(Debug)]
    pub(crate) struct DashMap<K, V, S>(Mutex<HashMap<K, V, S>>);

    impl<K, V, S: Default> Default for DashMap<K, V, S> {
        fn default() -> Self {
            Self(Mutex::new(HashMap::default()))
        }
    }

    impl<K: Eq + Hash, V: Clone, S: BuildHasher> DashMap<K, V, S> {
        pub(crate) fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<V>
        where
            K: Borrow<Q>,
        {
            lock(&self.0).get(key).cloned()
        }

        pub(crate) fn entry(&self, key: K) -> Entry<'_, K, V, S> {
            Entry(lock(&self.0), key)
        }

        pub(crate) fn remove_if(&self, key: &K, is_wanted: impl Fn(&K, &V) -> bool) -> Option<V> {
            let mut entries = lock(&self.0);
            let value = entries.get(key)?;
            is_wanted(key, value).then(|| entries.remove(key))?
        }

        pub(crate) fn len(&self) -> usize {
            lock(&self.0).len()
        }
    }

    pub(crate) struct Entry<'a, K, V, S>(MutexGuard<'a, HashMap<K, V, S>>, K);

    impl<K: Eq + Hash, V: Clone + Default, S: BuildHasher> Entry<'_, K, V, S> {
        pub(crate) fn or_default(mut self) -> V {
            self.0.entry(self.1).or_default().clone()
        }
    }

    fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
