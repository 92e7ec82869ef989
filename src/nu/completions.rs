//! What TAB offers: the works there are, each with its state and title.
//!
//! Nushell waits for nothing else of the plugin meanwhile, so this only reads; where there is no project, or it can't
//! be read, nothing is offered and nothing is said.

use nu_plugin::{DynamicCompletionCall, EngineInterface};
use nu_protocol::DynamicSuggestion;
use nu_protocol::ast::{Argument, Expr};
use nu_protocol::engine::ArgType;

use crate::commands::names::{self, Name};
use crate::project::Project;
use crate::schedule::State;
use crate::schedule::id::printable;

/// Which works an argument can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// All.
    Every,
    /// Those that wait.
    Pending,
    /// Those that run.
    Running,
    /// Those that failed or were stopped, and those that a script has.
    Resumable,
    /// Those that have printed something.
    Logged,
}

impl Which {
    fn holds(self, name: &Name) -> bool {
        match self {
            Which::Every => true,
            Which::Pending => name.state == State::Pending,
            Which::Running => name.state == State::Running,
            Which::Resumable => matches!(name.state, State::Failed | State::Paused),
            Which::Logged => name.has_run,
        }
    }
}

/// The method by which a command answers TAB: with works of a kind, or with what an expression gives. nu-plugin may still
/// change that method, so it is written here only.
macro_rules! offers {
    ($which:path) => {
        $crate::nu::completions::offers! {
            |engine, call, argument| $crate::nu::completions::works(engine, &call, &argument, $which)
        }
    };
    (|$engine:ident, $call:ident, $argument:ident| $offered:expr) => {
        #[expect(deprecated, reason = "the marker of a method of nu-plugin that may still change")]
        fn get_dynamic_completion(
            &self,
            _: &$crate::nu::Wf0Plugin,
            $engine: &nu_plugin::EngineInterface,
            $call: nu_plugin::DynamicCompletionCall,
            $argument: nu_protocol::engine::ArgType,
            _: nu_protocol::engine::ExperimentalMarker,
        ) -> Option<Vec<nu_protocol::DynamicSuggestion>> {
            $offered
        }
    };
}
pub(crate) use offers;

/// Works for a positional argument, phases for `--phase`, works for the flags that name some.
pub fn works(
    engine: &EngineInterface,
    call: &DynamicCompletionCall,
    argument: &ArgType,
    which: Which,
) -> Option<Vec<DynamicSuggestion>> {
    match argument {
        ArgType::Flag(name) if name == "phase" => {
            Some(project(engine, call).map(|it| phases(&it)).unwrap_or_default())
        }
        ArgType::Flag(name) if matches!(name.as_ref(), "depends" | "add-dep" | "remove-dep") => {
            Some(project(engine, call).map(|it| ids(&it, which)).unwrap_or_default())
        }
        ArgType::Flag(_) => None,
        ArgType::Positional(_) => Some(project(engine, call).map(|it| ids(&it, which)).unwrap_or_default()),
    }
}

/// The beginnings of what a positional argument can be.
pub fn beginnings(words: &[&str]) -> Vec<DynamicSuggestion> {
    let suggestion = |word: &&str| DynamicSuggestion {
        value: (*word).to_owned(),
        append_whitespace: false,
        ..DynamicSuggestion::default()
    };
    words.iter().map(suggestion).collect()
}

/// The states for `--state`. Nushell offers what begins like the whole of what was typed, so each offer repeats the states
/// before its own.
pub fn states(call: &DynamicCompletionCall) -> Vec<DynamicSuggestion> {
    let typed = typed(call, "state").unwrap_or_default();
    let before = typed.rfind(',').map_or("", |comma| &typed[..=comma]);
    let taken: Vec<&str> = before.split(',').map(str::trim).collect();
    let suggestion = |state: &State| DynamicSuggestion {
        value: format!("{before}{state}"),
        ..DynamicSuggestion::default()
    };
    State::ALL.iter().filter(|state| !taken.contains(&state.as_str())).map(suggestion).collect()
}

/// What was typed for a flag so far.
fn typed(call: &DynamicCompletionCall, flag: &str) -> Option<String> {
    call.call.arguments.iter().find_map(|argument| match argument {
        Argument::Named((name, _, Some(value))) if name.item == flag => match &value.expr {
            Expr::String(text)
            | Expr::RawString(text)
            | Expr::Directory(text, _)
            | Expr::Filepath(text, _) => Some(text.clone()),
            _ => None,
        },
        _ => None,
    })
}

fn project(engine: &EngineInterface, call: &DynamicCompletionCall) -> Option<Project> {
    let here = engine.get_current_dir().ok()?;
    let inherited = || engine.get_env_var("WF0_PROJECT_ROOT").ok().flatten()?.into_string().ok();
    let here = std::path::Path::new(&here);
    let at = |root: String| Project::at(&here.join(root)).ok();
    match typed(call, "project").or_else(inherited).filter(|it| !it.is_empty()) {
        Some(root) => at(root),
        None => Project::find(here).ok(),
    }
}

fn ids(project: &Project, which: Which) -> Vec<DynamicSuggestion> {
    let known = names::names(project).unwrap_or_default();
    let suggestion = |name: Name| DynamicSuggestion {
        description: Some(match &name.title {
            Some(title) => format!("{} · {}", name.state, printable(title)),
            None => name.state.to_string(),
        }),
        value: name.work_id.to_string(),
        ..DynamicSuggestion::default()
    };
    known.into_iter().filter(|name| which.holds(name)).map(suggestion).collect()
}

fn phases(project: &Project) -> Vec<DynamicSuggestion> {
    let phases = project.config().and_then(|config| crate::agent::phases(&config)).unwrap_or_default();
    phases
        .into_iter()
        .map(|phase| DynamicSuggestion { value: phase.name, ..DynamicSuggestion::default() })
        .collect()
}
