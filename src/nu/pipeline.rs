//! What comes through the pipe: works that are named, and tables that become a schedule.

use std::collections::BTreeSet;

use nu_protocol::{LabeledError, Signature, Spanned, Type, Value};
use serde_json::{Map, Number};

use super::failure::{labeled, labeled_in};
use crate::error::{About, Code, Error};
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
pub fn named(arguments: &[Spanned<String>], piped: &Value) -> Result<Named, LabeledError> {
    let mut ids: Vec<WorkId> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut take = |id: WorkId| {
        if seen.insert(id.clone()) {
            ids.push(id);
        }
    };
    for given in arguments {
        let id = |text: &str| WorkId::new(text).map_err(|error| labeled(&error, given.span));
        let mut parts = given.item.split(',').map(str::trim).filter(|part| !part.is_empty()).peekable();
        if parts.peek().is_none() {
            // An empty variable must not come to mean everything.
            take(id(&given.item)?);
        }
        for part in parts {
            take(id(part)?);
        }
    }
    for (row, value) in (1..).zip(rows(piped)) {
        let (place, cell) = work_in(row, value)?;
        match cell {
            Value::String { val, .. } => {
                take(WorkId::new(val).map_err(|error| labeled_in(&error, &place, cell.span()))?);
            }
            other => return Err(wrong(&place, "the id of a work", other)),
        }
    }
    if ids.is_empty() && piped.is_nothing() {
        return Ok(Named::All);
    }
    Ok(Named::These(ids))
}

/// What a command goes through: the rows of a table, the items of a list, or the one value there is.
fn rows(piped: &Value) -> &[Value] {
    match piped {
        Value::Nothing { .. } => &[],
        Value::List { vals, .. } => vals.as_slice(),
        one => std::slice::from_ref(one),
    }
}

fn work_in(row: usize, value: &Value) -> Result<(String, &Value), LabeledError> {
    let Value::Record { val, .. } = value else { return Ok((format!("row {row}"), value)) };
    match val.get("work_id") {
        Some(cell) => Ok((format!("row {row}, column `work_id`"), cell)),
        None => {
            let columns: Vec<&str> = val.columns().map(String::as_str).collect();
            let error = Error::new(
                Code::Form,
                format!("row {row} has no column `work_id`"),
                format!("its columns are {}; pipe in what `wf0 batch status` gives", columns.join(", ")),
            );
            Err(labeled(&error, value.span()))
        }
    }
}

/// An error about something that came through the pipe, at its cell.
pub fn failure_in(error: &Error, piped: &Value) -> Option<LabeledError> {
    match error.about()? {
        About::Text(text) => {
            let cells = (1..).zip(rows(piped)).filter_map(|(row, value)| work_in(row, value).ok());
            let (place, cell) =
                cells.into_iter().find(|(_, cell)| cell.as_str().is_ok_and(|it| it == &**text))?;
            Some(labeled_in(error, &place, cell.span()))
        }
        // The message says row and column already.
        About::Cell { row, column } => {
            let row = rows(piped).get(row.checked_sub(1)?)?;
            let cell = column.as_ref().and_then(|column| row.as_record().ok()?.get(column.as_ref()));
            Some(labeled(error, cell.unwrap_or(row).span()))
        }
    }
}

fn wrong(place: &str, expected: &str, found: &Value) -> LabeledError {
    let what = format!("{place}: {}, expected {expected}", found.get_type());
    let error = Error::new(Code::Form, what, "correct that cell, or leave the row out");
    labeled(&error, found.span())
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
