//! The one place that starts git: what its environment must not hold, what it must never ask or do by itself,
//! and how its failures become errors that people can read.
//!
//! Every command works on a named folder (`-C`), has no standard input and a process group of its own, so that
//! an interrupt ends it whole. It knows no command in particular.

use std::ffi::OsStr;
use std::fmt;
use std::path::Path;
use std::process::Command;

use crate::error::{Code, Error, Result, plain};
use crate::platform::children::{self, Finished, Interrupt, RunError};
use crate::platform::environment;
use crate::schedule::id::{printable, quoted};

/// Variables that tie git to one repository. Inherited from a git hook they would lead every command below,
/// and every agent, into the wrong repository. What `git rev-parse --local-env-vars` names, over all versions.
pub const LOCAL_ENVIRONMENT: &[&str] = &[
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// Variables that change what paths and refs mean to a command.
const MEANING: &[&str] = &[
    "GIT_ATTR_SOURCE",
    "GIT_GLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
    "GIT_LITERAL_PATHSPECS",
    "GIT_NAMESPACE",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_QUARANTINE_PATH",
];

/// Settings for wf0's own commands: no garbage collection in the middle of a batch, no daemon started in a
/// worktree, no submodule touched that a fresh worktree does not have.
const SETTINGS: &[&str] = &["maintenance.auto=false", "core.fsmonitor=false", "submodule.recurse=false"];

/// What every git has to know that works in one of many worktrees, wf0's own and an agent's. No garbage is collected
/// under the others' feet. A ref's lock, and that of all packed refs, is waited for: git gives up after 0.1 s and 1 s,
/// and with many worktrees on a busy disk a longer wait is nobody's fault.
pub const AMONG_WORKTREES: [(&str, &str); 3] =
    [("gc.auto", "0"), ("core.filesRefLockTimeout", "60000"), ("core.packedRefsTimeout", "60000")];

/// The full name of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Commit(String);

impl Commit {
    /// Checks that `text` is a full hexadecimal name, 40 or 64 digits.
    ///
    /// # Errors
    /// [`Code::Git`] where it is anything else.
    pub fn new(text: &str) -> Result<Commit> {
        if matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit()) {
            Ok(Commit(text.to_owned()))
        } else {
            Err(Error::new(
                Code::Git,
                format!("{} is not the full name of a commit", quoted(text)),
                "look at the repository with `git fsck`",
            ))
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One git command in the making.
#[derive(Debug)]
pub(super) struct Git {
    command: Command,
    doing: String,
}

impl Git {
    /// A command that works on `folder`. `doing` completes the sentence "cannot …" where it fails.
    pub fn new(folder: &Path, doing: impl Into<String>) -> Git {
        let mut command = environment::command("git");
        for name in LOCAL_ENVIRONMENT.iter().chain(MEANING) {
            command.env_remove(name);
        }
        // The caller's own folder may be gone by now (a worktree removed under it); `-C` names the right one.
        // A folder that has lost its `.git` is no repository. Worktrees lie inside the project: without this, git would
        // find the project's own checkout above and work on that.
        command.env("GIT_CEILING_DIRECTORIES", folder.parent().unwrap_or(folder));
        command.current_dir("/").env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C").arg("-C").arg(folder);
        for (key, value) in AMONG_WORKTREES {
            command.arg("-c").arg(format!("{key}={value}"));
        }
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        Git { command, doing: doing.into() }
    }

    /// Looks for the repository also above the folder.
    pub fn also_above(mut self) -> Git {
        self.command.env_remove("GIT_CEILING_DIRECTORIES");
        self
    }

    /// Only looks: must not write the index as a side effect, nor wait for whoever does.
    pub fn reading(mut self) -> Git {
        self.command.env("GIT_OPTIONAL_LOCKS", "0");
        self
    }

    /// Without the user's hooks, which were not written for commands that no person typed.
    pub fn without_hooks(mut self) -> Git {
        self.command.args(["-c", "core.hooksPath=/dev/null"]);
        self
    }

    /// In the user's language, for commands that run the user's own hooks.
    pub fn in_users_language(mut self) -> Git {
        match environment::var_os("LC_ALL") {
            Some(value) => self.command.env("LC_ALL", value),
            None => self.command.env_remove("LC_ALL"),
        };
        self
    }

    /// Adds an argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Git {
        self.command.arg(arg);
        self
    }

    /// Adds arguments.
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Git {
        self.command.args(args);
        self
    }

    /// Sets a variable of the command's environment.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Git {
        self.command.env(name, value);
        self
    }

    /// Runs it; how it ended is for the caller to judge.
    pub fn run(&mut self, interrupt: &mut dyn Interrupt) -> Result<Finished> {
        children::run(&mut self.command, interrupt).map_err(|error| match error {
            RunError::Interrupted => Error::new(
                Code::Interrupted,
                format!("interrupted before wf0 could {}", self.doing),
                "run `wf0 batch resume` to go on",
            ),
            RunError::Io(error) if error.kind() == std::io::ErrorKind::NotFound => Error::new(
                Code::NoGit,
                "git is not installed, or not on PATH",
                "install git, or set worktree.enabled to false in .wf/config.json",
            ),
            RunError::Io(error) => Error::new(
                Code::Process,
                format!("cannot {}: git did not run: {}", self.doing, plain(&error)),
                "mend what the message names, then run the same command again",
            ),
        })
    }

    /// Runs it and gives its standard output; any exit status but 0 is an error.
    pub fn output(mut self, interrupt: &mut dyn Interrupt) -> Result<Vec<u8>> {
        let done = self.run(interrupt)?;
        if done.status.success() { Ok(done.stdout) } else { Err(self.failed(&done)) }
    }

    /// Runs a command that answers yes (0) or no (1).
    pub fn answer(mut self, interrupt: &mut dyn Interrupt) -> Result<bool> {
        let done = self.run(interrupt)?;
        match done.status.code() {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => Err(self.failed(&done)),
        }
    }

    /// The error that a finished command stands for.
    pub fn failed(&self, done: &Finished) -> Error {
        let said = said(&done.stderr);
        let why = if said.is_empty() { format!("git ended with {}", done.status) } else { said };
        Error::new(
            Code::Git,
            format!("cannot {}: {why}", self.doing),
            "mend what git names, then run `wf0 batch resume`",
        )
    }
}

/// The last complaint in git's standard error, with what follows it, on one line and safe to show.
pub(super) fn said(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let mut lines: Vec<&str> =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("hint:")).collect();
    // It comes last and says the least: the reason is in the lines before.
    if lines.len() > 1 {
        lines.retain(|line| !line.starts_with("error: failed to push some refs"));
    }
    let complaint = lines.iter().rposition(|line| line.starts_with("fatal: ") || line.starts_with("error: "));
    let from = complaint.unwrap_or(lines.len().saturating_sub(2));
    let kept: Vec<String> = lines[from..]
        .iter()
        .take(3)
        .map(|line| line.trim_start_matches("fatal: ").trim_start_matches("error: "))
        .map(|line| without_secrets(&printable(line)))
        .collect();
    let joined = kept.join(" ");
    if joined.chars().count() > 400 {
        joined.chars().take(400).chain(std::iter::once('…')).collect()
    } else {
        joined
    }
}

