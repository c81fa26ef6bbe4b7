//! The files of a command, looked at before its work begins: nothing is written over what is read, nor twice, and what is
//! to be written can be.

use std::path::{Path, PathBuf};

use crate::arrays::{Array, Format};
use crate::failure::{Exit, Failure};
use crate::files::is_stream;

/// The files that a command reads and writes.
#[derive(Default)]
pub(crate) struct Paths<'a>(Vec<Named<'a>>);

struct Named<'a> {
    /// What it is called on the command line or in a layer's file.
    name: &'a str,
    path: &'a Path,
    is_written: bool,
}

impl<'a> Paths<'a> {
    /// Adds a file that is read, if there is one.
    pub(crate) fn reads(mut self, name: &'a str, path: Option<&'a Path>) -> Self {
        self.add(name, path, false);
        self
    }

    /// Adds a file that an array is written to, if there is one. Its format must be known.
    pub(crate) fn writes(
        mut self,
        name: &'a str,
        path: Option<&'a Path>,
        format: Option<Format>,
    ) -> Result<Self, Failure> {
        if let Some(path) = path {
            Array::format_for(path, format)?;
        }
        self.add(name, path, true);
        Ok(self)
    }

    /// Adds a file that a picture is written to, if there is one.
    pub(crate) fn draws(mut self, name: &'a str, path: Option<&'a Path>) -> Result<Self, Failure> {
        let is_svg = |path: &Path| path.extension().is_some_and(|extension| extension == "svg");
        match path {
            Some(path) if !is_svg(path) => {
                let message = format!("{}: pictures are .svg", path.display());
                Err(Failure::input(message))
            }
            path => {
                self.add(name, path, true);
                Ok(self)
            }
        }
    }

    fn add(&mut self, name: &'a str, path: Option<&'a Path>, is_written: bool) {
        self.0.extend(path.map(|path| Named {
            name,
            path,
            is_written,
        }));
    }

    /// Refuses a file that is written and is another one as well, and one that cannot be written.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        for (at, one) in self.0.iter().enumerate() {
            self.0[..at]
                .iter()
                .try_for_each(|other| other.check_beside(one))?;
        }
        let written = self.0.iter().filter(|named| named.is_written);
        written.map(|named| named.path).try_for_each(check_folder)
    }

    /// Whether something is written to standard output.
    pub(crate) fn streams(&self) -> Option<&str> {
        let to_stream = |named: &&Named<'_>| named.is_written && is_stream(named.path);
        self.0.iter().find(to_stream).map(|named| named.name)
    }
}

impl Named<'_> {
    fn check_beside(&self, other: &Self) -> Result<(), Failure> {
        let (one, two) = (self.name, other.name);
        let message = match (is_stream(self.path), is_stream(other.path)) {
            (true, true) if self.is_written != other.is_written => return Ok(()),
            (true, true) if self.is_written => {
                format!("{one} and {two} both go to standard output; name a file for one of them")
            }
            (true, true) => {
                format!(
                    "{one} and {two} both come from standard input; name a file for one of them"
                )
            }
            (false, false) if self.is_written || other.is_written => {
                if !is_same_file(self.path, other.path) {
                    return Ok(());
                }
                let paths = (self.path.display(), other.path.display());
                format!(
                    "{one} ({}) and {two} ({}) are one file, which would be overwritten; name another",
                    paths.0, paths.1
                )
            }
            _ => return Ok(()),
        };
        Err(Failure::new(Exit::Usage, message))
    }
}

/// Whether two paths lead to one regular file, which need not be there yet: by links, or under two names of its own.
fn is_same_file(one: &Path, two: &Path) -> bool {
    let is_regular = |path: &Path| path.metadata().is_ok_and(|there| there.is_file());
    let is_there = one.exists() || two.exists();
    if is_there && !(is_regular(one) && is_regular(two)) {
        return false;
    }
    place(one).is_some_and(|place_of_one| Some(place_of_one) == place(two))
        || is_same_inode(one, two)
}

/// Where a file is or will be, links followed.
fn place(path: &Path) -> Option<PathBuf> {
    let to_be = || Some(folder(path).canonicalize().ok()?.join(path.file_name()?));
    path.canonicalize().ok().or_else(to_be)
}

#[cfg(unix)]
fn is_same_inode(one: &Path, two: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let inode = |path: &Path| path.metadata().map(|there| (there.dev(), there.ino()));
    matches!((inode(one), inode(two)), (Ok(one), Ok(two)) if one == two)
}

#[cfg(not(unix))]
fn is_same_inode(_: &Path, _: &Path) -> bool {
    false
}

/// The folder that a path names.
fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Refuses a file whose folder is not there or cannot be written: it would be found out after the work.
fn check_folder(path: &Path) -> Result<(), Failure> {
    let is_device = path
        .metadata()
        .is_ok_and(|there| !there.is_file() && !there.is_dir());
    if is_stream(path) || is_device {
        return Ok(());
    }
    let refused = |why: String| Err(Failure::file(path.display(), why));
    let written = path.canonicalize().unwrap_or_else(|_| path.to_owned()); // where a link leads
    let folder = folder(&written);
    if path.is_dir() {
        return refused("it is a folder".to_owned());
    }
    if !folder.is_dir() {
        return refused(format!("there is no folder {}", folder.display()));
    }
    #[cfg(unix)]
    if let Err(why) = rustix::fs::access(folder, rustix::fs::Access::WRITE_OK) {
        let why = std::io::Error::from(why);
        return refused(format!(
            "the folder {} cannot be written: {why}",
            folder.display()
        ));
    }
    Ok(())
}
