//! Reading the configuration of a solver: typed, strict, and with the place of every mistake.

use serde::de::DeserializeOwned;

use crate::{Error, ErrorKind};

/// Reads a configuration from JSON text and refuses unknown keys, whatever `T` itself does about them.
///
/// ```
/// #[derive(serde::Deserialize, Debug)]
/// struct Config {
///     k: usize,
/// }
/// let error = imle_api::read_config::<Config>(r#"{"k": 2, "kk": 3}"#).unwrap_err();
/// assert_eq!(error.message(), "unknown key `kk`");
/// let error = imle_api::read_config::<Config>(r#"{"k": -2}"#).unwrap_err();
/// assert_eq!(error.message(), "at `k`: invalid value: integer `-2`, expected usize");
/// ```
///
/// # Errors
///
/// [`ErrorKind::InvalidConfig`] with the path of the key and what is wrong with it.
pub fn read_config<T: DeserializeOwned>(json: &str) -> Result<T, Error> {
    let invalid = |message: String| Error::new(ErrorKind::InvalidConfig, message);
    let mut unknown = None;
    let mut track = serde_path_to_error::Track::new();
    let mut text = serde_json::Deserializer::from_str(json);
    let tracked = serde_path_to_error::Deserializer::new(&mut text, &mut track);
    let config = serde_ignored::deserialize(tracked, |path| {
        unknown.get_or_insert_with(|| path.to_string());
    });
    let config = config.map_err(|why: serde_json::Error| {
        // A text that is not JSON has no key to name.
        match track.path().to_string().as_str() {
            "." | "?" => invalid(sentence(&why)),
            path => invalid(format!("at `{path}`: {}", sentence(&why))),
        }
    })?;
    text.end().map_err(|why| invalid(why.to_string()))?;
    match unknown {
        None => Ok(config),
        Some(key) => Err(invalid(format!("unknown key `{key}`"))),
    }
}

/// What is wrong, with a line and a column only where the text is not JSON: what is wrong in JSON has a key, and the text
/// may be one that a host wrote, which nobody has seen.
fn sentence(why: &serde_json::Error) -> String {
    let sentence = why.to_string();
    let place = format!(" at line {} column {}", why.line(), why.column());
    match sentence.strip_suffix(&place) {
        Some(without) if why.is_data() => without.to_owned(),
        _ => sentence,
    }
}
