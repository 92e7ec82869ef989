//! What is to be done: works, their identifiers, states and dependencies.

pub mod id;

pub use id::{WorkId, WorkerNumber};
