//! What a phase runs: the command from the configuration or the agent's own, its arguments, its environment; and the
//! record the agent keeps of itself. It knows no store and starts nothing.

pub mod call;
pub mod claude;
pub mod command;
pub mod state_file;

use crate::config::{CommandLine, Config, PhaseConfig};
use crate::error::{Code, Error, Result};
use crate::platform::environment;

/// The phases where the configuration has no list of its own.
pub const DEFAULT_PHASES: [&str; 6] =
    ["wf1-kickoff", "wf2-spec", "wf3-plan", "wf4-review", "wf5-implement", "wf6-verify"];

/// One phase and what it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phase {
    /// Its name.
    pub name: String,
    /// What it runs.
    pub action: Action,
}

/// What a phase runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// A program with arguments, placeholders still in them.
    Arguments(Vec<String>),
    /// A text for `sh -c`, as it is.
    Shell(String),
    /// The agent `claude`, with the words that the phase has for it.
    Claude,
    /// The agent `claude`, with these words.
    Told(String),
}

/// The phases of a configuration, in order.
///
/// # Errors
/// [`Code::Config`] where a phase is left to an agent that is not known.
pub fn phases(config: &Config) -> Result<Vec<Phase>> {
    let listed: Vec<PhaseConfig> = match &config.batch.phases {
        Some(phases) => phases.clone(),
        None => DEFAULT_PHASES.map(|name| PhaseConfig { name: name.to_owned(), command: None }).into(),
    };
    listed
        .into_iter()
        .map(|phase| {
            let action = match phase.command {
                Some(CommandLine::Arguments(arguments)) => Action::Arguments(arguments),
                Some(CommandLine::Shell(text)) => Action::Shell(text),
                None => {
                    check_known(config)?;
                    Action::Claude
                }
            };
            Ok(Phase { name: phase.name, action })
        })
        .collect()
}

/// Checks that the configured agent is one that can be run.
///
/// # Errors
/// [`Code::Config`].
pub fn check_known(config: &Config) -> Result<()> {
    if config.batch.agent == claude::PROGRAM {
        return Ok(());
    }
    Err(Error::new(
        Code::Config,
        format!("batch.agent: '{}' is no agent that wf0 knows", config.batch.agent),
        "use claude, or give each phase in batch.phases a command of its own",
    ))
}

/// Checks that what the phases run is installed.
///
/// # Errors
/// [`Code::NoAgent`] naming the program and the phase. Commands for `sh` and paths with placeholders are not looked at.
pub fn check_installed(phases: &[Phase]) -> Result<()> {
    for phase in phases {
        let (program, hint) = match &phase.action {
            Action::Claude | Action::Told(_) => (
                claude::PROGRAM,
                "install Claude Code so that `claude` is on PATH, or list other commands in batch.phases",
            ),
            Action::Arguments(arguments) => match arguments.first() {
                Some(program)
                    if !program.contains('{') && (!program.contains('/') || program.starts_with('/')) =>
                {
                    (
                        program.as_str(),
                        "install it, or correct the command in batch.phases of .wf/config.json",
                    )
                }
                _ => continue,
            },
            Action::Shell(_) => continue,
        };
        if environment::which(program).is_none() {
            return Err(Error::new(
                Code::NoAgent,
                format!("{program}, which phase {} runs, is not installed", phase.name),
                hint,
            ));
        }
    }
    Ok(())
}
