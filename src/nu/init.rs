//! `wf0 init`.

use nu_plugin::{EngineInterface, EvaluatedCall, PluginCommand};
use nu_protocol::{Example, LabeledError, PipelineData, Signature};

use crate::commands::init::{self, Initialized};
use crate::nu::Wf0Plugin;
use crate::nu::caller::Caller;
use crate::nu::rows::{Density, Row};
use crate::nu::signature::Shared;
use crate::nu::values;

/// The command.
pub struct Init;

impl PluginCommand for Init {
    type Plugin = Wf0Plugin;

    fn name(&self) -> &str {
        "wf0 init"
    }

    fn description(&self) -> &str {
        "Make this repository a project of wf0."
    }

    fn signature(&self) -> Signature {
        Signature::build(self.name()).of_a_project().gives(Initialized::record_type(Density::Typed))
    }

    fn search_terms(&self) -> Vec<&str> {
        vec!["setup", "begin", "project"]
    }

    fn examples(&self) -> Vec<Example<'_>> {
        vec![
            Example {
                example: "wf0 init | get config | path basename",
                description: "Write .wf/config.json and keep .wf out of git's sight.",
                result: Some(values::text("config.json")),
            },
            Example {
                example: "wf0 init | get written",
                description: "Whether there was none yet.",
                result: Some(values::truth(false)),
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
        let (folder, _) = caller.start()?;
        let answer = caller.within(|| init::init(&folder))?;
        Ok(caller.record(&caller.told(answer)))
    }
}
