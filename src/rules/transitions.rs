//! The one table of what may become of a work. Every change of a status goes through [`next`].

use crate::schedule::Status;

/// Something that happens to a work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// A worker, or a script that is one, takes it.
    Claimed,
    /// Its last phase and its push are done.
    Completed,
    /// It gave up.
    Failed,
    /// Its run ended without an outcome: stopped, killed, crashed.
    Returned,
    /// `resume`, or somebody set it back to pending by hand.
    Reopened,
    /// Somebody declared it done by hand.
    Declared,
}

/// The status after `change`; `None` where that can't happen to a work in this status.
pub fn next(status: Status, change: Change) -> Option<Status> {
    use Change::*;
    match (status, change) {
        (Status::Pending, Claimed) => Some(Status::Running),
        (Status::Running, Completed) => Some(Status::Completed),
        (Status::Running, Failed) => Some(Status::Failed),
        (Status::Running, Returned) => Some(Status::Pending),
        (Status::Failed | Status::Completed, Reopened) => Some(Status::Pending),
        (Status::Pending | Status::Failed, Declared) => Some(Status::Completed),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_is_taken_twice_and_nothing_finished_is_lost_without_being_asked() {
        assert_eq!(next(Status::Running, Change::Claimed), None);
        assert_eq!(next(Status::Completed, Change::Returned), None);
        assert_eq!(next(Status::Completed, Change::Failed), None);
        assert_eq!(next(Status::Pending, Change::Completed), None);
    }

    proptest! {
        #[test]
        fn between_two_claims_of_a_work_lies_an_end_of_the_first(
            changes in proptest::collection::vec(0usize..6, 0..60)
        ) {
            let all = [Change::Claimed, Change::Completed, Change::Failed, Change::Returned, Change::Reopened, Change::Declared];
            let (mut status, mut held) = (Status::Pending, false);
            for change in changes.into_iter().map(|n| all[n]) {
                let Some(after) = next(status, change) else { continue };
                match change {
                    Change::Claimed => { prop_assert!(!held); held = true }
                    Change::Completed | Change::Failed | Change::Returned => { prop_assert!(held); held = false }
                    Change::Reopened | Change::Declared => prop_assert!(!held),
                }
                status = after;
                prop_assert_eq!(held, status == Status::Running);
            }
        }
    }
}
