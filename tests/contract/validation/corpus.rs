//! The corpus: one file of JSON for each request, as `corpus/README.md` describes it.

use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, Value as Field};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::{collections::BTreeSet, fs, path::Path, sync::LazyLock};

/// The contract as any client may load it, with its rules.
pub static CONTRACT: LazyLock<DescriptorPool> =
    LazyLock::new(|| DescriptorPool::decode(orders::FILE_DESCRIPTOR_SET).unwrap());

/// One request, and what is wrong with it.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// The full name of the request's message.
    pub message: String,
    /// The request.
    pub bytes: Vec<u8>,
    /// The paths that the case says something about.
    pub changed: Vec<String>,
    /// The paths that the server names; none for a good request.
    pub violations: BTreeSet<String>,
    /// The paths that protovalidate names.
    pub rules: BTreeSet<String>,
    /// Who alone sees it.
    pub only: Option<Only>,
}

/// Who alone can see that a request is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Only {
    /// The server, which needs to know nothing but the request: no rule can say it.
    Server,
    /// Who knows the policy, or the time.
    Policy,
    /// Who knows what is stored.
    Store,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    r#type: String,
    base: Map<String, Value>,
    cases: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    #[serde(default)]
    change: Map<String, Value>,
    #[serde(default)]
    violations: BTreeSet<String>,
    rules: Option<BTreeSet<String>>,
    only: Option<Only>,
    why: Option<String>,
}

impl Case {
    /// For messages of tests.
    pub fn title(&self) -> String {
        format!("{}, {}", self.message, self.name)
    }
}

/// All cases of all files.
pub fn load() -> Vec<Case> {
    let folder = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/contract/validation/corpus"
    ));
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .collect();
    files.sort();
    let mut cases = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let file: File =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        let File {
            r#type,
            base,
            cases: written,
        } = file;
        cases.extend(
            written
                .into_iter()
                .map(|written| read(&r#type, &base, written)),
        );
    }
    cases
}

fn read(message: &str, base: &Map<String, Value>, written: Written) -> Case {
    let Written {
        name,
        change,
        violations,
        rules,
        only,
        why,
    } = written;
    let title = format!("{message}, {name}");
    assert_eq!(
        only.is_some(),
        why.is_some(),
        "{title}: `only` needs a `why`"
    );
    assert!(
        only.is_none() || rules.as_ref().is_some_and(BTreeSet::is_empty),
        "{title}: `only` means no `rules`"
    );
    let mut request = Value::Object(base.clone());
    for (path, value) in &change {
        put(&mut request, path, expanded(value));
    }
    Case {
        bytes: encoded(&title, message, request),
        name,
        message: message.to_owned(),
        changed: change.into_iter().map(|(path, _)| path).collect(),
        rules: rules.unwrap_or_else(|| violations.clone()),
        violations,
        only,
    }
}

/// `{"repeat": ..., "times": n}` is that text or that value n times.
fn expanded(value: &Value) -> Value {
    let Value::Object(fields) = value else {
        return value.clone();
    };
    let Some(times) = fields.get("times").and_then(Value::as_u64) else {
        return value.clone();
    };
    let times = usize::try_from(times).unwrap();
    match &fields["repeat"] {
        Value::String(text) => text.repeat(times).into(),
        item => vec![item.clone(); times].into(),
    }
}

/// Puts a value where a path as `line_items[0].sku` points; null takes away what is there.
fn put(into: &mut Value, path: &str, value: Value) {
    let (head, rest) = path
        .split_once('.')
        .map_or((path, None), |(head, rest)| (head, Some(rest)));
    let (name, index) = match head.split_once('[') {
        Some((name, index)) => (
            name,
            Some(index.trim_end_matches(']').parse::<usize>().unwrap()),
        ),
        None => (head, None),
    };
    let fields = into.as_object_mut().unwrap();
    if rest.is_none() && index.is_none() && value.is_null() {
        fields.remove(name);
        return;
    }
    let mut slot = fields
        .entry(name)
        .or_insert_with(|| Value::Object(Map::new()));
    if let Some(index) = index {
        slot = &mut slot[index];
    }
    match rest {
        Some(rest) => put(slot, rest, value),
        None => *slot = value,
    }
}

fn encoded(title: &str, message: &str, mut request: Value) -> Vec<u8> {
    let descriptor = CONTRACT.get_message_by_name(message).unwrap();
    // JSON writes a time as a text, which cannot say what is wrong: those come as seconds and nanos.
    let raw_time = request
        .get("release_time")
        .filter(|time| time.is_object())
        .cloned();
    if raw_time.is_some() {
        put(&mut request, "release_time", Value::Null);
    }
    let mut request = DynamicMessage::deserialize(descriptor, request)
        .unwrap_or_else(|error| panic!("{title}: {error}"));
    if let Some(time) = raw_time {
        let seconds = time["seconds"].as_i64().unwrap();
        let nanos = i32::try_from(time["nanos"].as_i64().unwrap()).unwrap();
        let descriptor = CONTRACT
            .get_message_by_name("google.protobuf.Timestamp")
            .unwrap();
        let mut time = DynamicMessage::new(descriptor);
        time.set_field_by_name("seconds", Field::I64(seconds));
        time.set_field_by_name("nanos", Field::I32(nanos));
        request.set_field_by_name("release_time", Field::Message(time));
    }
    request.encode_to_vec()
}
