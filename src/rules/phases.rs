//! Which phase of a work comes next: after a success, after a failure, after an interruption.
//!
//! The agent's own record (`.wf/state.json`) guides a work that has an entry there, within limits that keep it from
//! running in circles; without an entry the phases run in the order of the configuration.

/// What `.wf/state.json` says of one work.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Guide {
    /// The phase that comes, as the agent wrote it; `None` for null, an empty text or no entry.
    pub next: Option<String>,
    /// The step of the plan it is at.
    pub current_step: Option<i64>,
    /// How many steps the plan has.
    pub total_steps: Option<u32>,
}

impl Guide {
    fn says_done(&self) -> bool {
        matches!(self.next.as_deref(), None | Some("complete" | "completed"))
    }
}

/// The phase that runs once for each step of the plan.
pub const STEPWISE: &str = "wf5-implement";

/// A phase that ended with success, and all that decides about what follows.
#[derive(Debug, Clone, Copy)]
pub struct Success<'a> {
    /// The configured phases, in order.
    pub phases: &'a [String],
    /// Which of them ran.
    pub phase: usize,
    /// The agent's record before it ran.
    pub before: Option<&'a Guide>,
    /// The agent's record now.
    pub after: Option<&'a Guide>,
    /// Whether the branch has a new commit.
    pub branch_moved: bool,
    /// Successful runs so far of each phase, this one included.
    pub runs: &'a [u32],
    /// Most successful runs of one phase.
    pub max_runs: u32,
}

/// What follows a phase that exited with 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// That phase comes.
    Next(usize),
    /// All phases are done.
    Done,
    /// The attempt counts as failed all the same, for this reason.
    NotDone(String),
    /// The work fails, for this reason: another try would not help.
    Circles(String),
}

/// Decides what follows a success.
pub fn after_success(it: Success<'_>) -> Verdict {
    let last = it.phase + 1 == it.phases.len();
    let in_order = if last { Verdict::Done } else { Verdict::Next(it.phase + 1) };
    let Some(after) = it.after else { return within_limits(&it, in_order) };
    let listed = after.next.as_deref().and_then(|next| it.phases.iter().position(|phase| phase == next));
    let verdict = match listed {
        Some(next) => {
            let moved = it.branch_moved
                || it.before.is_none_or(|before| {
                    before.next != after.next || before.current_step != after.current_step
                });
            if !moved {
                return Verdict::NotDone(format!(
                    "{} exited with 0 but moved nothing: state.json still has next {}, and the branch has no new commit",
                    it.phases[it.phase], it.phases[next]
                ));
            }
            Verdict::Next(next)
        }
        None if last => Verdict::Done,
        None => {
            let said = match after.next.as_deref() {
                _ if after.says_done() => "that the work is complete".to_owned(),
                Some(other) => format!("next {}, which is no phase", crate::schedule::id::quoted(other)),
                None => "nothing comes next".to_owned(),
            };
            return Verdict::NotDone(format!(
                "after {} state.json says {said}, but {} phases are left",
                it.phases[it.phase],
                it.phases.len() - it.phase - 1
            ));
        }
    };
    within_limits(&it, verdict)
}

fn within_limits(it: &Success<'_>, verdict: Verdict) -> Verdict {
    let Verdict::Next(next) = verdict else { return verdict };
    let steps = it.after.and_then(|guide| guide.total_steps);
    let limit = match steps {
        Some(steps) if it.phases[next] == STEPWISE => steps.saturating_add(it.max_runs),
        _ => it.max_runs,
    };
    let runs = it.runs.get(next).copied().unwrap_or(0);
    if runs >= limit {
        Verdict::Circles(format!(
            "goes in circles: {} has run {runs} times with success and is to run again (batch.max_phase_runs)",
            it.phases[next]
        ))
    } else {
        Verdict::Next(next)
    }
}

/// Whether an attempt that was interrupted had in truth done its phase: the agent's `next` has moved past it.
/// `next_before` is what `next` was when the attempt began. Gives what comes then.
pub fn after_interruption(
    phases: &[String],
    phase: usize,
    next_before: Option<&str>,
    now: Option<&Guide>,
) -> Option<Verdict> {
    let now = now?;
    if now.next.as_deref() == next_before {
        return None;
    }
    match now.next.as_deref().and_then(|next| phases.iter().position(|phase| phase == next)) {
        Some(next) if next > phase => Some(Verdict::Next(next)),
        Some(_) => None,
        None if phase + 1 == phases.len() && now.says_done() => Some(Verdict::Done),
        None => None,
    }
}

/// What follows a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterFailure {
    /// Try again, as this attempt.
    Retry(u32),
    /// The work fails.
    GiveUp,
}

