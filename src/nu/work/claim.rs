//! `wf0 work claim`.

use nu_plugin::{EngineInterface, EvaluatedCall, PluginCommand};
use nu_protocol::{Example, LabeledError, PipelineData, Signature, SyntaxShape};

use crate::commands::work;
use crate::nu::Wf0Plugin;
use crate::nu::caller::Caller;
use crate::nu::completions::{Which, offers};
use crate::nu::rows::{Density, Row};
use crate::nu::signature::Shared;
use crate::nu::values;
use crate::nu::work::worker_shape;

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
        let id = caller.work(0)?;
        let worker = caller.worker(1)?;
        let row = work::claim(&project, &id, worker).map_err(|error| caller.failure(&error))?;
        Ok(caller.record(&caller.told(row)))
    }

    offers!(Which::Pending);
}
