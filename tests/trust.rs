//! A lock decides on bytes which libraries may run, and what was decided on is what runs.
#![cfg(unix)]

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use imle_runtime::{Error, ErrorKind, Lock, Plugin, Registry, cargo_library_directory, solve_one};
use serde_json::json;
use tempfile::TempDir;

/// A folder with a library of this workspace in it, under a name of its own.
fn folder_with(library: &str, name: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("it can be made");
    let built = cargo_library_directory()
        .expect("Cargo built this test")
        .join(library);
    let copy = folder.path().join(name);
    fs::copy(built, &copy).expect("it was built");
    (folder, copy)
}

fn load(library: &Path) -> Result<Plugin, Error> {
    // SAFETY: the libraries were built from this workspace.
    unsafe { Plugin::load(library) }
}

/// A lock beside a library.
fn lock_of(library: &Path) -> Lock {
    Lock::new(
        library
            .parent()
            .expect("it lies in a folder")
            .join(Lock::NAME),
    )
}

fn choose_two(plugin: &Plugin) -> Vec<f64> {
    let oracle = plugin.open("k-subset", &json!({"dim": 3, "k": 2}));
    solve_one(&*oracle.expect("it opens"), &[1.0, 3.0, 2.0])
        .expect("it can be solved")
        .0
}

#[test]
fn what_a_lock_does_not_list_is_not_loaded_and_the_message_says_what_to_do() {
    let (_folder, library) = folder_with("libimle_k_subset.so", "libimle_a.so");
    let mut lock = lock_of(&library);
    lock.write().unwrap();
    let refused = load(&library).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Io);
    let sha256 = lock.list(&library).unwrap();
    let path = library.canonicalize().unwrap();
    for part in [
        format!("plugin {}: not loaded: ", library.display()),
        "does not list it".to_owned(),
        sha256,
        format!("`imle trust {} --lock ", path.display()),
    ] {
        assert!(refused.message().contains(&part), "{refused}");
    }
    lock.write().unwrap();
    assert_eq!(choose_two(&load(&library).unwrap()), [0.0, 1.0, 1.0]);
    assert!(lock.remove(&library));
    lock.write().unwrap();
    load(&library).unwrap_err();
}

#[test]
fn another_version_is_refused_with_both_hashes() {
    let (_folder, library) = folder_with("libimle_k_subset.so", "libimle_b.so");
    let mut lock = lock_of(&library);
    let expected = lock.list(&library).unwrap();
    lock.write().unwrap();
    let mut bytes = fs::read(&library).unwrap();
    bytes.push(0); // still a library
    fs::write(&library, &bytes).unwrap();
    let refused = load(&library).unwrap_err();
    let found = lock_of(&library).list(&library).unwrap();
    for part in [expected, found] {
        assert!(refused.message().contains(&part), "{refused}");
    }
}

/// Overwriting a file that is mapped changes the code that runs, or ends the process by SIGBUS.
#[test]
fn what_was_decided_on_runs_whatever_becomes_of_the_file() {
    let (_folder, library) = folder_with("libimle_k_subset.so", "libimle_c.so");
    let mut lock = lock_of(&library);
    lock.list(&library).unwrap();
    lock.write().unwrap();
    let plugin = load(&library).unwrap();
    fs::write(&library, "overwritten in place").unwrap();
    assert_eq!(choose_two(&plugin), [0.0, 1.0, 1.0]);
    load(&library).expect_err("the new bytes are not listed");
    if cfg!(target_os = "linux") {
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let file = library.display().to_string();
        assert!(!maps.contains(&file), "the file itself is not mapped");
    }
}

/// A new version under the same path is loaded beside the old one, which an unlocked path cannot do.
#[test]
fn two_versions_that_are_listed_run_side_by_side() {
    let (_folder, library) = folder_with("libimle_k_subset.so", "libimle_d.so");
    let mut lock = lock_of(&library);
    lock.list(&library).unwrap();
    lock.write().unwrap();
    let old = load(&library).unwrap();
    let top_k = cargo_library_directory().unwrap().join("libimle_top_k.so");
    fs::copy(top_k, &library).unwrap();
    lock.list(&library).unwrap();
    lock.write().unwrap();
    let new = load(&library).unwrap();
    assert_eq!((old.name(), new.name()), ("imle-k-subset", "imle-top-k"));
    assert_eq!(choose_two(&old), [0.0, 1.0, 1.0]);
}

#[test]
fn a_link_is_held_to_the_locks_on_both_sides() {
    let (_folder, library) = folder_with("libimle_k_subset.so", "libimle_e.so");
    let links = tempfile::tempdir().unwrap();
    let link = links.path().join("libimle_link.so");
    std::os::unix::fs::symlink(&library, &link).unwrap();
    load(&link).expect("there is no lock");
    for lock in [lock_of(&library), lock_of(&link)] {
        lock.write().unwrap();
        load(&link).expect_err("one of them does not list it");
        let mut listing = lock.clone();
        listing.list(&link).unwrap();
        listing.write().unwrap();
        load(&link).unwrap();
    }
}

