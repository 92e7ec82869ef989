//! `wf0 batch watch`.

use nu_plugin::{EngineInterface, EvaluatedCall, PluginCommand};
use nu_protocol::{Example, LabeledError, PipelineData, Signature, SyntaxShape};

use crate::commands::watch::{Begin, Row as Event, Watch};
use crate::nu::Wf0Plugin;
use crate::nu::caller::Caller;
use crate::nu::rows::{Density, Row};
use crate::nu::signature::Shared;
use crate::nu::stream;
use crate::nu::values;

/// The command.
pub struct WatchEvents;

impl PluginCommand for WatchEvents {
    type Plugin = Wf0Plugin;

    fn name(&self) -> &str {
        "wf0 batch watch"
    }

    fn description(&self) -> &str {
        "Show events as they happen, until the batch ends."
    }

    fn signature(&self) -> Signature {
        Signature::build(self.name())
            .of_a_project()
            .named(
                "pulse",
                SyntaxShape::Duration,
                "A row `pulse` after so long without an event; also how soon the end of a reader is noticed.",
                None,
            )
            .gives(Event::table_type(Density::Typed))
    }

    fn search_terms(&self) -> Vec<&str> {
        vec!["events", "stream", "follow", "live"]
    }

    fn examples(&self) -> Vec<Example<'_>> {
        vec![
            Example {
                example: "wf0 batch watch | where event == failed",
                description: "What fails, once the batch is over.",
                result: Some(values::rows(&[], &[])),
            },
            Example {
                example: "wf0 batch watch --pulse 5sec | each {|it| print $\"($it.event) ($it.work_id)\" } | ignore",
                description: "Say each event at once; the table of a stream comes a second at a time.",
                result: None,
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
        let pulse = caller.pulse()?;
        let watch = Watch::begin(&project, Begin::Now).map_err(|error| caller.failure(&error))?;
        Ok(stream::events(caller.told(watch), pulse, engine.signals(), call.head))
    }
}
