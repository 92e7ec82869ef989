//! `wf0 doctor`.

use nu_plugin::{EngineInterface, EvaluatedCall, PluginCommand};
use nu_protocol::{Example, LabeledError, PipelineData, Signature};

use crate::commands::doctor;
use crate::nu::Wf0Plugin;
use crate::nu::caller::Caller;
use crate::nu::rows::{Density, Row};
use crate::nu::signature::Shared;
use crate::nu::values;

/// The command.
pub struct Doctor;

impl PluginCommand for Doctor {
    type Plugin = Wf0Plugin;

    fn name(&self) -> &str {
        "wf0 doctor"
    }

    fn description(&self) -> &str {
        "Check git, tmux, agent, configuration and leftovers."
    }

    fn signature(&self) -> Signature {
        Signature::build(self.name()).of_a_project().gives(doctor::Row::table_type(Density::Typed))
    }

    fn search_terms(&self) -> Vec<&str> {
        vec!["check", "health", "diagnose", "setup"]
    }

    fn examples(&self) -> Vec<Example<'_>> {
        vec![
            Example {
                example: "wf0 doctor | where state != ok | select check message hint",
                description: "What is to be mended.",
                result: None,
            },
            Example {
                example: "wf0 doctor | where check == git | get state",
                description: "How git is.",
                result: Some(values::texts(&["ok"])),
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
        let rows = caller.within(|| Ok(doctor::rows(&folder)))?;
        Ok(caller.table(&rows, Density::Typed, &["check", "state", "message"]))
    }
}
