//! The host's side of the boundary, second part: the functions of a solver, an instance and its workspaces.

#[cfg(test)]
mod models;

use std::ffi::{CStr, c_char, c_void};
use std::fmt;
use std::ptr::{self, NonNull};
use std::sync::PoisonError;

use imle_api::{Error, ErrorKind, Facts, Identity, abi, in_serial_group};

use crate::plugin::SolverInfo;
use crate::plugin_checks::{Returned, facts_of};
use crate::plugin_text::{TextSink, check};
use crate::sync::Mutex;

/// A configuration schema is cut here.
const LONGEST_SCHEMA: usize = 16 << 20;

/// The functions of a solver, each known to be there.
#[derive(Clone, Copy)]
pub(crate) struct Functions {
    config_schema: Option<unsafe extern "C" fn(*mut abi::Sink, *mut abi::Sink) -> i32>,
    extension: Option<unsafe extern "C" fn(*const c_char) -> *const c_void>,
    create:
        unsafe extern "C" fn(*const c_char, u64, *mut *mut abi::Instance, *mut abi::Sink) -> i32,
    destroy: unsafe extern "C" fn(*mut abi::Instance),
    info: unsafe extern "C" fn(*const abi::Instance, *mut abi::Info, *mut abi::Sink) -> i32,
    workspace_create:
        unsafe extern "C" fn(*const abi::Instance, *mut *mut abi::Workspace, *mut abi::Sink) -> i32,
    workspace_destroy: unsafe extern "C" fn(*mut abi::Workspace),
    pub(crate) solve: unsafe extern "C" fn(
        *const abi::Instance,
        *mut abi::Workspace,
        *const abi::SolveArguments,
        *mut abi::Sink,
    ) -> i32,
    /// From the table of an extension, if the solver has it.
    pub(crate) marginals: Option<
        unsafe extern "C" fn(
            *const abi::Instance,
            *mut abi::Workspace,
            *const abi::MarginalsArguments,
            *mut abi::Sink,
        ) -> i32,
    >,
}

impl Functions {
    /// Takes the functions out of a table, or names the required one that is missing.
    pub(crate) fn of(table: &abi::Solver) -> Result<Self, &'static str> {
        Ok(Self {
            config_schema: table.config_schema,
            extension: table.extension,
            create: table.create.ok_or("create")?,
            destroy: table.destroy.ok_or("destroy")?,
            info: table.info.ok_or("info")?,
            workspace_create: table.workspace_create.ok_or("workspace_create")?,
            workspace_destroy: table.workspace_destroy.ok_or("workspace_destroy")?,
            solve: table.solve.ok_or("solve")?,
            marginals: None,
        })
    }

    pub(crate) fn extension(&self, id: &CStr) -> Option<NonNull<c_void>> {
        // SAFETY: a function of a checked table; `id` ends with a NUL and lives through the call.
        let table = unsafe { self.extension?(id.as_ptr()) };
        NonNull::new(table.cast_mut())
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
    pub(crate) name: String,
    serial_group: Option<String>,
    pub(crate) functions: Functions,
    pub(crate) instance: NonNull<abi::Instance>,
    pub(crate) facts: Facts,
    pub(crate) identity: Identity,
    idle: Mutex<Vec<LoadedWorkspace>>,
}

// SAFETY: the header lets the functions of an instance be called from any thread, many at once.
unsafe impl Send for LoadedOracle {}
// SAFETY: likewise; workspaces are handed to one thread at a time through the mutex.
unsafe impl Sync for LoadedOracle {}

/// A workspace that is destroyed with its owner.
pub(crate) struct LoadedWorkspace {
    pub(crate) workspace: NonNull<abi::Workspace>,
    /// The host's part: what the plugin writes into.
    pub(crate) returned: Returned,
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
        let returned = Returned::default();
        Ok(LoadedWorkspace {
            workspace,
            returned,
            destroy,
        })
    }

    /// Runs a call with a workspace that is kept unless the call broke it.
    pub(crate) fn with_workspace(
        &self,
        call: impl FnOnce(&mut LoadedWorkspace) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut workspace = self.take_workspace()?;
        let called = in_serial_group(self.serial_group.as_deref(), || call(&mut workspace));
        if called.as_ref().is_err_and(is_fatal_for_workspace) {
            in_serial_group(self.serial_group.as_deref(), || drop(workspace));
        } else {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.push(workspace);
        }
        called
    }
}

impl fmt::Debug for LoadedOracle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadedOracle")
            .field("solver", &self.name)
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}

/// Whether a call that failed like this leaves a workspace that only can be destroyed.
pub(crate) fn is_fatal_for_workspace(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Panic | ErrorKind::Poisoned)
}
