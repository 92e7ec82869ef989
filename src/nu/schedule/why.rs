//! `wf0 schedule why`.

use nu_plugin::{EngineInterface, EvaluatedCall, PluginCommand};
use nu_protocol::{Example, LabeledError, PipelineData, Signature, SyntaxShape};

use crate::commands::why;
use crate::nu::Wf0Plugin;
use crate::nu::caller::Caller;
use crate::nu::completions::{Which, offers};
use crate::nu::rows::{Density, Row};
use crate::nu::signature::Shared;
use crate::nu::values;

/// The command.
pub struct Why;

impl PluginCommand for Why {
    type Plugin = Wf0Plugin;

    fn name(&self) -> &str {
        "wf0 schedule why"
    }

    fn description(&self) -> &str {
        "Say why a work cannot start now, down the chain of what it waits for."
    }

    fn signature(&self) -> Signature {
        Signature::build(self.name())
            .of_a_project()
            .required("id", SyntaxShape::String, "The work.")
            .gives(why::Row::table_type(Density::Typed))
    }

    fn search_terms(&self) -> Vec<&str> {
        vec!["blocked", "waiting", "reason", "explain"]
    }

    fn examples(&self) -> Vec<Example<'_>> {
        vec![
            Example {
                example: "wf0 schedule why FEAT-124-export | get work_id",
                description: "What stands before a work.",
                result: Some(values::texts(&["FEAT-124-export", "FEAT-123-auth", "FEAT-100-database"])),
            },
            Example {
                example: "wf0 schedule why FEAT-124-export | last | get because",
                description: "What is to happen first.",
                result: Some(values::text("nothing: `wf0 batch start` runs it")),
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
        let id = caller.work(0)?;
        let rows = why::rows(&project, &id).map_err(|error| caller.failure(&error))?;
        Ok(caller.table(&caller.told(rows), Density::Typed, &["depth", "work_id", "state"]))
    }

    offers!(Which::Every);
}
