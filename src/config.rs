//! `.wf/config.json`: what users set, with every default in one place.
//!
//! All keys are optional and unknown keys are left alone; a wrong type is an error that names the key.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use crate::error::{Code, Error, Result};
use crate::schedule::id::quoted;
use crate::schedule::json::{self, Object, object};

/// The whole configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct Config {
    /// What works branch from; `None`: origin's HEAD, else `main`, `master` or `develop`.
    pub default_base_branch: Option<String>,
    /// A type's part of the branch name: `FEAT` → `feat`. What is given here is added to the defaults.
    pub branch_prefix: BTreeMap<String, String>,
    /// Worktrees.
    #[serde(deserialize_with = "object")]
    pub worktree: WorktreeConfig,
    /// The batch.
    #[serde(deserialize_with = "object")]
    pub batch: BatchConfig,
    /// Jira.
    #[serde(deserialize_with = "object")]
    pub jira: JiraConfig,
}

/// The `jira` section.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct JiraConfig {
    /// Where it is, as in `example.atlassian.net`, where no variable says so.
    pub domain: Option<String>,
}

/// The `worktree` section.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct WorktreeConfig {
    /// Whether works get worktrees.
    pub enabled: bool,
    /// The folder they lie in, relative to the project root.
    pub root_dir: String,
}

/// The `batch` section.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct BatchConfig {
    /// Workers, where `--parallel` doesn't say.
    pub default_parallel: u32,
    /// Most workers.
    pub max_parallel: u32,
    /// The same as `worktree.enabled`: off where either is off.
    pub auto_worktree: bool,
    /// Whether worktrees of completed works are removed once nothing in them could be lost.
    pub cleanup_worktree: bool,
    /// Failed attempts in a row at one phase before the work fails.
    pub max_step_failures: u32,
    /// Seconds before the second attempt; doubles up to 60.
    #[serde(deserialize_with = "seconds")]
    pub retry_delay: f64,
    /// Successful runs of one phase before the work counts as going in circles.
    pub max_phase_runs: u32,
    /// The agent that runs phases without a command of their own.
    pub agent: String,
    /// More arguments for the agent.
    pub agent_args: Vec<String>,
    /// Tracker tokens that phases may see all the same, by name of the variable.
    pub agent_env: Vec<String>,
    /// The phases; `None`: the six of the default.
    #[serde(deserialize_with = "phases")]
    pub phases: Option<Vec<PhaseConfig>>,
    /// Whether tmux is used where it is there.
    pub tmux: bool,
    /// Patterns of dependencies in text; `None`: those that [`crate::schedule::references`] understands anyway.
    pub dependency_patterns: Option<Vec<String>>,
    /// The sources of `schedule create --all`, as they are typed: `github=label:scheduled`.
    #[serde(deserialize_with = "sources")]
    pub sources: Vec<String>,
}

/// One entry of `batch.phases`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PhaseConfig {
    /// Its name.
    pub name: String,
    /// What it runs; left to the agent where it is missing.
    #[serde(default)]
    pub command: Option<CommandLine>,
}

/// What a phase runs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "expected a command: a list of arguments, or a string for sh -c")]
pub enum CommandLine {
    /// Arguments, in which placeholders are filled in.
    Arguments(Vec<String>),
    /// A text for `sh -c`, as it is.
    Shell(String),
}

/// What a worker was given in place of the configuration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Overrides {
    /// For `batch.max_step_failures`.
    pub max_step_failures: Option<u32>,
    /// For `batch.cleanup_worktree`.
    pub cleanup_worktree: Option<bool>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            default_base_branch: None,
            branch_prefix: default_prefixes(),
            worktree: WorktreeConfig::default(),
            batch: BatchConfig::default(),
            jira: JiraConfig::default(),
        }
    }
}

impl Default for WorktreeConfig {
    fn default() -> Self {
        WorktreeConfig { enabled: true, root_dir: ".worktrees".into() }
    }
}

impl Default for BatchConfig {
    fn default() -> Self {
        BatchConfig {
            default_parallel: 2,
            max_parallel: 5,
            auto_worktree: true,
            cleanup_worktree: true,
            max_step_failures: 3,
            retry_delay: 1.0,
            max_phase_runs: 5,
            agent: "claude".into(),
            agent_args: Vec::new(),
            agent_env: Vec::new(),
            phases: None,
            tmux: true,
            dependency_patterns: None,
            sources: Vec::new(),
        }
    }
}

fn default_prefixes() -> BTreeMap<String, String> {
    [("FEAT", "feat"), ("FIX", "fix"), ("REFACTOR", "refactor"), ("CHORE", "chore"), ("RFC", "rfc")]
        .map(|(kind, prefix)| (kind.to_owned(), prefix.to_owned()))
        .into()
}

