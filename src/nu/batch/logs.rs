//! `wf0 batch logs`.

use nu_plugin::{EngineInterface, EvaluatedCall, PluginCommand};
use nu_protocol::{Example, LabeledError, PipelineData, Signature, SyntaxShape, Type};

use crate::commands::logs::{Logs, Request};
use crate::nu::Wf0Plugin;
use crate::nu::caller::Caller;
use crate::nu::completions::{Which, offers};
use crate::nu::signature::Shared;
use crate::nu::stream;
use crate::nu::values;

/// The command.
pub struct ShowLogs;

impl PluginCommand for ShowLogs {
    type Plugin = Wf0Plugin;

    fn name(&self) -> &str {
        "wf0 batch logs"
    }

    fn description(&self) -> &str {
        "Show what the phases of a work printed."
    }

    fn signature(&self) -> Signature {
        Signature::build(self.name())
            .of_a_project()
            .required("id", SyntaxShape::String, "The work.")
            .named("phase", SyntaxShape::String, "Only this phase.", None)
            .switch("follow", "Go on as more is printed, until the work rests.", Some('f'))
            .gives(Type::String)
    }

    fn search_terms(&self) -> Vec<&str> {
        vec!["output", "tail", "follow", "agent"]
    }

    fn examples(&self) -> Vec<Example<'_>> {
        vec![
            Example {
                example: "wf0 batch logs FEAT-123-auth --phase wf5-implement | lines | last",
                description: "What a work said last.",
                result: Some(values::text("FEAT-123-auth wf5-implement: the tests fail")),
            },
            Example {
                example: "wf0 batch logs FEAT-100-database | lines | first",
                description: "Everything that a work printed.",
                result: Some(values::text("==> wf1-kickoff (attempt 1) <==")),
            },
            Example {
                example: "wf0 batch logs FEAT-123-auth --follow | lines | where $it =~ \"tests\" | uniq",
                description: "Follow it, and pick out lines as they come.",
                result: Some(values::texts(&["FEAT-123-auth wf5-implement: the tests fail"])),
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
        let request = Request { id, phase: call.get_flag("phase")?, follow: call.has_flag("follow")? };
        let logs = Logs::begin(&project, request).map_err(|error| caller.failure(&error))?;
        Ok(stream::text(logs, engine.signals(), call.head))
    }

    offers!(Which::Logged);
}
