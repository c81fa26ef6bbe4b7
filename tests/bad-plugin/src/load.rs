//! What goes wrong while the library is loaded, before anybody has asked it for anything.

/// The variable of the environment that asks for one of [`MODES`].
pub const VARIABLE: &str = "IMLE_BAD_PLUGIN_AT_LOAD";

/// What the initialiser of the library can do.
pub const MODES: [&str; 4] = [
    "segfault-at-load",
    "abort-at-load",
    "exit-at-load",
    "loops-at-load",
];

extern "C" fn at_load() {
    match std::env::var(VARIABLE).as_deref() {
        Ok("segfault-at-load") => {
            // SAFETY: none; the crash is what it is for.
            unsafe { std::ptr::null_mut::<u8>().write_volatile(1) };
        }
        Ok("abort-at-load") => std::process::abort(),
        Ok("exit-at-load") => std::process::exit(3),
        Ok("loops-at-load") => loop {
            std::hint::spin_loop();
        },
        _ => {}
    }
}

// Runs when the library is opened, and when a program is started that links this crate.
#[used]
#[cfg_attr(target_os = "linux", unsafe(link_section = ".init_array"))]
static AT_LOAD: extern "C" fn() = at_load;
