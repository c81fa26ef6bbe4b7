//! Where plugins come from. The only file that loads code: whoever names a library or a folder of libraries on the
//! command line, or puts one into a folder of the system, trusts it; a lock file says which.

use std::path::{Path, PathBuf};

use imle_runtime::{ErrorKind, Lock, Plugin, Registry, cargo_library_directory};

use crate::arguments::Common;
use crate::failure::{Exit, Failure};
use crate::output;

/// Loads the libraries of the folders that are named, or else of the usual ones.
pub(crate) fn registry(common: &Common) -> Result<Registry, Failure> {
    prepare(common)?;
    let folders = folders(common)?;
    // SAFETY: the user names the folders; the usual ones are the user's own, the system's, and the build folder of
    // this program.
    let registry = unsafe { Registry::search(&folders) };
    registry.map_err(|why| Failure::new(Exit::Plugin, why.message()))
}

/// Loads one library.
pub(crate) fn plugin(library: &Path, common: &Common) -> Result<Plugin, Failure> {
    prepare(common)?;
    // SAFETY: the user names the library.
    let plugin = unsafe { Plugin::load(library) };
    plugin.map_err(|why| match why.kind() {
        ErrorKind::AbiMismatch => Failure::new(Exit::Plugin, why),
        _ => Failure::new(Exit::Plugin, why.message()),
    })
}

/// That a solver is not there, with the folders in which it is not.
pub(crate) fn not_found(message: &str, common: &Common) -> Failure {
    let message = format!("{message}; {}", searched(common));
    Failure::new(Exit::Plugin, message)
}

/// Where plugins were looked for, or could be.
pub(crate) fn searched(common: &Common) -> String {
    let list = |folders: Vec<PathBuf>| {
        let names = folders.iter().map(|folder| folder.display().to_string());
        names.collect::<Vec<_>>().join(", ")
    };
    match folders(common).unwrap_or_default() {
        none if none.is_empty() => format!(
            "none of the folders {} is there; name one that has plugins: --plugins DIR",
            list(usual_folders())
        ),
        folders => format!("searched in {}", list(folders)),
    }
}

/// What every plugin is loaded after.
fn prepare(common: &Common) -> Result<(), Failure> {
    output::keep_from_plugins()?;
    enforce_lock(common)
}

fn enforce_lock(common: &Common) -> Result<(), Failure> {
    if let Some(lock) = &common.lock {
        let lock = Lock::read(lock).map_err(|why| Failure::new(Exit::Plugin, why.message()))?;
        lock.enforce();
    }
    Ok(())
}

/// The folders to search, each absolute: those that are named, or the usual ones that are there.
pub(crate) fn folders(common: &Common) -> Result<Vec<PathBuf>, Failure> {
    if common.folders.is_empty() {
        let mut folders = usual_folders();
        folders.retain(|folder| folder.is_dir());
        return Ok(folders);
    }
    let absolute = |folder: &PathBuf| {
        std::path::absolute(folder).map_err(|why| Failure::file(folder.display(), why))
    };
    common.folders.iter().map(absolute).collect()
}

/// Of the user, of the system, and of the build that this program is from, whether they are there or not.
fn usual_folders() -> Vec<PathBuf> {
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/share"));
    let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from);
    let data = data.filter(|data| data.is_absolute()).or_else(home);
    let mut folders: Vec<PathBuf> = data
        .map(|data| data.join("imle/plugins"))
        .into_iter()
        .collect();
    folders.push("/usr/local/lib/imle/plugins".into());
    folders.push("/usr/lib/imle/plugins".into());
    folders.extend(cargo_library_directory().ok());
    folders
}
