//! `.wf/schedule.json`, version 1.0: reading it strictly, writing it whole, keeping what wf0 does not know.
//!
//! The document is what other programs see. The store is the truth; how the two are kept together is the
//! business of `store::publish`.

use std::fmt;

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::id::{printable, quoted};
use super::json::{self, Object};
use super::{ScheduleStatus, Status, WorkId};
use crate::error::{Code, Error, Result};

/// The only version of the form.
pub const VERSION: &str = "1.0";

/// The whole document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(expecting = "an object")]
pub struct Document {
    /// Always [`VERSION`].
    #[serde(default = "version", deserialize_with = "known_version")]
    pub version: String,
    /// When the schedule was created.
    #[serde(default, with = "time")]
    pub created_at: Option<Timestamp>,
    /// The status of the whole.
    #[serde(default = "pending")]
    pub status: ScheduleStatus,
    /// Where the works came from, as given.
    #[serde(default)]
    pub sources: Vec<Map<String, Value>>,
    /// The works by identifier, in order of creation.
    #[serde(deserialize_with = "works")]
    pub works: IndexMap<WorkId, WorkRecord>,
    /// Who runs what; derived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<Map<String, Value>>,
    /// Counts; derived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Map<String, Value>>,
    /// Which published revision this is, or was made from.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "stamp")]
    pub wf0: Option<Stamp>,
    /// Top-level keys that wf0 does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// wf0's mark in a published document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// The revision of the store that was published.
    pub rev: u64,
}

/// One work as the document has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(expecting = "an object")]
pub struct WorkRecord {
    /// The same as the key; may be left out.
    #[serde(default)]
    pub work_id: Option<WorkId>,
    /// Where the work comes from; left out, it is a local work of that name.
    #[serde(default)]
    pub source: Option<Source>,
    /// Lower runs first; left out, it is worked out from the dependencies.
    #[serde(default)]
    pub priority: Option<i64>,
    /// What must be completed before.
    #[serde(default)]
    pub dependencies: Vec<WorkId>,
    /// How far it is.
    #[serde(default = "work_pending")]
    pub status: Status,
    /// The worktree, relative to the project root, while there is one.
    #[serde(default)]
    pub worktree_path: Option<String>,
    /// When the first phase began.
    #[serde(default, with = "time")]
    pub started_at: Option<Timestamp>,
    /// When it was completed.
    #[serde(default, with = "time")]
    pub completed_at: Option<Timestamp>,
    /// When it failed.
    #[serde(default, with = "time")]
    pub failed_at: Option<Timestamp>,
    /// Why it failed.
    #[serde(default)]
    pub error: Option<String>,
    /// Keys that wf0 does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl WorkRecord {
    /// A pending work with nothing but its source.
    pub fn new(source: Source) -> WorkRecord {
        WorkRecord {
            work_id: None,
            source: Some(source),
            priority: None,
            dependencies: Vec::new(),
            status: Status::Pending,
            worktree_path: None,
            started_at: None,
            completed_at: None,
            failed_at: None,
            error: None,
            extra: Map::new(),
        }
    }
}

/// Where a work comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(expecting = "an object")]
pub struct Source {
    /// The kind of tracker.
    #[serde(rename = "type")]
    pub kind: SourceType,
    /// The number or key there.
    #[serde(deserialize_with = "text_or_number")]
    pub id: String,
    /// Its title.
    #[serde(default)]
    pub title: Option<String>,
    /// Its address.
    #[serde(default)]
    pub url: Option<String>,
    /// Keys that wf0 does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Source {
    /// The key that says that no source names the work any more, or only as closed; `schedule create` sets it.
    pub const VANISHED: &str = "vanished";
    /// The key that says that the work is completed because its issue is closed; `schedule create` sets it.
    pub const CLOSED: &str = "closed";

    /// Whether it bears one of these marks.
    pub fn is_marked(&self, mark: &str) -> bool {
        self.extra.get(mark) == Some(&Value::Bool(true))
    }

    /// A work that no tracker knows.
    pub fn local(id: &WorkId, title: Option<String>) -> Source {
        Source { kind: SourceType::Local, id: id.to_string(), title, url: None, extra: Map::new() }
    }
}

super::state::words! {
    /// The trackers that works come from.
    SourceType {
        /// A GitHub issue.
        Github = "github",
        /// A Jira ticket.
        Jira = "jira",
        /// A work that no tracker knows.
        Local = "local",
    }
}

impl Document {
    /// Reads a document.
    ///
    /// `name` is what messages call it (the file's path, or `standard input`).
    ///
    /// # Errors
    /// [`Code::Form`] with line, column, the place in the document and what was expected there;
    /// also where a work's `work_id` is not its key, or one key stands twice.
    pub fn parse(name: &str, text: &[u8]) -> Result<Document> {
        Self::parse_hinting(
            name,
            text,
            "correct the file there, or replace it with `wf0 schedule create --force`",
        )
    }

