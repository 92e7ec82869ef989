//! What can be typed.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::output::Format;
use crate::config::Overrides;

/// Runs dependent issues through coding agents, in parallel, unattended, each in a git worktree of its own.
#[derive(Debug, Parser)]
#[command(name = "wf0", version, propagate_version = true, arg_required_else_help = true)]
pub struct Arguments {
    /// The project's root; without it, the first folder upwards that holds .wf
    #[arg(long, global = true, value_name = "DIR")]
    pub project: Option<PathBuf>,
    /// How data is written to standard output (dot and mermaid: for start --dry-run)
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Answer as the functions of scripts/batch-utils.sh do
    #[arg(long, global = true, hide = true)]
    pub script: bool,
    #[command(subcommand)]
    pub command: Command,
}

impl Arguments {
    /// The project's root where it was given, by `--project` or by `WF0_PROJECT_ROOT`.
    pub fn root(&self) -> Option<PathBuf> {
        let inherited = || std::env::var_os("WF0_PROJECT_ROOT").filter(|root| !root.is_empty());
        self.project.clone().or_else(|| inherited().map(PathBuf::from))
    }
}

/// How many workers. Not clap's own: that speaks of digits and of 4294967295.
fn workers(text: &str) -> Result<u32, String> {
    text.parse()
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| "expected a whole number, 1 or more".to_owned())
}

fn priority(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| "expected a whole number".to_owned())
}

fn milliseconds(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "expected a whole number, 0 or more".to_owned())
}

fn poll(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.1..=3600.0).contains(seconds));
    seconds.ok_or_else(|| "expected a number from 0.1 to 3600".to_owned())
}

fn failures(text: &str) -> Result<u32, String> {
    workers(text)
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Makes this repository a project: writes .wf/config.json and keeps .wf out of git's sight
    Init,
    /// Builds and changes the schedule
    Schedule {
        #[command(subcommand)]
        command: Schedule,
    },
    /// Runs the schedule
    Batch {
        #[command(subcommand)]
        command: Batch,
    },
    /// The operations of a worker, for scripts that are one
    Work {
        #[command(subcommand)]
        command: Work,
    },
    /// Shows the whole thing on a throw-away repository, with a built-in agent
    Demo(DemoArguments),
    /// Checks git, tmux, agent, configuration and leftovers, and says how to mend each
    Doctor,
}

#[derive(Debug, Subcommand)]
pub enum Schedule {
    /// Builds the schedule from its sources
    Create {
        /// github=QUERY (label:A,label:B milestone:V …), jira=JQL, local=ID,ID: works by name
        #[arg(value_name = "SOURCE")]
        sources: Vec<String>,
        /// A schedule, or records as JSON, NDJSON or CSV: works, or issues from `gh issue list` (- is standard input)
        #[arg(long, value_name = "FILE")]
        from: Vec<PathBuf>,
        /// The sources that the configuration names in batch.sources, too
        #[arg(long)]
        all: bool,
        /// Start over: forget the schedule that is there
        #[arg(long)]
        force: bool,
        /// Show the works and what they would wait for, and write nothing at all
        #[arg(long)]
        dry_run: bool,
    },
    /// Lists the works by priority
    Show {
        /// Lists joined with a space, records as their id
        #[arg(long)]
        flat: bool,
        /// What each work waits for, and where that is said
        #[arg(long)]
        edges: bool,
    },
    /// Says why a work can't start now, down the chain of what it waits for
    Why {
        /// The work
        id: String,
    },
    /// Lists every problem of the schedule
    Validate,
    /// Removes the schedule
    Clear,
    /// Applies a jq expression, read from standard input: all of it or nothing
    #[command(hide = true)]
    Update {
        /// The shell that asks, which may have the lock among scripts
        #[arg(long, value_name = "PID")]
        owner: Option<u32>,
        /// The lock among scripts is taken
        #[arg(long)]
        locked: bool,
    },
    /// Changes a work's priority and dependencies
    Edit {
        /// The work
        id: String,
        /// priority=N, depends=A,B, add-dep=C, remove-dep=D
        #[arg(value_name = "CHANGE")]
        changes: Vec<String>,
        /// Lower runs first
        #[arg(long, allow_negative_numbers = true, value_parser = priority)]
        priority: Option<i64>,
        /// All dependencies, separated by commas
        #[arg(long)]
        depends: Option<String>,
        /// One more dependency
        #[arg(long)]
        add_dep: Vec<String>,
        /// A dependency less
        #[arg(long)]
        remove_dep: Vec<String>,
    },
}

