//! Running `gh`: in the project's root, without prompts, within a time and a size; and
//! what its failures mean.
//!
//! Tokens stay with gh: wf0 never sees one, and debug output that could show one is turned off.

use std::path::PathBuf;
use std::time::Instant;

use crate::error::{Code, Error, Result, plain};
use crate::platform::children::{Bounded, Interrupt, Limits, run_within};
use crate::platform::environment;
use crate::sources::tracker::{Place, interrupted, said};
use crate::worktree::LOCAL_ENVIRONMENT;

/// What messages call the source.
pub(super) const SOURCE: &str = "github=";

/// Most that one call may print. GitHub allows 64 Ki characters in a body.
const MOST_OUTPUT: u64 = 512 << 20;

/// What would change gh's output, or let it wait for somebody.
const WITHOUT: &[&str] =
    &["CLICOLOR_FORCE", "DEBUG", "GH_DEBUG", "GH_FORCE_TTY", "GH_MDWIDTH", "GH_PAGER", "PAGER"];

/// gh, found on PATH.
pub(super) struct Gh<'a> {
    program: PathBuf,
    place: Place<'a>,
    until: Instant,
}

/// What a call printed.
pub(super) struct Said {
    /// Whether it ended with status 0.
    pub ok: bool,
    status: Option<i32>,
    /// Standard output.
    pub out: Vec<u8>,
    /// Standard error.
    pub err: String,
}

