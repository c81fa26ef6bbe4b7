//! The host's side of the boundary, first part: opening a library and believing none of it.

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_void};
use std::fmt;
use std::path::{Path, PathBuf};
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, PoisonError};

use imle_api::{Error, ErrorKind, Oracle, abi};
use serde_json::Value;

use crate::library_file::{LibraryFile, Stamp};
use crate::plugin_oracle::{Functions, LoadedOracle};
use crate::plugin_text::TextSink;
use crate::private_copy::PrivateCopy;
use crate::trust::check_locks;

/// More solvers than this in one library are taken for a broken table.
const MOST_SOLVERS: u64 = 1024;

/// A plugin library: loaded, checked, and never unloaded.
///
/// Cheap to clone. A newer version of a plugin is another file under another path, loaded beside the
/// old one; [`Registry::replace`](crate::Registry::replace) switches over while calls run.
#[derive(Clone)]
pub struct Plugin(Arc<Contents>);

struct Contents {
    path: PathBuf,
    name: String,
    version: String,
    license: Option<String>,
    catches_panics: bool,
    solvers: Vec<(SolverInfo, Functions)>,
}

/// What a plugin says about one of its solvers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SolverInfo {
    /// The name by which a configuration asks for it.
    pub name: String,
    /// One line about it; may be empty.
    pub summary: String,
    /// The process-wide lock that its calls take, if it is not re-entrant.
    pub serial_group: Option<String>,
}

