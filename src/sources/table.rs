//! Works from JSON: a document in schedule.json's form, or a list of records.

use indexmap::IndexMap;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::error::{Code, Error, Result};
use crate::schedule::document::{GIVEN, parse_json};
use crate::schedule::json::Object;
use crate::schedule::{Document, ScheduleStatus, Source, SourceType, WorkId, WorkRecord};

/// One record of a list.
#[derive(Debug, Deserialize)]
struct Record {
    work_id: WorkId,
    #[serde(default, deserialize_with = "ids")]
    dependencies: Vec<WorkId>,
    #[serde(default)]
    priority: Option<i64>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    source: Option<Source>,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

/// Reads works from JSON; `name` is what messages call it.
///
/// # Errors
/// [`Code::Form`] with line and column, [`Code::WorkId`], [`Code::Duplicate`].
pub fn read(name: &str, text: &[u8]) -> Result<Document> {
    let is_list = text.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'[');
    if !is_list {
        return Document::parse_given(name, text);
    }
    let records: Vec<Object<Record>> = parse_json(name, text, GIVEN)?;
    let mut works: IndexMap<WorkId, WorkRecord> = IndexMap::with_capacity(records.len());
    for Object(record) in records {
        let id = record.work_id;
        let source = record.source.unwrap_or_else(|| Source {
            kind: SourceType::Local,
            id: id.to_string(),
            title: record.title,
            url: record.url,
            extra: Map::new(),
        });
        let mut work = WorkRecord::new(source);
        work.priority = record.priority;
        work.dependencies = record.dependencies;
        work.extra = record.extra;
        if works.insert(id.clone(), work).is_some() {
            return Err(Error::new(
                Code::Duplicate,
                format!("{name} has '{id}' twice"),
                "give each work one record",
            ));
        }
    }
    let source = [("type", Value::from("local")), ("from", Value::from(name))];
    Ok(Document {
        version: crate::schedule::document::VERSION.into(),
        created_at: None,
        status: ScheduleStatus::Pending,
        sources: vec![source.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()],
        works,
        execution: None,
        progress: None,
        wf0: None,
        extra: Map::new(),
    })
}

/// Dependencies as a list, or as a text with spaces or commas between them.
fn ids<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<Vec<WorkId>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a list of work ids, or a text with them")]
    enum Either {
        List(Vec<String>),
        Text(String),
        None,
    }
    let texts = match Either::deserialize(from)? {
        Either::List(list) => list,
        Either::Text(text) => text
            .split(|c: char| c == ',' || c.is_whitespace())
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect(),
        Either::None => Vec::new(),
    };
    texts.into_iter().map(|text| WorkId::new(text).map_err(serde::de::Error::custom)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_records_and_a_schedule_give_the_same_works() {
        let list = br#"[{"work_id": "A-1", "title": "First"}, {"work_id": "B-1", "dependencies": ["A-1"], "priority": 4}]"#;
        let text = br#"[{"work_id": "A-1"}, {"work_id": "B-1", "dependencies": "A-1, C-1 D-1"}]"#;
        let document = read("x", list).unwrap();
        assert_eq!(document.works.len(), 2);
        assert_eq!(document.works["B-1"].priority, Some(4));
        assert_eq!(read("x", text).unwrap().works["B-1"].dependencies.len(), 3);
        for bad in [
            &b"[{\"work_id\": \"../x\"}]"[..],
            b"[{\"title\": \"no id\"}]",
            b"[{\"work_id\": \"A\"}, {\"work_id\": \"A\"}]",
            b"[{\"work_id\": \"A\", \"dependencies\": 7}]",
            b"[{\"work_id\": \"A\", \"priority\": \"high\"}]",
            b"[",
            b"",
            b"7",
        ] {
            let error = read("works.json", bad).unwrap_err();
            assert!(error.what().contains("works.json"), "{error}");
        }
    }
}
