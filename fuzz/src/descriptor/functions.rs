//! The functions of a plugin, which answer what the bytes say.
//!
//! They hold the host to the header: sizes, statuses that are unset before a call, theta that is finite, and as many
//! objects destroyed as were made.

use std::ffi::{c_char, c_void};
use std::ptr;
use std::sync::{Mutex, PoisonError};

use imle_api::abi;

use super::super::bytes::Bytes;
use super::tables::Tables;

/// What the functions answer with, and what they have made.
pub(super) struct Script {
    bytes: Bytes,
    plugin: *const abi::Plugin,
    marginals: *const abi::Marginals,
    instances: usize,
    workspaces: usize,
}

// SAFETY: the tables are only read.
unsafe impl Send for Script {}

static SCRIPT: Mutex<Script> = Mutex::new(Script {
    bytes: Bytes::new(Vec::new()),
    plugin: ptr::null(),
    marginals: ptr::null(),
    instances: 0,
    workspaces: 0,
});

impl Script {
    pub(super) fn begin(bytes: Bytes, tables: &Tables) {
        script(|script| {
            *script = Self {
                bytes,
                plugin: tables.plugin(),
                marginals: tables.marginals(),
                instances: 0,
                workspaces: 0,
            };
        });
    }

    pub(super) fn end() {
        let left = script(|script| (script.instances, script.workspaces));
        assert_eq!(
            left,
            (0, 0),
            "instances and workspaces that nobody destroyed"
        );
    }

    fn made(&mut self) -> bool {
        self.bytes.byte() != 0xff
    }
}

fn script<T>(use_it: impl FnOnce(&mut Script) -> T) -> T {
    use_it(&mut SCRIPT.lock().unwrap_or_else(PoisonError::into_inner))
}

fn status() -> i32 {
    script(|script| script.bytes.status())
}

/// # Safety
///
/// `sink` is one of the host's.
unsafe fn say(sink: *mut abi::Sink) {
    let pieces = script(|script| [script.bytes.text(), script.bytes.text()]);
    // SAFETY: the caller's promise.
    let write = unsafe { (*sink).write }.expect("a sink can be written to");
    for text in pieces.iter().filter(|text| !text.is_empty()) {
        // SAFETY: likewise; the text is as long as it says.
        unsafe { write(sink, text.as_ptr().cast(), text.len() as u64) };
    }
}

pub(super) unsafe extern "C" fn entry(_: u32, error: *mut abi::Sink) -> *const abi::Plugin {
    // SAFETY: the host's sink.
    unsafe { say(error) };
    script(|script| script.plugin)
}

pub(super) unsafe extern "C" fn config_schema(
    schema: *mut abi::Sink,
    error: *mut abi::Sink,
) -> i32 {
    // SAFETY: the host's sinks.
    unsafe {
        say(schema);
        say(error);
    }
    status()
}

/// # Safety
///
/// The host's arguments of `create` or `workspace_create`.
unsafe fn make<T>(
    object: *mut *mut T,
    error: *mut abi::Sink,
    count: fn(&mut Script) -> &mut usize,
) -> i32 {
    // SAFETY: the host's sink.
    unsafe { say(error) };
    let status = status();
    let made = script(|script| {
        let made = script.made();
        *count(script) += usize::from(made && status == abi::OK);
        made
    });
    if made {
        // SAFETY: the host's place for the pointer. Nobody follows it.
        unsafe { *object = ptr::NonNull::dangling().as_ptr() };
    }
    status
}

pub(super) unsafe extern "C" fn create(
    config: *const c_char,
    length: u64,
    instance: *mut *mut abi::Instance,
    error: *mut abi::Sink,
) -> i32 {
    assert!(!config.is_null() && length == 2);
    // SAFETY: the host's arguments.
    unsafe { make(instance, error, |script| &mut script.instances) }
}

pub(super) unsafe extern "C" fn destroy(_: *mut abi::Instance) {
    script(|script| {
        assert_eq!(script.workspaces, 0, "workspaces go first");
        script.instances -= 1;
    });
}

pub(super) unsafe extern "C" fn workspace_create(
    _: *const abi::Instance,
    workspace: *mut *mut abi::Workspace,
    error: *mut abi::Sink,
) -> i32 {
    // SAFETY: the host's arguments.
    unsafe { make(workspace, error, |script| &mut script.workspaces) }
}

