//! The C ABI, version 1: the types of `include/imle_plugin.h`, field for field.
//!
//! Declarations only. The header is the contract and explains every function: when it may be called, on
//! which thread, and who owns what for how long. `export.rs` is the plugin's side of this boundary,
//! `imle-runtime/src/plugin.rs` the host's. A Rust plugin never needs this module.

use std::ffi::{CStr, c_char, c_void};

/// The major version; it is also part of the name of [`ENTRY_SYMBOL`].
pub const MAJOR: u32 = 1;
/// The minor version: which fields this side knows.
pub const MINOR: u32 = 0;
/// The one exported symbol of a plugin library, NUL-terminated.
pub const ENTRY_SYMBOL: &[u8] = b"imle_plugin_v1\0";
/// The id of the extension for exact marginals, whose table is [`Marginals`].
pub const MARGINALS: &CStr = c"imle.marginals/1";

/// The text of `imle_plugin.h`, for programs that start plugin projects.
pub const HEADER: &str = include_str!("../include/imle_plugin.h");

/// The status of success.
pub const OK: i32 = 0;
/// The status that the host writes into every row before a call: a row that a plugin forgot shows it.
pub const UNSET: i32 = -1;

/// Bit of [`Info::flags`]: every coordinate of a state is an integer.
pub const INFO_INTEGRAL: u32 = 1;
/// Bit of [`Plugin::flags`]: built with `panic = "abort"`, so a panic ends the process.
pub const PLUGIN_PANIC_ABORTS: u32 = 1;
/// Value of [`Info::ones`]: the sum of a state is not the same for all.
pub const ONES_VARY: u64 = 0;

/// Receives text from a plugin: the host copies it during the call.
#[derive(Debug)]
#[repr(C)]
pub struct Sink {
    /// `sizeof(imle_sink)` as the host was compiled.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// Appends `length` bytes of UTF-8.
    pub write: Option<unsafe extern "C" fn(sink: *mut Sink, text: *const c_char, length: u64)>,
}

/// An instance, opaque and owned by the plugin.
#[derive(Debug)]
#[repr(C)]
pub struct Instance {
    _opaque: [u8; 0],
}

/// A workspace, opaque and owned by the plugin.
#[derive(Debug)]
#[repr(C)]
pub struct Workspace {
    _opaque: [u8; 0],
}

/// Facts about one instance, written by the plugin.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Info {
    /// `sizeof(imle_info)` as the host was compiled.
    pub struct_size: u32,
    /// Bits `INFO_*`.
    pub flags: u32,
    /// Coordinates of theta and of a state, at least 1.
    pub dim: u64,
    /// The sum of every state if constant and not zero, else [`ONES_VARY`].
    pub ones: u64,
    /// No coordinate of a state is below this.
    pub z_lower: f64,
    /// No coordinate of a state is above this.
    pub z_upper: f64,
    /// For which theta the solver is exact: a [`ThetaDomain`](crate::ThetaDomain) as a number.
    pub theta_domain: u32,
    /// Zero.
    pub reserved: u32,
}

/// The arguments of one batched solve. Everything it points to belongs to the host and is valid for
/// the call.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct SolveArguments {
    /// `sizeof(imle_solve_arguments)` as the host was compiled.
    pub struct_size: u32,
    /// Zero; a plugin refuses bits that it does not know.
    pub flags: u32,
    /// The number of rows.
    pub rows: u64,
    /// `[rows, dim]`, finite.
    pub theta: *const f64,
    /// `[rows, dim]`, to be written.
    pub z: *mut f64,
    /// `[rows]`, to be written; holds [`UNSET`] before the call.
    pub status: *mut i32,
    /// `[rows]`, to be written: `<z, theta>`.
    pub objective: *mut f64,
    /// `[rows]` or null, to be written: a proven upper bound; holds infinity before the call.
    pub bound: *mut f64,
    /// `[rows]` or null, to be written: the radius of optimality; holds 0 before the call.
    pub radius: *mut f64,
    /// Seconds that this call may take; 0 for no limit.
    pub time_limit: f64,
    /// Null, or a word that becomes non-zero when the call should stop.
    pub stop: *const u32,
    /// Null, or takes a sentence about a row that failed.
    pub row_message:
        Option<unsafe extern "C" fn(host: *mut c_void, row: u64, text: *const c_char, length: u64)>,
    /// Passed back to `row_message`.
    pub host: *mut c_void,
}

