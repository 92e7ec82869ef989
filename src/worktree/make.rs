//! Making the worktree of a work, or finding it as it was left.
//!
//! Under the lock, for milliseconds: the branch is created and the worktree registered. Outside of it: the
//! checkout, then the link to `.wf`. Killed anywhere in between, the next call goes on: a branch that is there
//! is used as it is, an entry whose folder is missing is taken out, and an entry that is still marked as being
//! filled is filled again. What was handed out once (no mark) is never reset.

use std::fs;
use std::path::{Path, PathBuf};

use super::entry;
use super::git::{Commit, Git};
use super::link::Files;
use super::order::Order;
use super::place::{Found, place, taken};
use super::repository::{Listed, Repository, branch_ref};
use super::start::Start;
use super::status::Status;
use crate::error::{Code, Error, Result};
use crate::platform::children::{Interrupt, Never};
use crate::schedule::id::quoted;

/// A worktree that is ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Where it lies; every symbolic link above it resolved.
    pub path: PathBuf,
    /// The commit that its branch stands at.
    pub head: Commit,
    /// What a person should know, a sentence each.
    pub warnings: Vec<String>,
    /// It was there already, whole.
    pub reused: bool,
}

/// Points of [`Repository::make`] at which a test lets it die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Branch,
    Registered,
    Folder,
    Pointed,
    CheckedOut,
    Linked,
    Marked,
    Unlinked,
    Forwarded,
}

impl Repository {
    /// Makes the worktree that `order` asks for, on its branch, with its dependencies' commits in it; goes on
    /// where an earlier call was cut short, and takes a worktree that is there already as it is.
    ///
    /// # Errors
    /// [`Code::Conflict`]: dependencies do not merge; nothing was made. [`Code::WorktreeTaken`]: folder or
    /// branch belong to something else. [`Code::WouldLose`]: a folder `.wf` is in the link's way.
    /// [`Code::Interrupted`], [`Code::Git`], [`Code::File`].
    pub fn make(&self, order: &Order, interrupt: &mut dyn Interrupt) -> Result<Made> {
        let path = place(&order.path)?;
        self.free_shared(interrupt)?;
        self.exclude(&["/.wf"])?;
        self.repair_moved(&path, interrupt)?;
        let listed = self.worktrees()?;
        let holder = listed.iter().find(|it| it.branch.as_ref() == Some(&order.branch) && it.path != path);
        let stale = match holder {
            None => None,
            // An entry of wf0's whose folder is gone still holds the branch in git's eyes.
            Some(other) => Some(
                self.entry_for(&other.path)
                    .filter(|admin| !other.path.exists() && entry::is_ours(admin))
                    .ok_or_else(|| branch_taken(order, other))?,
            ),
        };
        let mut warnings = Vec::new();
        let reused = match self.look(&path, &listed)? {
            Found::Whole(admin) => {
                self.reuse(order, &path, &admin, &mut warnings, interrupt)?;
                true
            }
            found => {
                self.make_new(order, &path, found, stale, &mut warnings, interrupt)?;
                false
            }
        };
        if let Some(admin) = entry::admin_of(&path) {
            entry::note_branch(&admin, &order.branch)?;
        }
        let head = self.tip(&order.branch)?.ok_or_else(|| branch_gone(order))?;
        Ok(Made { path, head, warnings, reused })
    }

    /// Where the whole project was moved, its worktrees still name the old place, and git the old worktrees.
    fn repair_moved(&self, path: &Path, interrupt: &mut dyn Interrupt) -> Result<()> {
        let moved =
            path.join(".git").is_file() && entry::admin_of(path).is_none() && self.entry_for(path).is_none();
        if !moved {
            return Ok(());
        }
        // What it can't mend is told apart, and refused, by the look that follows.
        let git = Git::new(self.top(), format!("repair the worktree {}", path.display()));
        git.args(["worktree", "repair"]).arg(path).run(interrupt).map(drop)
    }

