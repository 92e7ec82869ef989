//! Works from a file or a pipe: a document in schedule.json's form, or a list of records as JSON, NDJSON or CSV.
//!
//! A record is a work (`work_id`, `dependencies`, …) or an issue as `gh issue list --json` gives it; `row` tells them
//! apart. What front ends have as values already goes through [`from_values`].

mod csv;
mod row;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::records::{Item, Listed};
use crate::error::{Code, Error, Result};
use crate::schedule::document::{GIVEN, parse_json};
use crate::schedule::json::Object;
use crate::schedule::references::named;
use crate::schedule::{Document, Source, Status, WorkId, WorkRecord};

/// What a file or pipe gives.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// Works and issues.
    pub items: Vec<Item>,
    /// What the schedule says of its own sources.
    pub sources: Vec<Map<String, Value>>,
    /// When the schedule was created.
    pub created_at: Option<Timestamp>,
    /// Keys of the schedule that wf0 does not know.
    pub extra: Map<String, Value>,
    /// What people should know.
    pub notices: Vec<String>,
}

/// One record of a JSON list.
#[derive(Debug, Deserialize)]
struct Record {
    work_id: WorkId,
    #[serde(default, deserialize_with = "depends")]
    dependencies: Vec<String>,
    #[serde(default)]
    priority: Option<i64>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    source: Option<Source>,
    #[serde(default)]
    status: Option<Status>,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

/// What `text` is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Document,
    List,
    Lines,
    Csv,
}

/// Reads works; `name` is what messages call the text.
///
/// # Errors
/// [`Code::Form`] with line and column, or row and column; [`Code::WorkId`], [`Code::Duplicate`].
pub fn read(name: &str, text: &[u8]) -> Result<Table> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    match form(name, text) {
        Form::Document => Document::parse_given(name, text).map(of_document),
        Form::List => {
            // What is no JSON at all is said before anything about records: it may be cut off in the middle.
            let values: Vec<Value> = parse_json(name, text, GIVEN)?;
            if values.iter().any(row::is_issue) {
                return from_values(name, values);
            }
            let records: Vec<Object<Record>> = parse_json(name, text, GIVEN)?;
            let items = records.into_iter().map(|Object(record)| record.listed()).collect();
            Ok(listed(name, unique(name, items)?))
        }
        Form::Lines => from_values(name, lines(name, text)?),
        Form::Csv => from_values(name, csv::rows(name, text)?),
    }
}

fn form(name: &str, text: &[u8]) -> Form {
    let ends = |ends: &[&str]| ends.iter().any(|it| name.to_lowercase().ends_with(it));
    if ends(&[".ndjson", ".jsonl"]) {
        return Form::Lines;
    }
    match text.iter().find(|b| !b.is_ascii_whitespace()) {
        Some(b'[') => Form::List,
        Some(b'{') => {
            let mut values = serde_json::Deserializer::from_slice(text).into_iter::<Value>();
            match values.next() {
                // A schedule, or something that says what is missing in one.
                Some(Ok(Value::Object(first))) if first.contains_key("works") => Form::Document,
                Some(Ok(first)) if row::is_record(&first) => Form::Lines,
                _ => Form::Document,
            }
        }
        Some(_) if ends(&[".csv", ".tsv"]) || csv::has_header(text) || csv::looks_like_it(text) => Form::Csv,
        _ => Form::Document,
    }
}

fn lines(name: &str, text: &[u8]) -> Result<Vec<Value>> {
    let mut values = Vec::new();
    for (n, line) in text.split(|b| *b == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.trim_ascii().is_empty() {
            continue;
        }
        values.push(serde_json::from_slice(line).map_err(|error| {
            let what = crate::schedule::json::words(&error);
            Error::new(
                Code::Form,
                format!("{name} line {} column {}: {what}", n + 1, error.column()),
                "give each line one JSON record",
            )
        })?);
    }
    Ok(values)
}

fn of_document(document: Document) -> Table {
    let items = document
        .works
        .into_iter()
        .map(|(id, work)| Item::from(Listed { id, work, depends: Vec::new() }))
        .collect();
    Table {
        items,
        sources: document.sources,
        created_at: document.created_at,
        extra: document.extra,
        notices: Vec::new(),
    }
}

/// Works and issues that a front end has as values already; `name` is what messages call the table.
///
/// # Errors
/// [`Code::Form`] and [`Code::WorkId`], naming row and column; [`Code::Duplicate`].
pub fn from_values(name: &str, values: Vec<Value>) -> Result<Table> {
    let (items, notices) = row::items(name, values)?;
    Ok(Table { notices, ..listed(name, items) })
}

fn listed(name: &str, items: Vec<Item>) -> Table {
    let source = [("type", Value::from("local")), ("from", Value::from(name))];
    let source = source.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    Table { items, sources: vec![source], ..Table::default() }
}

/// Refuses a list that names a work twice.
fn unique(name: &str, records: Vec<Listed>) -> Result<Vec<Item>> {
    let mut seen = std::collections::HashSet::new();
    if let Some(twice) = records.iter().find(|record| !seen.insert(&record.id)) {
        return Err(Error::new(
            Code::Duplicate,
            format!("{name} has '{}' twice", twice.id),
            "give each work one record",
        ));
    }
    Ok(records.into_iter().map(Item::from).collect())
}

impl Record {
    fn listed(self) -> Listed {
        let source = self
            .source
            .unwrap_or_else(|| Source { url: self.url, ..Source::local(&self.work_id, self.title) });
        let mut work = WorkRecord::new(source);
        work.priority = self.priority;
        work.status = self.status.unwrap_or(Status::Pending);
        work.extra = without_own_keys(self.extra);
        Listed { id: self.work_id, work, depends: self.dependencies }
    }
}

/// Unknown keys without those that schedule.json has for itself.
fn without_own_keys(mut extra: Map<String, Value>) -> Map<String, Value> {
    for key in ["worktree_path", "started_at", "completed_at", "failed_at", "error"] {
        extra.shift_remove(key);
    }
    extra
}

/// Dependencies as a list, or as a text with spaces or commas between them.
fn depends<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum One {
        Text(String),
        Number(u64),
    }
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a list of work ids, or a text with them")]
    enum Either {
        List(Vec<One>),
        Text(String),
        None,
    }
    let texts: Vec<String> = match Either::deserialize(from)? {
        Either::List(list) => list
            .into_iter()
            .map(|one| match one {
                One::Text(text) => text,
                One::Number(number) => number.to_string(),
            })
            .collect(),
        Either::Text(text) => split(&text),
        Either::None => Vec::new(),
    };
    texts.into_iter().map(|text| reference(text).map_err(serde::de::Error::custom)).collect()
}

fn split(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| c == ',' || c == ';' || c.is_whitespace());
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Checks that a text can name a dependency.
fn reference(text: String) -> Result<String> {
    match named(&text) {
        Some(_) => Ok(text),
        None => WorkId::new(text).map(|id| id.to_string()),
    }
}
