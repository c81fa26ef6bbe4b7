//! Changes to what belongs to the whole process.

use std::process::Command;
use std::thread;
use std::time::Duration;

use imle_api::{Error, Proof};

use crate::{Row, defects};

extern "C" fn ignore(_: libc::c_int) {}

defects! {
    Directory "changes-directory" "changes the working directory" {
        fn act(&self, _: Row<'_>) -> Result<Proof, Error> {
            std::env::set_current_dir("/").expect("there is a root");
            Ok(Proof::NONE)
        }
    }
    Environment "changes-environment" "sets a variable of the environment" {
        fn act(&self, _: Row<'_>) -> Result<Proof, Error> {
            // SAFETY: none towards threads that read the environment; that is the defect.
            unsafe { std::env::set_var("IMLE_BAD_PLUGIN", "was here") };
            Ok(Proof::NONE)
        }
    }
    Interrupt "takes-interrupt" "installs a handler of its own for SIGINT" {
        fn act(&self, _: Row<'_>) -> Result<Proof, Error> {
            let handler = ignore as extern "C" fn(libc::c_int);
            // SAFETY: the handler does nothing.
            unsafe { libc::signal(libc::SIGINT, handler as libc::sighandler_t) };
            Ok(Proof::NONE)
        }
    }
    Locale "changes-locale" "changes the locale of the C library" {
        fn act(&self, _: Row<'_>) -> Result<Proof, Error> {
            // SAFETY: none towards threads that format numbers; that is the defect.
            unsafe { libc::setlocale(libc::LC_ALL, c"C.UTF-8".as_ptr()) };
            Ok(Proof::NONE)
        }
    }
    Rounding "changes-rounding" "flushes small numbers of its thread to zero" {
        fn act(&self, _: Row<'_>) -> Result<Proof, Error> {
            #[cfg(target_arch = "x86_64")]
            {
                let mut control = 0_u32;
                // SAFETY: stores and loads the control register of floating point; the change is the defect.
                unsafe {
                    std::arch::asm!("stmxcsr [{}]", in(reg) &mut control);
                    control |= 0x8040;
                    std::arch::asm!("ldmxcsr [{}]", in(reg) &control);
                }
            }
            Ok(Proof::NONE)
        }
    }
    Prints "prints" "prints to both streams" {
        fn act(&self, row: Row<'_>) -> Result<Proof, Error> {
            println!("solving {}", row.theta[0]);
            eprintln!("solved {}", row.theta[0]);
            Ok(Proof::NONE)
        }
    }
    StartsThread "starts-thread" "starts a thread that never ends" {
        fn act(&self, _: Row<'_>) -> Result<Proof, Error> {
            thread::spawn(|| loop { thread::sleep(Duration::from_secs(60)) });
            Ok(Proof::NONE)
        }
    }
    StartsProcess "starts-process" "starts a process that nobody ends" {
        fn act(&self, row: Row<'_>) -> Result<Proof, Error> {
            let seconds = format!("{}", row.theta[0]);
            // Not waited for: that is the defect.
            #[allow(clippy::zombie_processes)]
            Command::new("sleep").arg(seconds).spawn().expect("there is a sleep");
            Ok(Proof::NONE)
        }
    }
}
