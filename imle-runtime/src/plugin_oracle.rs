//! The host's side of the boundary, second half: an instance of a loaded solver as an oracle.
//!
//! Whatever comes back is checked before anybody sees it: statuses, bounds, integrality, the number of
//! ones, the objective. The checks cost a pass over the state, little beside any solve.

use std::ffi::{c_char, c_void};
use std::fmt;
use std::ops::Range;
use std::ptr::{self, NonNull};
use std::sync::{Mutex, PoisonError};

use imle_api::{
    Error, ErrorKind, Facts, Identity, Limits, Oracle, Outcome, Proof, Solved, ThetaDomain, abi,
    in_serial_group, unset,
};

use crate::plugin::SolverInfo;

/// Text from a plugin is cut here: a sentence needs less, and a broken plugin may write for ever.
const LONGEST_MESSAGE: usize = 4 << 10;
const LONGEST_SCHEMA: usize = 16 << 20;
/// Relative difference allowed between a reported objective and ours, which sums in another order.
const OBJECTIVE_TOLERANCE: f64 = 1e-9;

/// The functions of a solver, each known to be there.
#[derive(Clone, Copy)]
pub(crate) struct Functions {
    config_schema: Option<unsafe extern "C" fn(*mut abi::Sink, *mut abi::Sink) -> i32>,
    create:
        unsafe extern "C" fn(*const c_char, u64, *mut *mut abi::Instance, *mut abi::Sink) -> i32,
    destroy: unsafe extern "C" fn(*mut abi::Instance),
    info: unsafe extern "C" fn(*const abi::Instance, *mut abi::Info, *mut abi::Sink) -> i32,
    workspace_create:
        unsafe extern "C" fn(*const abi::Instance, *mut *mut abi::Workspace, *mut abi::Sink) -> i32,
    workspace_destroy: unsafe extern "C" fn(*mut abi::Workspace),
    solve: unsafe extern "C" fn(
        *const abi::Instance,
        *mut abi::Workspace,
        *const abi::SolveArguments,
        *mut abi::Sink,
    ) -> i32,
}

impl Functions {
    /// Takes the functions out of a table, or names the required one that is missing.
    pub(crate) fn of(table: &abi::Solver) -> Result<Self, &'static str> {
        Ok(Self {
            config_schema: table.config_schema,
            create: table.create.ok_or("create")?,
            destroy: table.destroy.ok_or("destroy")?,
            info: table.info.ok_or("info")?,
            workspace_create: table.workspace_create.ok_or("workspace_create")?,
            workspace_destroy: table.workspace_destroy.ok_or("workspace_destroy")?,
            solve: table.solve.ok_or("solve")?,
        })
    }

    pub(crate) fn schema(&self) -> Result<String, Error> {
        let Some(config_schema) = self.config_schema else {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "it offers no configuration schema",
            ));
        };
        let (mut schema, mut error) = (TextSink::with_room(LONGEST_SCHEMA), TextSink::new());
        // SAFETY: a function of a checked table; both sinks live through the call.
        let status = unsafe { config_schema(schema.as_sink(), error.as_sink()) };
        check(status, &error)?;
        Ok(schema.text())
    }
}

/// One instance of a loaded solver and its idle workspaces.
pub(crate) struct LoadedOracle {
    name: String,
    serial_group: Option<String>,
    functions: Functions,
    instance: NonNull<abi::Instance>,
    facts: Facts,
    identity: Identity,
    idle: Mutex<Vec<LoadedWorkspace>>,
}

// SAFETY: the header lets the functions of an instance be called from any thread, many at once.
unsafe impl Send for LoadedOracle {}
// SAFETY: likewise; workspaces are handed to one thread at a time through the mutex.
unsafe impl Sync for LoadedOracle {}

/// A workspace that is destroyed with its owner.
struct LoadedWorkspace {
    workspace: NonNull<abi::Workspace>,
    destroy: unsafe extern "C" fn(*mut abi::Workspace),
}

// SAFETY: the header lets a workspace move between threads as long as its calls do not overlap.
unsafe impl Send for LoadedWorkspace {}

