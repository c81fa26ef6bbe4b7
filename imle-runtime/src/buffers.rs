//! Memory for the states of a call, which a layer uses again from call to call: large blocks that an allocator gives
//! back to the system come again page by page, which can take as long as the solves.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

/// Less is quickly had from the allocator, in bytes.
const LEAST: usize = 4096;

/// A step has as many at a time: theta and, forward and backward, the states and how far they reach.
const MOST_KEPT: usize = 5;

type Kept<T> = Arc<Mutex<Vec<Vec<T>>>>;

/// Buffers that nobody needs now.
pub(crate) struct Buffers<T>(Kept<T>);

/// Not what they hold, which is of earlier calls.
impl<T> fmt::Debug for Buffers<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffers").finish_non_exhaustive()
    }
}

impl<T> Default for Buffers<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Clone> Buffers<T> {
    /// So many values, each of an earlier call or `value`: whoever takes them writes them all.
    pub(crate) fn take(&self, len: usize, value: T) -> Buffer<T> {
        let mut values = if len * size_of::<T>() < LEAST {
            Vec::new()
        } else {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let fitting = (0..kept.len()).filter(|&at| kept[at].capacity() >= len);
            let smallest = fitting.min_by_key(|&at| kept[at].capacity());
            smallest.map_or_else(Vec::new, |at| kept.swap_remove(at))
        };
        values.truncate(len);
        if values.is_empty() {
            values = vec![value; len];
        } else {
            values.resize(len, value);
        }
        Buffer {
            values,
            home: Some(self.0.clone()),
        }
    }
}

/// Values whose memory goes back to where it was taken, when they are dropped.
pub(crate) struct Buffer<T> {
    values: Vec<T>,
    home: Option<Kept<T>>,
}

impl<T: fmt::Debug> fmt::Debug for Buffer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.values.fmt(f)
    }
}

impl<T> Drop for Buffer<T> {
    fn drop(&mut self) {
        let Some(home) = self.home.take() else {
            return;
        };
        if self.values.capacity() * size_of::<T>() < LEAST {
            return;
        }
        let mut kept = home.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push(std::mem::take(&mut self.values));
        if kept.len() > MOST_KEPT {
            let smallest = (0..kept.len()).min_by_key(|&at| kept[at].capacity());
            let smallest = smallest.map(|at| kept.swap_remove(at));
            drop(kept); // it takes a while to free memory
            drop(smallest);
        }
    }
}

impl<T: Clone> Clone for Buffer<T> {
    fn clone(&self) -> Self {
        Self {
            values: self.values.clone(),
            home: self.home.clone(),
        }
    }
}

impl<T> Deref for Buffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.values
    }
}

impl<T> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_are_the_values_and_nothing_of_earlier_calls() {
        let buffers = Buffers::default();
        buffers.take(LEAST, 123_456.0).fill(123_456.0);
        let other = buffers.take(LEAST, 0.0);
        drop(buffers.take(LEAST, 123_456.0));
        assert!(!format!("{buffers:?}").contains("123456"));
        let mut other = other;
        other.fill(1.0);
        assert!(!format!("{other:?}").contains("123456"));
    }
}