impl Plugin {
    /// Loads a plugin library and checks every field of its tables.
    ///
    /// Code that was loaded before is not loaded again. Where a [`Lock`](crate::Lock) applies, the library must be
    /// listed there, and what is loaded are the bytes that were compared.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] if the file cannot be opened as a library, or has changed since it was loaded
    /// from the same path; if a lock applies that does not list it; on Unix, if it or its folder belongs to neither
    /// root nor the user of this process, or if its group or every user may write it (a group with the number of the owner does
    /// not count); [`ErrorKind::AbiMismatch`] if it is not an imle plugin of this major version or one of its tables is
    /// wrong. Each way to be wrong has its own sentence.
    ///
    /// # Safety
    ///
    /// Loading runs code of the library: its initialisers now and its functions later. They must be
    /// sound and follow `imle_plugin.h`.
    pub unsafe fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let place = format!("plugin {}", path.display());
        let library = LibraryFile::read(path).map_err(|why| why.within(&place))?;
        let sha256 = check_locks(&library).map_err(|why| why.within(&place))?;
        let entry = match sha256 {
            // SAFETY: the caller vouches for the code of the library.
            Some(sha256) => unsafe { open_copy(&library, sha256) },
            // SAFETY: likewise.
            None => unsafe { open_file(&library) },
        };
        let entry = entry.map_err(|why| why.within(&place))?;
        // SAFETY: likewise; the library is never unloaded, so `entry` stays valid.
        unsafe { Self::from_entry(entry, library.path) }.map_err(|why| why.within(&place))
    }

    /// Checks the tables of a plugin whose entry function is part of this program.
    ///
    /// `path` is for messages. This is how a C solver is linked in; a Rust solver needs only
    /// [`Linked`](imle_api::Linked).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::AbiMismatch`] if it refuses this host or one of its tables is wrong.
    ///
    /// # Safety
    ///
    /// `entry` and the functions in its tables follow `imle_plugin.h` and stay valid for ever.
    pub unsafe fn from_entry(entry: abi::Entry, path: impl Into<PathBuf>) -> Result<Self, Error> {
        let mut refusal = TextSink::new();
        // SAFETY: the caller vouches for `entry`; the sink is ours and lives through the call.
        let table = unsafe { entry(abi::MINOR, refusal.as_sink()) };
        // SAFETY: the caller vouches for the tables.
        let table = unsafe { read(table, "the plugin table") }.map_err(|why| {
            let said = refusal.text();
            if table.is_null() && !said.is_empty() {
                return mismatch(format!("the plugin refuses this host: {said}"));
            }
            why
        })?;
        // SAFETY: likewise.
        let contents = unsafe { Contents::of(&table, path.into()) }?;
        Ok(Self(Arc::new(contents)))
    }

    /// The file that it was loaded from.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// The plugin's own name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The plugin's own version.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.0.version
    }

    /// The licence it declares, as an SPDX expression.
    #[must_use]
    pub fn license(&self) -> Option<&str> {
        self.0.license.as_deref()
    }

    /// Whether a panic in it becomes an error; without, a panic ends the process.
    #[must_use]
    pub fn catches_panics(&self) -> bool {
        self.0.catches_panics
    }

    /// Its solvers, in the order of the library.
    pub fn solvers(&self) -> impl ExactSizeIterator<Item = &SolverInfo> {
        self.0.solvers.iter().map(|(info, _)| info)
    }

    /// Opens an instance of a solver.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] with the solvers that there are; what the solver says of `config`;
    /// [`ErrorKind::ContractBroken`] if what it states about the instance makes no sense.
    pub fn open(&self, solver: &str, config: &Value) -> Result<Arc<dyn Oracle>, Error> {
        self.open_json(solver, &config.to_string())
    }

    /// Like [`open`](Self::open), from JSON text: the solver also sees a key that is given twice, of which a
    /// [`Value`] keeps one.
    ///
    /// # Errors
    ///
    /// As `open`; [`ErrorKind::InvalidConfig`] if it is not JSON.
    pub fn open_json(&self, solver: &str, config: &str) -> Result<Arc<dyn Oracle>, Error> {
        Ok(Arc::new(self.open_loaded(solver, config)?))
    }

    pub(crate) fn open_loaded(&self, solver: &str, config: &str) -> Result<LoadedOracle, Error> {
        let (info, functions) = self.solver(solver)?;
        let opened = LoadedOracle::open(info, *functions, config);
        opened.map_err(|why| why.within(format_args!("solver `{solver}`")))
    }

    /// Returns the JSON Schema of a solver's configuration.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`]; [`ErrorKind::Unsupported`] if the plugin offers none;
    /// [`ErrorKind::ContractBroken`] if it is not JSON.
    pub fn schema(&self, solver: &str) -> Result<Value, Error> {
        let (_, functions) = self.solver(solver)?;
        let text = functions.schema();
        let schema = text.and_then(|text| {
            serde_json::from_str(&text).map_err(|why| {
                let message = format!("the configuration schema is not JSON: {why}");
                Error::new(ErrorKind::ContractBroken, message)
            })
        });
        schema.map_err(|why| why.within(format_args!("solver `{solver}`")))
    }

    /// Returns the table of a solver's extension, or `None` where it has no such extension. The ids are those
    /// of `imle_plugin.h`, such as [`c"imle.marginals/1"`](abi::MARGINALS), which
    /// [`exact_marginals`](crate::exact_marginals) uses.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] if there is no such solver.
    pub fn extension(&self, solver: &str, id: &CStr) -> Result<Option<NonNull<c_void>>, Error> {
        let (_, functions) = self.solver(solver)?;
        Ok(functions.extension(id))
    }

    fn solver(&self, name: &str) -> Result<&(SolverInfo, Functions), Error> {
        let solvers = &self.0.solvers;
        solvers
            .iter()
            .find(|(info, _)| info.name == name)
            .ok_or_else(|| {
                let known: Vec<&str> = self.solvers().map(|info| info.name.as_str()).collect();
                let message = format!(
                    "no solver `{name}` in plugin `{}`; it has {}",
                    self.name(),
                    known.join(", ")
                );
                Error::new(ErrorKind::NotFound, message)
            })
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin")
            .field("path", &self.0.path)
            .field("name", &self.0.name)
            .field("version", &self.0.version)
            .finish_non_exhaustive()
    }
}

impl Contents {
    /// # Safety
    ///
    /// The pointers of `table` lead where `imle_plugin.h` says, for ever.
    unsafe fn of(table: &abi::Plugin, path: PathBuf) -> Result<Self, Error> {
        // SAFETY: the caller's promise, here and below: texts are NUL-terminated or null.
        let name = required(unsafe { text(table.name) }, "the plugin's name")?;
        // SAFETY: as above.
        let version = required(unsafe { text(table.version) }, "the plugin's version")?;
        // SAFETY: as above.
        let license = unsafe { text(table.license) }
            .map_err(|why| mismatch(format!("the plugin's license {why}")))?;
        let count = table.solver_count;
        if count == 0 || count > MOST_SOLVERS {
            let message =
                format!("the table claims {count} solvers, not between 1 and {MOST_SOLVERS}");
            return Err(mismatch(message));
        }
        if table.solvers.is_null() {
            return Err(mismatch("the array of solvers is null"));
        }
        if !table.solvers.is_aligned() {
            return Err(mismatch("the array of solvers is not aligned"));
        }
        let mut solvers: Vec<(SolverInfo, Functions)> = Vec::new();
        for index in 0..count as usize {
            // SAFETY: `solvers` is aligned and leads to `count` pointers, each null or to a solver table.
            let table = unsafe {
                read(
                    *table.solvers.add(index),
                    &format!("the table of solver {index}"),
                )
            }?;
            // SAFETY: the pointers of a solver table follow the header too.
            let (info, functions) = unsafe { describe(&table, index) }?;
            if solvers.iter().any(|(other, _)| other.name == info.name) {
                return Err(mismatch(format!("two solvers are named `{}`", info.name)));
            }
            solvers.push((info, functions));
        }
        Ok(Self {
            path,
            name,
            version,
            license,
            catches_panics: table.flags & abi::PLUGIN_PANIC_ABORTS == 0,
            solvers,
        })
    }
}