fn seconds<'de, D: serde::Deserializer<'de>>(from: D) -> std::result::Result<f64, D::Error> {
    let seconds = f64::deserialize(from)?;
    if seconds.is_finite() && (0.0..=60.0).contains(&seconds) {
        Ok(seconds)
    } else {
        Err(serde::de::Error::custom(format!("{seconds} seconds, expected 0 to 60")))
    }
}

/// Sources as they are typed, or as schedule.json names them: `{"type": "github", "query": "label:scheduled"}`.
fn sources<'de, D: serde::Deserializer<'de>>(from: D) -> std::result::Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    struct Named {
        #[serde(rename = "type")]
        kind: crate::schedule::SourceType,
        #[serde(alias = "jql", alias = "ids")]
        query: String,
    }
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a source as it is typed, like \"github=label:scheduled\"")]
    enum Either {
        Typed(String),
        Named(Named),
    }
    let given = Vec::<Either>::deserialize(from)?;
    let typed = given.into_iter().map(|it| match it {
        Either::Typed(text) => text,
        Either::Named(Named { kind, query }) => format!("{kind}={query}"),
    });
    Ok(typed.collect())
}

fn phases<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> std::result::Result<Option<Vec<PhaseConfig>>, D::Error> {
    let given = Option::<Vec<Object<PhaseConfig>>>::deserialize(from)?;
    Ok(given.map(|list| list.into_iter().map(|it| it.0).collect()))
}

impl Config {
    /// The defaults, overridden by the file where there is one.
    ///
    /// # Errors
    /// [`Code::Config`] naming file, key, line and what was expected; [`Code::File`] where it can't be read.
    pub fn read(path: &Path) -> Result<Config> {
        match std::fs::read(path) {
            Ok(text) => Self::parse(&path.display().to_string(), &text),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => {
                Ok(Config::default())
            }
            Err(error) => Err(Error::file("read", path, &error)),
        }
    }

    /// Reads a configuration from its text; `name` is what messages call it.
    ///
    /// # Errors
    /// [`Code::Config`].
    pub fn parse(name: &str, text: &[u8]) -> Result<Config> {
        let refuse = |key: &str, what: String| {
            Error::new(
                Code::Config,
                format!("{name}: {key}: {what}"),
                "correct that key; `wf0 doctor` checks the whole file",
            )
        };
        let misread = |key: Option<String>, error: &serde_json::Error| {
            let at = format!("line {} column {}", error.line(), error.column());
            match key {
                Some(key) => refuse(&key, format!("{} ({at})", json::words(error))),
                None => Error::new(
                    Code::Config,
                    format!("{name} {at}: {}", json::words(error)),
                    "correct the file there; `wf0 doctor` checks the whole of it",
                ),
            }
        };
        let mut from = serde_json::Deserializer::from_slice(text);
        let Object(mut config): Object<Config> = serde_path_to_error::deserialize(&mut from)
            .map_err(|error| misread(json::place(error.path()), error.inner()))?;
        from.end().map_err(|error| misread(None, &error))?;
        let given = std::mem::replace(&mut config.branch_prefix, default_prefixes());
        config.branch_prefix.extend(given);
        config.check().map_err(|(key, what)| refuse(key, what))?;
        Ok(config)
    }

