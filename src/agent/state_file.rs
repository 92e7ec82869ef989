//! `.wf/state.json`: the agent's record of its works, read tolerantly. It is never written here.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::error::{Code, Error, Result};
use crate::rules::phases::Guide;
use crate::schedule::WorkId;

/// How long a record that another agent is writing this moment may stay broken.
const STILL: Duration = Duration::from_secs(1);

/// What the record says of a work; `None` where there is no record, or no entry for it.
///
/// # Errors
/// [`Code::File`] where it can't be read, or is no JSON for a second.
pub fn read(path: &Path, id: &WorkId) -> Result<Option<Guide>> {
    let begin = Instant::now();
    loop {
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::file("read", path, &error)),
        };
        match serde_json::from_slice::<Value>(&text) {
            Ok(record) => return Ok(entry(&record, id)),
            Err(error) if begin.elapsed() >= STILL => {
                return Err(Error::new(
                    Code::File,
                    format!("{} is not JSON: {error}", path.display()),
                    "let the agent write it again, or remove it",
                ));
            }
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

fn entry(record: &Value, id: &WorkId) -> Option<Guide> {
    let entry = record.get("works")?.get(id.as_str())?;
    if !entry.is_object() {
        return None;
    }
    let plan = entry.get("plan");
    let number = |key: &str| plan.and_then(|plan| plan.get(key)).and_then(Value::as_i64);
    Some(Guide {
        next: entry.get("next").and_then(Value::as_str).filter(|next| !next.is_empty()).map(str::to_owned),
        current_step: number("current_step"),
        total_steps: number("total_steps").and_then(|steps| u32::try_from(steps).ok()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_or_of_another_kind_is_no_entry() {
        let id = WorkId::new("FEAT-1-a").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        assert_eq!(read(&path, &id).unwrap(), None);
        for text in ["{}", "[]", r#"{"works": {"FEAT-1-a": 7}}"#, r#"{"works": {"OTHER": {"next": "x"}}}"#] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(read(&path, &id).unwrap(), None, "{text}");
        }
        std::fs::write(
            &path,
            r#"{"works": {"FEAT-1-a": {"next": "wf2-spec", "plan": {"current_step": 1, "total_steps": 4}}}}"#,
        )
        .unwrap();
        let guide = read(&path, &id).unwrap().unwrap();
        assert_eq!(guide.next.as_deref(), Some("wf2-spec"));
        assert_eq!((guide.current_step, guide.total_steps), (Some(1), Some(4)));
        std::fs::write(&path, "{\"works\":").unwrap();
        assert!(read(&path, &id).is_err());
    }
}
