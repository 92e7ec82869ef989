//! `wf0 schedule show`.

use nu_plugin::{EngineInterface, EvaluatedCall, PluginCommand};
use nu_protocol::{Example, LabeledError, PipelineData, Signature};

use crate::commands::{edges, show};
use crate::nu::Wf0Plugin;
use crate::nu::caller::Caller;
use crate::nu::rows::{Density, Row};
use crate::nu::signature::{Shared, either};
use crate::nu::values;

/// The command.
pub struct Show;

impl PluginCommand for Show {
    type Plugin = Wf0Plugin;

    fn name(&self) -> &str {
        "wf0 schedule show"
    }

    fn description(&self) -> &str {
        "List the works by priority."
    }

    fn signature(&self) -> Signature {
        Signature::build(self.name())
            .of_a_project()
            .switch("flat", "Lists joined with a space, records as their id.", None)
            .switch("edges", "What each work waits for, and where that is said.", None)
            .gives(either([show::Row::either_table_type(), edges::Row::table_type(Density::Typed)]))
    }

    fn search_terms(&self) -> Vec<&str> {
        vec!["list", "works", "priority", "dependencies"]
    }

    fn examples(&self) -> Vec<Example<'_>> {
        vec![
            Example {
                example: "wf0 schedule show | where priority == 2 | get work_id",
                description: "The works of one priority.",
                result: Some(values::texts(&["FEAT-123-auth", "FEAT-125-api"])),
            },
            Example {
                example: "wf0 schedule show --flat | where dependencies =~ FEAT-123-auth | get work_id",
                description: "What waits for a work.",
                result: Some(values::texts(&["FEAT-124-export"])),
            },
            Example {
                example: "wf0 schedule show --edges | where to == FEAT-123-auth | select from origin resolved",
                description: "Who said that something waits for a work.",
                result: Some(values::rows(
                    &["from", "origin", "resolved"],
                    &[&["FEAT-124-export", "config", "work"]],
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
        if call.has_flag("edges")? {
            let rows = edges::rows(&caller.project()?).map_err(|error| caller.failure(&error))?;
            return Ok(caller.table(&caller.told(rows), caller.density()?, &["from", "to", "origin"]));
        }
        let rows = show::rows(&caller.project()?).map_err(|error| caller.failure(&error))?;
        Ok(caller.table(&caller.told(rows), caller.density()?, &["work_id", "status"]))
    }
}
