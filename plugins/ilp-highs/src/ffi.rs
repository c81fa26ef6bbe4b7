//! HiGHS by its C interface: a linear program that stays, with the basis of its last solve.
//!
//! The only unsafe code of this crate. What good_lp offers is not enough here: it uses a model up by solving it.

#![allow(unsafe_code)]

use std::ffi::{CStr, c_void};
use std::ptr::NonNull;

use highs_sys as sys;
use imle_api::{Error, ErrorKind};

/// A linear program to minimise, in the arrays that HiGHS reads; the matrix by rows.
#[derive(Debug, Default)]
pub(crate) struct LinearProgram {
    pub(crate) costs: Vec<f64>,
    pub(crate) lower: Vec<f64>,
    pub(crate) upper: Vec<f64>,
    pub(crate) row_lower: Vec<f64>,
    pub(crate) row_upper: Vec<f64>,
    /// Where each row begins in `indices` and `coefficients`.
    pub(crate) starts: Vec<sys::HighsInt>,
    /// Columns, each below the number of `costs`.
    pub(crate) indices: Vec<sys::HighsInt>,
    pub(crate) coefficients: Vec<f64>,
}

/// What became of a solve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Optimal,
    TimeLimit,
    /// HiGHS found none: infeasible, unbounded, or it could not tell.
    None,
}

/// Where a column or a row stands at a vertex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    AtLower,
    AtUpper,
    Basic,
    /// Nonbasic without a bound to stand at.
    Free,
}

/// An optimal vertex: values, derivatives of the cost, and standings; columns first, then rows.
#[derive(Debug, Default)]
pub(crate) struct Vertex {
    pub(crate) columns: Vec<f64>,
    pub(crate) column_duals: Vec<f64>,
    pub(crate) row_duals: Vec<f64>,
    rows: Vec<f64>,
    column_standings: Vec<sys::HighsInt>,
    row_standings: Vec<sys::HighsInt>,
}

impl Vertex {
    /// Returns how every column stands, with its derivative.
    pub(crate) fn column_standings(&self) -> impl Iterator<Item = (Standing, f64)> {
        standings(&self.column_standings, &self.column_duals)
    }

    /// Returns how every row stands, with its derivative.
    pub(crate) fn row_standings(&self) -> impl Iterator<Item = (Standing, f64)> {
        standings(&self.row_standings, &self.row_duals)
    }
}

fn standings(codes: &[sys::HighsInt], duals: &[f64]) -> impl Iterator<Item = (Standing, f64)> {
    codes.iter().zip(duals).map(|(&code, &dual)| {
        let standing = match code {
            sys::kHighsBasisStatusLower => Standing::AtLower,
            sys::kHighsBasisStatusUpper => Standing::AtUpper,
            sys::kHighsBasisStatusBasic => Standing::Basic,
            _ => Standing::Free,
        };
        (standing, dual)
    })
}

/// One instance of HiGHS with one linear program.
#[derive(Debug)]
pub(crate) struct Resident {
    highs: NonNull<c_void>,
    columns: usize,
    rows: usize,
}

// SAFETY: an instance belongs to whoever holds it and is used through `&mut` alone. It keeps nothing for the
// thread that made it: its scheduler is a thread-local of each thread that runs it, made when it is missed, and
// has no workers, because every instance of this library asks for one thread.
unsafe impl Send for Resident {}

impl Drop for Resident {
    fn drop(&mut self) {
        // SAFETY: `Highs_create` made it, and nobody else has it.
        unsafe { sys::Highs_destroy(self.highs.as_ptr()) }
    }
}

impl Resident {
    /// Makes an instance of HiGHS that holds `program`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BackendFailed`] if HiGHS refuses an option or the program.
    pub(crate) fn new(program: &LinearProgram, options: &[(&CStr, Value)]) -> Result<Self, Error> {
        let (columns, rows) = (program.costs.len(), program.row_lower.len());
        assert!(program.lower.len() == columns && program.upper.len() == columns);
        assert!(program.row_upper.len() == rows && program.starts.len() == rows);
        assert!(program.indices.len() == program.coefficients.len());
        // SAFETY: no precondition.
        let highs = NonNull::new(unsafe { sys::Highs_create() })
            .ok_or_else(|| refused("to make an instance"))?;
        let mut resident = Self {
            highs,
            columns,
            rows,
        };
        for &(name, value) in options {
            resident.set(name, value)?;
        }
        // SAFETY: every array has the length that HiGHS reads, as asserted; it copies them, and checks the
        // starts and indices.
        let status = unsafe {
            sys::Highs_passLp(
                highs.as_ptr(),
                int(columns)?,
                int(rows)?,
                int(program.indices.len())?,
                sys::MATRIX_FORMAT_ROW_WISE,
                sys::OBJECTIVE_SENSE_MINIMIZE,
                0.0,
                program.costs.as_ptr(),
                program.lower.as_ptr(),
                program.upper.as_ptr(),
                program.row_lower.as_ptr(),
                program.row_upper.as_ptr(),
                program.starts.as_ptr(),
                program.indices.as_ptr(),
                program.coefficients.as_ptr(),
            )
        };
        accepted(status, "the program")?;
        Ok(resident)
    }

