//! The command of a phase, ready to be started: placeholders filled in inside arguments, never through a shell, and
//! the environment that an unattended agent is to have.

use std::ffi::OsString;
use std::process::{Command, Stdio};

use super::call::{Call, fitting};
use super::{Action, Phase, claude};
use crate::config::Config;
use crate::platform::environment::TRACKER_TOKENS;
use crate::worktree::{AMONG_WORKTREES, LOCAL_ENVIRONMENT};

/// The variable that every process of a run carries.
pub const COOKIE: &str = "WF0_RUN";

/// Builds the command of a phase. `first` says whether it is the first of the list.
///
/// Standard input is empty; where the output goes, and the process group, are the caller's.
pub fn build(config: &Config, phase: &Phase, first: bool, call: &Call<'_>) -> Command {
    let mut command = match &phase.action {
        Action::Arguments(arguments) => {
            let mut filled = arguments.iter().map(|argument| fill(argument, call));
            let mut command = Command::new(filled.next().unwrap_or_default());
            command.args(filled);
            command
        }
        Action::Shell(text) => {
            let mut command = Command::new("sh");
            command.args(["-c", text]);
            command
        }
        Action::Claude => told(config, call, &claude::prompt(call, first)),
        Action::Told(words) => told(config, call, words),
    };
    command.current_dir(call.worktree).stdin(Stdio::null());
    let kept = |name: &&&str| !config.batch.agent_env.iter().any(|other| other == **name);
    for name in LOCAL_ENVIRONMENT.iter().chain(TRACKER_TOKENS.iter().filter(kept)) {
        command.env_remove(name);
    }
    if let (Some(_), Some(above)) = (call.branch, call.worktree.parent()) {
        // A worktree that has lost its `.git` is no repository. It lies inside the project: without this, an agent's git
        // would find the project's own checkout above and commit to that.
        let mut ceilings = above.as_os_str().to_owned();
        if let Some(given) = std::env::var_os("GIT_CEILING_DIRECTORIES").filter(|given| !given.is_empty()) {
            ceilings.push(":");
            ceilings.push(given);
        }
        command.env("GIT_CEILING_DIRECTORIES", ceilings);
    }
    command
        .env_remove("CLAUDECODE")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_CONFIG_COUNT", AMONG_WORKTREES.len().to_string())
        .envs(AMONG_WORKTREES.iter().enumerate().flat_map(|(n, (key, value))| {
            [(format!("GIT_CONFIG_KEY_{n}"), *key), (format!("GIT_CONFIG_VALUE_{n}"), *value)]
        }))
        .env(COOKIE, call.run)
        .env("WF0_WORK_ID", call.work_id.as_str())
        .env("WF0_PHASE", call.phase)
        .env("WF0_ATTEMPT", call.attempt.to_string())
        .env("WF0_BRANCH", call.branch.unwrap_or_default())
        .env("WF0_WORKTREE", call.worktree)
        .env("WF0_PROJECT_ROOT", call.root)
        .env("WF0_SOURCE_TYPE", call.source.kind.as_str())
        .env("WF0_SOURCE_ID", fitting(&call.source.id))
        .env("WF0_TITLE", fitting(call.source.title.as_deref().unwrap_or_default()));
    command
}

fn told(config: &Config, call: &Call<'_>, words: &str) -> Command {
    let mut command = Command::new(claude::PROGRAM);
    command.args(claude::arguments(call, words, &config.batch.agent_args));
    command
}

/// Fills placeholders in, each once: what is filled in is not looked at again.
fn fill(argument: &str, call: &Call<'_>) -> OsString {
    let mut out = OsString::with_capacity(argument.len());
    let mut rest = argument;
    while let Some(at) = rest.find('{') {
        out.push(&rest[..at]);
        rest = &rest[at..];
        let known = rest.find('}').and_then(|end| Some((value(&rest[1..end], call)?, end)));
        match known {
            Some((value, end)) => {
                out.push(value);
                rest = &rest[end + 1..];
            }
            None => {
                out.push("{");
                rest = &rest[1..];
            }
        }
    }
    out.push(rest);
    out
}

fn value(name: &str, call: &Call<'_>) -> Option<OsString> {
    let text = match name {
        "work_id" => call.work_id.to_string(),
        "phase" => call.phase.to_owned(),
        "branch" => call.branch.unwrap_or_default().to_owned(),
        // A path need not be UTF-8.
        "worktree" => return Some(call.worktree.into()),
        "source_type" => call.source.kind.as_str().to_owned(),
        "source_id" => call.source.id.clone(),
        "title" => call.source.title.clone().unwrap_or_default(),
        _ => return None,
    };
    Some(fitting(&text).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::{Source, WorkId};
    use std::path::Path;

    fn with_call<T>(title: &str, look: impl FnOnce(&Call<'_>) -> T) -> T {
        let id = WorkId::new("FEAT-1-a").unwrap();
        let source = Source::local(&id, Some(title.to_owned()));
        look(&Call {
            run: "7",
            work_id: &id,
            phase: "build",
            attempt: 2,
            branch: Some("feat/1-a"),
            base: "main",
            worktree: Path::new("/w"),
            root: Path::new("/p"),
            source: &source,
        })
    }

    #[test]
    fn placeholders_are_filled_in_once_and_others_stay() {
        with_call("{branch} $(touch x) `y`", |call| {
            assert_eq!(fill("{title}|{work_id}|{nope}|{", call), "{branch} $(touch x) `y`|FEAT-1-a|{nope}|{");
            assert_eq!(fill("{{phase}}", call), "{build}");
        });
    }

    #[test]
    fn a_hostile_title_reaches_a_program_as_one_harmless_argument() {
        let huge = format!("a\0b{}", "é".repeat(1 << 20));
        with_call(&huge, |call| {
            let phase = Phase {
                name: "build".into(),
                action: Action::Arguments(vec!["printf".into(), "%s".into(), "{title}".into()]),
            };
            let out = build(&Config::default(), &phase, true, call).current_dir("/").output().unwrap();
            assert!(out.status.success());
            assert!(out.stdout.starts_with("abé".as_bytes()) && out.stdout.len() < 40_000);
        });
    }

    #[test]
    fn tokens_stay_here_unless_they_are_asked_for() {
        let removed = |config: &Config, token: &str| {
            with_call("t", |call| {
                let phase = Phase { name: "build".into(), action: Action::Shell("true".into()) };
                let command = build(config, &phase, false, call);
                command.get_envs().any(|(name, value)| name == token && value.is_none())
            })
        };
        let mut config = Config::default();
        for token in ["GH_TOKEN", "GITHUB_TOKEN", "JIRA_API_TOKEN"].iter().chain(&TRACKER_TOKENS) {
            assert!(removed(&config, token), "{token}");
        }
        config.batch.agent_env = vec!["GH_TOKEN".into()];
        assert!(!removed(&config, "GH_TOKEN"));
        assert!(removed(&config, "JIRA_API_TOKEN"));
    }
}
