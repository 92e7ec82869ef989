//! `wf0 work fail`.

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
pub struct Fail;

impl PluginCommand for Fail {
    type Plugin = Wf0Plugin;

    fn name(&self) -> &str {
        "wf0 work fail"
    }

    fn description(&self) -> &str {
        "Record that a claimed work failed."
    }

    fn signature(&self) -> Signature {
        Signature::build(self.name())
            .of_a_project()
            .required("id", SyntaxShape::String, "The work.")
            .required("worker", worker_shape(), "The worker that claimed it.")
            .optional("message", SyntaxShape::String, "Why.")
            .gives(Type::Nothing)
    }

    fn search_terms(&self) -> Vec<&str> {
        vec!["failed", "report", "error"]
    }

    fn examples(&self) -> Vec<Example<'_>> {
        vec![
            Example {
                example: "wf0 work claim FEAT-100-database 7; wf0 work fail FEAT-100-database 7 \"no disk\"",
                description: "Take a work and give up.",
                result: None,
            },
            Example {
                example: "wf0 work claim FEAT-100-database 7; wf0 work fail FEAT-100-database 7 \"no disk\"; wf0 batch status --state failed | get error",
                description: "Why works failed.",
                result: Some(values::texts(&["no disk"])),
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
        let why =
            call.opt::<String>(2)?.filter(|text| !text.is_empty()).unwrap_or_else(|| "failed".to_owned());
        let done = work::report(&project, &id, worker, &Outcome::Failed(why));
        caller.told(done.map_err(|error| caller.failure(&error))?);
        Ok(PipelineData::empty())
    }

    offers!(Which::Running);
}
