//! A record that is a value already: a work, or an issue as `gh issue list --json` gives it.
//!
//! Nushell's tables and CSV come this way, so a number may be written as text. Every refusal names row and column; the
//! first row is row 1.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{reference, split, unique, without_own_keys};
use crate::error::{Code, Error, Result};
use crate::schedule::id::{printable, quoted};
use crate::schedule::references::issue_of_address;
use crate::schedule::{Source, SourceType, Status, WorkId, WorkRecord};
use crate::sources::issue::{Issue, Link, priority_of_labels};
use crate::sources::records::{Item, Listed};

/// Works and issues of a table, and what people should know.
///
/// `name` is what messages call the table.
///
/// # Errors
/// [`Code::Form`] and [`Code::WorkId`], naming row and column; [`Code::Duplicate`].
pub(super) fn items(name: &str, values: Vec<Value>) -> Result<(Vec<Item>, Vec<String>)> {
    let (mut issues, mut works, mut order) = (Vec::new(), Vec::new(), Vec::new());
    let (mut notices, mut seen) = (Vec::new(), HashSet::new());
    for (n, value) in values.into_iter().enumerate() {
        let Value::Object(mut cells) = value else {
            let what = format!("{name} row {}: {}, expected a record", n + 1, said(&value));
            return Err(Error::new(Code::Form, what, "give a list of records with work_id, or of issues")
                .with_cell(n + 1, None));
        };
        let has_id = cells.contains_key("work_id");
        cells.retain(|_, cell| !cell.is_null());
        let issue = is_issue_record(&cells);
        let mut row = Row { name, number: n + 1, cells };
        if !issue {
            works.push(row.listed(has_id)?);
        } else if row.cells.contains_key("pull_request") {
            notices.push(format!("{name} row {}: left out, it is a pull request", n + 1));
            continue;
        } else {
            let issue = row.issue(&mut notices)?;
            if !seen.insert((issue.key.clone(), issue.repository.clone())) {
                let key = printable(&issue.key);
                notices.push(format!("{name} row {}: issue {key} was there before, and is one work", n + 1));
            }
            issues.push(issue);
        }
        order.push(issue);
    }
    let mut works = unique(name, works)?.into_iter();
    let mut issues = issues.into_iter().map(Item::from);
    let items = order.into_iter().filter_map(|issue| if issue { issues.next() } else { works.next() });
    Ok((items.collect(), notices))
}

/// Whether a value has the form of an issue.
pub fn is_issue(value: &Value) -> bool {
    value.as_object().is_some_and(is_issue_record)
}

/// Whether a value is a work or an issue.
pub fn is_record(value: &Value) -> bool {
    value.as_object().is_some_and(|cells| cells.contains_key("work_id") || is_issue_record(cells))
}

fn is_issue_record(cells: &Map<String, Value>) -> bool {
    let has = |key: &str| cells.get(key).is_some_and(|cell| !cell.is_null());
    !has("work_id") && (has("number") || (has("key") && (has("title") || has("summary"))))
}

struct Row<'a> {
    name: &'a str,
    number: usize,
    cells: Map<String, Value>,
}

