//! `wf0 batch resume`.

use nu_plugin::{EngineInterface, EvaluatedCall, PluginCommand};
use nu_protocol::{Example, LabeledError, PipelineData, Signature, SyntaxShape};

use crate::commands::{resume, start};
use crate::error::{Code, Error};
use crate::nu::Wf0Plugin;
use crate::nu::caller::Caller;
use crate::nu::completions::{Which, offers};
use crate::nu::failure::labeled;
use crate::nu::pipeline::{Named, named, naming_works};
use crate::nu::rows::{Density, Row};
use crate::nu::signature::Shared;
use crate::nu::values;

/// The command.
pub struct Resume;

impl PluginCommand for Resume {
    type Plugin = Wf0Plugin;

    fn name(&self) -> &str {
        "wf0 batch resume"
    }

    fn description(&self) -> &str {
        "Take up failed, paused and interrupted works."
    }

    fn signature(&self) -> Signature {
        let signature = Signature::build(self.name())
            .of_a_project()
            .named("parallel", SyntaxShape::Int, "How many workers.", None)
            .rest("id", SyntaxShape::String, "Only these works.");
        naming_works(signature, &start::Started::record_type(Density::Typed))
    }

    fn search_terms(&self) -> Vec<&str> {
        vec!["retry", "again", "continue", "restart"]
    }

    fn examples(&self) -> Vec<Example<'_>> {
        vec![
            Example {
                example: "wf0 batch resume | get status",
                description: "Go on with all that failed or was stopped. Finished phases are not run again.",
                result: Some(values::text("running")),
            },
            Example {
                example: "wf0 batch resume FEAT-123-auth | get pending",
                description: "Only with one, and what waits for it.",
                result: Some(values::number(2)),
            },
            Example {
                example: "wf0 batch status | where state == failed and error =~ wf5-implement | wf0 batch resume | get status",
                description: "Only what failed for one reason.",
                result: Some(values::text("running")),
            },
        ]
    }

    fn run(
        &self,
        _: &Wf0Plugin,
        engine: &EngineInterface,
        call: &EvaluatedCall,
        input: PipelineData,
    ) -> Result<PipelineData, LabeledError> {
        let caller = Caller::new(engine, call).with(input)?;
        let project = caller.project()?;
        let parallel = caller.parallel()?;
        let ids = match named(&call.rest(0)?, caller.piped())? {
            Named::All => Vec::new(),
            Named::These(ids) if ids.is_empty() => {
                let error = Error::new(
                    Code::Nothing,
                    "there is nothing to resume: no work came through the pipe",
                    "`wf0 batch status` shows where every work stands",
                );
                return Err(labeled(&error, call.head));
            }
            Named::These(ids) => ids,
        };
        let started = caller.told(caller.within(|| resume::resume(&project, &ids, parallel))?);
        Ok(caller.record(&started))
    }

    offers!(Which::Resumable);
}
