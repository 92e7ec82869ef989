//! `wf0 work next`.

use nu_plugin::{EngineInterface, EvaluatedCall, PluginCommand};
use nu_protocol::{Example, LabeledError, PipelineData, Signature, Type};

use crate::commands::work;
use crate::nu::Wf0Plugin;
use crate::nu::caller::Caller;
use crate::nu::rows::{Density, Row};
use crate::nu::signature::Shared;
use crate::nu::values;

/// The command.
pub struct NextWork;

impl PluginCommand for NextWork {
    type Plugin = Wf0Plugin;

    fn name(&self) -> &str {
        "wf0 work next"
    }

    fn description(&self) -> &str {
        "Name the work that would be given out next; nothing where none is ready."
    }

    fn signature(&self) -> Signature {
        Signature::build(self.name())
            .of_a_project()
            .gives(Type::one_of([work::Row::record_type(Density::Typed), Type::Nothing]))
    }

    fn search_terms(&self) -> Vec<&str> {
        vec!["queue", "ready", "take"]
    }

    fn examples(&self) -> Vec<Example<'_>> {
        vec![
            Example {
                example: "wf0 work next | get work_id",
                description: "What is to be done next.",
                result: Some(values::text("FEAT-100-database")),
            },
            Example {
                example: "wf0 work next | get branch",
                description: "On which branch.",
                result: Some(values::text("feat/100-database")),
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
        let next = caller.told(work::next(&caller.project()?).map_err(|error| caller.failure(&error))?);
        Ok(next.map_or_else(PipelineData::empty, |row| caller.record(&row)))
    }
}
