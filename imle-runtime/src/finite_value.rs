//! A solver's configuration in any format.

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Reads any value whose numbers are finite. A [`Value`] reads an infinity, which TOML has and JSON has not, as null,
/// and that is what a solver takes for a bound that was left out.
pub(crate) fn finite_value<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    FiniteValue.deserialize(deserializer)
}

struct FiniteValue;

impl<'de> DeserializeSeed<'de> for FiniteValue {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for FiniteValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value);
        number.map(Value::Number).ok_or_else(|| {
            E::custom(format_args!(
                "the configuration of a solver has finite numbers, not {value}; a solver that takes it takes it in \
                 quotes, as \"{value}\""
            ))
        })
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = entries.next_element_seed(Self)? {
            values.push(value);
        }
        Ok(values.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        while let Some(key) = entries.next_key()? {
            values.insert(key, entries.next_value_seed(Self)?);
        }
        Ok(values.into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::LayerConfig;

    /// Found by fuzzing: `lower = -inf` was read as no bound at all, which is a bound of 0.
    #[test]
    fn an_infinity_in_a_file_is_refused_and_not_left_out() {
        let file = |lower: &str| {
            let text = format!(
                "[oracle]\nsolver = \"s\"\nconfig = {{ list = [1, {{ lower = {lower} }}] }}"
            );
            LayerConfig::from_toml(&text)
        };
        for number in ["inf", "-inf", "nan"] {
            let why = file(number).expect_err("it is not finite").to_string();
            assert!(why.contains("line 3"), "{why}");
            assert!(
                why.to_lowercase().contains(&format!("not {number};")),
                "{why}"
            );
        }
        for (text, value) in [
            ("\"-inf\"", json!("-inf")),
            ("-2.5", json!(-2.5)),
            ("true", json!(true)),
        ] {
            let config = file(text).expect("it is finite").oracle.config;
            assert_eq!(config, json!({"list": [1, {"lower": value}]}));
        }
    }
}