impl Drop for LoadedWorkspace {
    fn drop(&mut self) {
        // SAFETY: made by `workspace_create` of the same table and destroyed once, before its instance.
        unsafe { (self.destroy)(self.workspace.as_ptr()) }
    }
}

impl Drop for LoadedOracle {
    fn drop(&mut self) {
        let idle = self.idle.get_mut().unwrap_or_else(PoisonError::into_inner);
        in_serial_group(self.serial_group.as_deref(), || {
            idle.clear();
            // SAFETY: made by `create` of the same table, destroyed once, after its workspaces.
            unsafe { (self.functions.destroy)(self.instance.as_ptr()) }
        });
    }
}

impl LoadedOracle {
    pub(crate) fn open(
        info: &SolverInfo,
        functions: Functions,
        config: &str,
    ) -> Result<Self, Error> {
        let mut instance = ptr::null_mut();
        let mut error = TextSink::new();
        let (text, length) = (config.as_ptr().cast(), config.len() as u64);
        // SAFETY: a function of a checked table; the arguments live through the call.
        let status = in_serial_group(info.serial_group.as_deref(), || unsafe {
            (functions.create)(text, length, &mut instance, error.as_sink())
        });
        check(status, &error)?;
        let broken = |message| Error::new(ErrorKind::ContractBroken, message);
        let instance = NonNull::new(instance).ok_or_else(|| {
            broken("`create` reported success and returned no instance".to_owned())
        })?;
        let mut oracle = Self {
            name: info.name.clone(),
            serial_group: info.serial_group.clone(),
            functions,
            instance,
            facts: Facts::binary(1), // until the instance has spoken; from here on it is destroyed on drop
            identity: Identity::unique(),
            idle: Mutex::default(),
        };
        oracle.facts = oracle.read_facts()?;
        Ok(oracle)
    }

    fn read_facts(&self) -> Result<Facts, Error> {
        let mut info = abi::Info {
            struct_size: size_of::<abi::Info>() as u32,
            flags: 0,
            dim: 0,
            ones: abi::ONES_VARY,
            z_lower: 0.0,
            z_upper: 0.0,
            theta_domain: 0,
            reserved: 0,
        };
        let mut error = TextSink::new();
        // SAFETY: the instance is alive; `info` states its own size and lives through the call.
        let status = in_serial_group(self.serial_group.as_deref(), || unsafe {
            (self.functions.info)(self.instance.as_ptr(), &mut info, error.as_sink())
        });
        check(status, &error)?;
        facts_of(&info)
            .map_err(|why| Error::new(ErrorKind::ContractBroken, format!("`info` states {why}")))
    }

    fn take_workspace(&self) -> Result<LoadedWorkspace, Error> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        if let Some(workspace) = idle {
            return Ok(workspace);
        }
        let mut workspace = ptr::null_mut();
        let mut error = TextSink::new();
        // SAFETY: the instance is alive; the place for the workspace lives through the call.
        let status = in_serial_group(self.serial_group.as_deref(), || unsafe {
            (self.functions.workspace_create)(
                self.instance.as_ptr(),
                &mut workspace,
                error.as_sink(),
            )
        });
        check(status, &error)?;
        let workspace = NonNull::new(workspace).ok_or_else(|| {
            let message = "`workspace_create` reported success and returned no workspace";
            Error::new(ErrorKind::ContractBroken, message)
        })?;
        let destroy = self.functions.workspace_destroy;
        Ok(LoadedWorkspace { workspace, destroy })
    }

    /// One call of the plugin. Rows that it left unset keep that outcome; the error is the call's own.
    fn call(
        &self,
        workspace: &LoadedWorkspace,
        theta: &[f64],
        z: &mut [f64],
        outcomes: &mut [Outcome],
        limits: &Limits<'_>,
    ) -> Result<(), Error> {
        let rows = outcomes.len();
        let mut returned = Returned::new(rows);
        let mut error = TextSink::new();
        let arguments = abi::SolveArguments {
            struct_size: size_of::<abi::SolveArguments>() as u32,
            flags: 0,
            rows: rows as u64,
            theta: theta.as_ptr(),
            z: z.as_mut_ptr(),
            status: returned.status.as_mut_ptr(),
            objective: returned.objective.as_mut_ptr(),
            bound: returned.bound.as_mut_ptr(),
            radius: returned.radius.as_mut_ptr(),
            // An exhausted limit must not read as "no limit".
            time_limit: limits
                .time_left()
                .map_or(0.0, |left| left.as_secs_f64().max(1e-9)),
            stop: limits
                .stop_word()
                .map_or(ptr::null(), |word| word.as_ptr().cast_const()),
            row_message: Some(take_row_message),
            host: ptr::from_mut(&mut returned.messages).cast(),
        };
        // SAFETY: instance and workspace are alive and the workspace is ours alone; every array has the
        // length that the header asks for and lives through the call.
        let status = unsafe {
            let (instance, workspace) = (self.instance.as_ptr(), workspace.workspace.as_ptr());
            (self.functions.solve)(instance, workspace, &arguments, error.as_sink())
        };
        let states = theta
            .chunks_exact(self.facts.dim)
            .zip(z.chunks_exact(self.facts.dim));
        for (row, ((theta, z), outcome)) in states.zip(outcomes).enumerate() {
            if returned.status[row] != abi::UNSET {
                *outcome = returned.outcome(row, &self.facts, theta, z);
            }
        }
        check(status, &error)
    }
}

