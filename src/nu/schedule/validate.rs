//! `wf0 schedule validate`.

use nu_plugin::{EngineInterface, EvaluatedCall, PluginCommand};
use nu_protocol::{Example, LabeledError, PipelineData, Signature};

use crate::commands::validate;
use crate::nu::Wf0Plugin;
use crate::nu::caller::Caller;
use crate::nu::rows::{Density, Row};
use crate::nu::signature::Shared;
use crate::nu::values;
use crate::schedule::problems::Problem;

/// The command.
pub struct Validate;

impl PluginCommand for Validate {
    type Plugin = Wf0Plugin;

    fn name(&self) -> &str {
        "wf0 schedule validate"
    }

    fn description(&self) -> &str {
        "List every problem of the schedule."
    }

    fn signature(&self) -> Signature {
        Signature::build(self.name()).of_a_project().gives(Problem::table_type(Density::Typed))
    }

    fn search_terms(&self) -> Vec<&str> {
        vec!["check", "lint", "cycle", "problems"]
    }

    fn examples(&self) -> Vec<Example<'_>> {
        vec![
            Example {
                example: "wf0 schedule validate | where severity == error",
                description: "What keeps the schedule from running.",
                result: Some(values::rows(&[], &[])),
            },
            Example {
                example: "wf0 schedule validate | is-empty",
                description: "Whether all is well.",
                result: Some(values::truth(true)),
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
        let rows = validate::rows(&caller.project()?).map_err(|error| caller.failure(&error))?;
        Ok(caller.table(&caller.told(rows), Density::Typed, &["severity", "work_id", "message"]))
    }
}
