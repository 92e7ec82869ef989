//! One going of a work: its worktree, its phases one after the other, its push, its end. One function over one
//! folder, with nothing of the scheduler in it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::attempt::{self, Ended};
use super::order::order;
use super::recover::still_held;
use super::{Runner, told};
use crate::agent::call::Call;
use crate::agent::{self, Phase, state_file};
use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::platform::children::{Interrupt, wait_readable};
use crate::platform::filelock::FileLock;
use crate::platform::tree::{self, Traces};
use crate::rules::phases::{self, AfterFailure, Guide, Success, Verdict};
use crate::schedule::ScheduleStatus;
use crate::store::attempts::AttemptOutcome;
use crate::store::events::{EventKind, Note};
use crate::store::runs::Outcome;
use crate::store::works::{Position, Run, Work};
use crate::worktree::{Commit, Order, PushError, Pushed, Removal, Repository, empty_trash};

/// Where a work is done.
struct Place {
    /// Where commands run.
    folder: PathBuf,
    /// Branch and repository; `None` where works run in the project root.
    git: Option<Branch>,
}

struct Branch {
    repository: Repository,
    name: String,
    base: String,
    pushed: Option<Commit>,
}

/// What comes next in a work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Phase(usize),
    Push,
}

/// A work in the hands of its runner.
struct Job<'a> {
    run: &'a Run,
    work: Work,
    config: Config,
    phases: Vec<Phase>,
    names: Vec<String>,
    tree: FileLock,
}

impl Runner {
    pub(super) fn work(&mut self, run: &Run) -> Result<Outcome> {
        let config = self.read_config()?.with(self.overrides);
        let phases = agent::phases(&config)?;
        let names = phases.iter().map(|phase| phase.name.clone()).collect();
        let work = self.store.work(&run.work_id)?.ok_or_else(|| {
            Error::new(
                Code::UnknownWork,
                format!("'{}' is no longer in the schedule", run.work_id),
                "add it again",
            )
        })?;
        let tree = match self.take_tree(run)? {
            Ok(tree) => tree,
            Err(left) => return Ok(Outcome::Failed(still_held(&left))),
        };
        let job = Job { run, work, config, phases, names, tree };
        let mut place = self.prepare(&job)?;
        let (mut step, mut number) = self.where_to_go_on(&job)?;
        while let Step::Phase(phase) = step {
            match self.attempt(&job, &mut place, phase, number)? {
                Tried::Next(next) => (step, number) = (next, 1),
                Tried::Again(again) => number = again,
                Tried::Over(outcome) => return Ok(outcome),
            }
        }
        self.finish(&job, &mut place)
    }

    /// Reads the configuration. One that was there when the batch was started and is gone is no empty one: with the
    /// defaults every work would be given to another agent than was meant.
    fn read_config(&self) -> Result<Config> {
        let path = self.store.project().config_file();
        if self.store.was_configured()? && !path.exists() {
            return Err(Error::new(
                Code::Config,
                format!("{} is gone since the batch was started", path.display()),
                "bring it back (or `wf0 init` for the defaults), then `wf0 batch resume`",
            ));
        }
        self.store.project().config()
    }

    /// Takes the work's tree lock, ending whatever still has it from an earlier attempt.
    fn take_tree(&mut self, run: &Run) -> Result<std::result::Result<FileLock, Vec<u32>>> {
        let path = self.store.folder().tree_lease(&run.work_id);
        if let Some(tree) = self.store.folder().try_lock(&path)? {
            return Ok(Ok(tree));
        }
        let traces = Traces { lock_file: Some(&path), ..Traces::default() };
        tree::end_and_lock(&traces, &path, attempt::LAST).map_err(|error| Error::file("lock", &path, &error))
    }

    fn prepare(&mut self, job: &Job<'_>) -> Result<Place> {
        let root = self.store.project().root().to_owned();
        if !job.config.worktrees() {
            return Ok(Place { folder: root, git: None });
        }
        let repository = Repository::open(&root)?;
        let id = &job.work.id;
        let order = order(self.store.project(), &job.config, &repository, id, &job.work.dependencies)?;
        repository.exclude(&["/.wf", &format!("/{}/", job.config.worktree.root_dir.trim_matches('/'))])?;
        let made = repository.make(&order, &mut self.wishes)?;
        let shown = order.path.strip_prefix(&root).unwrap_or(&order.path).to_string_lossy().into_owned();
        self.store.change(|change| {
            change.set_worktree(id, Some(&shown))?;
            for warning in &made.warnings {
                let by = change.by(job.run.id)?;
                change.note(EventKind::Warning, Note { work: Some(id), message: Some(warning), ..by })?;
            }
            Ok(())
        })?;
        let Order { branch: name, base, .. } = order;
        Ok(Place { folder: made.path, git: Some(Branch { repository, name, base: base.name, pushed: None }) })
    }

