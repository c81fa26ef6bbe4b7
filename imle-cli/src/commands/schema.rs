//! A JSON Schema as a list of keys.

use serde_json::Value;

/// Keys within keys are followed to this depth.
const DEEPEST: usize = 4;

/// A key of a configuration.
pub(super) struct Key {
    /// From the top, with dots between; `[]` stands for each entry of a list.
    pub(super) path: String,
    pub(super) kind: String,
    pub(super) required: bool,
    pub(super) default: Option<Value>,
    pub(super) meaning: String,
}

/// The keys that a schema describes, with those of the objects within it.
pub(super) fn keys(schema: &Value) -> Vec<Key> {
    let mut found = Vec::new();
    Walk { root: schema }.object(schema, "", 0, &mut found);
    found
}

struct Walk<'a> {
    root: &'a Value,
}

impl<'a> Walk<'a> {
    fn object(&self, schema: &'a Value, prefix: &str, depth: usize, found: &mut Vec<Key>) {
        let schema = self.resolve(schema);
        let required = list(schema, "required");
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let path = format!("{prefix}{name}");
            let resolved = self.resolve(property);
            let text = |schema: &Value| schema["description"].as_str().map(one_line);
            found.push(Key {
                kind: self.kind(property, 0),
                required: required.contains(&name.as_str()),
                default: property.get("default").cloned(),
                meaning: text(property)
                    .or_else(|| text(resolved))
                    .unwrap_or_default(),
                path: path.clone(),
            });
            if depth < DEEPEST {
                self.within(property, &path, depth + 1, found);
            }
        }
        for alternative in alternatives(schema) {
            self.object(alternative, prefix, depth + 1, found);
        }
        found.dedup_by(|a, b| a.path == b.path);
    }

    /// The keys of an object, of the entries of a list, and of each alternative.
    fn within(&self, schema: &'a Value, path: &str, depth: usize, found: &mut Vec<Key>) {
        let schema = self.resolve(schema);
        if schema.get("properties").is_some() {
            self.object(schema, &format!("{path}."), depth, found);
        } else if let Some(items) = schema.get("items").filter(|_| depth < DEEPEST) {
            self.within(items, &format!("{path}[]"), depth + 1, found);
        } else if depth < DEEPEST {
            for alternative in alternatives(schema) {
                self.within(alternative, path, depth + 1, found);
            }
        }
    }

    /// Follows references, also where one stands in an `allOf` by itself.
    fn resolve(&self, schema: &'a Value) -> &'a Value {
        let mut schema = schema;
        for _ in 0..8 {
            let reference = schema
                .get("$ref")
                .or_else(|| schema.pointer("/allOf/0/$ref"));
            let pointer = reference
                .and_then(Value::as_str)
                .and_then(|to| to.strip_prefix('#'));
            match pointer.and_then(|pointer| self.root.pointer(pointer)) {
                Some(target) => schema = target,
                None => break,
            }
        }
        schema
    }

    fn kind(&self, schema: &'a Value, depth: usize) -> String {
        let schema = self.resolve(schema);
        if let Some(value) = schema.get("const") {
            return value.to_string();
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            return joined(values.iter().map(Value::to_string));
        }
        let alternatives = alternatives(schema);
        if !alternatives.is_empty() {
            return match depth < DEEPEST {
                true => joined(alternatives.into_iter().map(|of| self.kind(of, depth + 1))),
                false => "value".to_owned(),
            };
        }
        let names: Vec<&str> = match &schema["type"] {
            Value::String(name) => vec![name],
            Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
            _ => vec!["value"],
        };
        let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
        let named = names.into_iter().map(|name| match name {
            "array" if depth < DEEPEST && schema.get("items").is_some() => {
                format!("list of {}", self.kind(&schema["items"], depth + 1))
            }
            "integer" => match bound("minimum") {
                Some(least) => format!("integer from {least}"),
                None => "integer".to_owned(),
            },
            name => name.to_owned(),
        });
        joined(named)
    }
}

fn alternatives(schema: &Value) -> Vec<&Value> {
    ["oneOf", "anyOf"]
        .iter()
        .filter_map(|key| schema.get(key)?.as_array())
        .flatten()
        .collect()
}

fn list<'a>(schema: &'a Value, key: &str) -> Vec<&'a str> {
    let entries = schema.get(key).and_then(Value::as_array);
    entries
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

fn joined(kinds: impl Iterator<Item = String>) -> String {
    let mut kinds: Vec<String> = kinds.collect();
    kinds.dedup();
    kinds.join(" | ")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
