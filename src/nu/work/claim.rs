//! `wf0 work claim`.

use nu_plugin::{DynamicCompletionCall, EngineInterface, EvaluatedCall, PluginCommand};
use nu_protocol::engine::ArgType;
use nu_protocol::{DynamicSuggestion, Example, LabeledError, PipelineData, Signature, Spanned, SyntaxShape};

use crate::commands::work;
use crate::nu::Wf0Plugin;
use crate::nu::caller::Caller;
use crate::nu::completions::{self, Which};
use crate::nu::failure::labeled;
use crate::nu::rows::{Density, Row};
use crate::nu::signature::Shared;
use crate::nu::values;
use crate::nu::work::worker;
use crate::nu::work::worker_shape;
use crate::schedule::WorkId;

/// The command.
pub struct Claim;

impl PluginCommand for Claim {
    type Plugin = Wf0Plugin;

    fn name(&self) -> &str {
        "wf0 work claim"
    }

    fn description(&self) -> &str {
        "Take a work as a worker of your own."
    }

    fn signature(&self) -> Signature {
        Signature::build(self.name())
            .of_a_project()
            .required("id", SyntaxShape::String, "The work.")
            .required("worker", worker_shape(), "A number that no other worker has: N or worker-N.")
            .gives(work::Row::record_type(Density::Typed))
    }

    fn search_terms(&self) -> Vec<&str> {
        vec!["take", "lock", "assign"]
    }

    fn examples(&self) -> Vec<Example<'_>> {
        vec![
            Example {
                example: "wf0 work claim FEAT-100-database 7 | get phases | first",
                description: "Take a work; what is to be done with it.",
                result: Some(values::text("wf1-kickoff")),
            },
            Example {
                example: "wf0 work next | wf0 work claim $in.work_id worker-7 | get work_id",
                description: "Take whatever is next.",
                result: Some(values::text("FEAT-100-database")),
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
        let worker = worker(&call.req(1)?)?;
        let row = work::claim(&project, &id, worker).map_err(|error| caller.failure(&error))?;
        Ok(caller.record(&caller.told(row)))
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
        completions::works(engine, &call, &argument, Which::Pending)
    }
}
