//! `wf0 schedule …`: building and changing the schedule.

pub mod clear;
pub mod create;
pub mod edit;
pub mod show;
pub mod validate;
pub mod why;
