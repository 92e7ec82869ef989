//! What comes through the pipe: works that are named, and tables that become a schedule.

use std::collections::BTreeSet;

use nu_protocol::{LabeledError, PipelineData, Signature, Span, Spanned, Type, Value};
use serde_json::{Map, Number};

use super::failure::labeled;
use crate::error::{Code, Error};
use crate::schedule::WorkId;

/// Adds the inputs that name works: nothing, a text, a list of them, a table with the column `work_id`.
pub fn naming_works(signature: Signature, output: &Type) -> Signature {
    let inputs =
        [Type::Nothing, Type::String, Type::List(Box::new(Type::String)), Type::table(), Type::record()];
    // What `where` and `get` leave of an empty table has no columns, and no type either.
    let inputs = inputs.into_iter().chain([Type::List(Box::new(Type::Any))]);
    signature.input_output_types(inputs.map(|input| (input, output.clone())).collect())
}

/// Works that a command is to act upon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// Nobody named any: the command means all of them.
    All,
    /// These. None at all where the pipe brought an empty list.
    These(Vec<WorkId>),
}

/// The works named by arguments and by the pipe, each once.
///
/// # Errors
/// [`Code::WorkId`] at the text, [`Code::Form`] at the cell that is none.
pub fn named(arguments: &[Spanned<String>], input: PipelineData, head: Span) -> Result<Named, LabeledError> {
    let mut texts: Vec<Spanned<String>> = Vec::new();
    for given in arguments {
        let parts = given.item.split(',').map(str::trim).filter(|part| !part.is_empty());
        let before = texts.len();
        texts.extend(parts.map(|part| Spanned { item: part.to_owned(), span: given.span }));
        if texts.len() == before {
            // An empty variable must not come to mean everything.
            texts.push(given.clone());
        }
    }
    let piped = match input.into_value(head)? {
        Value::Nothing { .. } => None,
        Value::List { vals, .. } => Some(vals.into_owned()),
        one => Some(vec![one]),
    };
    let is_piped = piped.is_some();
    for (row, value) in (1..).zip(piped.unwrap_or_default()) {
        texts.push(work_in(row, &value)?);
    }
    if texts.is_empty() && !is_piped {
        return Ok(Named::All);
    }
    let mut seen = BTreeSet::new();
    texts.retain(|text| seen.insert(text.item.clone()));
    let ids =
        texts.into_iter().map(|text| WorkId::new(text.item).map_err(|error| labeled(&error, text.span)));
    Ok(Named::These(ids.collect::<Result<_, _>>()?))
}

fn work_in(row: usize, value: &Value) -> Result<Spanned<String>, LabeledError> {
    let (place, cell) = match value {
        Value::Record { val, .. } => match val.get("work_id") {
            Some(cell) => (format!("row {row}, column `work_id`"), cell),
            None => {
                let columns: Vec<&str> = val.columns().map(String::as_str).collect();
                let error = Error::new(
                    Code::Form,
                    format!("row {row} has no column `work_id`"),
                    format!("its columns are {}; pipe in what `wf0 batch status` gives", columns.join(", ")),
                );
                return Err(labeled(&error, value.span()));
            }
        },
        other => (format!("row {row}"), other),
    };
    match cell {
        Value::String { val, .. } => Ok(Spanned { item: val.clone(), span: cell.span() }),
        other => Err(wrong(&place, "the id of a work", other)),
    }
}

fn wrong(place: &str, expected: &str, found: &Value) -> LabeledError {
    let what = format!("{place}: {}, expected {expected}", found.get_type());
    let error = Error::new(Code::Form, what, "correct that cell, or leave the row out");
    labeled(&error, found.span())
}

/// Columns by which a row is an issue of a tracker, from which a work is yet to be made.
const OF_ISSUES: [&str; 2] = ["number", "key"];

/// A table of works as JSON, each cell looked at while it is known where it stands. Anything else than a table, and a
/// table of issues, is passed on as it is.
///
/// # Errors
/// [`Code::Form`], [`Code::WorkId`] at the cell; [`Code::Form`] at the row that has no column `work_id`.
pub fn works(value: &Value) -> Result<serde_json::Value, LabeledError> {
    let rows = match value {
        Value::List { vals, .. } => vals.as_slice(),
        Value::Record { val, .. } if val.contains("work_id") => std::slice::from_ref(value),
        other => return to_json("", other),
    };
    let is_of_issues =
        |row: &Value| row.as_record().is_ok_and(|it| OF_ISSUES.iter().any(|name| it.contains(name)));
    if rows.first().is_some_and(is_of_issues) {
        return to_json("", value);
    }
    (1..).zip(rows).map(|(number, row)| work_of(number, row)).collect()
}

