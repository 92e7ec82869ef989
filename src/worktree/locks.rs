//! Lock files of git that nobody holds any more.
//!
//! A git that is ended in the moment in which it makes a lock file leaves it, whatever the signal: it notes what to
//! remove only after the file is there. Whoever needs that lock next waits in vain, and one of them, that of all packed
//! refs, every `git commit` needs for a moment, in every worktree. So locks are looked after wherever something may have
//! been ended: those that only one work's processes take, once these are gone; those of others, once nothing has
//! happened to them for longer than anybody holds them.

use std::fs::{self, File, Metadata, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::entry;
use super::repository::{Repository, done_ref};
use crate::error::{Code, Error, Result};
use crate::platform::children::{Interrupt, Never, wait_readable};
use crate::schedule::id::WorkId;

/// A lock of refs to which nothing has happened for so long is nobody's: git holds it for milliseconds, and gives up
/// after one second where another one does.
const ABANDONED: Duration = Duration::from_secs(2);
/// How often a lock is looked at. Nothing tells when it goes.
const LOOK: Duration = Duration::from_millis(10);

impl Repository {
    /// Deletes the lock files that a killed git left for this worktree and its branch, and those that all worktrees
    /// share. Only for when none of the work's processes is left.
    ///
    /// # Errors
    /// A lock file cannot be looked at or deleted.
    pub fn clear_stale_locks(&self, path: &Path, branch: &str) -> Result<()> {
        let mut locks = vec![self.branch_lock(branch), self.tracking_lock(branch)];
        if let Some(admin) = entry::admin_of(path) {
            let listed =
                fs::read_dir(&admin).map_err(|error| Error::file("read the folder", &admin, &error))?;
            let found = listed.flatten().map(|it| it.path());
            locks.extend(found.filter(|path| path.extension().is_some_and(|end| end == "lock")));
        }
        for lock in locks {
            remove(&lock)?;
        }
        self.free_shared(&mut Never)
    }

    /// Waits until nobody changes a work's branch. Between works it is changed by a git that packs refs at most.
    pub(super) fn free_branch(&self, branch: &str, interrupt: &mut dyn Interrupt) -> Result<()> {
        free(&[&self.branch_lock(branch)], interrupt)
    }

    /// Waits until nobody has a lock that all worktrees share: that of the packed refs, which every commit takes, and
    /// that of the configuration, which `git push -u` takes.
    pub(super) fn free_shared(&self, interrupt: &mut dyn Interrupt) -> Result<()> {
        let at = |name: &str| self.common_dir().join(name);
        // Large packed refs take their time; the new ones grow meanwhile.
        free(&[&at("packed-refs.lock"), &at("packed-refs.new")], interrupt)?;
        free(&[&at("config.lock")], interrupt)
    }

    /// Waits until nobody changes the ref that keeps a completed work's commit.
    pub(super) fn free_done(&self, id: &WorkId, interrupt: &mut dyn Interrupt) -> Result<()> {
        free(&[&self.common_dir().join(format!("{}.lock", done_ref(id)))], interrupt)
    }

    fn branch_lock(&self, branch: &str) -> PathBuf {
        self.common_dir().join(format!("refs/heads/{branch}.lock"))
    }

    fn tracking_lock(&self, branch: &str) -> PathBuf {
        self.common_dir().join(format!("refs/remotes/origin/{branch}.lock"))
    }
}

/// Waits until none of `files` is there; deletes them where nothing has happened to any for [`ABANDONED`].
fn free(files: &[&Path], interrupt: &mut dyn Interrupt) -> Result<()> {
    let mut seen = Vec::new();
    let mut since = Instant::now();
    loop {
        let now: Vec<Option<Seen>> = files.iter().map(|file| Seen::at(file)).collect();
        if now.iter().all(Option::is_none) {
            return Ok(());
        }
        if now != seen {
            (seen, since) = (now, Instant::now());
        } else if since.elapsed() >= ABANDONED {
            // The lock last: whoever waits for it finds the rest gone.
            for (file, left) in files.iter().zip(&seen).rev() {
                let removed = left.as_ref().map_or(Ok(()), |left| remove_left(file, left));
                removed.map_err(|error| Error::file("delete the abandoned lock", file, &error))?;
            }
        }
        if interrupt.raised() {
            return Err(Error::new(
                Code::Interrupted,
                format!("interrupted while waiting for {}", files[0].display()),
                "run `wf0 batch resume` to go on",
            ));
        }
        wait_readable(&interrupt.fds(), LOOK);
    }
}

/// A file as it stands at one moment: another of the same name is another, and one that was written to has changed.
#[derive(PartialEq)]
struct Seen {
    device: u64,
    file: u64,
    size: u64,
    changed: (i64, i64),
}

impl Seen {
    fn at(path: &Path) -> Option<Seen> {
        fs::symlink_metadata(path).ok().as_ref().map(Seen::told_by)
    }

    fn told_by(about: &Metadata) -> Seen {
        Seen {
            device: about.dev(),
            file: about.ino(),
            size: about.size(),
            changed: (about.ctime(), about.ctime_nsec()),
        }
    }
}

/// Deletes a file that its holder has left, unless it is another by now: a process that also waited for it has taken it
/// away, and somebody holds the next one.
fn remove_left(path: &Path, left: &Seen) -> io::Result<()> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        file => file?,
    };
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => return Ok(()),
        locked => locked?,
    }
    // Nobody but the holder of that lock deletes this very file, so it is still the one that the name leads to.
    if Seen::told_by(&file.metadata()?) == *left && Seen::at(path).is_some_and(|now| now == *left) {
        fs::remove_file(path)?;
    }
    Ok(())
}

