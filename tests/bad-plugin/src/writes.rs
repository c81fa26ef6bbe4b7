//! Writes to where a solver has nothing to write.

use imle_api::{Error, Proof};

use crate::{Row, defects};

/// Writes a word that is no coordinate of a state.
fn scribble(at: *mut f64) {
    // SAFETY: none; that is the defect.
    unsafe { at.write_volatile(7.0) };
}

defects! {
    BehindZ "writes-behind-z" "writes one word behind the state" {
        fn act(&self, row: Row<'_>) -> Result<Proof, Error> {
            scribble(row.z.as_mut_ptr().wrapping_add(row.z.len()));
            Ok(Proof::NONE)
        }
    }
    BeforeZ "writes-before-z" "writes one word in front of the state" {
        fn act(&self, row: Row<'_>) -> Result<Proof, Error> {
            scribble(row.z.as_mut_ptr().wrapping_sub(1));
            Ok(Proof::NONE)
        }
    }
    Theta "writes-theta" "writes to theta" {
        fn act(&self, row: Row<'_>) -> Result<Proof, Error> {
            scribble(row.theta.as_ptr().cast_mut());
            Ok(Proof::NONE)
        }
    }
}
