//! The plugin's side of the boundary: what `export_plugin!` expands to.
//!
//! Every function here translates between the C ABI and [`Solver`], catches panics, and does nothing
//! else. The rules that the `unsafe` blocks lean on are those of `include/imle_plugin.h`; a host that
//! breaks them is a broken host.

mod rows;
#[cfg(test)]
mod tests;

use std::ffi::{CStr, CString, c_char, c_void};
use std::marker::PhantomData;
use std::ptr;
use std::slice;

use rows::Rows;

use crate::linked::{caught, marginals_row, solve_row};
use crate::marginals::no_marginals;
use crate::{Error, ErrorKind, Facts, Limits, Outcome, Proof, Solved, Solver, abi, read_config};

/// Exports solvers as an imle plugin library.
///
/// Write it once in a crate whose `Cargo.toml` says `crate-type = ["lib", "cdylib"]`, with every
/// [`Solver`](crate::Solver) of the library. Name, version and licence are those of the crate. The
/// crate may say `#![forbid(unsafe_code)]`.
///
/// ```
/// # use imle_api::{Error, Facts, Limits, Proof, Solver};
/// # struct First;
/// # impl Solver for First {
/// #     const NAME: &'static str = "first";
/// #     const SUMMARY: &'static str = "always the first of two";
/// #     type Config = ();
/// #     type Workspace = ();
/// #     fn new(_: ()) -> Result<Self, Error> { Ok(Self) }
/// #     fn facts(&self) -> Facts { Facts::binary(2) }
/// #     fn solve(&self, _: &mut (), _: &[f64], z: &mut [f64], _: &Limits<'_>) -> Result<Proof, Error> {
/// #         z.copy_from_slice(&[1.0, 0.0]);
/// #         Ok(Proof::NONE)
/// #     }
/// # }
/// imle_api::export_plugin!(First);
/// ```
///
/// The exported symbol is `imle_plugin_v1`, so one program can link at most one crate that uses this
/// macro; it can load any number of them.
#[macro_export]
macro_rules! export_plugin {
    ($($solver:ty),+ $(,)?) => {
        #[doc(hidden)]
        #[unsafe(no_mangle)]
        pub extern "C" fn imle_plugin_v1(
            _host_minor: u32,
            _error: *mut $crate::abi::Sink,
        ) -> *const $crate::abi::Plugin {
            static EXPORT: $crate::private::OnceExport = $crate::private::OnceExport::new();
            EXPORT.table(|| {
                $crate::private::Export::new(
                    env!("CARGO_PKG_NAME"),
                    env!("CARGO_PKG_VERSION"),
                    env!("CARGO_PKG_LICENSE"),
                    cfg!(panic = "abort"),
                    vec![$($crate::private::solver_table::<$solver>()),+],
                )
            })
        }
    };
}

/// The tables of a library, made once and never freed. Not public API: used by generated code.
#[derive(Debug)]
pub struct Export {
    plugin: abi::Plugin,
}

// SAFETY: the tables are never written after `new` and their pointers lead to leaked memory.
unsafe impl Send for Export {}
// SAFETY: likewise.
unsafe impl Sync for Export {}

/// Makes the tables on the first call. Not public API: used by generated code.
#[derive(Debug)]
pub struct OnceExport(std::sync::OnceLock<Export>);

impl OnceExport {
    #[doc(hidden)]
    #[must_use]
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Self(std::sync::OnceLock::new())
    }

    #[doc(hidden)]
    pub fn table(&'static self, make: impl FnOnce() -> Export) -> *const abi::Plugin {
        match caught(|| self.0.get_or_init(make)) {
            Ok(export) => &raw const export.plugin,
            Err(_) => ptr::null(),
        }
    }
}