    fn make_new(
        &self,
        order: &Order,
        path: &Path,
        found: Found,
        stale: Option<PathBuf>,
        warnings: &mut Vec<String>,
        interrupt: &mut dyn Interrupt,
    ) -> Result<()> {
        let start = self.start_of(order, warnings)?;
        let target = self.target(order, &start, interrupt)?;
        if let Found::HalfMade(_) = found {
            self.clear_stale_locks(path, &order.branch)?;
        }
        self.free_branch(&order.branch, interrupt)?;
        let lock = self.lock(interrupt)?;
        for admin in stale.iter().chain(match &found {
            Found::EntryOnly(admin) => Some(admin),
            _ => None,
        }) {
            self.unregister(admin)?;
        }
        if start.tip.as_ref() != Some(&target) {
            self.move_branch(&order.branch, &target, start.tip.as_ref())
                .map_err(|error| self.explained(order, error))?;
        }
        passed(Step::Branch);
        let fresh = !matches!(found, Found::HalfMade(_));
        let admin = match found {
            Found::HalfMade(admin) => admin,
            _ => match self.register(path, &order.branch, interrupt) {
                Ok(admin) => admin,
                Err(error) => {
                    self.take_back_branch(order, &start, &target);
                    return Err(error);
                }
            },
        };
        passed(Step::Registered);
        drop(lock);
        let filled = self.fill(order, path, &admin, fresh, interrupt);
        if filled.is_err() && fresh {
            self.take_back(order, path, &admin, &start, &target);
        }
        filled
    }

    /// From a registered entry to a worktree that can be handed out.
    fn fill(
        &self,
        order: &Order,
        path: &Path,
        admin: &Path,
        fresh: bool,
        interrupt: &mut dyn Interrupt,
    ) -> Result<()> {
        fs::create_dir_all(path).map_err(|error| Error::file("create the folder", path, &error))?;
        passed(Step::Folder);
        entry::point_to(admin, path)?;
        passed(Step::Pointed);
        if !fresh {
            // The configuration, and with it the branch, may have changed since the first call.
            Git::new(path, format!("put {} onto {}", path.display(), quoted(&order.branch)))
                .args(["symbolic-ref", "HEAD", &branch_ref(&order.branch)])
                .output(&mut Never)?;
        }
        self.check_out(path, interrupt)?;
        passed(Step::CheckedOut);
        self.link(path, &order.wf, Files::JustCheckedOut, interrupt)?;
        passed(Step::Linked);
        entry::unmark(admin)
    }

    fn check_out(&self, path: &Path, interrupt: &mut dyn Interrupt) -> Result<()> {
        Git::new(path, format!("check out {}", path.display()))
            .without_hooks()
            .args(["reset", "-q", "--hard"])
            .output(interrupt)
            .map(drop)
    }

    /// A failure leaves nothing of what this call made; what cannot be taken back, the next call goes on from.
    fn take_back(&self, order: &Order, path: &Path, admin: &Path, start: &Start, target: &Commit) {
        let Ok(_lock) = self.lock(&mut Never) else { return };
        // Nobody but this call has written there: the folder was empty, or missing, and never handed out.
        if fs::remove_dir_all(path).is_ok() && self.unregister(admin).is_ok() {
            self.take_back_branch(order, start, target);
        }
    }

    fn take_back_branch(&self, order: &Order, start: &Start, target: &Commit) {
        let git = Git::new(self.top(), "take the branch back");
        let name = branch_ref(&order.branch);
        let mut git = match &start.tip {
            Some(tip) if tip == target => return,
            Some(tip) => git.args(["update-ref", &name, tip.as_str(), target.as_str()]),
            None => git.args(["update-ref", "-d", &name, target.as_str()]),
        };
        // A branch that stays does no harm: it holds the right commits.
        let _ = git.run(&mut Never);
    }