    /// Reads a document that is not the project's own.
    ///
    /// # Errors
    /// As [`Document::parse`].
    pub fn parse_given(name: &str, text: &[u8]) -> Result<Document> {
        Self::parse_hinting(name, text, GIVEN)
    }

    /// Reads a document; `hint` is what errors say is to be done.
    ///
    /// # Errors
    /// As [`Document::parse`].
    pub fn parse_hinting(name: &str, text: &[u8], hint: &str) -> Result<Document> {
        parse_json::<Document>(name, text, hint)?.consistent(name)
    }

    /// Checks what is no text: errors name the path in it, and no line.
    ///
    /// # Errors
    /// As [`Document::parse`].
    pub fn check_value(name: &str, value: &Value) -> Result<()> {
        let document: Document = serde_path_to_error::deserialize(value)
            .map_err(|error| misformed(name, json::place(error.path()), error.inner(), GIVEN))?;
        document.consistent(name).map(drop)
    }

    fn consistent(self, name: &str) -> Result<Document> {
        for (id, work) in &self.works {
            if let Some(inner) = work.work_id.as_ref().filter(|inner| *inner != id) {
                return Err(Error::new(
                    Code::Form,
                    format!("{name} has work_id '{inner}' under the key '{id}'"),
                    "make both the same, or leave work_id out",
                ));
            }
        }
        Ok(self)
    }

    /// The text that is published: indented JSON with a final line end.
    pub fn to_text(&self) -> String {
        // Every key is text and every value comes from JSON, so there is nothing that cannot be written.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

/// What to do about a document that was given to a command.
pub const GIVEN: &str = "correct it there, then run the same command again";

/// Reads JSON into a type, with errors that say where and what; `hint` says what to do.
///
/// # Errors
/// [`Code::Form`], naming `name`, line, column and the path inside the document.
pub fn parse_json<T: for<'de> Deserialize<'de>>(name: &str, text: &[u8], hint: &str) -> Result<T> {
    let mut from = serde_json::Deserializer::from_slice(text);
    let value = serde_path_to_error::deserialize(&mut from)
        .map_err(|error| misformed(name, json::place(error.path()), error.inner(), hint))?;
    from.end().map_err(|error| misformed(name, None, &error, hint))?;
    Ok(value)
}

/// Where a document breaks the form. The parser counts lines from 1; a value that is no text has none.
fn misformed(name: &str, place: Option<String>, error: &serde_json::Error, hint: &str) -> Error {
    let line = match error.line() {
        0 => String::new(),
        line => format!(" line {line} column {}", error.column()),
    };
    let place = place.map(|place| format!(" at {}", printable(&place))).unwrap_or_default();
    Error::new(Code::Form, format!("{name}{line}{place}: {}", json::words(error)), hint)
}

fn version() -> String {
    VERSION.to_owned()
}

fn pending() -> ScheduleStatus {
    ScheduleStatus::Pending
}

fn work_pending() -> Status {
    Status::Pending
}

fn known_version<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<String, D::Error> {
    let found = String::deserialize(from)?;
    if found == VERSION {
        Ok(found)
    } else {
        Err(de::Error::custom(format!("version {}, expected \"{VERSION}\"", quoted(&found))))
    }
}

fn text_or_number<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected an id as text or as a whole number")]
    enum Either {
        Text(String),
        Number(i64),
    }
    Ok(match Either::deserialize(from)? {
        Either::Text(text) => text,
        Either::Number(number) => number.to_string(),
    })
}

fn stamp<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<Option<Stamp>, D::Error> {
    Ok(Option::<Object<Stamp>>::deserialize(from)?.map(|it| it.0))
}

fn works<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<IndexMap<WorkId, WorkRecord>, D::Error> {
    struct Works;
    impl<'de> Visitor<'de> for Works {
        type Value = IndexMap<WorkId, WorkRecord>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object with a work under each identifier")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
            let mut works = IndexMap::new();
            while let Some(id) = map.next_key::<WorkId>()? {
                let work = map.next_value::<WorkRecord>()?;
                if works.contains_key(&id) {
                    return Err(de::Error::custom(format!("work '{id}' stands there twice")));
                }
                works.insert(id, work);
            }
            Ok(works)
        }
    }
    from.deserialize_map(Works)
}

/// Times as RFC 3339 text in UTC, to the second when written.
pub(crate) mod time {
    use super::{Deserialize, Deserializer, Serializer, Timestamp, de};

    pub fn serialize<S: Serializer>(at: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => to.serialize_str(&super::rfc3339(*at)),
            None => to.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
        let Some(text) = Option::<String>::deserialize(from)? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| {
            de::Error::custom(format!(
                "{} is no date and time, expected one like 2026-01-26T10:00:00Z",
                super::quoted(&text)
            ))
        })
    }
}

/// A time as the contract writes it: `2026-01-26T10:00:00Z`.
pub fn rfc3339(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
