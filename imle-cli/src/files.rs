//! Small text files that users write, and `-` for the standard streams.

use std::path::Path;

use serde_json::Value;

use crate::failure::Failure;

/// Whether a path stands for standard input or output.
pub(crate) fn is_stream(path: &Path) -> bool {
    // The second would lead to where the prints of plugins go.
    ["-", "/dev/stdout"]
        .iter()
        .any(|name| path.as_os_str() == *name)
}

/// Writes a file whole or not at all. A link to a file stays one, and what is no regular file, as a pipe, is written to as it is.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if path.metadata().is_ok_and(|there| !there.is_file()) {
        return std::fs::write(path, bytes);
    }
    let part = path.with_extension(format!("{}.part", std::process::id()));
    let written = std::fs::write(&part, bytes).and_then(|()| std::fs::rename(&part, path));
    written.inspect_err(|_| {
        let _ = std::fs::remove_file(&part);
    })
}

pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|why| Failure::file(path.display(), why))
}

/// JSON as it stands, or the name of a file with JSON or TOML.
pub(crate) fn json_or_file(text: &str) -> Result<Value, Failure> {
    let Some(path) = file_of(text) else {
        return parse_json(text).map_err(|why| why.within("the configuration"));
    };
    let content = read_text(path).map_err(|why| match path.exists() {
        true => why,
        false => Failure::new(
            why.exit,
            format!("the configuration `{text}` is neither JSON, such as '{{\"dim\": 3}}', nor a file that is there"),
        ),
    })?;
    let value = match path
        .extension()
        .is_some_and(|extension| extension == "toml")
    {
        true => toml::from_str(&content).map_err(|why| Failure::input(why.to_string().trim_end())),
        false => parse_json(&content),
    };
    value.map_err(|why| why.within(path.display()))
}

/// The file that is named, if it is not JSON as it stands.
pub(crate) fn file_of(text: &str) -> Option<&Path> {
    let is_json = text.trim_start().starts_with(['{', '[']);
    (!is_json).then(|| Path::new(text))
}

fn parse_json(text: &str) -> Result<Value, Failure> {
    serde_json::from_str(text).map_err(|why| Failure::input(format!("not JSON: {why}")))
}