    /// The step a work goes on with, and the number of the attempt there.
    fn where_to_go_on(&mut self, job: &Job<'_>) -> Result<(Step, u32)> {
        let name = match &job.work.position {
            None => return Ok((Step::Phase(0), 1)),
            Some(Position::Push) => return Ok((Step::Push, 1)),
            Some(Position::Phase(name)) => name,
        };
        let Some(phase) = job.names.iter().position(|other| other == name) else {
            // The configuration has changed since: go on with the first phase that has not been done.
            let runs = self.store.successful_runs(&job.work.id, &job.names)?;
            let open = runs.iter().position(|runs| *runs == 0);
            return Ok((open.map_or(Step::Push, Step::Phase), 1));
        };
        let Some(last) = self.store.attempts(&job.work.id)?.pop().filter(|last| last.phase == *name) else {
            return Ok((Step::Phase(phase), 1));
        };
        match last.outcome {
            Some(AttemptOutcome::Failed) if last.counts => return Ok((Step::Phase(phase), last.number + 1)),
            Some(AttemptOutcome::Failed | AttemptOutcome::Completed) => return Ok((Step::Phase(phase), 1)),
            Some(AttemptOutcome::Interrupted) | None => {}
        }
        let now = state_file::read(&self.store.project().state_file(), &job.work.id).unwrap_or(None);
        let verdict =
            phases::after_interruption(&job.names, phase, last.next_before.as_deref(), now.as_ref());
        let number = if last.counts { last.number } else { 1 };
        let step = match verdict {
            Some(Verdict::Next(next)) => Step::Phase(next),
            Some(Verdict::Done) => Step::Push,
            _ => return Ok((Step::Phase(phase), number)),
        };
        let outcome = AttemptOutcome::Completed;
        self.store.change(|change| {
            change.end_attempt(last.id, &job.work.id, outcome, None, Some(&job.position(step)))
        })?;
        Ok((step, 1))
    }

    fn attempt(&mut self, job: &Job<'_>, place: &mut Place, phase: usize, number: u32) -> Result<Tried> {
        let id = &job.work.id;
        let name = &job.names[phase];
        if self.wishes.raised() {
            // It came between two phases: the next one would only be started to be ended.
            return Ok(Tried::Over(self.returned("stopped")));
        }
        if self.store.status()? == Some(ScheduleStatus::Paused) {
            return Ok(Tried::Over(self.returned("the batch is paused")));
        }
        if place.git.as_ref().is_some_and(|git| !git.repository.is_whole(&place.folder)) {
            // An agent may have removed it; the branch has what it committed.
            *place = self.prepare(job)?;
        }
        let state = self.store.project().state_file();
        let before = state_file::read(&state, id).unwrap_or(None);
        let tip = place.tip()?;
        let next_before = before.as_ref().and_then(|guide| guide.next.clone());
        let (attempt, log) = self
            .store
            .change(|change| change.start_attempt(job.run.id, id, name, number, next_before.as_deref()))?;
        self.ring();
        let log = self.store.folder().logs_of(id)?.join(log);
        let run = self.store.cookie(job.run.id)?;
        let root = self.store.project().root().to_owned();
        let call = Call {
            run: &run,
            work_id: id,
            phase: name,
            attempt: number,
            branch: place.git.as_ref().map(|git| git.name.as_str()),
            base: place.git.as_ref().map_or("", |git| git.base.as_str()),
            worktree: &place.folder,
            root: &root,
            source: &job.work.source,
        };
        let command = agent::command::build(&job.config, &job.phases[phase], phase == 0, &call);
        let store = &mut self.store;
        let ended = attempt::run(command, &run, &log, &job.tree, &mut self.wishes, |group| {
            store.change(|change| change.set_agent_group(attempt, group))
        })?;
        if !matches!(ended, Ended::Stuck(_)) {
            place.clear_git_locks();
        }
        let failure = match ended {
            Ended::Interrupted => {
                self.store.change(|change| {
                    change.end_attempt(attempt, id, AttemptOutcome::Interrupted, Some("stopped"), None)
                })?;
                return Ok(Tried::Over(self.returned("stopped")));
            }
            Ended::Stuck(left) => {
                let why = still_held(&left);
                self.store.change(|change| {
                    change.end_attempt(attempt, id, AttemptOutcome::Failed, Some(&why), None)
                })?;
                return Ok(Tried::Over(Outcome::Failed(format!("{name}: {why}"))));
            }
            Ended::Failure(how) => {
                let said = attempt::last_lines(&log);
                if said.is_empty() { how } else { format!("{how}: {said}") }
            }
            Ended::Success => match self.judge(job, place, phase, before.as_ref(), tip.as_ref(), &state) {
                Ok(Verdict::NotDone(why)) => why,
                Ok(verdict) => return self.succeeded(job, place, attempt, phase, verdict),
                Err(error) if matches!(error.code(), Code::Interrupted | Code::Store) => return Err(error),
                Err(error) => told(&error),
            },
        };
        let most = job.config.batch.max_step_failures;
        self.store
            .change(|change| change.end_attempt(attempt, id, AttemptOutcome::Failed, Some(&failure), None))?;
        self.ring();
        match phases::after_failure(number, most) {
            AfterFailure::GiveUp => {
                let tries = if number == 1 { "1 attempt".to_owned() } else { format!("{number} attempts") };
                Ok(Tried::Over(Outcome::Failed(format!("{name} failed after {tries}: {failure}"))))
            }
            AfterFailure::Retry(again) => {
                if self.pause(job.config.retry_wait(again)) {
                    return Ok(Tried::Over(self.returned("stopped")));
                }
                Ok(Tried::Again(again))
            }
        }
    }