/// Takes `user:password@` out of addresses.
fn without_secrets(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let end = after.find(|c: char| c == '/' || c == '\'' || c.is_whitespace()).unwrap_or(after.len());
        rest = after[..end].rfind('@').map_or(after, |sign| &after[sign + 1..]);
    }
    out.push_str(rest);
    out
}

/// A path as git printed it.
pub(super) fn path_of(bytes: &[u8]) -> std::path::PathBuf {
    use std::os::unix::ffi::OsStrExt;
    OsStr::from_bytes(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::children::Never;

    #[test]
    fn every_variable_that_git_itself_calls_local_is_taken_out() {
        let folder = tempfile::tempdir().unwrap();
        let names =
            Git::new(folder.path(), "ask git").args(["rev-parse", "--local-env-vars"]).output(&mut Never);
        for name in String::from_utf8(names.unwrap()).unwrap().lines() {
            assert!(LOCAL_ENVIRONMENT.contains(&name), "{name}");
        }
    }

    #[test]
    fn a_failure_says_what_git_said_and_nothing_that_moves_a_cursor() {
        let folder = tempfile::tempdir().unwrap();
        let git = Git::new(folder.path(), "do what no git can").arg("no-such\u{1b}[2Jcommand");
        let error = git.output(&mut Never).unwrap_err();
        assert_eq!(error.code(), Code::Git);
        assert!(error.what().starts_with("cannot do what no git can: "), "{}", error.what());
        assert!(!error.what().contains('\u{1b}'));
        assert_eq!(
            said(b"warning: x\nfatal: unable to access 'https://me:secret@host/x.git/': no\nhint: y\n"),
            "unable to access 'https://host/x.git/': no"
        );
        assert!(Commit::new("HEAD").is_err());
    }

    #[test]
    fn an_interrupt_has_a_code_of_its_own() {
        struct Now;
        impl Interrupt for Now {
            fn fds(&self) -> Vec<std::os::fd::BorrowedFd<'_>> {
                Vec::new()
            }
            fn raised(&mut self) -> bool {
                true
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let git = Git::new(folder.path(), "wait").args(["-c", "alias.wait=!sleep 60", "wait"]);
        assert_eq!(git.output(&mut Now).unwrap_err().code(), Code::Interrupted);
    }
}
