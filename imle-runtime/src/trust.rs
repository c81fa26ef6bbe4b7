//! Which plugin libraries may be loaded: decided on their bytes, before any of their code runs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use imle_api::{Error, ErrorKind};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::library_file::{LibraryFile, read_file};

/// The first lines of a lock file.
const HEADER: &str = "# The plugin libraries that may be loaded, by the SHA-256 of their bytes.\n\
    # `imle trust LIBRARY` adds one or lists its new version.\n\n";

/// A list of the plugin libraries that may be loaded: the file `imle-plugins.lock`.
///
/// A lock applies to a library if it lies in the folder of the library (of the path that was asked for, and of the
/// file itself where that is a link), if the variable [`IMLE_PLUGINS_LOCK`](Self::VARIABLE) names it, or if this
/// program [enforces](Self::enforce) it. Every lock that applies must list the library: locks only take away.
///
/// # What is guaranteed
///
/// [`Plugin::load`](crate::Plugin::load) reads the file once, compares the SHA-256 of what it read, and loads *those bytes* from a
/// private copy: on Linux a sealed file in memory, elsewhere a file that nobody else can open. Replacing or
/// overwriting the library meanwhile or afterwards changes nothing. No code of an unlisted library runs, not even
/// its initialisers. The shared libraries that a plugin links to are found by the system and not looked at; a
/// path relative to the library (`$ORIGIN`) leads nowhere, because a copy is loaded.
///
/// With a lock or without, a library is refused that others could replace: where it or its folder belongs to a user who is
/// neither root nor the one who runs this program, or may be written by its group or by every user. The same holds for a
/// lock.
///
/// Whoever may write the lock or its folder decides what it says, and whoever may delete it has none: keep the
/// one that matters with the program, and name it.
///
/// ```
/// use imle_runtime::Lock;
///
/// let folder = std::env::temp_dir().join(format!("imle-lock-{}", std::process::id()));
/// std::fs::create_dir_all(&folder)?;
/// std::fs::write(folder.join("libimle_mine.so"), "the bytes of a library")?;
/// let mut lock = Lock::new(folder.join(Lock::NAME));
/// let sha256 = lock.list(&folder.join("libimle_mine.so"))?;
/// lock.write()?;
/// let listed = Lock::read(folder.join(Lock::NAME))?;
/// assert_eq!(listed.libraries().collect::<Vec<_>>(), [("libimle_mine.so", &*sha256)]);
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    path: PathBuf,
    libraries: Vec<Listed>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    /// Relative to the folder of the lock if it lies in there; for people, and to replace a version.
    file: String,
    sha256: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    #[serde(default)]
    library: Vec<Listed>,
}

impl Lock {
    /// The name of a lock file.
    pub const NAME: &'static str = "imle-plugins.lock";
    /// The variable that names a lock for a program and for those that it starts.
    pub const VARIABLE: &'static str = "IMLE_PLUGINS_LOCK";