pub(super) unsafe extern "C" fn workspace_destroy(_: *mut abi::Workspace) {
    script(|script| script.workspaces -= 1);
}

pub(super) unsafe extern "C" fn info(
    _: *const abi::Instance,
    info: *mut abi::Info,
    error: *mut abi::Sink,
) -> i32 {
    // SAFETY: the host's sink.
    unsafe { say(error) };
    let value = script(|script| abi::Info {
        struct_size: 0, // is not written
        flags: script.bytes.byte().into(),
        dim: script.bytes.integer(),
        ones: script.bytes.integer(),
        z_lower: script.bytes.double(),
        z_upper: script.bytes.double(),
        theta_domain: script.bytes.byte().into(),
        reserved: script.bytes.byte().into(),
    });
    // SAFETY: the host's struct.
    unsafe { abi::write_struct(info, &value) }.expect("the host states a size");
    status()
}

/// What both kinds of calls with rows have.
struct Rows {
    rows: u64,
    theta: *const f64,
    output: *mut f64,
    status: *mut i32,
    value: *mut f64,
    row_message: Option<unsafe extern "C" fn(*mut c_void, u64, *const c_char, u64)>,
    host: *mut c_void,
}

impl Rows {
    /// # Safety
    ///
    /// The arrays are as the header says.
    unsafe fn answer(&self) {
        // After a panic the rows that are left come again.
        assert!((1..=2).contains(&self.rows));
        for row in 0..self.rows as usize {
            // SAFETY: the caller's promise, here and below.
            assert_eq!(unsafe { self.status.add(row).read() }, abi::UNSET);
            let (status, value, output) =
                script(|Script { bytes, .. }| (bytes.status(), bytes.double(), bytes.double()));
            // SAFETY: as above; an instance has a coordinate at least.
            unsafe {
                assert!(self.theta.add(row).read().is_finite());
                self.status.add(row).write(status);
                self.value.add(row).write(value);
                self.output.add(row).write(output);
            }
        }
        let (row, text) = script(|Script { bytes, .. }| (bytes.integer(), bytes.text()));
        let write = self.row_message.expect("a host takes messages");
        // SAFETY: as above.
        unsafe { write(self.host, row, text.as_ptr().cast(), text.len() as u64) };
    }
}

pub(super) unsafe extern "C" fn solve(
    _: *const abi::Instance,
    _: *mut abi::Workspace,
    arguments: *const abi::SolveArguments,
    error: *mut abi::Sink,
) -> i32 {
    // SAFETY: the host's arguments.
    let arguments = unsafe { abi::read_struct(arguments) }.expect("the host states a size");
    let rows = Rows {
        rows: arguments.rows,
        theta: arguments.theta,
        output: arguments.z,
        status: arguments.status,
        value: arguments.objective,
        row_message: arguments.row_message,
        host: arguments.host,
    };
    // SAFETY: the host's arrays and sink.
    unsafe {
        rows.answer();
        for proof in [arguments.bound, arguments.radius] {
            if !proof.is_null() && script(Script::made) {
                proof.write(script(|script| script.bytes.double()));
            }
        }
        say(error);
    }
    status()
}

pub(super) unsafe extern "C" fn marginals(
    _: *const abi::Instance,
    _: *mut abi::Workspace,
    arguments: *const abi::MarginalsArguments,
    error: *mut abi::Sink,
) -> i32 {
    // SAFETY: the host's arguments.
    let arguments = unsafe { abi::read_struct(arguments) }.expect("the host states a size");
    let rows = Rows {
        rows: arguments.rows,
        theta: arguments.theta,
        output: arguments.mu,
        status: arguments.status,
        value: arguments.log_partition,
        row_message: arguments.row_message,
        host: arguments.host,
    };
    // SAFETY: the host's arrays and sink.
    unsafe {
        rows.answer();
        say(error);
    }
    status()
}

pub(super) unsafe extern "C" fn extension(id: *const c_char) -> *const c_void {
    // SAFETY: the host's text.
    let id = unsafe { std::ffi::CStr::from_ptr(id) };
    match id == abi::MARGINALS {
        true => script(|script| script.marginals.cast()),
        false => ptr::null(),
    }
}
