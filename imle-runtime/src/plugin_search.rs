//! Finding plugin libraries: in explicit directories, by the names of the files.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::{Path, PathBuf};

use imle_api::{Error, ErrorKind};

use crate::plugin::Plugin;
use crate::registry::Registry;

impl Registry {
    /// Loads every plugin library in the directories: the files named like `libimle_*.so` on Linux
    /// (`libimle_*.dylib`, `imle_*.dll` elsewhere), in the order of their names.
    ///
    /// A library that cannot be used does not keep the others from being loaded; see
    /// [`problems`](Self::problems).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] if a directory cannot be read or its path is relative: the working directory
    /// does not decide which code runs.
    ///
    /// # Safety
    ///
    /// As [`Plugin::load`], for every such file in the directories.
    pub unsafe fn search(
        directories: impl IntoIterator<Item = impl AsRef<Path>>,
    ) -> Result<Self, Error> {
        let mut registry = Self::new();
        for directory in directories {
            for library in libraries_in(directory.as_ref())? {
                // SAFETY: the caller vouches for the libraries in the directories.
                if let Err(why) = unsafe { registry.load(&library) } {
                    registry.note_problem(why);
                }
            }
        }
        Ok(registry)
    }

    /// Loads a library and registers all of its solvers under their own names.
    ///
    /// # Errors
    ///
    /// As [`Plugin::load`]; [`ErrorKind::InvalidConfig`] if one of the names is taken, and then none of
    /// its solvers is registered.
    ///
    /// # Safety
    ///
    /// As [`Plugin::load`].
    pub unsafe fn load(&self, path: impl AsRef<Path>) -> Result<Plugin, Error> {
        // SAFETY: the caller's promise.
        let plugin = unsafe { Plugin::load(path) }?;
        self.add(&plugin)?;
        Ok(plugin)
    }
}

fn libraries_in(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = |why: String| {
        Error::new(
            ErrorKind::Io,
            format!("plugin directory {}: {why}", directory.display()),
        )
    };
    if directory.is_relative() {
        return Err(failed(
            "the path is relative; give an absolute one".to_owned(),
        ));
    }
    let entries = std::fs::read_dir(directory).map_err(|why| failed(why.to_string()))?;
    let mut libraries = Vec::new();
    for entry in entries {
        let path = entry.map_err(|why| failed(why.to_string()))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(&format!("{DLL_PREFIX}imle_")) && name.ends_with(DLL_SUFFIX) {
            libraries.push(path);
        }
    }
    libraries.sort();
    Ok(libraries)
}

/// Returns the directory where Cargo puts the plugin libraries of the program that is running, if Cargo
/// built it: for examples, tests and benchmarks of a workspace that lists plugins as dependencies.
///
/// # Errors
///
/// [`ErrorKind::NotFound`] if the program does not lie in a build directory.
pub fn cargo_library_directory() -> Result<PathBuf, Error> {
    let program = std::env::current_exe()
        .map_err(|why| Error::new(ErrorKind::Io, format!("cannot find this program: {why}")))?;
    // target/PROFILE/{examples/NAME, deps/NAME-HASH, NAME}: the libraries are in target/PROFILE/deps.
    let candidates =
        program
            .ancestors()
            .skip(1)
            .take(2)
            .map(|folder| match folder.ends_with("deps") {
                true => folder.to_owned(),
                false => folder.join("deps"),
            });
    candidates
        .into_iter()
        .find(|folder| folder.is_dir())
        .ok_or_else(|| {
            let message = format!(
                "{} does not lie in a build directory of Cargo",
                program.display()
            );
            Error::new(ErrorKind::NotFound, message)
        })
}
