//! Nothing is written over what is read, nor twice, and that a file cannot be written is said before the work.
#![cfg(unix)]

mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use common::{Ran, imle, imle_with, text};
use tempfile::TempDir;

const THETA: &str = "0.5,2,1\n";
const CONFIG: &str = "{\"dim\": 3, \"k\": 1}";
const LAYER: &str =
    "[oracle]\nsolver = \"k-subset\"\nconfig = { dim = 3, k = 1 }\n[run]\ntheta = \"theta.csv\"\n";

/// A folder with files to read, and names that lead to them.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self::made().expect("the files for the test are written")
    }

    fn made() -> std::io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = |name: &str| folder.path().join(name);
        fs::write(path("theta.csv"), THETA)?;
        fs::write(path("config.json"), CONFIG)?;
        fs::write(path("layer.toml"), LAYER)?;
        fs::write(path("plugins.lock"), "")?;
        fs::create_dir(path("below"))?;
        symlink("theta.csv", path("link.csv"))?;
        symlink("layer.toml", path("layer.csv"))?;
        symlink("plugins.lock", path("lock.csv"))?;
        symlink(folder.path(), path("here"))?;
        fs::hard_link(path("theta.csv"), path("second_name.csv"))?;
        Ok(Self(folder))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs a command in which every word with an `@` is a file of the folder.
    fn run(&self, arguments: &[&str]) -> Ran {
        let in_folder = |word: &&str| match word.strip_prefix('@') {
            Some(name) => text(&self.path(name)).to_owned(),
            None => (*word).to_owned(),
        };
        let arguments: Vec<String> = arguments.iter().map(in_folder).collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        imle(&arguments)
    }

    fn refuses(&self, arguments: &[&str], says: &[&str]) {
        self.run(arguments).failed(2, says);
        for (name, content) in [
            ("theta.csv", THETA),
            ("config.json", CONFIG),
            ("layer.toml", LAYER),
            ("plugins.lock", ""),
        ] {
            assert_eq!(
                fs::read_to_string(self.path(name)).ok().as_deref(),
                Some(content),
                "{arguments:?}"
            );
        }
    }
}

#[test]
fn what_is_read_is_not_written_over() {
    let files = Files::new();
    let one_file = "are one file, which would be overwritten";
    let solve = ["solve", "k-subset", "@theta.csv", "-c", "@config.json"];
    for out in [
        "@theta.csv",
        "@link.csv",
        "@second_name.csv",
        "@below/../theta.csv",
        "@here/theta.csv",
        "@config.json",
    ] {
        let out = ["--out", out, "--format", "csv"];
        files.refuses(&[&solve[..], &out].concat(), &["--out (", one_file]);
    }
    let locked = ["--lock", "@plugins.lock", "--out", "@lock.csv"];
    files.refuses(&[&solve[..], &locked].concat(), &["the lock (", one_file]);
    let objectives = ["--objectives", "@link.csv"];
    files.refuses(
        &[&solve[..], &objectives].concat(),
        &["--objectives (", one_file],
    );
    for command in ["sample", "marginals"] {
        let mut arguments = solve;
        arguments[0] = command;
        files.refuses(
            &[&arguments[..], &["-o", "@theta.csv"]].concat(),
            &[one_file],
        );
    }
    let run = ["run", "@layer.toml"];
    for (option, file) in [
        ("--z", "@link.csv"),
        ("--marginals", "@theta.csv"),
        ("--grad-theta", "@layer.csv"),
        ("--loss-values", "@second_name.csv"),
    ] {
        files.refuses(&[&run[..], &[option, file]].concat(), &[one_file]);
    }
    let gradient = [
        "--grad-mean",
        "@theta.csv",
        "--theta",
        "-",
        "--grad-theta",
        "@link.csv",
    ];
    files.refuses(&[&run[..], &gradient].concat(), &["grad_mean (", one_file]);
}

#[test]
fn nothing_is_written_twice_or_read_twice_from_a_stream() {
    let files = Files::new();
    let solve = ["solve", "k-subset", "@theta.csv", "-c", "@config.json"];
    let twice = ["-o", "@new.csv", "--objectives", "@here/new.csv"];
    files.refuses(
        &[&solve[..], &twice].concat(),
        &["--out (", "--objectives ("],
    );
    let streams = ["-o", "-", "--objectives", "-"];
    files.refuses(
        &[&solve[..], &streams].concat(),
        &["--out and --objectives both go to standard output"],
    );
    let run = ["run", "@layer.toml", "--theta", "-", "--grad-z", "-"];
    files.refuses(&run, &["theta and grad_z both come from standard input"]);
    let run = ["run", "@layer.toml", "--z", "-", "--json"];
    files.refuses(&run, &["standard output is the JSON's; name a file for z"]);
}

#[test]
fn what_cannot_be_written_is_said_before_the_work() {
    let files = Files::new();
    // The theta is wrong as well, and would be named if it were read first.
    fs::write(files.path("wrong.csv"), "1,2\n").unwrap();
    let solve = ["solve", "k-subset", "@wrong.csv", "-c", "@config.json"];
    let fails = |out: &str, code: i32, says: &str| {
        files
            .run(&[&solve[..], &["-o", out]].concat())
            .failed(code, &[says]);
    };
    fails("@no_such/z.csv", 6, "there is no folder");
    fails("@below", 3, "the extension is not .npy or .csv");
    fails("@z.parquet", 3, "the extension is not .npy or .csv");
    let marginals = [
        "marginals",
        "k-subset",
        "@wrong.csv",
        "--plot",
        "@picture.png",
    ];
    files.run(&marginals).failed(3, &["pictures are .svg"]);
    let read_only = files.path("below");
    fs::set_permissions(
        &read_only,
        std::os::unix::fs::PermissionsExt::from_mode(0o555),
    )
    .unwrap();
    if fs::write(read_only.join("probe"), "").is_err() {
        fails("@below/z.csv", 6, "cannot be written: Permission denied");
    } // else this is root, whom nothing keeps out
}

#[test]
fn links_and_devices_are_written_to_and_stay_what_they_are() {
    let files = Files::new();
    symlink("states.csv", files.path("out.csv")).unwrap();
    fs::write(files.path("states.csv"), "old").unwrap();
    let solve = [
        "solve",
        "k-subset",
        "@theta.csv",
        "-c",
        "@config.json",
        "-o",
    ];
    files.run(&[&solve[..], &["@out.csv"]].concat()).succeeded();
    assert!(files.path("out.csv").is_symlink());
    let states = fs::read_to_string(files.path("states.csv")).unwrap();
    assert_eq!(states, "x0,x1,x2\n0,1,0\n");
    files
        .run(&[&solve[..], &["/dev/null", "--format", "csv"]].concat())
        .succeeded();
    // A stream in and a stream out are two.
    let ran = imle_with(&["solve", "k-subset", "-", "-c", CONFIG, "-o", "-"], THETA);
    assert_eq!(ran.succeeded().stdout, states);
}