    /// Makes a lock that lists nothing yet, to be written to `path`.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            libraries: Vec::new(),
        }
    }

    /// Reads a lock file.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] if it cannot be read, or if it or its folder belongs to others or may be written by them;
    /// [`ErrorKind::InvalidConfig`] with what is wrong in it.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let read = || {
            let text = String::from_utf8(read_file(path)?)
                .map_err(|why| Error::new(ErrorKind::InvalidConfig, why.to_string()))?;
            Self::parse(path, &text)
        };
        read().map_err(|why| why.within(format_args!("lock file {}", path.display())))
    }

    fn parse(path: &Path, text: &str) -> Result<Self, Error> {
        let invalid = |message: String| Error::new(ErrorKind::InvalidConfig, message);
        let contents: Contents =
            toml::from_str(text).map_err(|why| invalid(why.to_string().trim_end().to_owned()))?;
        for Listed { file, sha256 } in &contents.library {
            let is_digit = |digit: u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit);
            if sha256.len() != 64 || !sha256.bytes().all(is_digit) {
                return Err(invalid(format!(
                    "the sha256 of `{file}` is `{sha256}`, not 64 digits 0-9 and a-f"
                )));
            }
        }
        Ok(Self {
            path: path.to_owned(),
            libraries: contents.library,
        })
    }

    /// Writes the lock file, whole or not at all.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`].
    pub fn write(&self) -> Result<(), Error> {
        let contents = Contents {
            library: self.libraries.clone(),
        };
        let text = toml::to_string(&contents).map_err(|why| why.to_string());
        let part = self
            .path
            .with_extension(format!("{}.part", std::process::id()));
        let written = text.and_then(|text| {
            std::fs::write(&part, format!("{HEADER}{text}"))
                .and_then(|()| std::fs::rename(&part, &self.path))
                .map_err(|why| why.to_string())
        });
        written.map_err(|why| {
            let message = format!(
                "lock file {}: cannot be written: {why}",
                self.path.display()
            );
            Error::new(ErrorKind::Io, message)
        })
    }

    /// Lists a library with the bytes that it has now, in place of what was listed for its path; returns its
    /// SHA-256. None of its code runs.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] if it cannot be read, or if it or its folder belongs to others or may be written by them.
    pub fn list(&mut self, library: &Path) -> Result<String, Error> {
        let read = LibraryFile::read(library);
        let read = read.map_err(|why| why.within(format_args!("plugin {}", library.display())))?;
        let (file, sha256) = (self.name_of(&read.path), sha256_of(&read.bytes));
        self.libraries.retain(|listed| listed.file != file);
        let listed = Listed {
            file,
            sha256: sha256.clone(),
        };
        self.libraries.push(listed);
        self.libraries.sort_by(|a, b| a.file.cmp(&b.file));
        Ok(sha256)
    }

    /// Takes a library off the list; returns whether it was on it.
    pub fn remove(&mut self, library: &Path) -> bool {
        let library = library
            .canonicalize()
            .unwrap_or_else(|_| library.to_owned());
        let (file, before) = (self.name_of(&library), self.libraries.len());
        self.libraries.retain(|listed| listed.file != file);
        self.libraries.len() < before
    }

    /// The listed libraries: their paths, relative to the folder of the lock where they lie in it, and their
    /// SHA-256.
    pub fn libraries(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.libraries
            .iter()
            .map(|listed| (&*listed.file, &*listed.sha256))
    }

    /// Applies this lock to every plugin that this process loads from now on, for as long as it lives.
    ///
    /// It also applies in the processes of [`Isolated`](crate::Isolated) that are opened from now on. Give
    /// [`IMLE_PLUGINS_LOCK`](Self::VARIABLE) to other programs that are started and load plugins themselves.
    pub fn enforce(self) {
        let mut enforced = ENFORCED.lock().unwrap_or_else(PoisonError::into_inner);
        enforced.push(self);
    }

    /// Refuses a library whose bytes are not listed.
    fn check(&self, library: &LibraryFile, sha256: &str) -> Result<(), Error> {
        if self.libraries.iter().any(|listed| listed.sha256 == sha256) {
            return Ok(());
        }
        let (lock, file) = (self.path.display(), library.path.display());
        let name = self.name_of(&library.path);
        let expected = self.libraries.iter().find(|listed| listed.file == name);
        let message = match expected {
            Some(Listed { sha256: listed, .. }) => format!(
                "not loaded: {lock} lists it with SHA-256 {listed}, and the file has {sha256}; \
                 if that is what you want to run, `imle trust {file} --lock {lock}` lists it"
            ),
            None => format!(
                "not loaded: {lock} does not list it, with SHA-256 {sha256}; \
                 if you trust its code, `imle trust {file} --lock {lock}` lists it"
            ),
        };
        Err(Error::new(ErrorKind::Io, message))
    }

    /// How the lock calls a file.
    fn name_of(&self, file: &Path) -> String {
        let folder = self.path.parent().and_then(|folder| {
            let here = Path::new(".");
            let folder = if folder == Path::new("") {
                here
            } else {
                folder
            };
            folder.canonicalize().ok()
        });
        let below = folder.and_then(|folder| file.strip_prefix(folder).ok().map(Path::to_owned));
        below
            .unwrap_or_else(|| file.to_owned())
            .display()
            .to_string()
    }
}

/// The locks that this process enforces, for a process that it starts.
pub(crate) fn enforced() -> Vec<Lock> {
    let enforced = ENFORCED.lock().unwrap_or_else(PoisonError::into_inner);
    enforced.clone()
}

/// The locks of this process.
static ENFORCED: Mutex<Vec<Lock>> = Mutex::new(Vec::new());

/// Asks every lock that applies to a library; returns its SHA-256 if there is one.
///
/// # Errors
///
/// [`ErrorKind::Io`] if one does not list it; what keeps one from being read.
pub(crate) fn check_locks(library: &LibraryFile) -> Result<Option<String>, Error> {
    let mut locks = enforced();
    let beside = library.folders.iter().map(|folder| folder.join(Lock::NAME));
    let mut paths: BTreeSet<PathBuf> = beside.filter(|path| is_there(path)).collect();
    paths.extend(
        std::env::var_os(Lock::VARIABLE)
            .filter(|path| !path.is_empty())
            .map(PathBuf::from),
    );
    for path in paths {
        locks.push(Lock::read(path)?);
    }
    if locks.is_empty() {
        return Ok(None);
    }
    let sha256 = sha256_of(&library.bytes);
    for lock in locks {
        lock.check(library, &sha256)?;
    }
    Ok(Some(sha256))
}

/// Also if it is a link that leads nowhere: reading it is an error then, and not the end of the lock.
fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn sha256_of(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The two-block message of FIPS 180-2, B.2.
    #[test]
    fn the_hash_is_sha_256() {
        assert_eq!(
            sha256_of(b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        );
    }

    #[test]
    fn a_lock_that_is_not_one_is_refused_with_the_place() {
        let parse = |text| Lock::parse(Path::new("x"), text).expect_err("it is wrong");
        assert!(
            parse("[[library]]\nfile = 'a'\nsha256 = 'AB'")
                .message()
                .contains("sha256 of `a` is `AB`")
        );
        assert!(
            parse("[[library]]\nfile = 'a'")
                .message()
                .contains("missing field `sha256`")
        );
        assert!(
            parse("[[libraries]]")
                .message()
                .contains("unknown field `libraries`")
        );
        assert!(parse("library").message().contains("line 1"));
    }
}
