//! `wf0 batch start`.

use nu_plugin::{EngineInterface, EvaluatedCall, PluginCommand};
use nu_protocol::{
    Completion, Example, Flag, LabeledError, PipelineData, Signature, Spanned, SyntaxShape, Type, Value,
};

use crate::commands::drawing;
use crate::commands::{plan, start, status};
use crate::error::{Code, Error};
use crate::nu::Wf0Plugin;
use crate::nu::caller::Caller;
use crate::nu::failure::labeled;
use crate::nu::rows::{Density, Row};
use crate::nu::signature::{Shared, either};
use crate::nu::values;

/// The command.
pub struct Start;

impl PluginCommand for Start {
    type Plugin = Wf0Plugin;

    fn name(&self) -> &str {
        "wf0 batch start"
    }

    fn description(&self) -> &str {
        "Start the scheduler and its workers, or show the plan."
    }

    fn signature(&self) -> Signature {
        Signature::build(self.name())
            .of_a_project()
            .named("parallel", SyntaxShape::Int, "How many workers.", None)
            .switch("dry-run", "Give the plan: what would run, in what order. Changes nothing at all.", None)
            .switch(
                "wait",
                "Wait until the batch is over, then give its summary, also where works failed.",
                None,
            )
            .switch("flat", "With --dry-run: lists joined with a space.", None)
            .param(
                Flag::new("format")
                    .arg(SyntaxShape::String)
                    .desc("With --dry-run: draw the plan as a text for Graphviz (dot) or Mermaid.")
                    .completion(Completion::new_list(&["dot", "mermaid"])),
            )
            .gives(either([
                start::Started::record_type(Density::Typed),
                status::Summary::record_type(Density::Typed),
                plan::Row::either_table_type(),
                Type::String,
            ]))
    }

    fn search_terms(&self) -> Vec<&str> {
        vec!["run", "plan", "dry-run", "scheduler", "workers"]
    }

    fn examples(&self) -> Vec<Example<'_>> {
        vec![
            Example {
                example: "wf0 batch start --dry-run | where critical | get work_id",
                description: "The works of the longest chains: the batch takes at least as long as they do.",
                result: Some(values::texts(&[
                    "FEAT-100-database",
                    "FEAT-123-auth",
                    "FEAT-125-api",
                    "FEAT-124-export",
                    "FEAT-126-ui",
                ])),
            },
            Example {
                example: "wf0 batch start --dry-run | group-by wave --to-table | get items.work_id.1",
                description: "What could run side by side once the first is done.",
                result: Some(values::texts(&["FEAT-123-auth", "FEAT-125-api"])),
            },
            Example {
                example: "wf0 batch start --parallel 2 | get status",
                description: "Run the schedule with two workers.",
                result: Some(values::text("running")),
            },
            Example {
                example: "wf0 batch start --wait | get progress.completed",
                description: "Run it and wait for the end.",
                result: Some(values::number(5)),
            },
            Example {
                example: "wf0 batch start --dry-run --flat | save plan.csv",
                description: "The plan for a spreadsheet.",
                result: None,
            },
            Example {
                example: "wf0 batch start --dry-run --format mermaid | lines | first",
                description: "The plan as a drawing.",
                result: Some(values::text("flowchart LR")),
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
        let parallel = caller.parallel()?;
        caller.exclude("dry-run", &["wait"])?;
        if call.has_flag("dry-run")? {
            let rows = caller.told(caller.within(|| plan::rows(&project, parallel))?);
            let Some(format) = call.get_flag::<Spanned<String>>("format")? else {
                return Ok(caller.table(&rows, caller.density()?, &["order", "wave", "work_id"]));
            };
            let text = match format.item.as_str() {
                "dot" => drawing::dot(&rows),
                "mermaid" => drawing::mermaid(&rows),
                other => {
                    let what = format!("{} is no format of a plan", crate::schedule::id::quoted(other));
                    let error =
                        Error::new(Code::Usage, what, "use dot or mermaid; without --format it is a table");
                    return Err(labeled(&error, format.span));
                }
            };
            return Ok(PipelineData::value(Value::string(text, call.head), None));
        }
        for needs_plan in ["flat", "format"] {
            if caller.is_given(needs_plan)? {
                let what = format!("--{needs_plan} is for plans");
                let error = Error::new(Code::Usage, what, "add --dry-run");
                return Err(labeled(&error, caller.flag(needs_plan)));
            }
        }
        let started = caller.told(caller.within(|| start::start(&project, parallel))?);
        if !call.has_flag("wait")? {
            return Ok(caller.record(&started));
        }
        start::wait(&project, &mut caller.interrupt()?).map_err(|error| caller.failure(&error))?;
        let summary = status::summary(&project).map_err(|error| caller.failure(&error))?;
        Ok(caller.record(&caller.told(summary)))
    }
}