    /// Replaces the costs; the basis stays.
    pub(crate) fn set_costs(&mut self, costs: &[f64]) -> Result<(), Error> {
        assert_eq!(costs.len(), self.columns);
        let Some(last) = self.columns.checked_sub(1) else {
            return Ok(());
        };
        // SAFETY: the range covers every column, and there is a cost for each.
        let status = unsafe {
            sys::Highs_changeColsCostByRange(self.highs.as_ptr(), 0, int(last)?, costs.as_ptr())
        };
        accepted(status, "the costs")
    }

    /// Minimises, from the basis of the last solve if there is one, for `seconds` at most.
    pub(crate) fn run(&mut self, seconds: f64) -> Result<Status, Error> {
        self.set(c"time_limit", Value::Float(seconds))?;
        // SAFETY: a live instance. The clocks are zeroed because the limit is for all that they counted.
        let status = unsafe {
            sys::Highs_zeroAllClocks(self.highs.as_ptr());
            sys::Highs_run(self.highs.as_ptr())
        };
        if status == sys::STATUS_ERROR {
            return Ok(Status::None);
        }
        // SAFETY: a live instance.
        Ok(
            match unsafe { sys::Highs_getModelStatus(self.highs.as_ptr()) } {
                sys::MODEL_STATUS_OPTIMAL | sys::MODEL_STATUS_MODEL_EMPTY => Status::Optimal,
                sys::MODEL_STATUS_REACHED_TIME_LIMIT => Status::TimeLimit,
                _ => Status::None,
            },
        )
    }

    /// Writes the vertex that the last solve ended at; says whether there was one.
    pub(crate) fn vertex(&mut self, vertex: &mut Vertex) -> bool {
        vertex.columns.resize(self.columns, 0.0);
        vertex.column_duals.resize(self.columns, 0.0);
        vertex.column_standings.resize(self.columns, 0);
        vertex.rows.resize(self.rows, 0.0);
        vertex.row_duals.resize(self.rows, 0.0);
        vertex.row_standings.resize(self.rows, 0);
        // SAFETY: HiGHS writes one element for each column or row, which is how long the arrays are.
        let statuses = unsafe {
            [
                sys::Highs_getSolution(
                    self.highs.as_ptr(),
                    vertex.columns.as_mut_ptr(),
                    vertex.column_duals.as_mut_ptr(),
                    vertex.rows.as_mut_ptr(),
                    vertex.row_duals.as_mut_ptr(),
                ),
                sys::Highs_getBasis(
                    self.highs.as_ptr(),
                    vertex.column_standings.as_mut_ptr(),
                    vertex.row_standings.as_mut_ptr(),
                ),
            ]
        };
        statuses == [sys::STATUS_OK; 2]
    }

    fn set(&mut self, name: &CStr, value: Value) -> Result<(), Error> {
        let (highs, name_pointer) = (self.highs.as_ptr(), name.as_ptr());
        // SAFETY: both strings end in a zero byte, and HiGHS copies them.
        let status = unsafe {
            match value {
                Value::Bool(value) => {
                    sys::Highs_setBoolOptionValue(highs, name_pointer, value.into())
                }
                Value::Int(value) => sys::Highs_setIntOptionValue(highs, name_pointer, value),
                Value::Float(value) => sys::Highs_setDoubleOptionValue(highs, name_pointer, value),
                Value::Text(value) => {
                    sys::Highs_setStringOptionValue(highs, name_pointer, value.as_ptr())
                }
            }
        };
        accepted(status, &format!("the option {}", name.to_string_lossy()))
    }
}

/// The value of an option.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value {
    Bool(bool),
    Int(sys::HighsInt),
    Float(f64),
    Text(&'static CStr),
}

fn int(count: usize) -> Result<sys::HighsInt, Error> {
    count
        .try_into()
        .map_err(|_| refused("a program this large"))
}

fn accepted(status: sys::HighsInt, what: &str) -> Result<(), Error> {
    match status {
        sys::STATUS_ERROR => Err(refused(what)),
        _ => Ok(()), // a warning is for the log
    }
}

fn refused(what: &str) -> Error {
    Error::new(ErrorKind::BackendFailed, format!("HiGHS refused {what}"))
}
