//! `wf0 work …`: the operations of a worker, for scripts that are one.

pub mod claim;
pub mod complete;
pub mod fail;
pub mod next;
pub mod release;

use nu_protocol::{LabeledError, SyntaxShape, Value};

use super::failure::labeled;
use crate::schedule::WorkerNumber;

/// A worker as it is typed: 7 or worker-7.
fn worker_shape() -> SyntaxShape {
    SyntaxShape::OneOf(vec![SyntaxShape::Int, SyntaxShape::String])
}

fn worker(given: &Value) -> Result<WorkerNumber, LabeledError> {
    given.coerce_str()?.parse().map_err(|error| labeled(&error, given.span()))
}
