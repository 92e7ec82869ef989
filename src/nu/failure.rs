//! Errors as Nushell shows them: the stable code, what happened, where, and what to type next.

use nu_protocol::{LabeledError, ShellError, Span};

use crate::error::{Code, Error};

/// What stands under the place that an error is about.
pub fn label(code: Code) -> &'static str {
    match code {
        Code::Usage => "not like this",
        Code::WorkId => "cannot name a work",
        Code::UnknownWork => "not in the schedule",
        Code::UnknownPhase => "not in the configuration",
        Code::Form => "breaks the form",
        Code::Cycle => "would close a circle",
        Code::State | Code::NotPending => "not in this state",
        Code::NotYours => "not claimed by this worker",
        Code::NoProject | Code::ProjectPlace => "no project here",
        _ => "failed here",
    }
}

/// An error of the library about what stands at `span`.
pub fn labeled(error: &Error, span: Span) -> LabeledError {
    let shown = LabeledError::new(error.what())
        .with_code(error.code().as_str())
        .with_label(label(error.code()), span);
    if error.hint().is_empty() { shown } else { shown.with_help(error.hint()) }
}

/// The same about a cell of what came through the pipe. What Nushell read from a file has one place for all its cells, so
/// the label says which one is meant.
pub fn labeled_in(error: &Error, cell: &str, span: Span) -> LabeledError {
    let mut shown = labeled(error, span);
    for label in shown.labels.iter_mut() {
        label.text = format!("{cell}: {}", label.text);
    }
    shown
}

/// The same inside a stream.
pub fn in_stream(error: &Error, span: Span) -> ShellError {
    labeled(error, span).into()
}
