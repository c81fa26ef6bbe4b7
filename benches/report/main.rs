//! Every figure of PERFORMANCE.md, in one run: `cargo bench --bench report`.
//!
//! `cargo bench --bench report -- PART..` prints only some. `--python PATH` names a Python that has what
//! `peers/requirements.txt` lists; NumPy, SciPy, PyTorch and PyEPO then take their turns beside ours. Everything
//! that is compared takes turns in the same run; figures are medians of 25 turns, of the time that the thread had
//! the processor, and `+-` is half of what the quartiles lie apart. Ratios are medians over the turns.

mod inputs;
mod kernels;
mod overheads;
mod peers;
mod step;
mod table;
mod timing;

use clap::Parser;

use crate::peers::Peers;

type Part = fn(Option<&Peers>);

const PARTS: [(&str, Part); 10] = [
    ("noise", kernels::noise),
    ("select", kernels::select),
    ("paths", kernels::paths),
    ("step", step::step),
    ("skips", step::skips),
    ("training", step::training),
    ("overheads", overheads::overheads),
    ("cache", overheads::cache),
    ("scaling", overheads::scaling),
    ("memory", overheads::memory),
];

/// Measures what a step of I-MLE is made of, and the same in other libraries.
#[derive(Parser)]
struct Options {
    /// The parts to measure; all if none is named: noise, select, paths, step, skips, training, overheads, cache, scaling,
    /// memory.
    parts: Vec<String>,
    /// A Python to compare with.
    #[arg(long)]
    python: Option<String>,
    /// What `cargo bench` says to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let Options { parts, python, .. } = Options::parse();
    if let Some(unknown) = parts
        .iter()
        .find(|part| PARTS.iter().all(|(name, _)| name != part))
    {
        eprintln!("there is no part {unknown}; see --help");
        std::process::exit(2);
    }
    let peers = python.map(|python| Peers::start(&python));
    for (name, part) in PARTS {
        if parts.is_empty() || parts.iter().any(|wanted| wanted == name) {
            part(peers.as_ref());
        }
    }
}
