//! Values for the results of examples.

use nu_protocol::{Record, Span, Value};

/// A text.
pub fn text(text: &str) -> Value {
    Value::string(text, Span::unknown())
}

/// A list of texts.
pub fn texts(texts: &[&str]) -> Value {
    Value::list(texts.iter().map(|it| text(it)).collect(), Span::unknown())
}

/// A whole number.
pub fn number(number: i64) -> Value {
    Value::int(number, Span::unknown())
}

/// Yes or no.
pub fn truth(truth: bool) -> Value {
    Value::bool(truth, Span::unknown())
}

/// A table of texts.
pub fn rows(columns: &[&str], rows: &[&[&str]]) -> Value {
    let row = |cells: &&[&str]| {
        let cells = columns.iter().zip(*cells).map(|(name, cell)| ((*name).to_owned(), text(cell)));
        Value::record(cells.collect::<Record>(), Span::unknown())
    };
    Value::list(rows.iter().map(row).collect(), Span::unknown())
}
