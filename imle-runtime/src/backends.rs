//! Named oracles of one problem, which wrappers choose from.

use std::sync::Arc;

use imle_api::{Error, ErrorKind, Oracle};

/// One of several oracles of the same problem.
#[derive(Clone)]
pub(crate) struct Backend {
    pub(crate) name: String,
    pub(crate) oracle: Arc<dyn Oracle>,
}

/// Lists the back ends of `wrapper`, which is named in errors.
///
/// # Errors
///
/// [`ErrorKind::InvalidConfig`] if there is none, if two have the same name, or if the dimensions differ.
pub(crate) fn listed<N: Into<String>>(
    wrapper: &str,
    backends: impl IntoIterator<Item = (N, Arc<dyn Oracle>)>,
) -> Result<Vec<Backend>, Error> {
    let backend = |(name, oracle): (N, Arc<dyn Oracle>)| Backend {
        name: name.into(),
        oracle,
    };
    let backends: Vec<Backend> = backends.into_iter().map(backend).collect();
    let invalid = |message| Err(Error::new(ErrorKind::InvalidConfig, message));
    let Some(first) = backends.first() else {
        return invalid(format!("a {wrapper} needs a back end"));
    };
    let (name, dim) = (&first.name, first.oracle.facts().dim);
    for (at, other) in backends.iter().enumerate() {
        let (other, theirs) = (&other.name, other.oracle.facts().dim);
        if theirs != dim {
            return invalid(format!(
                "`{name}` has dim = {dim} and `{other}` has {theirs}"
            ));
        }
        if backends[..at].iter().any(|before| before.name == *other) {
            return invalid(format!("two back ends of a {wrapper} are named `{other}`"));
        }
    }
    Ok(backends)
}
