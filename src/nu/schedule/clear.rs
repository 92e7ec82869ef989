//! `wf0 schedule clear`.

use nu_plugin::{EngineInterface, EvaluatedCall, PluginCommand};
use nu_protocol::{Example, LabeledError, PipelineData, Signature, Type};

use crate::commands::clear;
use crate::nu::Wf0Plugin;
use crate::nu::caller::Caller;
use crate::nu::caller::tell;
use crate::nu::signature::Shared;
use crate::nu::values;

/// The command.
pub struct Clear;

impl PluginCommand for Clear {
    type Plugin = Wf0Plugin;

    fn name(&self) -> &str {
        "wf0 schedule clear"
    }

    fn description(&self) -> &str {
        "Remove the schedule; a copy is kept."
    }

    fn signature(&self) -> Signature {
        Signature::build(self.name()).of_a_project().gives(Type::Nothing)
    }

    fn search_terms(&self) -> Vec<&str> {
        vec!["remove", "delete", "reset"]
    }

    fn examples(&self) -> Vec<Example<'_>> {
        vec![
            Example { example: "wf0 schedule clear", description: "Remove the schedule.", result: None },
            Example {
                example: "wf0 schedule clear; wf0 schedule create local=FEAT-1-login | get works",
                description: "Begin anew.",
                result: Some(values::number(1)),
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
        let kept = caller.told(clear::clear(&caller.project()?).map_err(|error| caller.failure(&error))?);
        tell(&match kept {
            Some(path) => format!("the schedule is removed; a copy is kept as {path}"),
            None => "the schedule is removed".to_owned(),
        });
        Ok(PipelineData::empty())
    }
}