#[derive(Debug, Subcommand)]
pub enum Batch {
    /// Starts the scheduler and its workers
    Start(StartArguments),
    /// Ends everything, or the works named
    Stop {
        /// Everything; the same as naming no work
        #[arg(long, conflicts_with = "ids")]
        all: bool,
        /// Only these works
        #[arg(value_name = "ID")]
        ids: Vec<String>,
    },
    /// Shows where every work stands
    Status {
        /// Only works in this state; several with commas between
        #[arg(long, value_name = "STATE", conflicts_with = "summary")]
        state: Vec<String>,
        /// One record of the whole batch
        #[arg(long)]
        summary: bool,
        /// Lists joined with a space, records as their id
        #[arg(long, conflicts_with = "summary")]
        flat: bool,
    },
    /// Takes up failed, paused and interrupted works
    Resume {
        /// Only these works
        #[arg(value_name = "ID")]
        ids: Vec<String>,
        /// How many workers
        #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = workers)]
        parallel: Option<u32>,
    },
    /// Shows what the phases of a work printed
    Logs {
        /// The work
        id: String,
        /// Only this phase
        #[arg(long)]
        phase: Option<String>,
        /// Go on as more is printed, until the work rests
        #[arg(long, short)]
        follow: bool,
    },
    /// Shows events as they happen, until the batch ends
    Watch,
    /// The scheduler itself, in the foreground
    Daemon(DaemonArguments),
    /// A worker itself, in the foreground
    Worker(WorkerArguments),
    #[command(hide = true)]
    Runner {
        #[arg(value_parser = workers)]
        number: u32,
        #[command(flatten)]
        overrides: OverrideArguments,
    },
}

#[derive(Debug, Args)]
pub struct StartArguments {
    /// How many workers
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = workers)]
    pub parallel: Option<u32>,
    /// Show what would run, in what order, and change nothing at all
    #[arg(long)]
    pub dry_run: bool,
    /// Wait until the batch is over; exit status 1 if not every work was completed
    #[arg(long, conflicts_with = "dry_run")]
    pub wait: bool,
    /// With --dry-run: lists joined with a space
    #[arg(long, requires = "dry_run")]
    pub flat: bool,
}

#[derive(Debug, Args)]
pub struct DaemonArguments {
    /// Seconds between looks at schedule.json; events never wait for it
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, allow_negative_numbers = true, value_parser = poll)]
    pub poll: f64,
    /// Report phases, too
    #[arg(long)]
    pub verbose: bool,
    #[arg(long, hide = true)]
    pub managed: bool,
}

#[derive(Debug, Args)]
pub struct WorkerArguments {
    /// The worker's number
    #[arg(value_name = "N")]
    pub number: String,
    #[command(flatten)]
    pub overrides: OverrideArguments,
    /// Seconds between looks at what may have escaped it; events never wait for it
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, allow_negative_numbers = true, value_parser = poll)]
    pub poll: f64,
    /// Show which phases run, but not what they print
    #[arg(long)]
    pub quiet: bool,
    #[arg(long, hide = true)]
    pub managed: bool,
}