/// One solver of a library: its name and its functions. Static, owned by the plugin.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Solver {
    /// `sizeof(imle_solver)` as the plugin was compiled.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// NUL-terminated UTF-8.
    pub name: *const c_char,
    /// NUL-terminated UTF-8, or null.
    pub summary: *const c_char,
    /// NUL-terminated UTF-8, or null for none.
    pub serial_group: *const c_char,
    /// Writes the JSON Schema of the configuration.
    pub config_schema: Option<unsafe extern "C" fn(schema: *mut Sink, error: *mut Sink) -> i32>,
    /// Builds an instance from JSON text of `length` bytes.
    pub create: Option<
        unsafe extern "C" fn(
            config: *const c_char,
            length: u64,
            instance: *mut *mut Instance,
            error: *mut Sink,
        ) -> i32,
    >,
    /// Destroys an instance; null is allowed.
    pub destroy: Option<unsafe extern "C" fn(instance: *mut Instance)>,
    /// Writes facts about an instance.
    pub info: Option<
        unsafe extern "C" fn(instance: *const Instance, info: *mut Info, error: *mut Sink) -> i32,
    >,
    /// Makes a workspace for an instance.
    pub workspace_create: Option<
        unsafe extern "C" fn(
            instance: *const Instance,
            workspace: *mut *mut Workspace,
            error: *mut Sink,
        ) -> i32,
    >,
    /// Destroys a workspace; null is allowed.
    pub workspace_destroy: Option<unsafe extern "C" fn(workspace: *mut Workspace)>,
    /// Solves a batch.
    pub solve: Option<
        unsafe extern "C" fn(
            instance: *const Instance,
            workspace: *mut Workspace,
            arguments: *const SolveArguments,
            error: *mut Sink,
        ) -> i32,
    >,
    /// Returns the table of an extension by its id, or null. Defined so far: [`MARGINALS`].
    pub extension: Option<unsafe extern "C" fn(id: *const c_char) -> *const c_void>,
}

/// The arguments of one batched call for marginals. Everything it points to belongs to the host and is
/// valid for the call.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct MarginalsArguments {
    /// `sizeof(imle_marginals_arguments)` as the host was compiled.
    pub struct_size: u32,
    /// Zero; a plugin refuses bits that it does not know.
    pub flags: u32,
    /// The number of rows.
    pub rows: u64,
    /// `[rows, dim]`, finite, and so is the sum of the absolute values of each row.
    pub theta: *const f64,
    /// `[rows, dim]`, to be written: the expectation of the state.
    pub mu: *mut f64,
    /// `[rows]`, to be written; holds [`UNSET`] before the call.
    pub status: *mut i32,
    /// `[rows]`, to be written: the logarithm of the sum of `exp(<z, theta>)` over all states.
    pub log_partition: *mut f64,
    /// Seconds that this call may take; 0 for no limit.
    pub time_limit: f64,
    /// Null, or a word that becomes non-zero when the call should stop.
    pub stop: *const u32,
    /// Null, or takes a sentence about a row that failed.
    pub row_message:
        Option<unsafe extern "C" fn(host: *mut c_void, row: u64, text: *const c_char, length: u64)>,
    /// Passed back to `row_message`.
    pub host: *mut c_void,
}

/// The table of the extension [`MARGINALS`]. Static, owned by the plugin.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Marginals {
    /// `sizeof(imle_marginals)` as the plugin was compiled.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// Writes log-partitions and marginals of a batch.
    pub marginals: Option<
        unsafe extern "C" fn(
            instance: *const Instance,
            workspace: *mut Workspace,
            arguments: *const MarginalsArguments,
            error: *mut Sink,
        ) -> i32,
    >,
}

/// A library: who made it and its solvers. Static, owned by the plugin.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Plugin {
    /// `sizeof(imle_plugin)` as the plugin was compiled.
    pub struct_size: u32,
    /// [`MINOR`] as the plugin was compiled; for messages, never for decisions.
    pub abi_minor: u32,
    /// Bits `PLUGIN_*`.
    pub flags: u32,
    /// Zero.
    pub reserved: u32,
    /// NUL-terminated UTF-8.
    pub name: *const c_char,
    /// NUL-terminated UTF-8: the version of the plugin.
    pub version: *const c_char,
    /// NUL-terminated UTF-8, an SPDX expression, or null.
    pub license: *const c_char,
    /// The number of solvers, at least 1.
    pub solver_count: u64,
    /// An array of pointers, so that [`Solver`] can grow.
    pub solvers: *const *const Solver,
}

/// The type of the exported function: [`ENTRY_SYMBOL`].
pub type Entry = unsafe extern "C" fn(host_minor: u32, error: *mut Sink) -> *const Plugin;