/// # Safety
///
/// The texts and functions of `table` follow `imle_plugin.h`, for ever.
unsafe fn describe(table: &abi::Solver, index: usize) -> Result<(SolverInfo, Functions), Error> {
    // SAFETY: the caller's promise, here and below.
    let name = required(
        unsafe { text(table.name) },
        &format!("the name of solver {index}"),
    )?;
    let of_solver = |what: &str, why| mismatch(format!("the {what} of solver `{name}` {why}"));
    // SAFETY: as above.
    let summary = unsafe { text(table.summary) }.map_err(|why| of_solver("summary", why))?;
    // SAFETY: as above.
    let serial_group =
        unsafe { text(table.serial_group) }.map_err(|why| of_solver("serial group", why))?;
    let mut functions = Functions::of(table)
        .map_err(|missing| mismatch(format!("solver `{name}` has no `{missing}` function")))?;
    if let Some(table) = functions.extension(abi::MARGINALS) {
        let what = format!("the table `imle.marginals/1` of solver `{name}`");
        // SAFETY: a table that is found by this id is of this type, by the header.
        let table = unsafe { read(table.as_ptr().cast::<abi::Marginals>(), &what) }?;
        let missing = || mismatch(format!("{what} has no `marginals` function"));
        functions.marginals = Some(table.marginals.ok_or_else(missing)?);
    }
    let info = SolverInfo {
        summary: summary.unwrap_or_default(),
        serial_group,
        name,
    };
    Ok((info, functions))
}

/// Reads a table that may be older or newer than ours.
///
/// # Safety
///
/// `table` is null or leads to as many bytes as its first field says.
unsafe fn read<T: abi::Growing>(table: *const T, what: &str) -> Result<T, Error> {
    if table.is_null() {
        return Err(mismatch(format!("{what} is null")));
    }
    if !table.is_aligned() {
        return Err(mismatch(format!("{what} is not aligned")));
    }
    // SAFETY: not null, aligned, and the caller's promise.
    unsafe { abi::read_struct(table) }.map_err(|size| {
        let baseline = T::BASELINE;
        mismatch(format!(
            "{what} has struct_size {size}, less than the {baseline} bytes of version 1.0"
        ))
    })
}

/// # Safety
///
/// `pointer` is null or leads to a NUL-terminated text that stays valid during the call.
unsafe fn text(pointer: *const c_char) -> Result<Option<String>, &'static str> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    let text = unsafe { CStr::from_ptr(pointer) };
    let text = text.to_str().map_err(|_| "is not UTF-8")?;
    Ok(Some(text.to_owned()))
}

fn required(text: Result<Option<String>, &'static str>, what: &str) -> Result<String, Error> {
    match text {
        Ok(Some(text)) if !text.is_empty() => Ok(text),
        Ok(Some(_)) => Err(mismatch(format!("{what} is empty"))),
        Ok(None) => Err(mismatch(format!("{what} is null"))),
        Err(why) => Err(mismatch(format!("{what} {why}"))),
    }
}

fn mismatch(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::AbiMismatch, message)
}

/// Size and time of the files that were opened as libraries.
static OPENED: Mutex<BTreeMap<PathBuf, Stamp>> = Mutex::new(BTreeMap::new());

/// The entries of the libraries that were loaded from a private copy, by their SHA-256.
static COPIES: Mutex<BTreeMap<String, abi::Entry>> = Mutex::new(BTreeMap::new());

/// The system's loader hands out the old code for a path that it knows, or crashes if the file was
/// overwritten in place; a sentence is better than either.
fn refuse_changed_file(library: &LibraryFile) -> Result<(), Error> {
    let opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    let before = opened.get(&library.path);
    if before.is_some_and(|before| *before != library.stamp) {
        let message =
            "the file has changed since this process loaded it; give the new version a new path";
        return Err(Error::new(ErrorKind::Io, message));
    }
    Ok(())
}

