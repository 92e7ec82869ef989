//! wf0
pub mod config;
pub mod error;
pub mod platform;
pub mod project;
pub mod rules;
pub mod schedule;
pub mod store;
