//! `wf0 demo`.

use nu_plugin::{EngineInterface, EvaluatedCall, PluginCommand};
use nu_protocol::{Example, LabeledError, PipelineData, Signature, SyntaxShape};

use crate::commands::demo;
use crate::commands::{start, watch};
use crate::nu::Wf0Plugin;
use crate::nu::caller::Caller;
use crate::nu::caller::tell;
use crate::nu::rows::{Density, Row};
use crate::nu::signature::Shared;
use crate::nu::stream;
use crate::nu::values;
use std::time::Duration;

/// The command.
pub struct ShowDemo;

impl PluginCommand for ShowDemo {
    type Plugin = Wf0Plugin;

    fn name(&self) -> &str {
        "wf0 demo"
    }

    fn description(&self) -> &str {
        "Show the whole thing on a throw-away repository."
    }

    fn signature(&self) -> Signature {
        Signature::build(self.name())
            .of_wf0()
            .named("pace", SyntaxShape::Duration, "How long the built-in agent takes for a phase.", None)
            .gives(watch::Row::table_type(Density::Typed))
    }

    fn search_terms(&self) -> Vec<&str> {
        vec!["example", "try", "tour"]
    }

    fn examples(&self) -> Vec<Example<'_>> {
        vec![
            Example {
                example: "wf0 demo --pace 10ms | where event == completed | length",
                description: "Five works, two workers, a built-in agent; its events as they happen.",
                result: Some(values::number(5)),
            },
            Example {
                example: "wf0 demo --pace 10ms | last | get event",
                description: "How it ends.",
                result: Some(values::text("ended")),
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
        let pace = match call.get_flag::<i64>("pace")? {
            Some(pace) => Duration::from_nanos(u64::try_from(pace).unwrap_or(0)),
            None => demo::PACE,
        };
        let demo = caller.within(|| demo::prepare(pace))?;
        tell(&format!("a throw-away project with a bare origin is in {}", demo.folder.display()));
        caller.within(|| start::start(&demo.project, Some(2)))?;
        let watch = watch::Watch::begin(&demo.project, watch::Begin::Start)
            .map_err(|error| caller.failure(&error))?;
        Ok(stream::demo(caller.told(watch), demo, engine.signals(), call.head))
    }
}