/// One row of a table of works.
fn work_of(number: usize, row: &Value) -> Result<serde_json::Value, LabeledError> {
    if let Value::Error { error, .. } = row {
        return Err((**error).clone().into());
    }
    let Value::Record { val, .. } = row else {
        return Err(wrong(&format!("row {number}"), "a record with the column `work_id`", row));
    };
    work_in(number, row)?;
    let mut fields = Map::with_capacity(val.len());
    for (name, cell) in val.iter() {
        let place = format!("row {number}, column `{name}`");
        // An empty cell of a CSV file.
        let is_empty = cell.as_str().is_ok_and(|text| text.trim().is_empty());
        let json = match (name.as_str(), cell) {
            ("work_id", Value::String { val, .. }) => {
                work_at(&place, val, cell.span())?;
                to_json(&place, cell)?
            }
            ("priority" | "title" | "url", Value::String { .. }) if is_empty => serde_json::Value::Null,
            ("priority", Value::Int { .. } | Value::Nothing { .. }) => to_json(&place, cell)?,
            ("priority", other) => return Err(wrong(&place, "a whole number", other)),
            ("title" | "url", Value::String { .. } | Value::Nothing { .. }) => to_json(&place, cell)?,
            ("title" | "url", other) => return Err(wrong(&place, "text", other)),
            ("dependencies", cell) => {
                dependencies_in(&place, cell)?;
                to_json(&place, cell)?
            }
            (_, cell) => to_json(&place, cell)?,
        };
        fields.insert(name.clone(), json);
    }
    Ok(serde_json::Value::Object(fields))
}

fn dependencies_in(place: &str, cell: &Value) -> Result<(), LabeledError> {
    match cell {
        Value::Nothing { .. } => Ok(()),
        Value::String { val, .. } => {
            let mut parts =
                val.split(|c: char| c == ',' || c.is_whitespace()).filter(|part| !part.is_empty());
            parts.try_for_each(|part| work_at(place, part, cell.span()))
        }
        Value::List { vals, .. } => vals.iter().try_for_each(|item| match item {
            Value::String { val, .. } => work_at(place, val, item.span()),
            other => Err(wrong(place, "ids of works", other)),
        }),
        other => Err(wrong(place, "a list of ids, or a text with them", other)),
    }
}

fn work_at(place: &str, id: &str, span: Span) -> Result<(), LabeledError> {
    WorkId::new(id).map(drop).map_err(|error| {
        labeled(&Error::new(error.code(), format!("{place}: {}", error.what()), error.hint()), span)
    })
}

/// A value as JSON.
///
/// # Errors
/// [`Code::Form`] at what JSON has no form for: a closure, a range, binary.
pub fn to_json(place: &str, value: &Value) -> Result<serde_json::Value, LabeledError> {
    use serde_json::Value as Json;
    Ok(match value {
        Value::Nothing { .. } => Json::Null,
        Value::Bool { val, .. } => Json::Bool(*val),
        Value::Int { val, .. } => Json::from(*val),
        Value::Float { val, .. } => Number::from_f64(*val).map_or(Json::Null, Json::Number),
        Value::String { val, .. } | Value::Glob { val, .. } => Json::String(val.clone()),
        Value::Filesize { val, .. } => Json::from(val.get()),
        Value::Duration { val, .. } => Json::from(*val),
        Value::Date { val, .. } => Json::String(val.to_rfc3339()),
        Value::List { vals, .. } => {
            Json::Array(vals.iter().map(|it| to_json(place, it)).collect::<Result<_, _>>()?)
        }
        Value::Record { val, .. } => {
            let mut fields = Map::with_capacity(val.len());
            for (name, cell) in val.iter() {
                let place = format!("{place}, column `{name}`");
                fields.insert(name.clone(), to_json(place.trim_start_matches(", "), cell)?);
            }
            Json::Object(fields)
        }
        Value::Error { error, .. } => return Err((**error).clone().into()),
        other => return Err(wrong(place, "text, a number, a list or a record", other)),
    })
}
