//! When a batch is over, and how it ended. A batch always ends: what waits for something that failed is counted
//! as unable to run, never waited for.

use crate::schedule::ScheduleStatus;

/// How many works stand where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// All works.
    pub total: u32,
    /// Done.
    pub completed: u32,
    /// Gave up.
    pub failed: u32,
    /// In somebody's hands.
    pub running: u32,
    /// Could be taken now.
    pub ready: u32,
    /// Stopped by name.
    pub paused: u32,
}

/// The status with which a running batch ends now; `None` while something runs or can be taken.
///
/// Works stopped by name keep a batch without failures `paused`: it has neither failed nor come to its end.
pub fn outcome(tally: Tally) -> Option<ScheduleStatus> {
    if tally.running > 0 || tally.ready > 0 {
        None
    } else if tally.completed == tally.total {
        Some(ScheduleStatus::Completed)
    } else if tally.failed == 0 && tally.paused > 0 {
        Some(ScheduleStatus::Paused)
    } else {
        Some(ScheduleStatus::Failed)
    }
}
