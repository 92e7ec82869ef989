//! The commands that only hold others: `wf0`, `wf0 schedule`, `wf0 batch`, `wf0 work`. Bare they show help; with a word
//! that is none of theirs they name the nearest one.

use nu_plugin::{EngineInterface, EvaluatedCall, PluginCommand};
use nu_protocol::{Example, LabeledError, PipelineData, Signature, Spanned, SyntaxShape, Type, Value};

use super::Wf0Plugin;
use super::failure::labeled;
use super::signature::Shared;
use crate::error::{Code, Error};
use crate::schedule::id::quoted;
use crate::schedule::problems::nearest;

/// Words of the command line that Nushell has no use for.
const ONLY_CLI: &[&str] = &["wf0 batch daemon", "wf0 batch worker"];

/// A command that holds others.
pub struct Group {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub description: &'static str,
    /// What one should know first.
    pub more: &'static str,
    /// One example, and what it is for.
    pub example: (&'static str, &'static str),
}

/// All of them.
pub const GROUPS: [Group; 4] = [
    Group {
        name: "wf0",
        description: "Run dependent issues through coding agents, in parallel and unattended.",
        more: "A work is one unit, usually an issue; the schedule holds the works, their priorities and dependencies. `wf0 schedule create` builds it, `wf0 batch start` runs it: a scheduler gives ready works to workers, and each runs the phases of its work in a git worktree of its own. All of that goes on without this shell. `wf0 demo` shows the whole thing.",
        example: ("wf0 schedule", "What can be done with a schedule."),
    },
    Group {
        name: "wf0 schedule",
        description: "Build and change the schedule of works.",
        more: "The schedule lies in .wf/schedule.json, which other programs may read, and edit too.",
        example: ("wf0 schedule show | where priority == 1", "The works that come first."),
    },
    Group {
        name: "wf0 batch",
        description: "Run the schedule, look at it, stop it, take it up again.",
        more: "`wf0 batch daemon` and `wf0 batch worker`, the processes themselves, stay with the command line: `^wf0 batch daemon`.",
        example: ("wf0 batch status | where state == failed", "What failed."),
    },
    Group {
        name: "wf0 work",
        description: "The operations of a worker, for scripts that are one.",
        more: "What a script claims is its own until it reports, gives it back, or `wf0 batch resume ID` takes it back.",
        example: ("wf0 work next", "The work that would be given out next."),
    },
];

impl PluginCommand for Group {
    type Plugin = Wf0Plugin;

    fn name(&self) -> &str {
        self.name
    }

    fn description(&self) -> &str {
        self.description
    }

    fn extra_description(&self) -> &str {
        self.more
    }

    fn signature(&self) -> Signature {
        Signature::build(self.name)
            .of_wf0()
            .rest("subcommand", SyntaxShape::String, "One of the commands below.")
            .input_output_type(Type::Any, Type::String)
    }

    fn search_terms(&self) -> Vec<&str> {
        vec!["batch", "agents", "issues", "worktree", "scheduler"]
    }

    fn examples(&self) -> Vec<Example<'_>> {
        let (example, description) = self.example;
        vec![
            Example { example: self.name, description: "What there is.", result: None },
            Example { example, description, result: None },
        ]
    }

    fn run(
        &self,
        _: &Wf0Plugin,
        engine: &EngineInterface,
        call: &EvaluatedCall,
        _: PipelineData,
    ) -> Result<PipelineData, LabeledError> {
        match call.rest::<Spanned<String>>(0)?.first() {
            None => Ok(PipelineData::value(Value::string(engine.get_help()?, call.head), None)),
            Some(word) => Err(self.unknown(word)),
        }
    }
}

impl Group {
    fn unknown(&self, word: &Spanned<String>) -> LabeledError {
        let full = format!("{} {}", self.name, word.item);
        if ONLY_CLI.contains(&full.as_str()) {
            let what = format!("`{full}` is a process in the foreground, which stays with the command line");
            return labeled(&Error::new(Code::Usage, what, format!("run `^{full}`")), word.span);
        }
        let commands = super::commands();
        let prefix = format!("{} ", self.name);
        let words: Vec<&str> = commands
            .iter()
            .filter_map(|it| it.name().strip_prefix(&prefix))
            .filter(|rest| !rest.contains(' '))
            .collect();
        let hint = match nearest(&word.item, words.iter().copied()).first() {
            Some(near) => format!("did you mean `{} {near}`?", self.name),
            None => format!("there are {}", words.join(", ")),
        };
        let what = format!("`{}` has no command {}", self.name, quoted(&word.item));
        labeled(&Error::new(Code::Usage, what, hint), word.span)
    }
}