fn remove(lock: &Path) -> Result<()> {
    match fs::remove_file(lock) {
        Err(error) if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Err(Error::file("delete the stale lock", lock, &error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Project, commit_in, try_git_in};
    use super::*;
    use std::os::fd::BorrowedFd;

    #[test]
    fn stale_locks_go_and_nobody_elses() {
        let project = Project::new();
        let repository = project.repository();
        let made = repository.make(&project.order("FEAT-1-a", &[]), &mut Never).unwrap();
        let admin = entry::admin_of(&made.path).unwrap();
        let common = repository.common_dir();
        let ours = [
            common.join("refs/heads/feat/1-a.lock"),
            common.join("refs/remotes/origin/feat/1-a.lock"),
            admin.join("index.lock"),
            admin.join("HEAD.lock"),
            admin.join("AUTO_MERGE.lock"),
            common.join("packed-refs.new"),
            common.join("packed-refs.lock"),
            common.join("config.lock"),
        ];
        let others = [common.join("index.lock"), common.join("refs/heads/main.lock")];
        for lock in ours.iter().chain(&others) {
            fs::create_dir_all(lock.parent().unwrap()).unwrap();
            fs::write(lock, "").unwrap();
        }
        repository.clear_stale_locks(&made.path, "feat/1-a").unwrap();
        let left: Vec<&PathBuf> = ours.iter().filter(|lock| lock.exists()).collect();
        assert!(left.is_empty(), "{left:?}");
        assert!(others.iter().all(|lock| lock.exists()));
        commit_in(&made.path, &[("work", "w")]);
        others.iter().for_each(|lock| fs::remove_file(lock).unwrap());
        let (packed, text) = try_git_in(&project.root, &["pack-refs", "--all"]);
        assert!(packed, "{text}");
    }

    /// Writes to the packed refs for longer than an abandoned lock is left, and is done then.
    struct Packing {
        begin: Instant,
        lock: PathBuf,
        written: usize,
    }

    impl Interrupt for Packing {
        fn fds(&self) -> Vec<BorrowedFd<'_>> {
            Vec::new()
        }
        fn raised(&mut self) -> bool {
            assert!(self.lock.exists(), "it was taken away from its holder");
            self.written += 1;
            fs::write(self.lock.with_extension("new"), "x".repeat(self.written)).unwrap();
            if self.begin.elapsed() > ABANDONED * 2 {
                fs::remove_file(self.lock.with_extension("new")).unwrap();
                fs::remove_file(&self.lock).unwrap();
            }
            false
        }
    }

    #[test]
    fn a_lock_whose_holder_is_at_work_is_waited_for() {
        let project = Project::new();
        let repository = project.repository();
        let lock = repository.common_dir().join("packed-refs.lock");
        fs::write(&lock, "").unwrap();
        let mut packing = Packing { begin: Instant::now(), lock, written: 0 };
        repository.free_shared(&mut packing).unwrap();
        assert!(packing.begin.elapsed() > ABANDONED * 2);
    }

    #[test]
    fn of_several_that_wait_one_takes_a_lock_away_and_none_the_next_holders() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("packed-refs.lock");
        fs::write(&path, "").unwrap();
        let left = Seen::at(&path).unwrap();
        let other = File::open(&path).unwrap();
        other.lock().unwrap();
        remove_left(&path, &left).unwrap();
        assert!(path.exists(), "another one is at it");
        fs::remove_file(&path).unwrap();
        drop(other);
        remove_left(&path, &left).unwrap();
        // Of another size: within one tick of the clock nothing else need tell the two apart.
        fs::write(&path, "next").unwrap();
        remove_left(&path, &left).unwrap();
        assert!(path.exists(), "this one is somebody's");
        remove_left(&path, &Seen::at(&path).unwrap()).unwrap();
        assert!(!path.exists());
    }
}
