//! What the fuzz targets do with their bytes. `tests/fuzz_seeds.rs` does the same with the seeds, on any toolchain.

mod arrays;
mod bytes;
mod configuration;
mod descriptor;
mod layer;
mod programs;

pub use arrays::{csv, npy};
pub use configuration::configuration;
pub use descriptor::descriptor;
pub use layer::layer;
pub use programs::{lp, mps};