impl Export {
    #[doc(hidden)]
    #[must_use]
    pub fn new(
        name: &str,
        version: &str,
        license: &str,
        panic_aborts: bool,
        solvers: Vec<abi::Solver>,
    ) -> Self {
        let tables: Vec<*const abi::Solver> = solvers
            .into_iter()
            .map(|solver| ptr::from_ref(Box::leak(Box::new(solver))))
            .collect();
        Self {
            plugin: abi::Plugin {
                struct_size: size_of::<abi::Plugin>() as u32,
                abi_minor: abi::MINOR,
                flags: if panic_aborts {
                    abi::PLUGIN_PANIC_ABORTS
                } else {
                    0
                },
                reserved: 0,
                name: leak_text(name),
                version: leak_text(version),
                // Cargo gives an empty text where the crate states no licence.
                license: if license.is_empty() {
                    ptr::null()
                } else {
                    leak_text(license)
                },
                solver_count: tables.len() as u64,
                solvers: Box::leak(tables.into_boxed_slice()).as_ptr(),
            },
        }
    }
}

/// Describes one solver to the host. Not public API: used by generated code.
#[must_use]
pub fn solver_table<S: Solver>() -> abi::Solver {
    abi::Solver {
        struct_size: size_of::<abi::Solver>() as u32,
        reserved: 0,
        name: leak_text(S::NAME),
        summary: leak_text(S::SUMMARY),
        serial_group: S::SERIAL_GROUP.map_or(ptr::null(), leak_text),
        config_schema: Some(config_schema::<S>),
        create: Some(create::<S>),
        destroy: Some(destroy::<S>),
        info: Some(info::<S>),
        workspace_create: Some(workspace_create::<S>),
        workspace_destroy: Some(workspace_destroy::<S>),
        solve: Some(solve::<S>),
        extension: Some(extension::<S>),
    }
}

fn leak_text(text: &str) -> *const c_char {
    let text = CString::new(text).expect("names, versions and licences contain no NUL");
    text.into_raw().cast_const()
}

/// An instance as the host holds it. The facts are asked for once: the lengths of the host's arrays must
/// not depend on what safe code says later.
struct Made<S> {
    solver: S,
    facts: Facts,
}

/// A workspace as the host holds it: usable until a panic goes through it.
struct Guarded<W> {
    workspace: W,
    poisoned: bool,
}

unsafe extern "C" fn config_schema<S: Solver>(
    schema: *mut abi::Sink,
    error: *mut abi::Sink,
) -> i32 {
    guard(error, || {
        let text = schemars::schema_for!(S::Config).to_value().to_string();
        // SAFETY: the host's sink, valid for this call.
        unsafe { write_text(schema, &text) };
        Ok(())
    })
}

unsafe extern "C" fn create<S: Solver>(
    config: *const c_char,
    length: u64,
    instance: *mut *mut abi::Instance,
    error: *mut abi::Sink,
) -> i32 {
    guard(error, || {
        not_null(config, "config")?;
        not_null(instance, "instance")?;
        // SAFETY: `create` gets `length` readable bytes at `config`.
        let config = unsafe { slice::from_raw_parts(config.cast::<u8>(), length as usize) };
        let config = std::str::from_utf8(config).map_err(|why| {
            Error::new(
                ErrorKind::InvalidConfig,
                format!("the text is not UTF-8: {why}"),
            )
        })?;
        let solver = S::new(read_config(config)?)?;
        let facts = solver.facts();
        let made = Box::new(Made { solver, facts });
        // SAFETY: `create` gets a place for one pointer at `instance`.
        unsafe { instance.write(Box::into_raw(made).cast()) };
        Ok(())
    })
}

unsafe extern "C" fn destroy<S: Solver>(instance: *mut abi::Instance) {
    if !instance.is_null() {
        // SAFETY: a non-null instance came from `create::<S>` and is destroyed once.
        let owned = unsafe { Box::from_raw(instance.cast::<Made<S>>()) };
        let _ = caught(|| drop(owned));
    }
}

unsafe extern "C" fn info<S: Solver>(
    instance: *const abi::Instance,
    info: *mut abi::Info,
    error: *mut abi::Sink,
) -> i32 {
    guard(error, || {
        not_null(info, "info")?;
        // SAFETY: the host passes an instance of this solver.
        let facts = unsafe { made_of::<S>(instance) }?.facts;
        // SAFETY: the host passes an `Info` whose `struct_size` says how large it is.
        unsafe { abi::write_struct(info, &info_of(&facts)) }
            .map_err(|size| too_small("imle_info", size, abi::baseline::INFO))
    })
}

