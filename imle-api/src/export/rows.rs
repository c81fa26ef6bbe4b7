//! The arrays of a call with rows, as slices, and what is written into them.

use std::slice;
use std::sync::atomic::{AtomicU32, Ordering, compiler_fence};
use std::time::Duration;

use super::not_null;
use crate::{Error, ErrorKind, Limits, Outcome, abi};

/// The arrays of a call as slices.
pub(super) struct Rows<'a> {
    pub(super) count: usize,
    dim: usize,
    theta: &'a [f64],
    z: &'a mut [f64],
    status: &'a mut [i32],
    objective: Option<&'a mut [f64]>,
    bound: Option<&'a mut [f64]>,
    radius: Option<&'a mut [f64]>,
    arguments: &'a abi::SolveArguments,
}

impl<'a> Rows<'a> {
    /// # Safety
    ///
    /// The pointers follow the header for an instance of dimension `dim`, for as long as `'a`.
    pub(super) unsafe fn of(arguments: &'a abi::SolveArguments, dim: usize) -> Result<Self, Error> {
        let invalid = |message| Error::fixed(ErrorKind::InvalidInput, message);
        if arguments.flags != 0 {
            return Err(Error::fixed(
                ErrorKind::Unsupported,
                "unknown bits in flags",
            ));
        }
        let count = arguments.rows as usize;
        let values = count
            .checked_mul(dim)
            .filter(|&values| values <= isize::MAX as usize / size_of::<f64>())
            .ok_or_else(|| invalid("rows x dim overflows"))?;
        if count > 0 {
            not_null(arguments.theta, "theta")?;
            not_null(arguments.z.cast_const(), "z")?;
            not_null(arguments.status.cast_const(), "status")?;
        }
        // SAFETY: `theta` has `rows x dim` doubles, by the caller's promise.
        let theta = unsafe { slice_of(arguments.theta, values) }.unwrap_or_default();
        // SAFETY: likewise `z`, which nobody else touches during the call.
        let z = unsafe { slice_of_mut(arguments.z, values) }.unwrap_or_default();
        // SAFETY: likewise `status`, with one entry a row.
        let status = unsafe { slice_of_mut(arguments.status, count) }.unwrap_or_default();
        // SAFETY: likewise `objective`, if it is there.
        let objective = unsafe { slice_of_mut(arguments.objective, count) };
        // SAFETY: likewise `bound`.
        let bound = unsafe { slice_of_mut(arguments.bound, count) };
        // SAFETY: likewise `radius`.
        let radius = unsafe { slice_of_mut(arguments.radius, count) };
        Ok(Self {
            count,
            dim,
            theta,
            z,
            status,
            objective,
            bound,
            radius,
            arguments,
        })
    }

    pub(super) fn limits(&self) -> Limits<'a> {
        let mut limits = Limits::none();
        let seconds = self.arguments.time_limit;
        if seconds > 0.0
            && let Ok(time) = Duration::try_from_secs_f64(seconds)
        {
            limits = limits.with_time(time);
        }
        if !self.arguments.stop.is_null() {
            // SAFETY: a non-null `stop` is an aligned word that lives for the call and is only accessed
            // atomically while it does.
            let word = unsafe { AtomicU32::from_ptr(self.arguments.stop.cast_mut()) };
            limits = limits.with_stop_word(word);
        }
        limits
    }

    pub(super) fn row(&mut self, row: usize) -> (&[f64], &mut [f64]) {
        let range = row * self.dim..(row + 1) * self.dim;
        (&self.theta[range.clone()], &mut self.z[range])
    }

    pub(super) fn report(&mut self, row: usize, outcome: Outcome) {
        let solved = match outcome {
            Ok(solved) => solved,
            Err(error) => {
                self.row_message(row, error.message());
                return self.set_status(row, error.kind().code());
            }
        };
        let outputs = [
            (&mut self.objective, solved.objective),
            (&mut self.bound, solved.proof.bound),
            (&mut self.radius, solved.proof.radius),
        ];
        for (output, value) in outputs {
            if let Some(output) = output {
                output[row] = value;
            }
        }
        self.set_status(row, abi::OK);
    }

    /// Last: if the process dies after it, a host that shares the memory takes the row as it stands.
    fn set_status(&mut self, row: usize, status: i32) {
        compiler_fence(Ordering::Release);
        self.status[row] = status;
    }

    fn row_message(&self, row: usize, text: &str) {
        if let Some(row_message) = self.arguments.row_message {
            let (host, length) = (self.arguments.host, text.len() as u64);
            // SAFETY: the host's function, with the pointer that it asked for and text that lives on.
            unsafe { row_message(host, row as u64, text.as_ptr().cast(), length) };
        }
    }
}

/// # Safety
///
/// `pointer` is null or leads to `length` readable values for `'a`.
unsafe fn slice_of<'a, T>(pointer: *const T, length: usize) -> Option<&'a [T]> {
    // SAFETY: the caller's promise.
    (!pointer.is_null()).then(|| unsafe { slice::from_raw_parts(pointer, length) })
}

/// # Safety
///
/// `pointer` is null or leads to `length` values that nobody else accesses for `'a`.
unsafe fn slice_of_mut<'a, T>(pointer: *mut T, length: usize) -> Option<&'a mut [T]> {
    // SAFETY: the caller's promise.
    (!pointer.is_null()).then(|| unsafe { slice::from_raw_parts_mut(pointer, length) })
}
