//! `wf0 work release`.

use nu_plugin::{EngineInterface, EvaluatedCall, PluginCommand};
use nu_protocol::{Example, LabeledError, PipelineData, Signature, Type};

use crate::commands::work;
use crate::nu::Wf0Plugin;
use crate::nu::caller::Caller;
use crate::nu::signature::Shared;
use crate::nu::values;
use crate::nu::work::worker_shape;

/// The command.
pub struct Release;

impl PluginCommand for Release {
    type Plugin = Wf0Plugin;

    fn name(&self) -> &str {
        "wf0 work release"
    }

    fn description(&self) -> &str {
        "Give back what a worker claimed."
    }

    fn signature(&self) -> Signature {
        Signature::build(self.name())
            .of_a_project()
            .required("worker", worker_shape(), "The worker.")
            .gives(Type::Nothing)
    }

    fn search_terms(&self) -> Vec<&str> {
        vec!["return", "unlock", "give back"]
    }

    fn examples(&self) -> Vec<Example<'_>> {
        vec![
            Example {
                example: "wf0 work claim FEAT-100-database 7; wf0 work release 7",
                description: "Take a work and give it back.",
                result: None,
            },
            Example {
                example: "wf0 work claim FEAT-100-database 7; wf0 work release worker-7; wf0 work next | get work_id",
                description: "It is there again.",
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
        let worker = caller.worker(0)?;
        let given_back = work::release(&caller.project()?, worker);
        caller.told(given_back.map_err(|error| caller.failure(&error))?);
        Ok(PipelineData::empty())
    }
}