impl LoadedOracle {
    /// One call of the plugin with a workspace that is kept unless the call broke it.
    fn call_once(
        &self,
        theta: &[f64],
        z: &mut [f64],
        outcomes: &mut [Outcome],
        limits: &Limits<'_>,
    ) -> Result<(), Error> {
        let workspace = self.take_workspace()?;
        let called = in_serial_group(self.serial_group.as_deref(), || {
            self.call(&workspace, theta, z, outcomes, limits)
        });
        if called.as_ref().is_err_and(is_fatal_for_workspace) {
            in_serial_group(self.serial_group.as_deref(), || drop(workspace));
        } else {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.push(workspace);
        }
        called
    }
}

impl Oracle for LoadedOracle {
    fn facts(&self) -> Facts {
        self.facts
    }

    fn identity(&self) -> Identity {
        self.identity
    }

    /// After a panic the rows that have no outcome yet are given to a fresh workspace.
    fn solve(&self, theta: &[f64], z: &mut [f64], outcomes: &mut [Outcome], limits: &Limits<'_>) {
        let dim = self.facts.dim;
        assert_eq!(theta.len(), outcomes.len() * dim, "theta is [rows, dim]");
        assert_eq!(z.len(), theta.len(), "z is [rows, dim]");
        outcomes.fill(unset());
        let mut from = 0;
        // One run of rows without an outcome after the other: a row that has one is not handed out again.
        while let Some(run) = next_unset(outcomes, from) {
            let values = run.start * dim..run.end * dim;
            let (theta, z) = (&theta[values.clone()], &mut z[values]);
            let rows = &mut outcomes[run.clone()];
            from = run.end;
            let Err(why) = self.call_once(theta, z, rows, limits) else {
                continue;
            };
            let unset_rows = rows.iter_mut().filter(|outcome| **outcome == unset());
            if !is_fatal_for_workspace(&why) {
                unset_rows.for_each(|outcome| *outcome = Err(why.clone()));
                continue;
            }
            // A panic that did not answer the first row costs it, so that every turn makes progress.
            if rows[0] == unset() {
                rows[0] = Err(why);
            }
            from = run.start + 1;
        }
    }
}

/// The next rows from `from` on that have no outcome.
fn next_unset(outcomes: &[Outcome], from: usize) -> Option<Range<usize>> {
    let is_unset = |outcome: &Outcome| *outcome == unset();
    let start = from + outcomes[from..].iter().position(is_unset)?;
    let length = outcomes[start..]
        .iter()
        .take_while(|outcome| is_unset(outcome))
        .count();
    Some(start..start + length)
}

impl fmt::Debug for LoadedOracle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadedOracle")
            .field("solver", &self.name)
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}