    /// What follows a command that ended with 0, from the evidence it left.
    fn judge(
        &mut self,
        job: &Job<'_>,
        place: &Place,
        phase: usize,
        before: Option<&Guide>,
        tip: Option<&Commit>,
        state: &Path,
    ) -> Result<Verdict> {
        let now = match &place.git {
            Some(git) if !git.repository.is_whole(&place.folder) => {
                return Err(Error::new(
                    Code::WorktreeTaken,
                    format!(
                        "{} is no longer a worktree: its .git, or its entry in the repository, is gone",
                        place.folder.display()
                    ),
                    "see in `wf0 batch logs` what the phase did to it",
                ));
            }
            Some(git) => Some(git.repository.head_after_phase(&place.folder, &git.name)?.commit().clone()),
            None => None,
        };
        let after = state_file::read(state, &job.work.id)?;
        let mut runs = self.store.successful_runs(&job.work.id, &job.names)?;
        runs[phase] += 1;
        Ok(phases::after_success(Success {
            phases: &job.names,
            phase,
            before,
            after: after.as_ref(),
            branch_moved: now.is_some() && now.as_ref() != tip,
            runs: &runs,
            max_runs: job.config.batch.max_phase_runs,
        }))
    }

    fn succeeded(
        &mut self,
        job: &Job<'_>,
        place: &mut Place,
        attempt: i64,
        phase: usize,
        verdict: Verdict,
    ) -> Result<Tried> {
        let id = &job.work.id;
        let step = match verdict {
            Verdict::Next(next) => Step::Phase(next),
            Verdict::Done => Step::Push,
            Verdict::Circles(why) | Verdict::NotDone(why) => {
                let position = Position::Phase(job.names[phase].clone());
                self.store.change(|change| {
                    change.end_attempt(attempt, id, AttemptOutcome::Completed, Some(&why), Some(&position))
                })?;
                return Ok(Tried::Over(Outcome::Failed(format!("{}: {why}", job.names[phase]))));
            }
        };
        self.store.change(|change| {
            change.end_attempt(attempt, id, AttemptOutcome::Completed, None, Some(&job.position(step)))
        })?;
        self.ring();
        if step != Step::Push {
            // Between phases a push is a safety copy; what it can't do now is owed after the last one.
            match self.push(place)? {
                Some(Ok(Pushed::Pushed)) => self.note(job, EventKind::Pushed, place.branch_name())?,
                Some(Err(error)) => self.note(job, EventKind::PushFailed, Error::from(error).what())?,
                Some(Ok(Pushed::AlreadyThere | Pushed::NoOrigin)) | None => {}
            }
        }
        Ok(Tried::Next(step))
    }