#[derive(Debug, Args)]
pub struct OverrideArguments {
    /// Failed attempts in a row at one phase before the work fails, in place of batch.max_step_failures
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = failures)]
    pub max_step_failures: Option<u32>,
    /// Whether worktrees of completed works are removed, in place of batch.cleanup_worktree
    #[arg(long, value_name = "true|false", action = clap::ArgAction::Set)]
    pub cleanup_worktree: Option<bool>,
}

impl From<&OverrideArguments> for Overrides {
    fn from(it: &OverrideArguments) -> Overrides {
        Overrides { max_step_failures: it.max_step_failures, cleanup_worktree: it.cleanup_worktree }
    }
}

#[derive(Debug, Subcommand)]
pub enum Work {
    /// Names the work that would be given out next; nothing where none is ready
    Next,
    /// Takes a work
    Claim {
        /// The work
        id: String,
        /// The script's number as a worker: N or worker-N
        worker: String,
    },
    /// Records that a claimed work is done
    Complete {
        /// The work
        id: String,
        /// The worker that claimed it
        worker: String,
    },
    /// Records that a claimed work failed
    Fail {
        /// The work
        id: String,
        /// The worker that claimed it
        worker: String,
        /// Why
        message: Option<OsString>,
        /// Why, from a file; - is standard input
        #[arg(long, hide = true, value_name = "FILE", conflicts_with = "message")]
        message_from: Option<PathBuf>,
    },
    /// Gives back what a worker claimed
    Release {
        /// The worker
        worker: String,
    },
    /// Exit status 0 if every dependency of a work is completed, else 1
    #[command(hide = true)]
    DepsResolved {
        /// The work
        id: String,
    },
    /// Exit status 0 if the schedule runs, else 1
    #[command(hide = true)]
    IsRunning,
    /// Prints how many works there are of each status, as JSON
    #[command(hide = true)]
    Progress,
    /// Prints the branch of a work
    #[command(hide = true)]
    Branch {
        /// The work
        id: String,
    },
    /// Makes or finds the worktree of a work, and prints where it lies
    #[command(hide = true)]
    Worktree {
        /// The work
        id: String,
        /// The branch that is to be checked out there; without it, the work's own
        branch: Option<String>,
    },
    /// Removes the worktree of a work, unless something in it would be lost
    #[command(hide = true)]
    Cleanup {
        /// The work
        id: String,
    },
    /// Pushes the branch of a work to origin, where there is anything to push
    #[command(hide = true)]
    Push {
        /// The work
        id: String,
        /// Its worktree
        worktree: Option<OsString>,
    },
    /// Becomes the agent, told /COMMAND ID, in a worktree
    #[command(hide = true)]
    Invoke {
        /// The work
        id: String,
        /// Its worktree
        worktree: OsString,
        /// What the agent is told
        #[arg(default_value = "wf0-nextstep")]
        command: String,
    },
    /// Prints the identifier that the work of an issue gets; its title is read from standard input
    #[command(hide = true)]
    NewId {
        /// The number
        number: String,
        /// The type of the work, FEAT without it
        kind: Option<String>,
    },
    /// Prints what a text, read from standard input, says an issue waits for, as a JSON array
    #[command(hide = true)]
    References,
    /// Takes the lock among scripts for a shell, and prints which process holds it
    #[command(hide = true)]
    Lock {
        /// The shell
        owner: u32,
    },
    /// Frees the lock among scripts
    #[command(hide = true)]
    Unlock {
        /// As lock printed it
        holder: String,
    },
    #[command(hide = true)]
    HasLock { holder: String },
    #[command(hide = true)]
    HoldLock { owner: u32, started: String },
}

#[derive(Debug, Args)]
pub struct DemoArguments {
    /// Milliseconds that the built-in agent takes for a phase
    #[arg(long, default_value_t = u64::try_from(crate::commands::demo::PACE.as_millis()).unwrap_or(u64::MAX), value_name = "MS", allow_negative_numbers = true, value_parser = milliseconds)]
    pub pace: u64,
    #[arg(long, hide = true, value_name = "MS")]
    pub agent: Option<u64>,
}