impl<'a> Gh<'a> {
    pub fn find(place: Place<'a>) -> Result<Gh<'a>> {
        let program = environment::which("gh").ok_or_else(|| {
            Error::new(
                Code::SourceProgram,
                format!("{SOURCE} needs gh, GitHub's command line, and it is not on PATH"),
                "install it from https://cli.github.com, then log in with `gh auth login`",
            )
        })?;
        Ok(Gh { program, place, until: Instant::now() + place.patience })
    }

    /// Runs gh to its end, whatever that is.
    pub fn run<S: AsRef<str>>(&self, arguments: &[S], interrupt: &mut dyn Interrupt) -> Result<Said> {
        let mut command = environment::command(&self.program);
        command.args(arguments.iter().map(AsRef::as_ref)).current_dir(self.place.root);
        for name in LOCAL_ENVIRONMENT.iter().chain(WITHOUT) {
            command.env_remove(name);
        }
        command
            .env("GH_PROMPT_DISABLED", "1")
            .env("GH_NO_UPDATE_NOTIFIER", "1")
            .env("GH_NO_EXTENSION_UPDATE_NOTIFIER", "1")
            .env("GH_SPINNER_DISABLED", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("NO_COLOR", "1");
        let limits =
            Limits { time: self.until.saturating_duration_since(Instant::now()), output: MOST_OUTPUT };
        match run_within(&mut command, interrupt, limits) {
            Ok(Bounded::Finished(done)) => Ok(Said {
                ok: done.status.success(),
                status: done.status.code(),
                out: done.stdout,
                err: String::from_utf8_lossy(&done.stderr[..done.stderr.len().min(1 << 16)]).into_owned(),
            }),
            Ok(Bounded::Interrupted) => Err(interrupted(SOURCE)),
            Ok(Bounded::TimedOut) => Err(Error::new(
                Code::SourceUnreachable,
                format!("{SOURCE} was given up: gh has not answered in {} s", self.place.patience.as_secs()),
                "see whether `gh issue list` answers here, and whether GitHub is well at https://githubstatus.com",
            )),
            Ok(Bounded::TooMuch) => Err(Error::new(
                Code::SourceLimit,
                format!("{SOURCE} was given up: gh printed more than {} MiB", MOST_OUTPUT >> 20),
                "ask for fewer issues, by a label or a milestone for instance",
            )),
            Err(error) => Err(Error::new(
                Code::SourceProgram,
                format!("{} cannot be run: {}", self.program.display(), plain(&error)),
                "see whether `gh --version` works, and install gh from https://cli.github.com",
            )),
        }
    }

    /// Whether this gh gives an issue's dependencies in its list; where the version can't be told, it doesn't.
    pub fn lists_dependencies(&self, interrupt: &mut dyn Interrupt) -> Result<bool> {
        let done = self.run(&["--version"], interrupt)?;
        Ok(version(&String::from_utf8_lossy(&done.out)).is_some_and(|version| version >= (2, 94)))
    }
}

fn version(text: &str) -> Option<(u32, u32)> {
    let number = text.strip_prefix("gh version ")?.split_whitespace().next()?;
    let mut parts = number.trim_start_matches('v').split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

impl Said {
    /// Whether gh, or the server behind it, doesn't know what was asked for.
    pub fn knows_no_such_field(&self) -> bool {
        let text = self.err.to_ascii_lowercase();
        text.contains("unknown json field") || text.contains("doesn't exist on type")
    }

    /// What a failed call means.
    pub fn failure(&self) -> Error {
        let text = self.err.to_ascii_lowercase();
        let has = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
        let (code, what, hint) = if has(LIMITED) {
            (
                Code::SourceLimit,
                "GitHub's limit on requests is reached",
                "wait until it is over; `gh api rate_limit` says when that is",
            )
        } else if has(NO_REPOSITORY) {
            (
                Code::SourceRefused,
                "gh finds no repository at GitHub",
                "name it with repo:owner/name in the query, or add it as a remote with `git remote add origin URL`",
            )
        } else if self.status == Some(4) || has(NOT_LOGGED_IN) {
            (
                Code::SourceLogin,
                "gh is not logged in, or may not see this",
                "run `gh auth login`, or set GH_TOKEN; `gh auth status` shows what there is",
            )
        } else if has(OUT_OF_REACH) {
            (
                Code::SourceUnreachable,
                "GitHub can't be reached",
                "check the connection and https://githubstatus.com, then run the same command again",
            )
        } else {
            (
                Code::SourceRefused,
                "gh failed",
                "correct the query; GitHub describes its search at https://docs.github.com/search-github",
            )
        };
        let end = match (said(&self.err), self.status) {
            (text, _) if !text.is_empty() => text,
            (_, Some(status)) => format!("exit status {status}"),
            (_, None) => "a signal ended it".to_owned(),
        };
        Error::new(code, format!("{SOURCE}: {what}: {end}"), hint)
    }
}

const LIMITED: &[&str] = &["rate limit", "http 429", "abuse detection"];
const NO_REPOSITORY: &[&str] = &[
    "no git remotes",
    "none of the git remotes",
    "not a git repository",
    "could not resolve to a repository",
    "no default remote repository",
    "has disabled issues",
    "http 404",
];
const NOT_LOGGED_IN: &[&str] = &[
    "gh auth login",
    "gh auth refresh",
    "bad credentials",
    "http 401",
    "http 403",
    "saml enforcement",
    "required scopes",
    "not accessible by",
];
const OUT_OF_REACH: &[&str] = &[
    "error connecting to",
    "no such host",
    "dial tcp",
    "connection refused",
    "connection reset",
    "network is unreachable",
    "proxyconnect",
    "timeout",
    "timed out",
    "tls:",
    "x509:",
    "eof",
    "http 5",
    "something went wrong while executing your query",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_distributions_print() {
        let debian = "gh version 2.23.0 (2023-02-08 Debian 2.23.0+dfsg1-1)\nhttps://github.com/cli/cli\n";
        assert_eq!(version(debian), Some((2, 23)));
        assert_eq!(version("gh version 2.94.0 (2026-06-10)\n"), Some((2, 94)));
        assert_eq!(version("gh version DEV\n"), None);
        assert_eq!(version(""), None);
    }

    #[test]
    fn every_failure_has_its_own_answer() {
        for (status, err, code) in [
            (4, "To get started with GitHub CLI, please run:  gh auth login", Code::SourceLogin),
            (4, "gh: To use GitHub CLI in an automation context, set GH_TOKEN", Code::SourceLogin),
            (1, "HTTP 401: Bad credentials (https://api.github.com/graphql)", Code::SourceLogin),
            (1, "GraphQL: Resource not accessible by personal access token", Code::SourceLogin),
            (1, "no git remotes found", Code::SourceRefused),
            (1, "failed to run git: fatal: not a git repository: .git", Code::SourceRefused),
            (
                1,
                "none of the git remotes configured for this repository point to a known GitHub host. To tell gh about a new GitHub host, please use `gh auth login`",
                Code::SourceRefused,
            ),
            (
                1,
                "GraphQL: Could not resolve to a Repository with the name 'a/b'. (repository)",
                Code::SourceRefused,
            ),
            (1, "GraphQL: API rate limit exceeded for user ID 1.", Code::SourceLimit),
            (1, "HTTP 403: You have exceeded a secondary rate limit.", Code::SourceLimit),
            (
                1,
                "error connecting to api.github.com\ncheck your internet connection",
                Code::SourceUnreachable,
            ),
            (1, "HTTP 502: Bad Gateway (https://api.github.com/graphql)", Code::SourceUnreachable),
            (1, "invalid search query", Code::SourceRefused),
            (2, "", Code::SourceRefused),
        ] {
            let failed = Said { ok: false, status: Some(status), out: Vec::new(), err: err.into() };
            let error = failed.failure();
            assert_eq!(error.code(), code, "{err}: {error}");
            assert!(!error.hint().is_empty() && !error.what().contains('\n'));
        }
        let hostile = Said { ok: false, status: None, out: Vec::new(), err: "\u{1b}[2J\u{202e}x\0\n".into() };
        assert!(!hostile.failure().what().contains(['\u{1b}', '\u{202e}', '\0', '\n']));
    }
}
