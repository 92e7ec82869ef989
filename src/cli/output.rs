//! Writing: data to standard output, everything else to standard error. A reader that has gone is no error.

use std::io::{self, Write};
use std::path::Path;

use clap::ValueEnum;
use serde::Serialize;
use serde_json::Value;

use crate::commands::logs::Piece;
use crate::commands::watch;
use crate::error::{Error, Result};
use crate::schedule::id::printable;

/// Says something beside the data, also while other threads do.
pub fn say_beside(line: &str) {
    // Standard error that can't be written to has nobody to tell of it.
    let _ = writeln!(io::stderr().lock(), "{}", printable(line));
}

/// How data is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON document.
    Json,
    /// A JSON document a row.
    Ndjson,
    /// Graphviz; plans only.
    Dot,
    /// Mermaid; plans only.
    Mermaid,
}

/// Where everything is written.
#[derive(Debug)]
pub struct Output {
    format: Format,
    /// Whether a script asks.
    script: bool,
    headed: bool,
    /// Why standard output could not be written to, where its reader was there.
    failed: Option<Error>,
}

/// Prints what the command line's own parser has to say: help and version to standard output, the rest to standard
/// error; a closed pipe is no news. What was typed is shown without control characters.
pub fn print(said: &clap::Error) {
    let plain = said.to_string();
    if plain.chars().any(|c| c != '\n' && printable(c.encode_utf8(&mut [0; 4])).is_empty()) {
        let lines: Vec<String> = plain.lines().map(printable).collect();
        let _ = writeln!(io::stderr().lock(), "{}", lines.join("\n"));
    } else {
        let _ = said.print();
    }
}

impl Output {
    pub fn new(format: Format, script: bool) -> Output {
        Output { format, script, headed: false, failed: None }
    }

    /// Whether one of the shell's own functions asks.
    pub fn script(&self) -> bool {
        self.script
    }

    pub fn format(&self) -> Format {
        self.format
    }

    /// Writes text to standard output; `false` where nobody reads it any more.
    pub fn text(&mut self, text: &str) -> bool {
        self.bytes(text.as_bytes())
    }

    /// Writes a document of another tool's form.
    pub fn document(&mut self, text: &str) {
        self.text(text);
    }

    /// Writes bytes as they are, such as a path.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes(bytes);
    }

    /// Writes one record as one line of JSON, whatever the format.
    pub fn line<T: Serialize>(&mut self, record: &T) {
        self.text(&format!("{}\n", value(record)));
    }

    fn bytes(&mut self, bytes: &[u8]) -> bool {
        let mut out = io::stdout().lock();
        let result = out.write_all(bytes).and_then(|()| out.flush());
        if let Err(error) = &result
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            self.failed = Some(Error::file("write to", Path::new("standard output"), error));
        }
        result.is_ok()
    }

    /// Whether everything arrived. A reader that has gone (`| head`) wanted no more of it; a full disk did.
    pub fn check(&mut self) -> Result<()> {
        self.failed.take().map_or(Ok(()), Err)
    }

    /// Says something beside the data.
    pub fn notice(&mut self, line: &str) {
        say_beside(line);
    }

    pub fn error(&mut self, error: &Error) {
        let mut err = io::stderr().lock();
        if self.script {
            let _ = write!(err, "{}", super::script::error(error));
            return;
        }
        let _ = writeln!(err, "error: {} [{}]", printable(error.what()), error.code().as_str());
        if !error.hint().is_empty() {
            let _ = writeln!(err, "help: {}", printable(error.hint()));
        }
    }

    /// Writes rows.
    pub fn rows<T: Serialize>(&mut self, rows: &[T], text: impl FnOnce(&[T]) -> String) -> Result<()> {
        self.table(rows, false, text)
    }

    /// Writes rows, in the flat form where that is asked for.
    pub fn table<T: Serialize>(
        &mut self,
        rows: &[T],
        flat: bool,
        text: impl FnOnce(&[T]) -> String,
    ) -> Result<()> {
        let shape = |row: &T| if flat { flatten(value(row)) } else { value(row) };
        match self.format {
            Format::Json => {
                let all: Vec<Value> = rows.iter().map(shape).collect();
                self.json(&Value::from(all));
            }
            Format::Ndjson => {
                for row in rows {
                    if !self.text(&format!("{}\n", shape(row))) {
                        break;
                    }
                }
            }
            Format::Text => {
                self.text(&text(rows));
            }
            Format::Dot | Format::Mermaid => return Err(only_plans()),
        }
        Ok(())
    }

    /// Writes one record.
    pub fn record<T: Serialize>(&mut self, record: &T, text: impl FnOnce(&T) -> String) -> Result<()> {
        match self.format {
            Format::Json => self.json(&value(record)),
            Format::Ndjson => {
                self.text(&format!("{}\n", value(record)));
            }
            Format::Text => {
                self.text(&text(record));
            }
            Format::Dot | Format::Mermaid => return Err(only_plans()),
        }
        Ok(())
    }

    fn json(&mut self, value: &Value) {
        self.text(&format!("{value:#}\n"));
    }

    /// Writes a piece of a log; `false` where nobody reads it any more.
    pub fn log(&mut self, piece: Piece<'_>) -> bool {
        match piece {
            Piece::Attempt { phase, number } => {
                let more = std::mem::replace(&mut self.headed, true);
                self.text(&crate::commands::logs::heading(&phase, number, more))
            }
            Piece::Bytes(bytes) => self.bytes(bytes),
        }
    }

    /// Writes an event; `false` where nobody reads it any more.
    pub fn event(&mut self, row: &watch::Row) -> bool {
        match self.format {
            Format::Text | Format::Dot | Format::Mermaid => self.text(&super::text::event(row)),
            Format::Json | Format::Ndjson => self.text(&format!("{}\n", value(row))),
        }
    }
}

fn only_plans() -> Error {
    Error::new(
        crate::error::Code::Usage,
        "dot and mermaid draw plans only",
        "use them with `wf0 batch start --dry-run`",
    )
}

fn value<T: Serialize>(row: &T) -> Value {
    // Rows hold nothing that JSON can't: text keys, finite numbers.
    serde_json::to_value(row).unwrap_or_default()
}

/// Lists joined with a space, records as their id.
fn flatten(row: Value) -> Value {
    let Value::Object(row) = row else { return row };
    let flat = |value: Value| match value {
        Value::Array(items) => {
            let texts: Vec<String> = items
                .into_iter()
                .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
                .collect();
            Value::from(texts.join(" "))
        }
        Value::Object(mut record) => record.remove("id").unwrap_or_default(),
        other => other,
    };
    row.into_iter().map(|(key, value)| (key, flat(value))).collect()
}
