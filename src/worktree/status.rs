//! What `git status` says of one worktree, read once and whole.
//!
//! It knows names only; what may be lost is for others to judge.

use std::path::Path;

use super::git::Git;
use crate::error::Result;
use crate::platform::children::Interrupt;

/// The state of a worktree's files. Paths are relative to its top; a folder ends in `/`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Status {
    /// Tracked files that differ from HEAD, and conflicts.
    pub changed: Vec<String>,
    /// Files that git knows nothing of.
    pub untracked: Vec<String>,
    /// Files and folders that the ignore rules name.
    pub ignored: Vec<String>,
}

impl Status {
    /// Reads it. Settings that hide something from the user's eye hide nothing here.
    pub fn read(worktree: &Path, interrupt: &mut dyn Interrupt) -> Result<Status> {
        Status::read_below(worktree, ".", interrupt)
    }

    /// The same for one file or folder of the worktree.
    pub fn read_below(worktree: &Path, path: &str, interrupt: &mut dyn Interrupt) -> Result<Status> {
        let out = Git::new(worktree, format!("read the status of {}", worktree.display()))
            .reading()
            .args(["-c", "status.renames=false", "status", "--porcelain=v2", "-z", "--untracked-files=all"])
            .args(["--ignored=matching", "--ignore-submodules=none", "--", path])
            .output(interrupt)?;
        Ok(Status::parse(&out))
    }

    /// Whether nothing but ignored files differs from HEAD.
    pub fn is_clean(&self) -> bool {
        self.changed.is_empty() && self.untracked.is_empty()
    }

    fn parse(bytes: &[u8]) -> Status {
        let mut status = Status::default();
        let mut entries = bytes.split(|byte| *byte == 0);
        while let Some(entry) = entries.next() {
            let text = String::from_utf8_lossy(entry);
            let after =
                |fields: usize| text.splitn(fields + 1, ' ').nth(fields).unwrap_or_default().to_owned();
            match entry.first() {
                Some(b'1') => status.changed.push(after(8)),
                Some(b'2') => {
                    status.changed.push(after(9));
                    entries.next();
                }
                Some(b'u') => status.changed.push(after(10)),
                Some(b'?') => status.untracked.push(after(1)),
                Some(b'!') => status.ignored.push(after(1)),
                _ => {}
            }
        }
        status
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_entry_is_read_whatever_its_name_holds() {
        let text = "# branch.head x\x001 .M N... 100644 100644 100644 aa bb a b\n\x00\
            2 R. N... 100644 100644 100644 aa bb R100 new name\0old\0\
            u UU N... 1 2 3 4 aa bb cc both\0? un tracked\0! node_modules/\0";
        let status = Status::parse(text.as_bytes());
        assert_eq!(status.changed, ["a b\n", "new name", "both"]);
        assert_eq!(status.untracked, ["un tracked"]);
        assert_eq!(status.ignored, ["node_modules/"]);
        assert!(!status.is_clean());
    }
}
