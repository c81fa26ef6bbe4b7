//! `imle trust`: the list of the plugins that may be loaded.

use std::path::{Path, PathBuf};

use clap::Args;
use imle_runtime::Lock;
use serde_json::{Value, json};

use crate::arguments::Common;
use crate::failure::{Exit, Failure};
use crate::output::{print_json, print_line, table};

/// List a library in imle-plugins.lock, without running its code
///
/// Lists libraries by the SHA-256 of their bytes; none of their code runs. From then on only listed libraries of that
/// folder are loaded, by any program. With --lock FILE the list is that file; programs obey it if the variable
/// IMLE_PLUGINS_LOCK or --lock names it. Without a library, prints the list.
#[derive(Args, Debug)]
pub(crate) struct Trust {
    /// Plugin libraries
    #[arg(value_name = "LIBRARY", required_unless_present = "lock")]
    libraries: Vec<PathBuf>,
    /// Take the libraries off the list
    #[arg(long, requires = "libraries")]
    remove: bool,
}

impl Trust {
    pub(crate) fn run(&self, common: &Common) -> Result<(), Failure> {
        let mut changed = Vec::new();
        for library in &self.libraries {
            let mut lock = open(&lock_path(library, common))?;
            let sha256 = match self.remove {
                false => Some(lock.list(library).map_err(refused)?),
                true if lock.remove(library) => None,
                true => {
                    let message = format!("{} is not on the list", library.display());
                    return Err(Failure::input(message));
                }
            };
            lock.write()
                .map_err(|why| Failure::new(Exit::File, why.message()))?;
            changed.push((library, sha256, lock_path(library, common)));
        }
        let lock = match (&common.lock, self.libraries.first()) {
            (Some(lock), _) => lock.clone(),
            (None, Some(library)) => lock_path(library, common),
            (None, None) => return Err(Failure::new(Exit::Usage, "name a library")),
        };
        if common.json {
            let library = |(file, sha256): (&str, &str)| json!({"file": file, "sha256": sha256});
            let listed: Value = open(&lock)?.libraries().map(library).collect();
            return print_json(&json!({"lock": lock, "libraries": listed}));
        }
        for (library, sha256, lock) in &changed {
            let (library, lock) = (library.display(), lock.display());
            match sha256 {
                Some(sha256) => {
                    print_line(format_args!("{lock} lists {library} with SHA-256 {sha256}"))?
                }
                None => print_line(format_args!("{lock} no longer lists {library}"))?,
            }
        }
        if self.libraries.is_empty() {
            let mut lines = table(["library", "SHA-256"]);
            for (file, sha256) in open(&lock)?.libraries() {
                lines.add_row([file, sha256]);
            }
            print_line(lines)?;
        }
        Ok(())
    }
}

/// The lock that is named, or else the one beside the library.
fn lock_path(library: &Path, common: &Common) -> PathBuf {
    common
        .lock
        .clone()
        .unwrap_or_else(|| library.with_file_name(Lock::NAME))
}

/// A lock that is not there yet lists nothing.
fn open(path: &Path) -> Result<Lock, Failure> {
    match path.symlink_metadata().is_ok() {
        true => Lock::read(path).map_err(refused),
        false => Ok(Lock::new(path)),
    }
}

fn refused(why: imle_runtime::Error) -> Failure {
    Failure::new(Exit::Plugin, why.message())
}