#[test]
fn a_search_leaves_out_what_is_not_listed() {
    let (folder, library) = folder_with("libimle_k_subset.so", "libimle_f.so");
    let top_k = cargo_library_directory().unwrap().join("libimle_top_k.so");
    fs::copy(top_k, folder.path().join("libimle_g.so")).unwrap();
    let mut lock = lock_of(&library);
    lock.list(&library).unwrap();
    lock.write().unwrap();
    // SAFETY: the libraries were built from this workspace.
    let registry = unsafe { Registry::search([folder.path()]) }.unwrap();
    assert_eq!(registry.list().len(), 1);
    let problem = registry.problems()[0].message();
    assert!(problem.contains("libimle_g.so: not loaded"), "{problem}");
}

#[test]
fn a_lock_that_cannot_be_read_lets_nothing_through() {
    for lock in ["[[library]", "[[library]]\nfile = 'x'\nsha256 = 'short'"] {
        let (folder, library) = folder_with("libimle_k_subset.so", "libimle_h.so");
        fs::write(folder.path().join(Lock::NAME), lock).unwrap();
        assert!(load(&library).unwrap_err().message().contains("lock file"));
    }
    let (folder, library) = folder_with("libimle_k_subset.so", "libimle_h.so");
    std::os::unix::fs::symlink("/no/such/lock", folder.path().join(Lock::NAME)).unwrap();
    load(&library).expect_err("a lock that leads nowhere is a lock");
}

#[test]
fn what_others_may_write_is_refused() {
    let (folder, library) = folder_with("libimle_k_subset.so", "libimle_i.so");
    let lock = folder.path().join(Lock::NAME);
    let mut listing = lock_of(&library);
    listing.list(&library).unwrap();
    listing.write().unwrap();
    load(&library).unwrap();
    for (path, usual) in [
        (library.as_path(), 0o755),
        (folder.path(), 0o700),
        (lock.as_path(), 0o644),
    ] {
        fs::set_permissions(path, Permissions::from_mode(usual | 0o002)).unwrap();
        let refused = load(&library).unwrap_err();
        let path_shown = path.canonicalize().unwrap().display().to_string();
        for part in ["can be written by every user", &path_shown, "chmod go-w"] {
            assert!(refused.message().contains(part), "{refused}");
        }
        fs::set_permissions(path, Permissions::from_mode(usual | 0o020)).unwrap();
        match has_own_group(path) {
            true => drop(load(&library).expect("the group is the owner")),
            false => assert!(load(&library).unwrap_err().message().contains("its group")),
        }
        fs::set_permissions(path, Permissions::from_mode(usual)).unwrap();
        load(&library).unwrap();
    }
}

/// Root may run what is root's alone, and only root can make a file somebody else's.
#[test]
fn what_belongs_to_others_is_refused() {
    const OTHER: u32 = 12_345;
    let (folder, library) = folder_with("libimle_k_subset.so", "libimle_k.so");
    let mut lock = lock_of(&library);
    lock.list(&library).unwrap();
    lock.write().unwrap();
    if chown(&library, Some(OTHER), None).is_err() {
        eprintln!("not tested: this user cannot give files away");
        return;
    }
    chown(&library, Some(0), None).unwrap();
    let lock = folder.path().join(Lock::NAME);
    for path in [library.as_path(), folder.path(), lock.as_path()] {
        chown(path, Some(OTHER), None).unwrap();
        let refused = load(&library).unwrap_err();
        let path_shown = path.canonicalize().unwrap().display().to_string();
        for part in ["belongs to user 12345", "chown 0 ", &path_shown] {
            assert!(refused.message().contains(part), "{refused}");
        }
        chown(path, Some(0), None).unwrap();
        load(&library).unwrap();
    }
}

fn has_own_group(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::metadata(path).expect("it is there");
    metadata.uid() == metadata.gid() && metadata.uid() != 0
}

/// Listing reads bytes and nothing more; that they are a library is seen when they are loaded.
#[test]
fn listing_asks_nothing_of_the_bytes() {
    let (_folder, library) = folder_with("libimle_k_subset.so", "libimle_j.so");
    fs::write(&library, "not a library at all").unwrap();
    let mut lock = lock_of(&library);
    lock.list(&library).unwrap();
    lock.write().unwrap();
    let refused = load(&library).unwrap_err();
    assert!(
        refused.message().contains("cannot be opened as a library"),
        "{refused}"
    );
}