/// Decides what follows failed attempt `number` (from 1, in a row at one phase) of at most `most`.
pub fn after_failure(number: u32, most: u32) -> AfterFailure {
    if number >= most { AfterFailure::GiveUp } else { AfterFailure::Retry(number + 1) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn phases() -> Vec<String> {
        ["wf1-kickoff", "wf2-spec", "wf5-implement", "wf6-verify"].map(str::to_owned).into()
    }

    fn guide(next: &str) -> Guide {
        Guide { next: Some(next.to_owned()).filter(|n| !n.is_empty()), ..Guide::default() }
    }

    fn verdict(
        phase: usize,
        before: Option<&Guide>,
        after: Option<&Guide>,
        moved: bool,
        runs: &[u32],
    ) -> Verdict {
        let phases = phases();
        after_success(Success {
            phases: &phases,
            phase,
            before,
            after,
            branch_moved: moved,
            runs,
            max_runs: 5,
        })
    }

    #[test]
    fn without_an_entry_the_order_of_the_configuration_holds() {
        assert_eq!(verdict(0, None, None, false, &[1, 0, 0, 0]), Verdict::Next(1));
        assert_eq!(verdict(3, None, None, false, &[1, 1, 1, 1]), Verdict::Done);
    }

    #[test]
    fn next_is_followed_forwards_backwards_and_on_the_spot() {
        let (before, runs) = (guide("wf2-spec"), [1, 1, 1, 1]);
        assert_eq!(verdict(1, Some(&before), Some(&guide("wf6-verify")), false, &runs), Verdict::Next(3));
        assert_eq!(verdict(1, Some(&before), Some(&guide("wf1-kickoff")), false, &runs), Verdict::Next(0));
        assert_eq!(verdict(1, Some(&before), Some(&guide("wf2-spec")), true, &runs), Verdict::Next(1));
        assert!(matches!(
            verdict(1, Some(&before), Some(&guide("wf2-spec")), false, &runs),
            Verdict::NotDone(_)
        ));
        let stepped = Guide { current_step: Some(2), ..guide("wf2-spec") };
        assert_eq!(verdict(1, Some(&before), Some(&stepped), false, &runs), Verdict::Next(1));
    }

    #[test]
    fn done_before_the_last_phase_is_a_failed_attempt() {
        for word in ["complete", "completed", "", "wf9-unknown"] {
            assert!(
                matches!(verdict(1, None, Some(&guide(word)), true, &[1; 4]), Verdict::NotDone(_)),
                "{word}"
            );
            assert_eq!(verdict(3, None, Some(&guide(word)), false, &[1; 4]), Verdict::Done, "{word}");
        }
    }

    #[test]
    fn a_phase_runs_no_more_often_than_allowed_and_implement_once_a_step() {
        let again = Guide { total_steps: Some(7), ..guide("wf5-implement") };
        assert_eq!(verdict(2, None, Some(&again), true, &[1, 1, 11, 0]), Verdict::Next(2));
        assert!(matches!(verdict(2, None, Some(&again), true, &[1, 1, 12, 0]), Verdict::Circles(_)));
        assert!(matches!(
            verdict(2, None, Some(&guide("wf2-spec")), true, &[1, 5, 1, 0]),
            Verdict::Circles(_)
        ));
    }

    #[test]
    fn an_interrupted_phase_counts_as_done_only_if_next_moved_past_it() {
        let phases = phases();
        let after = |phase, before, now: &Guide| after_interruption(&phases, phase, before, Some(now));
        assert_eq!(after(1, Some("wf2-spec"), &guide("wf5-implement")), Some(Verdict::Next(2)));
        assert_eq!(after(1, Some("wf5-implement"), &guide("wf5-implement")), None);
        assert_eq!(after(1, Some("wf2-spec"), &guide("wf1-kickoff")), None);
        assert_eq!(after(3, Some("wf6-verify"), &guide("complete")), Some(Verdict::Done));
        assert_eq!(after(2, Some("wf5-implement"), &guide("complete")), None);
        assert_eq!(after_interruption(&phases, 1, None, None), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn whatever_the_agent_writes_a_work_comes_to_an_end(
            answers in proptest::collection::vec((0usize..7, any::<bool>(), any::<bool>(), 0u32..4), 1..40),
            most in 1u32..6,
        ) {
            let phases = phases();
            let words = ["wf1-kickoff", "wf2-spec", "wf5-implement", "wf6-verify", "", "complete", "other"];
            let (mut phase, mut runs, mut failures, mut attempts) = (0, vec![0u32; 4], 0, 0);
            let mut before: Option<Guide> = None;
            let mut answers = answers.into_iter().cycle();
            let limit = 4 * (most + 4) * 4 * 4;
            loop {
                let (word, fails, moved, steps) = answers.next().unwrap();
                attempts += 1;
                prop_assert!(attempts <= limit, "{attempts} attempts");
                let after = Guide { total_steps: Some(steps), ..guide(words[word]) };
                let verdict = if fails { Verdict::NotDone(String::new()) } else {
                    let mut counted = runs.clone();
                    counted[phase] += 1;
                    after_success(Success {
                        phases: &phases, phase, before: before.as_ref(), after: Some(&after),
                        branch_moved: moved, runs: &counted, max_runs: most,
                    })
                };
                before = Some(after);
                match verdict {
                    Verdict::Next(next) => { runs[phase] += 1; phase = next; failures = 0; }
                    Verdict::Done => { prop_assert_eq!(phase, 3); break }
                    Verdict::Circles(_) => break,
                    Verdict::NotDone(_) => {
                        failures += 1;
                        if after_failure(failures, 3) == AfterFailure::GiveUp { break }
                    }
                }
            }
        }
    }
}
