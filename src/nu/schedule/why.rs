//! `wf0 schedule why`.

use nu_plugin::{DynamicCompletionCall, EngineInterface, EvaluatedCall, PluginCommand};
use nu_protocol::engine::ArgType;
use nu_protocol::{DynamicSuggestion, Example, LabeledError, PipelineData, Signature, Spanned, SyntaxShape};

use crate::commands::why;
use crate::nu::Wf0Plugin;
use crate::nu::caller::Caller;
use crate::nu::completions::{self, Which};
use crate::nu::failure::labeled;
use crate::nu::rows::{Density, Row};
use crate::nu::signature::Shared;
use crate::nu::values;
use crate::schedule::WorkId;

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
        let id: Spanned<String> = call.req(0)?;
        let id = WorkId::new(id.item).map_err(|error| labeled(&error, id.span))?;
        let rows = why::rows(&project, &id).map_err(|error| caller.failure(&error))?;
        Ok(caller.table(&caller.told(rows), Density::Typed, &["depth", "work_id", "state"]))
    }

    #[expect(deprecated, reason = "the marker of a method of nu-plugin that may still change")]
    fn get_dynamic_completion(
        &self,
        _: &Wf0Plugin,
        engine: &EngineInterface,
        call: DynamicCompletionCall,
        argument: ArgType,
        _: nu_protocol::engine::ExperimentalMarker,
    ) -> Option<Vec<DynamicSuggestion>> {
        completions::works(engine, &call, &argument, Which::Every)
    }
}