fn is_fatal_for_workspace(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Panic | ErrorKind::Poisoned)
}

/// Turns what an instance states into facts, or says which statement makes no sense.
fn facts_of(info: &abi::Info) -> Result<Facts, String> {
    // Beyond this, rows x dim of doubles does not fit into memory anyway.
    let dim = usize::try_from(info.dim)
        .ok()
        .filter(|dim| (1..=1 << 31).contains(dim));
    let dim = dim.ok_or_else(|| format!("dim = {}, not between 1 and 2^31", info.dim))?;
    let (lower, upper) = (info.z_lower, info.z_upper);
    if lower.is_nan() || upper.is_nan() || lower > upper {
        return Err(format!(
            "bounds [{lower}, {upper}] for the coordinates of a state"
        ));
    }
    let integral = info.flags & abi::INFO_INTEGRAL != 0;
    let mut facts = Facts::bounded(dim, lower, upper, integral);
    if info.ones != abi::ONES_VARY {
        let ones = info.ones as f64;
        if ones < dim as f64 * lower || ones > dim as f64 * upper {
            return Err(format!(
                "that {dim} coordinates in [{lower}, {upper}] sum to {}",
                info.ones
            ));
        }
        facts = facts.with_ones(info.ones as usize);
    }
    // A domain that this host does not know is at least as small as the smallest it knows.
    if info.theta_domain != ThetaDomain::Any as u32 {
        facts = facts.with_theta_domain(ThetaDomain::NonPositive);
    }
    Ok(facts)
}

fn check(status: i32, error: &TextSink) -> Result<(), Error> {
    match status {
        abi::OK => Ok(()),
        _ => Err(error_of(status, error.text())),
    }
}

fn error_of(status: i32, message: String) -> Error {
    match ErrorKind::from_code(status) {
        Some(kind) if message.is_empty() => Error::new(kind, "the plugin gives no reason"),
        Some(kind) => Error::new(kind, message),
        None => {
            let colon = if message.is_empty() { "" } else { ": " };
            let message = format!("status {status}, which this host does not know{colon}{message}");
            Error::new(ErrorKind::BackendFailed, message)
        }
    }
}

/// What a plugin wrote about the rows of one call.
struct Returned {
    status: Vec<i32>,
    objective: Vec<f64>,
    bound: Vec<f64>,
    radius: Vec<f64>,
    messages: Vec<Vec<u8>>,
}

impl Returned {
    fn new(rows: usize) -> Self {
        Self {
            status: vec![abi::UNSET; rows],
            objective: vec![f64::NAN; rows],
            bound: vec![f64::INFINITY; rows],
            radius: vec![0.0; rows],
            messages: vec![Vec::new(); rows],
        }
    }

    fn outcome(&self, row: usize, facts: &Facts, theta: &[f64], z: &[f64]) -> Outcome {
        if self.status[row] != abi::OK {
            let text = String::from_utf8_lossy(&self.messages[row]);
            return Err(error_of(self.status[row], text.into_owned()));
        }
        check_state(facts, z)
            .and_then(|()| self.check_numbers(row, theta, z))
            .map_err(|why| Error::new(ErrorKind::ContractBroken, why))
    }

    fn check_numbers(&self, row: usize, theta: &[f64], z: &[f64]) -> Result<Solved, String> {
        let (objective, size) = theta
            .iter()
            .zip(z)
            .fold((-0.0, 0.0), |(sum, size), (theta, z)| {
                (sum + theta * z, size + (theta * z).abs())
            });
        let reported = self.objective[row];
        // Written so that NaN fails.
        let close = (reported - objective).abs() <= OBJECTIVE_TOLERANCE * size + f64::MIN_POSITIVE;
        let overflows = size.is_infinite() && !reported.is_nan();
        if !(close || overflows) {
            return Err(format!(
                "the objective is {reported}, but <z, theta> is {objective}"
            ));
        }
        let proof = Proof {
            bound: self.bound[row],
            radius: self.radius[row],
        };
        if proof.bound.is_nan() {
            return Err("the bound is NaN".to_owned());
        }
        let slack = OBJECTIVE_TOLERANCE * size + f64::MIN_POSITIVE;
        if proof.bound < objective - slack {
            let bound = proof.bound;
            return Err(format!(
                "the bound {bound} is below the objective {objective}"
            ));
        }
        if proof.radius.is_nan() || proof.radius < 0.0 {
            return Err(format!("the radius is {}", proof.radius));
        }
        Ok(Solved { objective, proof })
    }
}

