//! `wf0 batch stop`.

use nu_plugin::{EngineInterface, EvaluatedCall, PluginCommand};
use nu_protocol::{Example, LabeledError, PipelineData, Signature, SyntaxShape};

use crate::commands::Answer;
use crate::commands::stop;
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
pub struct Stop;

impl PluginCommand for Stop {
    type Plugin = Wf0Plugin;

    fn name(&self) -> &str {
        "wf0 batch stop"
    }

    fn description(&self) -> &str {
        "End everything, or only the works named."
    }

    fn signature(&self) -> Signature {
        let signature = Signature::build(self.name())
            .of_a_project()
            .switch("all", "Everything; the same as naming no work.", None)
            .rest("id", SyntaxShape::String, "Only these works; the rest goes on.");
        naming_works(signature, &stop::Row::table_type(Density::Typed))
    }

    fn search_terms(&self) -> Vec<&str> {
        vec!["end", "kill", "cancel", "pause"]
    }

    fn examples(&self) -> Vec<Example<'_>> {
        vec![
            Example {
                example: "wf0 batch stop",
                description: "End the batch.",
                result: Some(values::rows(&["target", "result"], &[&["all", "not running"]])),
            },
            Example {
                example: "wf0 batch stop FEAT-126-ui",
                description: "Stop one work; the rest goes on.",
                result: Some(values::rows(&["target", "result"], &[&["FEAT-126-ui", "not running"]])),
            },
            Example {
                example: "wf0 batch status | where elapsed > 2hr and state == running | get work_id | wf0 batch stop",
                description: "Stop what takes too long.",
                result: Some(values::rows(&[], &[])),
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
        let rows = match named(&call.rest(0)?, caller.piped())? {
            Named::All => caller.within(|| stop::all(&project)),
            Named::These(_) if call.has_flag("all")? => {
                let error = Error::new(
                    Code::Usage,
                    "--all and the names of works exclude each other",
                    "leave one out",
                );
                Err(labeled(&error, call.head))
            }
            // Nothing came through the pipe, and nothing is what is stopped.
            Named::These(ids) if ids.is_empty() => Ok(Answer::plain(Vec::new())),
            Named::These(ids) => caller.within(|| stop::works(&project, &ids)),
        };
        Ok(caller.table(&caller.told(rows?), Density::Typed, &["target", "result"]))
    }

    offers!(Which::Running);
}