/// The sizes of the structs in version 1.0. A reader demands these and never the size of its own type,
/// so that either side may be the newer one.
pub mod baseline {
    /// `imle_sink`.
    pub const SINK: u32 = 16;
    /// `imle_info`.
    pub const INFO: u32 = 48;
    /// `imle_solve_arguments`.
    pub const SOLVE_ARGUMENTS: u32 = 96;
    /// `imle_solver`.
    pub const SOLVER: u32 = 96;
    /// `imle_marginals_arguments`.
    pub const MARGINALS_ARGUMENTS: u32 = 80;
    /// `imle_marginals`.
    pub const MARGINALS: u32 = 16;
    /// `imle_plugin`.
    pub const PLUGIN: u32 = 56;
}

const _: () = {
    assert!(
        size_of::<usize>() == 8,
        "the ABI is defined for 64-bit targets"
    );
    assert!(size_of::<Sink>() == baseline::SINK as usize);
    assert!(size_of::<Info>() == baseline::INFO as usize);
    assert!(size_of::<SolveArguments>() == baseline::SOLVE_ARGUMENTS as usize);
    assert!(size_of::<Solver>() == baseline::SOLVER as usize);
    assert!(size_of::<MarginalsArguments>() == baseline::MARGINALS_ARGUMENTS as usize);
    assert!(size_of::<Marginals>() == baseline::MARGINALS as usize);
    assert!(size_of::<Plugin>() == baseline::PLUGIN as usize);
};

/// A struct that crosses the boundary and grows at its end.
///
/// # Safety
///
/// The type is `repr(C)`, begins with a `u32` that holds the size of the struct in bytes as its writer
/// was compiled, and all-zero bytes are a valid value of it.
pub unsafe trait Growing: Copy {
    /// The size in version 1.0.
    const BASELINE: u32;
}

// SAFETY: integers, doubles, raw pointers and optional functions, `struct_size` first.
unsafe impl Growing for Info {
    const BASELINE: u32 = baseline::INFO;
}
// SAFETY: as above.
unsafe impl Growing for SolveArguments {
    const BASELINE: u32 = baseline::SOLVE_ARGUMENTS;
}
// SAFETY: as above.
unsafe impl Growing for Solver {
    const BASELINE: u32 = baseline::SOLVER;
}
// SAFETY: as above.
unsafe impl Growing for MarginalsArguments {
    const BASELINE: u32 = baseline::MARGINALS_ARGUMENTS;
}
// SAFETY: as above.
unsafe impl Growing for Marginals {
    const BASELINE: u32 = baseline::MARGINALS;
}
// SAFETY: as above.
unsafe impl Growing for Plugin {
    const BASELINE: u32 = baseline::PLUGIN;
}

/// Copies a foreign struct into this side's type: fields that the writer did not know are zero, fields
/// that this side does not know are left out.
///
/// # Errors
///
/// The size that the struct claims, if that is below the size of version 1.0.
///
/// # Safety
///
/// `from` is not null and aligned, and points to as many readable bytes as its first field says.
pub unsafe fn read_struct<T: Growing>(from: *const T) -> Result<T, u32> {
    // SAFETY: the caller vouches for the first field, a `u32` by the rule of `Growing`.
    let size = unsafe { from.cast::<u32>().read() };
    if size < T::BASELINE {
        return Err(size);
    }
    let mut copy = std::mem::MaybeUninit::<T>::zeroed();
    let bytes = (size as usize).min(size_of::<T>());
    // SAFETY: `bytes` is within both structs, and the two do not overlap.
    unsafe { std::ptr::copy_nonoverlapping(from.cast::<u8>(), copy.as_mut_ptr().cast(), bytes) };
    // SAFETY: zero is a valid value by the rule of `Growing`, and the prefix is the foreign value.
    Ok(unsafe { copy.assume_init() })
}

/// Copies `value` into a struct that the other side allocated, without touching its `struct_size` or
/// anything behind the size it states.
///
/// # Errors
///
/// The size that the struct claims, if that is below the size of version 1.0; nothing is written then.
///
/// # Safety
///
/// `to` is not null and aligned, points to as many writable bytes as its first field says, and nobody
/// else accesses them during the call.
pub unsafe fn write_struct<T: Growing>(to: *mut T, value: &T) -> Result<(), u32> {
    // SAFETY: the caller vouches for the first field, a `u32` by the rule of `Growing`.
    let size = unsafe { to.cast::<u32>().read() };
    if size < T::BASELINE {
        return Err(size);
    }
    let head = size_of::<u32>();
    let bytes = (size as usize).min(size_of::<T>()) - head;
    let source = std::ptr::from_ref(value).cast::<u8>();
    // SAFETY: `head + bytes` is within both structs, and the two do not overlap.
    unsafe { std::ptr::copy_nonoverlapping(source.add(head), to.cast::<u8>().add(head), bytes) };
    Ok(())
}
