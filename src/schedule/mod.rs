//! What is to be done: works, their identifiers, states and dependencies, and the file that other programs read.
//!
//! Pure: nothing here knows a clock, a file or a process.

pub mod document;
pub mod edge;
pub mod graph;
pub mod id;
pub mod json;
pub mod naming;
pub mod plan;
pub mod problems;
pub mod references;
pub mod state;

pub use document::{Document, Source, SourceType, WorkRecord};
pub use edge::{Edge, Origin, Resolved};
pub use graph::Graph;
pub use id::{WorkId, WorkerNumber};
pub use state::{ScheduleStatus, State, Status};
