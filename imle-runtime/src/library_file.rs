//! A library file that is read before it is believed.

use std::fs::{File, Metadata};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use imle_api::{Error, ErrorKind};

/// Size and time of a file: what tells that it was replaced.
pub(crate) type Stamp = (u64, Option<SystemTime>);

/// A library file as it was read, once.
pub(crate) struct LibraryFile {
    /// Where it lies, links followed.
    pub(crate) path: PathBuf,
    /// The folders of the path that was asked for and of the file.
    pub(crate) folders: Vec<PathBuf>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) stamp: Stamp,
}

impl LibraryFile {
    /// # Errors
    ///
    /// [`ErrorKind::Io`] if it cannot be read, is no regular file, or if it or a folder of it belongs to others or may be
    /// written by them.
    pub(crate) fn read(asked: &Path) -> Result<Self, Error> {
        // An absolute path, so that the system's loader does not search for it elsewhere.
        let path = asked
            .canonicalize()
            .map_err(|why| io(format!("cannot open the file: {why}")))?;
        let folder_of = |path: &Path| path.parent().and_then(|folder| folder.canonicalize().ok());
        let asked = std::path::absolute(asked).unwrap_or_else(|_| asked.to_owned());
        let mut folders: Vec<PathBuf> = [&asked, &path]
            .into_iter()
            .filter_map(|p| folder_of(p))
            .collect();
        folders.dedup();
        for folder in &folders {
            refuse_of_others(folder, &metadata(folder)?)?;
        }
        let (bytes, metadata) = read_regular(&path)?;
        refuse_of_others(&path, &metadata)?;
        let stamp = (metadata.len(), metadata.modified().ok());
        Ok(Self {
            path,
            folders,
            bytes,
            stamp,
        })
    }
}

/// Reads a file that is not of others, nor its folder.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    let path = path
        .canonicalize()
        .map_err(|why| io(format!("cannot open the file: {why}")))?;
    if let Some(folder) = path.parent() {
        refuse_of_others(folder, &metadata(folder)?)?;
    }
    let (bytes, metadata) = read_regular(&path)?;
    refuse_of_others(&path, &metadata)?;
    Ok(bytes)
}

/// The stamp of a regular file.
pub(crate) fn stamp_of(path: &Path) -> Result<Stamp, Error> {
    let metadata = metadata(path)?;
    refuse_irregular(&metadata)?;
    Ok((metadata.len(), metadata.modified().ok()))
}

fn metadata(path: &Path) -> Result<Metadata, Error> {
    std::fs::metadata(path).map_err(|why| io(format!("cannot read the file: {why}")))
}

/// The metadata are those of the file that was read, whatever has the name by now.
fn read_regular(path: &Path) -> Result<(Vec<u8>, Metadata), Error> {
    refuse_irregular(&metadata(path)?)?; // opening a pipe would wait for somebody to write
    let cannot_read = |why: std::io::Error| io(format!("cannot read the file: {why}"));
    let mut file = File::open(path).map_err(cannot_read)?;
    let metadata = file.metadata().map_err(cannot_read)?;
    refuse_irregular(&metadata)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(cannot_read)?;
    Ok((bytes, metadata))
}

fn refuse_irregular(metadata: &Metadata) -> Result<(), Error> {
    match (metadata.is_file(), metadata.is_dir()) {
        (true, _) => Ok(()),
        (_, true) => Err(io("is a directory, not a library file")),
        _ => Err(io("is not a regular file")),
    }
}

/// Code that others can replace is theirs: what belongs to neither root nor whoever runs this program, or what others
/// may write.
#[cfg(unix)]
fn refuse_of_others(path: &Path, metadata: &Metadata) -> Result<(), Error> {
    use std::os::unix::fs::MetadataExt;
    let (owner, mode) = (metadata.uid(), metadata.mode());
    let user = rustix::process::geteuid().as_raw();
    let (why, remedy) = if owner != 0 && owner != user {
        let why = format!("belongs to user {owner}, who is neither root nor you ({user})");
        (why, format!("chown {user}"))
    } else if let Some(who) = writers(owner, metadata.gid(), mode) {
        let why = format!("can be written by {who} (mode {:o})", mode & 0o7777);
        (why, "chmod go-w".to_owned())
    } else {
        return Ok(());
    };
    let what = if metadata.is_dir() { "folder" } else { "file" };
    let path = path.display();
    Err(io(format!(
        "not trusted: the {what} {path} {why}; `{remedy} {path}` ends that"
    )))
}

/// Who may write, beside the owner. A group whose number is that of the owner, where every user has a group alone, is the
/// owner; root's is not, because it may have members.
#[cfg(unix)]
fn writers(owner: u32, group: u32, mode: u32) -> Option<&'static str> {
    let own_group = group == owner && owner != 0;
    if mode & 0o002 != 0 {
        Some("every user")
    } else if mode & 0o020 != 0 && !own_group {
        Some("its group")
    } else {
        None
    }
}

/// Permissions are lists there; the system's own rules hold.
#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps, reason = "the same signature everywhere")]
fn refuse_of_others(_: &Path, _: &Metadata) -> Result<(), Error> {
    Ok(())
}

fn io(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Io, message)
}
