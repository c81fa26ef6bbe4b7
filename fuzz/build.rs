//! One program for all solvers: each crate exports the same symbol, which nobody here looks up.

fn main() {
    println!("cargo::rustc-link-arg-bins=-Wl,-z,muldefs");
}
