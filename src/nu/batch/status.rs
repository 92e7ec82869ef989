//! `wf0 batch status`.

use nu_plugin::{EngineInterface, EvaluatedCall, PluginCommand};
use nu_protocol::engine::ArgType;
use nu_protocol::{Example, LabeledError, PipelineData, Signature, SyntaxShape};

use crate::commands::status;
use crate::nu::Wf0Plugin;
use crate::nu::caller::Caller;
use crate::nu::completions::{self, offers};
use crate::nu::rows::{Density, Row};
use crate::nu::signature::{Shared, either};
use crate::nu::values;

/// The command.
pub struct Status;

impl PluginCommand for Status {
    type Plugin = Wf0Plugin;

    fn name(&self) -> &str {
        "wf0 batch status"
    }

    fn description(&self) -> &str {
        "Show where every work stands."
    }

    fn signature(&self) -> Signature {
        Signature::build(self.name())
            .of_a_project()
            .named(
                "state",
                SyntaxShape::String,
                "Only works in this state; several with commas between.",
                None,
            )
            .switch("summary", "One record of the whole batch.", None)
            .switch("flat", "Lists joined with a space, records as their id.", None)
            .gives(either([status::Row::either_table_type(), status::Summary::record_type(Density::Typed)]))
    }

    fn search_terms(&self) -> Vec<&str> {
        vec!["works", "progress", "state", "agents", "queue"]
    }

    fn examples(&self) -> Vec<Example<'_>> {
        vec![
            Example {
                example: "wf0 batch status | select work_id state",
                description: "What became of each work.",
                result: Some(values::rows(
                    &["work_id", "state"],
                    &[
                        &["FEAT-100-database", "completed"],
                        &["FEAT-123-auth", "failed"],
                        &["FEAT-125-api", "completed"],
                        &["FEAT-124-export", "blocked"],
                        &["FEAT-126-ui", "paused"],
                    ],
                )),
            },
            Example {
                example: "wf0 batch status | where state == failed | get work_id",
                description: "The works that failed.",
                result: Some(values::texts(&["FEAT-123-auth"])),
            },
            Example {
                example: "wf0 batch status | sort-by elapsed | last | get work_id",
                description: "The work that took longest.",
                result: None,
            },
            Example {
                example: "wf0 batch status --summary | get progress.failed",
                description: "How many failed.",
                result: Some(values::number(1)),
            },
            Example {
                example: "wf0 batch status --state failed,blocked --flat | select work_id source waiting_on | to csv --noheaders",
                description: "What others can read as CSV.",
                result: Some(values::text(
                    "FEAT-123-auth,FEAT-123-auth,\nFEAT-124-export,FEAT-124-export,FEAT-123-auth\n",
                )),
            },
        ]
    }

    fn run(
        &self,
        _: &Wf0Plugin,
        engine: &EngineInterface,
        call: &EvaluatedCall,
        _: PipelineData,
    ) -> Result<PipelineData, LabeledError> {
        let caller = Caller::new(engine, call);
        let project = caller.project()?;
        let failed = |error| caller.failure(&error);
        caller.exclude("summary", &["state", "flat"])?;
        if call.has_flag("summary")? {
            return Ok(caller.record(&caller.told(status::summary(&project).map_err(failed)?)));
        }
        let states = call.get_flag::<String>("state")?;
        let states = status::states(states.as_deref().unwrap_or_default()).map_err(failed)?;
        let rows = caller.told(status::rows(&project, &states).map_err(failed)?);
        Ok(caller.table(&rows, caller.density()?, &["work_id", "state", "phase"]))
    }
    offers!(|_engine, call, argument| {
        matches!(argument, ArgType::Flag(name) if name == "state").then(|| completions::states(&call))
    });
}
