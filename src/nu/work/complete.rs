//! `wf0 work complete`.

use nu_plugin::{DynamicCompletionCall, EngineInterface, EvaluatedCall, PluginCommand};
use nu_protocol::engine::ArgType;
use nu_protocol::{
    DynamicSuggestion, Example, LabeledError, PipelineData, Signature, Spanned, SyntaxShape, Type,
};

use crate::commands::work;
use crate::nu::Wf0Plugin;
use crate::nu::caller::Caller;
use crate::nu::completions::{self, Which};
use crate::nu::failure::labeled;
use crate::nu::signature::Shared;
use crate::nu::values;
use crate::nu::work::worker;
use crate::nu::work::worker_shape;
use crate::schedule::WorkId;
use crate::store::runs::Outcome;

/// The command.
pub struct Complete;

impl PluginCommand for Complete {
    type Plugin = Wf0Plugin;

    fn name(&self) -> &str {
        "wf0 work complete"
    }

    fn description(&self) -> &str {
        "Record that a claimed work is done."
    }

    fn signature(&self) -> Signature {
        Signature::build(self.name())
            .of_a_project()
            .required("id", SyntaxShape::String, "The work.")
            .required("worker", worker_shape(), "The worker that claimed it.")
            .gives(Type::Nothing)
    }

    fn search_terms(&self) -> Vec<&str> {
        vec!["done", "finish", "report"]
    }

    fn examples(&self) -> Vec<Example<'_>> {
        vec![
            Example {
                example: "wf0 work claim FEAT-100-database 7; wf0 work complete FEAT-100-database 7",
                description: "Take a work and report it done.",
                result: None,
            },
            Example {
                example: "wf0 work claim FEAT-100-database 7; wf0 work complete FEAT-100-database 7; wf0 work next | get work_id",
                description: "What comes after it.",
                result: Some(values::text("FEAT-123-auth")),
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
        let done = work::report(&project, &id, worker, &Outcome::Completed);
        caller.told(done.map_err(|error| caller.failure(&error))?);
        Ok(PipelineData::empty())
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
        completions::works(engine, &call, &argument, Which::Running)
    }
}