    fn check(&self) -> std::result::Result<(), (&'static str, String)> {
        let batch = &self.batch;
        for (key, number) in [
            ("batch.default_parallel", batch.default_parallel),
            ("batch.max_parallel", batch.max_parallel),
            ("batch.max_step_failures", batch.max_step_failures),
            ("batch.max_phase_runs", batch.max_phase_runs),
        ] {
            if number == 0 {
                return Err((key, "0, expected 1 or more".into()));
            }
        }
        if batch.max_parallel > crate::schedule::WorkerNumber::MAX {
            return Err(("batch.max_parallel", format!("{}, expected at most 9999", batch.max_parallel)));
        }
        if self.default_base_branch.as_deref().is_some_and(str::is_empty) {
            return Err(("default_base_branch", "'', expected the name of a branch, or leave it out".into()));
        }
        for (kind, prefix) in &self.branch_prefix {
            if !crate::schedule::naming::is_branch_prefix(prefix) {
                return Err((
                    "branch_prefix",
                    format!("{} for {} cannot begin a branch name", quoted(prefix), quoted(kind)),
                ));
            }
        }
        let root = Path::new(&self.worktree.root_dir);
        let inside = root.components().all(|part| matches!(part, std::path::Component::Normal(_)));
        let given = quoted(&self.worktree.root_dir);
        if root.as_os_str().is_empty() || !inside || self.worktree.root_dir.contains(char::is_control) {
            let what = format!("{given}, expected a folder inside the project, without '..'");
            return Err(("worktree.root_dir", what));
        }
        if root.starts_with(".git") || root.starts_with(".wf") {
            return Err((
                "worktree.root_dir",
                format!("{given} is not free for worktrees, expected another folder"),
            ));
        }
        let Some(phases) = &batch.phases else { return Ok(()) };
        if phases.is_empty() {
            return Err(("batch.phases", "an empty list, expected at least one phase".into()));
        }
        for (n, phase) in phases.iter().enumerate() {
            if phase.name.is_empty()
                || phase.name.len() > 60
                || !phase.name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
                || phase.name.starts_with('.')
            {
                return Err((
                    "batch.phases",
                    format!("phase {} has no usable name: use letters, digits, '-', '_' and '.'", n + 1),
                ));
            }
            if phases[..n].iter().any(|other| other.name == phase.name) {
                return Err(("batch.phases", format!("'{}' stands there twice", phase.name)));
            }
            let empty = match &phase.command {
                Some(CommandLine::Arguments(arguments)) => arguments.first().is_none_or(String::is_empty),
                Some(CommandLine::Shell(text)) => text.trim().is_empty(),
                None => false,
            };
            if empty {
                return Err(("batch.phases", format!("'{}' has an empty command", phase.name)));
            }
            let texts = match &phase.command {
                Some(CommandLine::Arguments(arguments)) => arguments.as_slice(),
                Some(CommandLine::Shell(text)) => std::slice::from_ref(text),
                None => &[],
            };
            if texts.iter().any(|text| text.contains('\0')) {
                return Err(("batch.phases", format!("'{}' has a NUL in its command", phase.name)));
            }
        }
        Ok(())
    }

    /// The same with what a worker was given in its place.
    #[must_use]
    pub fn with(mut self, overrides: Overrides) -> Config {
        let batch = &mut self.batch;
        batch.max_step_failures = overrides.max_step_failures.unwrap_or(batch.max_step_failures);
        batch.cleanup_worktree = overrides.cleanup_worktree.unwrap_or(batch.cleanup_worktree);
        self
    }

    /// Whether works run in worktrees of their own.
    pub fn worktrees(&self) -> bool {
        self.worktree.enabled && self.batch.auto_worktree
    }

    /// The wait before attempt `number` (2 is the second) at a phase.
    pub fn retry_wait(&self, number: u32) -> Duration {
        let doublings = number.saturating_sub(2).min(16);
        Duration::from_secs_f64((self.batch.retry_delay * f64::from(1u32 << doublings)).min(60.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_type_names_its_key() {
        for (text, key) in [
            (r#"{"batch": {"max_parallel": "five"}}"#, "batch.max_parallel"),
            (r#"{"batch": {"default_parallel": 0}}"#, "batch.default_parallel"),
            (r#"{"batch": {"retry_delay": -1}}"#, "batch.retry_delay"),
            (r#"{"batch": {"phases": [{"name": "a", "command": 7}]}}"#, "batch.phases[0].command"),
            (r#"{"batch": {"phases": [{"name": "a"}, {"name": "a"}]}}"#, "batch.phases"),
            (r#"{"branch_prefix": {"FEAT": "../x"}}"#, "branch_prefix"),
            (r#"{"worktree": {"root_dir": "../elsewhere"}}"#, "worktree.root_dir"),
            (r#"{"worktree": {"enabled": "yes"}}"#, "worktree.enabled"),
            (r#"{"jira": {"domain": 7}}"#, "jira.domain"),
        ] {
            let error = Config::parse("config.json", text.as_bytes()).unwrap_err();
            assert!(error.what().contains(key), "{}", error.what());
            assert_eq!(error.code(), Code::Config);
        }
        assert!(Config::parse("config.json", b"{\"batch\": {").is_err());
        assert!(Config::parse("config.json", b"{} x").is_err());
    }

    #[test]
    fn unknown_keys_are_left_alone_and_prefixes_are_added_to_the_defaults() {
        let config = Config::parse("c", br#"{"mine": 1, "branch_prefix": {"DOC": "docs"}}"#).unwrap();
        assert_eq!(config.branch_prefix["FEAT"], "feat");
        assert_eq!(config.branch_prefix["DOC"], "docs");
        assert_eq!(config.batch.default_parallel, 2);
    }

    #[test]
    fn waits_double_up_to_a_minute() {
        let config = Config::default();
        let waits: Vec<u64> = (2..12).map(|n| config.retry_wait(n).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
    }
}