fn check_state(facts: &Facts, z: &[f64]) -> Result<(), String> {
    let (lower, upper) = (facts.z_lower, facts.z_upper);
    // Written so that NaN fails.
    let wrong = |z: &f64| !(z.is_finite() && (lower..=upper).contains(z));
    if let Some(at) = z.iter().position(wrong) {
        return Err(format!(
            "z[{at}] = {} is not within [{lower}, {upper}]",
            z[at]
        ));
    }
    if facts.integral
        && let Some(at) = z.iter().position(|z| z.fract() != 0.0)
    {
        return Err(format!("z[{at}] = {} is not an integer", z[at]));
    }
    match facts.ones {
        Some(ones) if sum_differs(facts, z, ones as f64) => {
            let sum: f64 = z.iter().sum();
            Err(format!("z sums to {sum}, but every state sums to {ones}"))
        }
        _ => Ok(()),
    }
}

/// Exactly for integers; fractions that sum to a whole do so up to rounding.
fn sum_differs(facts: &Facts, z: &[f64], ones: f64) -> bool {
    let slack = if facts.integral {
        0.0
    } else {
        OBJECTIVE_TOLERANCE
    };
    let (sum, size) = z
        .iter()
        .fold((0.0, 0.0), |(sum, size), z| (sum + z, size + z.abs()));
    (sum - ones).abs() > slack * size
}

unsafe extern "C" fn take_row_message(
    host: *mut c_void,
    row: u64,
    text: *const c_char,
    length: u64,
) {
    if host.is_null() || text.is_null() {
        return;
    }
    // SAFETY: `host` is the list that the running call passed, used by the plugin's thread alone.
    let messages = unsafe { &mut *host.cast::<Vec<Vec<u8>>>() };
    let Some(message) = usize::try_from(row)
        .ok()
        .and_then(|row| messages.get_mut(row))
    else {
        return; // there is no such row
    };
    let length = (length as usize).min(LONGEST_MESSAGE);
    // SAFETY: the plugin vouches for `length` readable bytes at `text`.
    let text = unsafe { std::slice::from_raw_parts(text.cast::<u8>(), length) };
    *message = text.to_vec();
}

/// Takes text from a plugin.
// `sink` first: the plugin holds a pointer to it, and `write_text` goes back from there to the whole.
#[repr(C)]
pub(crate) struct TextSink {
    sink: abi::Sink,
    room: usize,
    text: Vec<u8>,
}

impl TextSink {
    pub(crate) fn new() -> Self {
        Self::with_room(LONGEST_MESSAGE)
    }

    fn with_room(room: usize) -> Self {
        Self {
            sink: abi::Sink {
                struct_size: size_of::<abi::Sink>() as u32,
                reserved: 0,
                write: Some(write_text),
            },
            room,
            text: Vec::new(),
        }
    }

    pub(crate) fn as_sink(&mut self) -> *mut abi::Sink {
        ptr::from_mut(self).cast()
    }

    /// Everything that was written; bytes that are not UTF-8 are replaced.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.text).into_owned()
    }
}

unsafe extern "C" fn write_text(sink: *mut abi::Sink, text: *const c_char, length: u64) {
    if sink.is_null() || text.is_null() {
        return;
    }
    // SAFETY: the plugin passes the sink that it got, which is the first field of a `TextSink`.
    let sink = unsafe { &mut *sink.cast::<TextSink>() };
    let length = (length as usize).min(sink.room - sink.text.len());
    // SAFETY: the plugin vouches for `length` readable bytes at `text`.
    let text = unsafe { std::slice::from_raw_parts(text.cast::<u8>(), length) };
    sink.text.extend_from_slice(text);
}
