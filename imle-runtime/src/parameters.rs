//! Types without parameters in a configuration: `{ type = "gumbel" }` and nothing else.

use serde::{Deserialize, Serialize};

/// What a type without parameters reads and writes: a map that refuses every key by its name.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoParameters {}

/// Serialises a unit struct as [`NoParameters`]; serde's own form for unit structs has no good message
/// for a key too many.
macro_rules! without_parameters {
    ($type:ident) => {
        impl From<NoParameters> for $type {
            fn from(_: NoParameters) -> Self {
                Self
            }
        }

        impl From<$type> for NoParameters {
            fn from(_: $type) -> Self {
                Self {}
            }
        }
    };
}

pub(crate) use without_parameters;