fn info_of(facts: &Facts) -> abi::Info {
    abi::Info {
        struct_size: size_of::<abi::Info>() as u32,
        flags: if facts.integral {
            abi::INFO_INTEGRAL
        } else {
            0
        },
        dim: facts.dim as u64,
        ones: facts.ones.map_or(abi::ONES_VARY, |ones| ones as u64),
        z_lower: facts.z_lower,
        z_upper: facts.z_upper,
        theta_domain: facts.theta_domain as u32,
        reserved: 0,
    }
}

unsafe extern "C" fn workspace_create<S: Solver>(
    _instance: *const abi::Instance,
    workspace: *mut *mut abi::Workspace,
    error: *mut abi::Sink,
) -> i32 {
    guard(error, || {
        not_null(workspace, "workspace")?;
        let made = Box::new(Guarded {
            workspace: S::Workspace::default(),
            poisoned: false,
        });
        // SAFETY: `workspace_create` gets a place for one pointer at `workspace`.
        unsafe { workspace.write(Box::into_raw(made).cast()) };
        Ok(())
    })
}

unsafe extern "C" fn workspace_destroy<S: Solver>(workspace: *mut abi::Workspace) {
    if !workspace.is_null() {
        // SAFETY: a non-null workspace came from `workspace_create::<S>` and is destroyed once.
        let owned = unsafe { Box::from_raw(workspace.cast::<Guarded<S::Workspace>>()) };
        let _ = caught(|| drop(owned));
    }
}

unsafe extern "C" fn solve<S: Solver>(
    instance: *const abi::Instance,
    workspace: *mut abi::Workspace,
    arguments: *const abi::SolveArguments,
    error: *mut abi::Sink,
) -> i32 {
    guard(error, || {
        not_null(arguments, "arguments")?;
        // SAFETY: the host passes arguments whose `struct_size` says how large they are.
        let arguments = unsafe { abi::read_struct(arguments) }.map_err(|size| {
            too_small("imle_solve_arguments", size, abi::baseline::SOLVE_ARGUMENTS)
        })?;
        // SAFETY: the host passes an instance, a workspace and arrays as the header says.
        unsafe { each_row(instance, workspace, &arguments, solve_row::<S>) }
    })
}

unsafe extern "C" fn marginals<S: Solver>(
    instance: *const abi::Instance,
    workspace: *mut abi::Workspace,
    arguments: *const abi::MarginalsArguments,
    error: *mut abi::Sink,
) -> i32 {
    guard(error, || {
        let Some(marginals) = S::MARGINALS else {
            return Err(no_marginals(S::NAME));
        };
        not_null(arguments, "arguments")?;
        // SAFETY: the host passes arguments whose `struct_size` says how large they are.
        let arguments = unsafe { abi::read_struct(arguments) }.map_err(|size| {
            let baseline = abi::baseline::MARGINALS_ARGUMENTS;
            too_small("imle_marginals_arguments", size, baseline)
        })?;
        let row = |solver: &S,
                   workspace: &mut S::Workspace,
                   theta: &[f64],
                   mu: &mut [f64],
                   limits: &Limits<'_>| {
            let found = marginals_row(marginals, solver, workspace, theta, mu, limits)?;
            Ok(found.map(|objective| Solved {
                objective,
                proof: Proof::NONE,
            }))
        };
        // SAFETY: the host passes an instance, a workspace and arrays as the header says.
        unsafe { each_row::<S>(instance, workspace, &as_solve(&arguments), row) }
    })
}

/// The same arrays as for a solve: `mu` in the place of `z`, the log-partition in that of the objective.
fn as_solve(arguments: &abi::MarginalsArguments) -> abi::SolveArguments {
    abi::SolveArguments {
        struct_size: size_of::<abi::SolveArguments>() as u32,
        flags: arguments.flags,
        rows: arguments.rows,
        theta: arguments.theta,
        z: arguments.mu,
        status: arguments.status,
        objective: arguments.log_partition,
        bound: ptr::null_mut(),
        radius: ptr::null_mut(),
        time_limit: arguments.time_limit,
        stop: arguments.stop,
        row_message: arguments.row_message,
        host: arguments.host,
    }
}

