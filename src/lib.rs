//! wf0
pub mod error;
pub mod platform;
pub mod schedule;
