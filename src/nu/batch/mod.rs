//! `wf0 batch …`: running the schedule.

pub mod logs;
pub mod resume;
pub mod start;
pub mod status;
pub mod stop;
pub mod watch;
