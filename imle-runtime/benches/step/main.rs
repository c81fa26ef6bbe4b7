//! What a training step costs beside its solves: `cargo bench -p imle-runtime --bench step -- PART`, all parts
//! without one. Parts: `step`, `overheads`, `scaling`, `skips`.

mod overheads;
mod scaling;
mod setting;
mod skips;
mod step;
mod timing;

use timing::Measured;

fn main() {
    let words = std::env::args().skip(1);
    let wanted: Vec<String> = words.filter(|word| !word.starts_with('-')).collect();
    let parts: [(&str, fn()); 4] = [
        ("step", step::run),
        ("overheads", overheads::run),
        ("scaling", scaling::run),
        ("skips", skips::run),
    ];
    for (name, part) in parts {
        if wanted.is_empty() || wanted.iter().any(|word| word == name) {
            part();
        }
    }
}

/// Prints medians in nanoseconds, each divided by `count`.
fn print(title: &str, count: usize, measured: &[Measured]) {
    println!("\n{title}");
    for Measured {
        name,
        median,
        spread,
    } in measured
    {
        let median = median / count as f64;
        println!("  {name:34} {median:10.2} ns  +- {:.1} %", 100.0 * spread);
    }
}
