//! `wf0 work …`: the operations of a worker, for scripts that are one.

pub mod claim;
pub mod complete;
pub mod fail;
pub mod next;
pub mod release;

use nu_protocol::SyntaxShape;

/// A worker as it is typed: 7 or worker-7.
fn worker_shape() -> SyntaxShape {
    SyntaxShape::OneOf(vec![SyntaxShape::Int, SyntaxShape::String])
}