    /// Pushes the branch if it has moved since the last push. `None` where there is nothing to push.
    fn push(&mut self, place: &mut Place) -> Result<Option<std::result::Result<Pushed, PushError>>> {
        let Some(git) = &mut place.git else { return Ok(None) };
        let tip = git.repository.tip(&git.name)?;
        if tip.is_none() || tip == git.pushed {
            return Ok(None);
        }
        match git.repository.push(&place.folder, &git.name, &mut self.wishes) {
            Ok(pushed) => {
                git.pushed = tip;
                Ok(Some(Ok(pushed)))
            }
            Err(PushError::Interrupted(error)) => Err(error),
            Err(error) => Ok(Some(Err(error))),
        }
    }

    /// All phases are done: pays the push that is owed, keeps the commit, puts the worktree away.
    fn finish(&mut self, job: &Job<'_>, place: &mut Place) -> Result<Outcome> {
        let id = &job.work.id;
        let mut number = 1;
        while let Some(result) = self.push(place)? {
            match result {
                Ok(Pushed::NoOrigin) => break,
                Ok(Pushed::AlreadyThere | Pushed::Pushed) => {
                    self.note(job, EventKind::Pushed, place.branch_name())?;
                    break;
                }
                Err(error) => {
                    let final_answer = matches!(error, PushError::OriginHasOthers(_));
                    let said = told(&Error::from(error));
                    self.note(job, EventKind::PushFailed, &said)?;
                    self.store.change(|change| change.set_attempts(id, number))?;
                    let again = match phases::after_failure(number, job.config.batch.max_step_failures) {
                        AfterFailure::Retry(again) if !final_answer => again,
                        _ => return Ok(Outcome::Failed(format!("push: {said}"))),
                    };
                    if self.pause(job.config.retry_wait(again)) {
                        return Ok(self.returned("stopped"));
                    }
                    number = again;
                }
            }
        }
        let Some(git) = &place.git else { return Ok(Outcome::Completed) };
        if let Some(tip) = git.repository.tip(&git.name)? {
            git.repository.record_done(id, &tip)?;
        }
        if job.config.batch.cleanup_worktree {
            let trash = self.store.project().worktree_root(&job.config).join(".trash");
            match git.repository.remove(&place.folder, &git.name, &trash, &mut self.wishes) {
                Ok(Removal::Gone(_)) => {
                    self.store.change(|change| change.set_worktree(id, None))?;
                    // Deleting may take seconds; the scheduler deletes what this leaves when the batch ends.
                    std::thread::spawn(move || drop(empty_trash(&trash)));
                }
                Ok(Removal::Kept(reason)) => {
                    self.note(job, EventKind::Warning, &format!("worktree kept: {reason}"))?;
                }
                Ok(Removal::Absent) => self.store.change(|change| change.set_worktree(id, None))?,
                Err(error) if error.code() == Code::Interrupted => return Err(error),
                Err(error) => {
                    self.note(job, EventKind::Warning, &format!("worktree kept: {}", error.what()))?
                }
            }
        }
        Ok(Outcome::Completed)
    }

    fn note(&mut self, job: &Job<'_>, kind: EventKind, message: &str) -> Result<()> {
        self.store.change(|change| {
            let by = change.by(job.run.id)?;
            change.note(kind, Note { work: Some(&job.work.id), message: Some(message), ..by })
        })?;
        self.ring();
        Ok(())
    }

    /// Waits; `true` where a wish cut it short.
    fn pause(&mut self, wait: Duration) -> bool {
        let until = Instant::now() + wait;
        loop {
            if self.wishes.raised() {
                return true;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            wait_readable(&self.wishes.fds(), left.min(super::SAFETY_TICK));
        }
    }
}

/// What came of an attempt.
enum Tried {
    Next(Step),
    Again(u32),
    Over(Outcome),
}

impl Job<'_> {
    fn position(&self, step: Step) -> Position {
        match step {
            Step::Phase(phase) => Position::Phase(self.names[phase].clone()),
            Step::Push => Position::Push,
        }
    }
}

impl Place {
    fn tip(&self) -> Result<Option<Commit>> {
        self.git.as_ref().map_or(Ok(None), |git| git.repository.tip(&git.name))
    }

    fn branch_name(&self) -> &str {
        self.git.as_ref().map_or("", |git| git.name.as_str())
    }

    /// A command whose processes were ended, by whomever, may leave git's lock files behind; nothing of it lives any more.
    fn clear_git_locks(&self) {
        if let Some(git) = &self.git {
            // What can't be removed shows as git's own message in the next attempt.
            let _ = git.repository.clear_stale_locks(&self.folder, &git.name);
        }
    }
}