impl Row<'_> {
    fn refuse(&self, column: &str, what: &str) -> Error {
        let column = printable(column);
        Error::new(
            Code::Form,
            format!("{} row {}, column `{column}`: {what}", self.name, self.number),
            "correct it there, then run the same command again",
        )
        .with_cell(self.number, Some(&column))
    }

    fn expected(&self, column: &str, what: &str, found: &Value) -> Error {
        self.refuse(column, &format!("expected {what}, found {}", said(found)))
    }

    fn in_column(&self, column: &str, error: &Error) -> Error {
        let what = format!("{} row {}, column `{column}`: {}", self.name, self.number, error.what());
        Error::new(error.code(), what, error.hint()).with_cell(self.number, Some(column))
    }

    fn text(&mut self, column: &str) -> Result<Option<String>> {
        match self.cells.shift_remove(column) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            // What a spreadsheet, or a shell that reads one, takes for a number or a truth.
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(Value::Bool(truth)) => Ok(Some(truth.to_string())),
            Some(other) => Err(self.expected(column, "a text", &other)),
        }
    }

    /// A number, or a text with one.
    fn integer(&mut self, column: &str) -> Result<Option<i64>> {
        let Some(found) = self.cells.shift_remove(column) else { return Ok(None) };
        let number = match &found {
            Value::String(text) => text.trim().parse().ok(),
            other => other.as_i64(),
        };
        number.map(Some).ok_or_else(|| self.expected(column, "a whole number", &found))
    }

    fn listed(&mut self, has_id: bool) -> Result<Listed> {
        let id = match self.text("work_id")? {
            Some(text) => WorkId::new(text).map_err(|error| self.in_column("work_id", &error))?,
            None if has_id => return Err(self.refuse("work_id", "it is empty")),
            None => {
                let what = format!("{} row {} has no column `work_id`", self.name, self.number);
                let hint = "give a list of records with work_id, or of issues";
                return Err(Error::new(Code::Form, what, hint).with_cell(self.number, None));
            }
        };
        let depends = self.depends("dependencies")?;
        let (title, url) = (self.text("title")?, self.text("url")?);
        let source = match self.cells.shift_remove("source") {
            Some(found @ Value::Object(_)) => {
                serde_json::from_value(found).map_err(|error| self.refuse("source", &error.to_string()))?
            }
            Some(Value::String(_)) | None => Source { url, ..Source::local(&id, title) },
            Some(other) => return Err(self.expected("source", "a record", &other)),
        };
        let mut work = WorkRecord::new(source);
        work.priority = self.integer("priority")?;
        if let Some(word) = self.text("status")? {
            work.status = Status::from_word(&word).ok_or_else(|| {
                let words: Vec<&str> = Status::ALL.iter().map(|it| it.as_str()).collect();
                self.expected("status", &format!("one of {}", words.join(", ")), &Value::from(word.as_str()))
            })?;
        }
        work.extra = without_own_keys(std::mem::take(&mut self.cells));
        Ok(Listed { id, work, depends })
    }

    fn depends(&mut self, column: &str) -> Result<Vec<String>> {
        let texts = match self.cells.shift_remove(column) {
            None => return Ok(Vec::new()),
            Some(Value::String(text)) => split(&text),
            Some(Value::Array(list)) => list
                .into_iter()
                .map(|one| match one {
                    Value::String(text) => Ok(text),
                    Value::Number(number) if number.is_u64() => Ok(number.to_string()),
                    other => Err(self.expected(column, "a list of work ids", &other)),
                })
                .collect::<Result<_>>()?,
            Some(other) => return Err(self.expected(column, "a list of work ids", &other)),
        };
        texts
            .into_iter()
            .map(|text| reference(text).map_err(|error| self.in_column(column, &error)))
            .collect()
    }

    fn issue(&mut self, notices: &mut Vec<String>) -> Result<Issue> {
        let url = self.text("url")?.or(self.text("html_url")?);
        let by_url = url.as_deref().and_then(issue_of_address).map(|(repository, _)| repository);
        let repository = match self.cells.shift_remove("repository") {
            Some(Value::String(text)) => Some(text),
            Some(Value::Object(it)) => it.get("nameWithOwner").and_then(Value::as_str).map(str::to_owned),
            _ => None,
        };
        let (tracker, key) = match self.cells.contains_key("number") {
            true => match self.integer("number")? {
                Some(number) if number > 0 => (SourceType::Github, number.to_string()),
                _ => return Err(self.refuse("number", "expected the number of an issue")),
            },
            false => (SourceType::Jira, self.text("key")?.unwrap_or_default()),
        };
        let home = repository.or(by_url);
        let labels = self.labels()?;
        let closed = match self.text("state")?.or(self.text("status")?) {
            Some(word) => matches!(word.to_lowercase().as_str(), "closed" | "done" | "resolved"),
            None => false,
        };
        let mut links = |row: &mut Self, columns: [&str; 2]| -> Result<Vec<Link>> {
            let mut all = Vec::new();
            for column in columns {
                all.extend(row.links(column, home.as_deref(), notices)?);
            }
            Ok(all)
        };
        let blocked_by = links(self, ["blockedBy", "blocked_by"])?;
        let blocks = links(self, ["blocking", "blocks"])?;
        let title = self.text("title")?.or(self.text("summary")?).unwrap_or_default();
        let body = self.text("body")?.or(self.text("description")?).unwrap_or_default();
        let priority = match self.cells.get("priority") {
            Some(Value::String(_)) => {
                priority_of_labels(&self.text("priority")?.into_iter().collect::<Vec<_>>())
            }
            _ => self.integer("priority")?,
        };
        Ok(Issue {
            tracker,
            key,
            repository: home,
            title: title.replace(['\r', '\n'], " "),
            body,
            priority: priority.or_else(|| priority_of_labels(&labels)),
            labels,
            closed,
            url,
            blocked_by,
            blocks,
        })
    }

    /// `[{"name": "bug"}]`, `["bug"]` or `"bug, help wanted"`.
    fn labels(&mut self) -> Result<Vec<String>> {
        match self.cells.shift_remove("labels") {
            None => Ok(Vec::new()),
            Some(Value::String(text)) => {
                let parts = text.split([',', ';']).map(str::trim).filter(|part| !part.is_empty());
                Ok(parts.map(str::to_owned).collect())
            }
            Some(Value::Array(list)) => list
                .into_iter()
                .map(|one| {
                    let name = one.get("name").and_then(Value::as_str).or(one.as_str()).map(str::to_owned);
                    name.ok_or_else(|| self.expected("labels", "a list of labels", &one))
                })
                .collect(),
            Some(other) => Err(self.expected("labels", "a list of labels", &other)),
        }
    }

    /// `{"nodes": […], "totalCount": n}` or a bare list, of records or of numbers.
    fn links(&mut self, column: &str, home: Option<&str>, notices: &mut Vec<String>) -> Result<Vec<Link>> {
        let Some(found) = self.cells.shift_remove(column) else { return Ok(Vec::new()) };
        let (list, total) = match found {
            Value::Array(list) => (list, None),
            Value::Object(mut page) => match page.remove("nodes") {
                Some(Value::Array(list)) => (list, page.get("totalCount").and_then(Value::as_u64)),
                None | Some(Value::Null) => (Vec::new(), page.get("totalCount").and_then(Value::as_u64)),
                Some(other) => return Err(self.expected(column, "a list of issues", &other)),
            },
            Value::String(text) => (split(&text).into_iter().map(Value::from).collect(), None),
            other => return Err(self.expected(column, "a list of issues", &other)),
        };
        if total.is_some_and(|total| total > list.len() as u64) {
            notices.push(format!(
                "{} row {}: only {} of {} issues in `{column}` are there; github= reads them all",
                self.name,
                self.number,
                list.len(),
                total.unwrap_or_default()
            ));
        }
        list.into_iter().map(|one| self.link(column, home, &one)).collect()
    }

    fn link(&self, column: &str, home: Option<&str>, one: &Value) -> Result<Link> {
        let number = |value: &Value| match value {
            Value::String(text) => Some(text.trim_start_matches('#').to_owned()),
            other => other.as_u64().map(|number| number.to_string()),
        };
        let key = one.get("number").or(one.get("key")).and_then(number).or_else(|| number(one));
        let usable = |key: &String| {
            !key.is_empty()
                && key.len() <= 40
                && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        };
        let key = key.filter(usable).ok_or_else(|| self.expected(column, "a list of issues", one))?;
        let text = |at: Option<&Value>| at.and_then(Value::as_str).map(str::to_owned);
        let repository =
            text(one.pointer("/repository/nameWithOwner")).or_else(|| text(one.get("repository")));
        let url = text(one.get("url"));
        let repository = repository.or_else(|| url.as_deref().and_then(issue_of_address).map(|it| it.0));
        Ok(Link {
            key,
            repository: repository.filter(|it| !home.is_some_and(|home| home.eq_ignore_ascii_case(it))),
            closed: text(one.get("state")).map(|state| state.eq_ignore_ascii_case("closed")),
        })
    }
}

/// A value as messages call it.
fn said(value: &Value) -> String {
    match value {
        Value::Null => "nothing".into(),
        Value::Bool(it) => it.to_string(),
        Value::Number(it) => format!("the number {it}"),
        Value::String(text) => format!("the text {}", quoted(text)),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "a record".into(),
    }
}
