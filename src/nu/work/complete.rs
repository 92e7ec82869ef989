//! `wf0 work complete`.

use nu_plugin::{EngineInterface, EvaluatedCall, PluginCommand};
use nu_protocol::{Example, LabeledError, PipelineData, Signature, SyntaxShape, Type};

use crate::commands::work;
use crate::nu::Wf0Plugin;
use crate::nu::caller::Caller;
use crate::nu::completions::{Which, offers};
use crate::nu::signature::Shared;
use crate::nu::values;
use crate::nu::work::worker_shape;
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
        let id = caller.work(0)?;
        let worker = caller.worker(1)?;
        let done = work::report(&project, &id, worker, &Outcome::Completed);
        caller.told(done.map_err(|error| caller.failure(&error))?);
        Ok(PipelineData::empty())
    }

    offers!(Which::Running);
}
