//! What takes a process down.

use imle_api::{Error, Proof};

use crate::{Row, defects};

fn segfault() {
    let nowhere = std::ptr::null_mut::<u8>();
    // SAFETY: none; the crash is what it is for.
    unsafe { nowhere.write_volatile(1) };
}

#[allow(unconditional_recursion)]
fn recurse(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 64]);
    recurse(depth + 1) + frame[7]
}

defects! {
    Segfault "segfault" "writes to address zero" {
        fn act(&self, _: Row<'_>) -> Result<Proof, Error> {
            segfault();
            Ok(Proof::NONE)
        }
    }
    Abort "abort" "aborts the process" {
        fn act(&self, _: Row<'_>) -> Result<Proof, Error> {
            eprintln!("about to abort");
            std::process::abort()
        }
    }
    Exit "exit" "ends the process with code 3" {
        fn act(&self, _: Row<'_>) -> Result<Proof, Error> {
            std::process::exit(3)
        }
    }
    ExitZero "exit-zero" "ends the process as if all were well" {
        fn act(&self, _: Row<'_>) -> Result<Proof, Error> {
            std::process::exit(0)
        }
    }
    StackOverflow "stack-overflow" "recurses without end" {
        fn act(&self, row: Row<'_>) -> Result<Proof, Error> {
            row.z[0] += recurse(0) as f64;
            Ok(Proof::NONE)
        }
    }
    Killed "killed" "has its process killed from outside, signal 9" {
        fn act(&self, _: Row<'_>) -> Result<Proof, Error> {
            // SAFETY: sends a signal.
            unsafe { libc::kill(libc::getpid(), libc::SIGKILL) };
            Ok(Proof::NONE)
        }
    }
    Allocates "allocates" "asks for a pebibyte of memory" {
        fn act(&self, row: Row<'_>) -> Result<Proof, Error> {
            let bytes: Vec<u8> = Vec::with_capacity(std::hint::black_box(1 << 50));
            row.z[0] += bytes.len() as f64;
            Ok(Proof::NONE)
        }
    }
    ClosesFiles "closes-files" "closes every file of its process" {
        fn act(&self, _: Row<'_>) -> Result<Proof, Error> {
            // SAFETY: none towards whoever uses the files; that is the defect.
            (3..256).for_each(|file| unsafe {
                libc::close(file);
            });
            Ok(Proof::NONE)
        }
    }
    AbortInCreate "abort-in-create" "aborts while an instance is made" {
        fn create(&self, _: usize) -> Result<(), Error> {
            std::process::abort()
        }
    }
    ExitInDestroy "exit-in-destroy" "ends the process while an instance is destroyed" {
        fn destroy(&self) {
            std::process::exit(3)
        }
    }
}
