//! `imle new`: a plugin project that builds and passes its check.

use std::path::{Path, PathBuf};

use clap::Args;
use imle_api::abi;
use serde_json::json;

use crate::arguments::Common;
use crate::failure::{Exit, Failure};
use crate::output::{print_json, print_line};

/// A file of a project: its name, and its text with {{placeholders}}.
type Template = (&'static str, &'static str);

const RUST: &[Template] = &[
    (
        "Cargo.toml",
        include_str!("../../templates/rust/Cargo.toml.in"),
    ),
    ("src/lib.rs", include_str!("../../templates/rust/lib.rs.in")),
    (
        "README.md",
        include_str!("../../templates/rust/README.md.in"),
    ),
    (".gitignore", "/target\n"),
];
const C: &[Template] = &[
    ("{{snake}}.c", include_str!("../../templates/c/plugin.c.in")),
    ("Makefile", include_str!("../../templates/c/Makefile.in")),
    ("README.md", include_str!("../../templates/c/README.md.in")),
    ("imle_plugin.h", abi::HEADER),
    (".gitignore", "*.so\n*.dylib\n*.dll\n"),
];

/// Start a plugin project that builds and passes its check, in Rust or in C
///
/// It is a folder with a solver of one-hot vectors to start from: it has a configuration with a schema and an example,
/// a tie rule and a check. A Rust project depends on the crate imle-api: on the sources that --imle-api names, or those
/// that this program was built from if they are still there, or else on the published crate.
#[derive(Args, Debug)]
pub(crate) struct New {
    /// The name of the solver and, without --dir, of the folder: lower-case words with hyphens
    name: String,
    /// Write it in C
    #[arg(long)]
    c: bool,
    /// The folder to make
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The folder of the crate imle-api
    #[arg(long, value_name = "DIR", env = "IMLE_API", conflicts_with = "c")]
    imle_api: Option<PathBuf>,
}

impl New {
    pub(crate) fn run(&self, common: &Common) -> Result<(), Failure> {
        check_name(&self.name)?;
        let folder = self.dir.clone().unwrap_or_else(|| self.name.clone().into());
        if folder.exists() {
            let message = "it exists; give another name, or a folder that is not there with --dir";
            return Err(Failure::file(folder.display(), message));
        }
        let templates = if self.c { C } else { RUST };
        let dependency = self.dependency()?;
        let written: Vec<PathBuf> = templates
            .iter()
            .map(|(name, text)| {
                let path = folder.join(self.fill(name, &dependency));
                write(&path, &self.fill(text, &dependency)).map(|()| path)
            })
            .collect::<Result<_, _>>()?;
        if common.json {
            return print_json(
                &json!({"folder": folder, "files": written, "next": self.next(&folder)}),
            );
        }
        written
            .iter()
            .try_for_each(|path| print_line(path.display()))?;
        print_line("\nNext:")?;
        self.next(&folder)
            .iter()
            .try_for_each(|step| print_line(format_args!("  {step}")))
    }

    fn next(&self, folder: &Path) -> Vec<String> {
        let library = self.fill("{{prefix}}imle_{{snake}}{{suffix}}", "");
        let (build, library) = match self.c {
            true => ("make", library),
            false => ("cargo build", format!("target/debug/{library}")),
        };
        vec![
            format!("cd {}", folder.display()),
            build.to_owned(),
            format!("imle check {library}"),
            format!(
                "echo 0.5,2,1 | imle solve {} --library {library} --config '{{\"dim\": 3}}'",
                self.name
            ),
        ]
    }

    fn fill(&self, text: &str, dependency: &str) -> String {
        use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
        text.replace("{{name}}", &self.name)
            .replace("{{snake}}", &self.name.replace('-', "_"))
            .replace("{{camel}}", &camel(&self.name))
            .replace("{{imle_api}}", dependency)
            .replace("{{prefix}}", DLL_PREFIX)
            .replace("{{suffix}}", DLL_SUFFIX)
    }

    /// What Cargo.toml says about imle-api.
    fn dependency(&self) -> Result<String, Failure> {
        let built_from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../imle-api");
        let sources = self
            .imle_api
            .clone()
            .or_else(|| built_from.is_dir().then_some(built_from));
        let Some(sources) = sources else {
            return Ok(format!("{:?}", env!("CARGO_PKG_VERSION")));
        };
        let absolute = sources.canonicalize();
        let absolute = absolute.map_err(|why| Failure::file(sources.display(), why))?;
        if !absolute.join("Cargo.toml").is_file() {
            let message = "not the folder of the crate imle-api: there is no Cargo.toml";
            return Err(Failure::file(absolute.display(), message));
        }
        // A quoted string of Rust is one of TOML, too, for every path that is text.
        Ok(format!("{{ path = {:?} }}", absolute.display().to_string()))
    }
}

/// A name that is good for a solver, a crate and a file.
fn check_name(name: &str) -> Result<(), Failure> {
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    if name.starts_with(|first: char| first.is_ascii_lowercase()) && name.split('-').all(is_word) {
        return Ok(());
    }
    let message = format!("`{name}` is not lower-case words with hyphens, such as `my-solver`");
    Err(Failure::new(Exit::Usage, message))
}

fn camel(name: &str) -> String {
    let capital = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    name.split('-').map(capital).collect()
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or_else(|| "".as_ref());
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(path, text))
        .map_err(|why| Failure::file(path.display(), why))
}