    fn reuse(
        &self,
        order: &Order,
        path: &Path,
        admin: &Path,
        warnings: &mut Vec<String>,
        interrupt: &mut dyn Interrupt,
    ) -> Result<()> {
        let operation = entry::operation(admin);
        if operation.is_none() {
            self.head_after_phase(path, &order.branch).map_err(|error| match error.code() {
                Code::State => taken(error.what().to_owned(), error.hint().to_owned()),
                _ => error,
            })?;
        } else if self.branch_at(path, admin).as_ref() != Some(&order.branch) {
            return Err(taken(
                format!(
                    "{} is in the middle of {} that is not for {}",
                    path.display(),
                    operation.unwrap_or("work"),
                    order.branch
                ),
                format!("finish or abort it in {}", path.display()),
            ));
        }
        let start = self.start_of(order, warnings)?;
        let tip = start.tip.clone().ok_or_else(|| branch_gone(order))?;
        let target = self.target(order, &start, interrupt)?;
        if target == tip {
            return self.link(path, &order.wf, Files::Used, interrupt);
        }
        let hindrance = match operation {
            Some(operation) => Some(format!("{operation} is in progress")),
            None if !Status::read(path, interrupt)?.is_clean() => {
                Some("it has changes that are not committed".to_owned())
            }
            None => None,
        };
        let forwarded = match hindrance {
            Some(why) => Err(why),
            None => self.forward(path, admin, &target, interrupt)?,
        };
        if let Err(why) = forwarded {
            warnings.push(format!(
                "{} goes on without the newest commits of its dependencies, because in {} {why}",
                order.id,
                path.display()
            ));
        }
        self.link(path, &order.wf, Files::Used, interrupt)
    }

    /// Brings a clean worktree forward to `target`; the inner error says why git would not.
    fn forward(
        &self,
        path: &Path,
        admin: &Path,
        target: &Commit,
        interrupt: &mut dyn Interrupt,
    ) -> Result<std::result::Result<(), String>> {
        self.unlink(path, interrupt)?;
        passed(Step::Unlinked);
        // Clean as it is, it may be filled again should this be cut short.
        entry::mark(admin)?;
        passed(Step::Marked);
        let mut git = Git::new(path, format!("bring {} forward", path.display()))
            .without_hooks()
            .args(["-c", "merge.autoStash=false", "-c", "merge.verifySignatures=false"])
            .args(["merge", "-q", "--no-stat", "--ff-only", "--no-overwrite-ignore", target.as_str()]);
        let done = git.run(interrupt)?;
        passed(Step::Forwarded);
        let outcome = if done.status.success() { Ok(()) } else { Err(super::git::said(&done.stderr)) };
        entry::unmark(admin)?;
        Ok(outcome)
    }

    fn branch_at(&self, path: &Path, admin: &Path) -> Option<String> {
        entry::branch_kept(admin).or_else(|| {
            let git = Git::new(path, "read HEAD").reading().args(["symbolic-ref", "-q", "--short", "HEAD"]);
            let out = git.output(&mut Never).ok()?;
            Some(String::from_utf8_lossy(&out).trim_end().to_owned())
        })
    }

    /// A branch `feat` forbids `feat/1-a`, and the other way round: say so in place of git's words.
    fn explained(&self, order: &Order, error: Error) -> Error {
        let above = Path::new(&order.branch)
            .ancestors()
            .skip(1)
            .filter_map(Path::to_str)
            .find(|name| !name.is_empty() && matches!(self.tip(name), Ok(Some(_))));
        match above {
            Some(name) => taken(
                format!("the branch {} keeps {} from being created", quoted(name), quoted(&order.branch)),
                format!(
                    "rename it (`git branch -m {name} {name}-old`), or set branch_prefix in .wf/config.json"
                ),
            ),
            None => error,
        }
    }
}

fn branch_taken(order: &Order, other: &Listed) -> Error {
    taken(
        format!(
            "the branch {} of {} is checked out at {}",
            quoted(&order.branch),
            order.id,
            other.path.display()
        ),
        format!("switch that folder to another branch, then run `wf0 batch resume {}`", order.id),
    )
}

fn branch_gone(order: &Order) -> Error {
    Error::new(
        Code::Git,
        format!("the branch {} of {} is not there any more", quoted(&order.branch), order.id),
        format!("see `git reflog` for its commits, then run `wf0 batch resume {}`", order.id),
    )
}

#[cfg(test)]
thread_local! {
    /// The step at which the thread's next call dies.
    pub(super) static DIE_AT: std::cell::Cell<Option<Step>> = const { std::cell::Cell::new(None) };
}

/// Dying, in a test, is a panic: like a kill it lets no error handling run.
#[cfg(test)]
fn passed(step: Step) {
    if DIE_AT.get() == Some(step) {
        std::panic::resume_unwind(Box::new(step));
    }
}

#[cfg(not(test))]
fn passed(_step: Step) {}

#[cfg(test)]
#[path = "make_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "killed_tests.rs"]
mod killed;