/// Does one row after the other; an outer error of `work` is a panic, which poisons the workspace.
///
/// # Safety
///
/// `instance` is null or came from `create::<S>`, `workspace` is null or came from
/// `workspace_create::<S>` and calls on it do not overlap; the pointers of `arguments` follow the header.
unsafe fn each_row<S: Solver>(
    instance: *const abi::Instance,
    workspace: *mut abi::Workspace,
    arguments: &abi::SolveArguments,
    work: impl Fn(&S, &mut S::Workspace, &[f64], &mut [f64], &Limits<'_>) -> Result<Outcome, Error>,
) -> Result<(), Error> {
    not_null(workspace.cast_const(), "workspace")?;
    // SAFETY: the caller's promise.
    let Made { solver, facts } = unsafe { made_of::<S>(instance) }?;
    // SAFETY: likewise.
    let guarded = unsafe { &mut *workspace.cast::<Guarded<S::Workspace>>() };
    // SAFETY: likewise.
    let mut rows = unsafe { Rows::of(arguments, facts.dim) }?;
    if guarded.poisoned {
        return Err(Error::fixed(
            ErrorKind::Poisoned,
            "an earlier call on this workspace panicked",
        ));
    }
    let limits = rows.limits();
    for row in 0..rows.count {
        let (theta, output) = rows.row(row);
        match work(solver, &mut guarded.workspace, theta, output, &limits) {
            Ok(outcome) => rows.report(row, outcome),
            Err(panic) => {
                guarded.poisoned = true;
                rows.report(row, Err(panic.clone()));
                return Err(panic);
            }
        }
    }
    Ok(())
}

/// The table of the extension for marginals, a constant for each solver.
struct MarginalsTable<S>(PhantomData<S>);

impl<S: Solver> MarginalsTable<S> {
    const TABLE: &'static abi::Marginals = &abi::Marginals {
        struct_size: size_of::<abi::Marginals>() as u32,
        reserved: 0,
        marginals: Some(marginals::<S>),
    };
}

unsafe extern "C" fn extension<S: Solver>(id: *const c_char) -> *const c_void {
    if id.is_null() {
        return ptr::null();
    }
    // SAFETY: the host passes a NUL-terminated text.
    let id = unsafe { CStr::from_ptr(id) };
    if id == abi::MARGINALS && S::MARGINALS.is_some() {
        return ptr::from_ref(MarginalsTable::<S>::TABLE).cast();
    }
    ptr::null()
}

/// # Safety
///
/// `instance` is null or came from `create::<S>` and is not destroyed during `'a`.
unsafe fn made_of<'a, S>(instance: *const abi::Instance) -> Result<&'a Made<S>, Error> {
    not_null(instance, "instance")?;
    // SAFETY: the caller's promise.
    Ok(unsafe { &*instance.cast::<Made<S>>() })
}

fn not_null<T>(pointer: *const T, name: &str) -> Result<(), Error> {
    if pointer.is_null() {
        return Err(Error::new(
            ErrorKind::InvalidInput,
            format!("{name} is null"),
        ));
    }
    Ok(())
}

fn too_small(name: &str, size: u32, baseline: u32) -> Error {
    let message = format!("{name} has struct_size {size}, less than {baseline} of version 1.0");
    Error::new(ErrorKind::AbiMismatch, message)
}

/// Runs `work`, turns its error or panic into a status, and hands the sentence to the host.
fn guard(error: *mut abi::Sink, work: impl FnOnce() -> Result<(), Error>) -> i32 {
    let Err(why) = caught(work).unwrap_or_else(Err) else {
        return abi::OK;
    };
    // SAFETY: the host's sink, valid for this call.
    unsafe { write_text(error, why.message()) };
    why.kind().code()
}

/// # Safety
///
/// `sink` is null or the host's sink, valid for this call.
unsafe fn write_text(sink: *mut abi::Sink, text: &str) {
    if sink.is_null() {
        return; // the host does not want to know
    }
    // SAFETY: a sink has had its `write` since version 1.0.
    if let Some(write) = unsafe { (*sink).write } {
        // SAFETY: the host's function, its own sink, and text that lives on.
        unsafe { write(sink, text.as_ptr().cast(), text.len() as u64) };
    }
}
