//! A copy of a library that nobody else can change, for the system's loader.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A library under a path of its own, for as long as this lives.
#[cfg(target_os = "linux")]
pub(crate) struct PrivateCopy {
    /// A file in memory that has no name and is sealed.
    file: std::fs::File,
}

#[cfg(target_os = "linux")]
impl PrivateCopy {
    pub(crate) fn of(bytes: &[u8], path: &Path) -> io::Result<Self> {
        use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
        // The name is for /proc and debuggers; 249 bytes are allowed.
        let name: String = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .chars()
            .take(60)
            .collect();
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let mut file = std::fs::File::from(memfd_create(name, flags)?);
        file.write_all(bytes)?;
        let all = SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
        fcntl_add_seals(&file, all)?;
        Ok(Self { file })
    }

    pub(crate) fn path(&self) -> PathBuf {
        use std::os::fd::AsRawFd;
        format!("/proc/self/fd/{}", self.file.as_raw_fd()).into()
    }

    /// Keeps the path for this copy: the loader takes the next library of the same path for this one.
    pub(crate) fn keep(self) {
        std::mem::forget(self.file);
    }
}

/// A library under a path of its own, for as long as this lives.
#[cfg(not(target_os = "linux"))]
pub(crate) struct PrivateCopy {
    /// Only its owner can open it, and its name cannot be guessed.
    file: tempfile::TempPath,
}

#[cfg(not(target_os = "linux"))]
impl PrivateCopy {
    pub(crate) fn of(bytes: &[u8], _: &Path) -> io::Result<Self> {
        let suffix = std::env::consts::DLL_SUFFIX;
        let mut file = tempfile::Builder::new().suffix(suffix).tempfile()?;
        file.write_all(bytes)?;
        let file = file.into_temp_path();
        Ok(Self { file })
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.file.to_path_buf()
    }

    /// Nothing is left to do: the library is mapped, and the file goes where the system lets it.
    pub(crate) fn keep(self) {}
}