/// Opens the file itself.
///
/// # Safety
///
/// Runs the initialisers of the library, which must be sound.
unsafe fn open_file(library: &LibraryFile) -> Result<abi::Entry, Error> {
    refuse_changed_file(library)?;
    // SAFETY: the caller's promise.
    let entry = unsafe { open_entry(&library.path, &library.bytes) };
    // Also without an entry: the loader has it.
    if !matches!(&entry, Err(why) if why.kind() == ErrorKind::Io) {
        let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
        opened.entry(library.path.clone()).or_insert(library.stamp);
    }
    entry
}

/// Opens the bytes that were read, whatever the file has become meanwhile.
///
/// # Safety
///
/// Runs the initialisers of the library, which must be sound.
unsafe fn open_copy(library: &LibraryFile, sha256: String) -> Result<abi::Entry, Error> {
    // Held until the end: two copies of one library would have their globals twice.
    let mut copies = COPIES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(entry) = copies.get(&sha256) {
        return Ok(*entry);
    }
    let copy = PrivateCopy::of(&library.bytes, &library.path).map_err(|why| {
        let message = format!("cannot make the private copy that is loaded: {why}");
        Error::new(ErrorKind::Io, message)
    })?;
    // SAFETY: the caller's promise.
    let entry = unsafe { open_entry(&copy.path(), &library.bytes) };
    copy.keep();
    copies.insert(sha256, entry.clone()?);
    entry
}

/// # Safety
///
/// Runs the initialisers of the library, which must be sound.
unsafe fn open_entry(path: &Path, bytes: &[u8]) -> Result<abi::Entry, Error> {
    let not_a_library = |why: String| {
        Error::new(
            ErrorKind::Io,
            format!("cannot be opened as a library: {why}"),
        )
    };
    refuse_cut_off_file(bytes).map_err(not_a_library)?;
    // SAFETY: the caller's promise.
    let library = unsafe { open_library(path) }.map_err(|why| not_a_library(sentence(&why)))?;
    // SAFETY: the symbol of this name has this type, by `imle_plugin.h`.
    let entry = unsafe { library.get::<abi::Entry>(abi::ENTRY_SYMBOL) }.map(|symbol| *symbol);
    // Never unloaded: threads, thread-locals and exit handlers of the library may outlive any use.
    std::mem::forget(library);
    entry.map_err(|_| {
        let symbol = String::from_utf8_lossy(&abi::ENTRY_SYMBOL[..abi::ENTRY_SYMBOL.len() - 1]);
        mismatch(format!(
            "it does not export `{symbol}`: not an imle plugin, or one for another major version than {}",
            abi::MAJOR
        ))
    })
}

/// The loader maps what the file's headers promise, and touching a part that an interrupted copy lacks is
/// a SIGBUS.
#[cfg(target_os = "linux")]
fn refuse_cut_off_file(bytes: &[u8]) -> Result<(), String> {
    use object::elf::FileHeader64;
    use object::read::elf::{FileHeader, ProgramHeader};
    let header = FileHeader64::<object::Endianness>::parse(bytes).map_err(|why| why.to_string())?;
    let endian = header.endian().map_err(|why| why.to_string())?;
    let segments = header
        .program_headers(endian, bytes)
        .map_err(|why| why.to_string())?;
    for segment in segments {
        let (start, length) = segment.file_range(endian);
        if start
            .checked_add(length)
            .is_none_or(|end| end > bytes.len() as u64)
        {
            return Err(format!("it is cut off after {} bytes", bytes.len()));
        }
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
#[allow(clippy::unnecessary_wraps, reason = "the same signature everywhere")]
fn refuse_cut_off_file(_: &[u8]) -> Result<(), String> {
    Ok(())
}

fn sentence(error: &libloading::Error) -> String {
    use std::error::Error as _;
    error
        .source()
        .map_or_else(|| error.to_string(), ToString::to_string)
}

/// # Safety
///
/// Runs the initialisers of the library, which must be sound.
#[cfg(unix)]
unsafe fn open_library(path: &Path) -> Result<libloading::os::unix::Library, libloading::Error> {
    use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
    // Not offered by libloading: keeps the library mapped even if somebody else closes it.
    const RTLD_NODELETE: std::ffi::c_int = if cfg!(target_vendor = "apple") {
        0x80
    } else {
        0x1000
    };
    // SAFETY: the caller's promise. A missing symbol fails now, not as a jump to zero later.
    unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) }
}

/// # Safety
///
/// Runs the initialisers of the library, which must be sound.
#[cfg(windows)]
unsafe fn open_library(path: &Path) -> Result<libloading::os::windows::Library, libloading::Error> {
    // SAFETY: the caller's promise.
    unsafe { libloading::os::windows::Library::new(path) }
}
