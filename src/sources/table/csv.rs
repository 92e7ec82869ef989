//! A list of records as CSV: the first line names the columns. Commas, semicolons and tabs all do.

use serde_json::{Map, Value};

use crate::error::{Code, Error, Result};
use crate::schedule::id::quoted;

/// Columns that tell a header from anything else.
const COLUMNS: [&str; 3] = ["work_id", "number", "key"];

/// Whether the first line names columns that works or issues have.
pub fn has_header(text: &[u8]) -> bool {
    let line = first_line(text);
    let Ok(line) = std::str::from_utf8(line) else { return false };
    let mark = char::from(delimiter(line.as_bytes()));
    line.len() < 10_000 && line.split(mark).any(|name| COLUMNS.contains(&name.trim().trim_matches('"')))
}

/// Whether the first line is a list of words, which no JSON begins with.
pub fn looks_like_it(text: &[u8]) -> bool {
    let line = first_line(text).trim_ascii();
    line.first().is_some_and(u8::is_ascii_alphabetic) && line.contains(&delimiter(line))
}

/// The rows, each a record of texts; empty cells are left out.
pub fn rows(name: &str, text: &[u8]) -> Result<Vec<Value>> {
    let refuse = |what: String| Error::new(Code::Form, format!("{name}{what}"), "correct it there");
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter(first_line(text)))
        .trim(csv::Trim::Headers)
        .from_reader(text);
    let headers: Vec<String> = match reader.headers() {
        Ok(headers) => headers.iter().map(str::to_owned).collect(),
        Err(_) => return Err(refuse(" line 1: the names of the columns are not in UTF-8".into())),
    };
    if !headers.iter().any(|name| COLUMNS.contains(&name.as_str())) {
        let shown: Vec<String> = headers.iter().take(8).map(|name| quoted(name)).collect();
        let what = format!(
            "{name} line 1 has no column `work_id`, nor `number` or `key` of issues: {}",
            shown.join(", ")
        );
        return Err(Error::new(Code::Form, what, "name the columns there, or give records as JSON"));
    }
    if let Some(row) = row_without_end(text) {
        return Err(refuse(format!(" row {row}: a quote is never closed")));
    }
    let mut rows = Vec::new();
    for (n, record) in reader.into_records().enumerate() {
        let record = record.map_err(|error| {
            refuse(match error.kind() {
                csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                    format!(" row {}: {len} columns, expected {expected_len}", n + 1)
                }
                csv::ErrorKind::Utf8 { .. } => format!(" row {}: a text is not in UTF-8", n + 1),
                _ => format!(" row {}: it can't be read", n + 1),
            })
        })?;
        let cells = headers.iter().zip(record.iter()).filter(|(_, cell)| !cell.trim().is_empty());
        let row: Map<String, Value> = cells.map(|(name, cell)| (name.clone(), Value::from(cell))).collect();
        if !row.is_empty() {
            rows.push(Value::Object(row));
        }
    }
    Ok(rows)
}

/// The row in which a quote begins that goes on to the end of the text. The reader takes it for one long cell.
fn row_without_end(text: &[u8]) -> Option<usize> {
    const MARK: &[u8] = b"\nwf0";
    // What is put behind a whole text is a row of its own, and a part of the last cell behind any other.
    let marked = [text, MARK].concat();
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter(first_line(text)))
        .has_headers(false)
        .flexible(true)
        .from_reader(marked.as_slice());
    let (mut record, mut last, mut count) = (csv::ByteRecord::new(), false, 0_usize);
    while reader.read_byte_record(&mut record).is_ok_and(|more| more) {
        last = record.len() == 1 && record.get(0) == MARK.get(1..);
        count += 1;
    }
    (!last).then(|| count.saturating_sub(1))
}

fn first_line(text: &[u8]) -> &[u8] {
    text.split(|b| matches!(b, b'\n' | b'\r')).next().unwrap_or_default()
}

fn delimiter(line: &[u8]) -> u8 {
    let count = |mark: u8| line.iter().filter(|b| **b == mark).count();
    [b',', b';', b'\t'].into_iter().rev().max_by_key(|mark| count(*mark)).unwrap_or(b',')
}
