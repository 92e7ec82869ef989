//! `wf0 schedule create`.

use nu_plugin::{EngineInterface, EvaluatedCall, PluginCommand};
use nu_protocol::{Example, LabeledError, PipelineData, Signature, Span, Spanned, SyntaxShape, Type, Value};

use crate::commands::create::{self, Created, Request};
use crate::nu::Wf0Plugin;
use crate::nu::caller::Caller;
use crate::nu::failure::labeled;
use crate::nu::pipeline::works;
use crate::nu::rows::{Density, Row};
use crate::nu::signature::Shared;
use crate::nu::values;

/// The command.
pub struct Create;

impl PluginCommand for Create {
    type Plugin = Wf0Plugin;

    fn name(&self) -> &str {
        "wf0 schedule create"
    }

    fn description(&self) -> &str {
        "Build the schedule from its sources, or from a table on the pipe."
    }

    fn signature(&self) -> Signature {
        let inputs = [Type::Nothing, Type::table(), Type::record(), Type::list(Type::Any), Type::String];
        let output = Created::record_type(Density::Typed);
        Signature::build(self.name())
            .of_a_project()
            .rest("source", SyntaxShape::String, "local=ID,ID: works by name.")
            .named("from", SyntaxShape::Filepath, "A file: a schedule, or a list of records.", None)
            .switch("force", "Replace the schedule that is there.", None)
            .input_output_types(inputs.map(|input| (input, output.clone())).to_vec())
    }

    fn search_terms(&self) -> Vec<&str> {
        vec!["issues", "import", "dependencies", "graph", "tracker"]
    }

    fn examples(&self) -> Vec<Example<'_>> {
        vec![
            Example {
                example: "[[work_id dependencies]; [A []] [B [A]]] | wf0 schedule create --force | get works",
                description: "From a table.",
                result: Some(values::number(2)),
            },
            Example {
                example: "wf0 schedule create local=FEAT-1-login,FIX-2-crash --force; wf0 schedule show | get work_id",
                description: "By name.",
                result: Some(values::texts(&["FEAT-1-login", "FIX-2-crash"])),
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
        let caller = Caller::new(engine, call)?;
        let project = caller.project()?;
        let mut request = Request { force: call.has_flag("force")?, ..Request::default() };
        for source in call.rest::<Spanned<String>>(0)? {
            let source_of = create::From::parse(&source.item);
            request.from.push(source_of.map_err(|error| labeled(&error, source.span))?);
        }
        if let Some(path) = call.get_flag::<Spanned<String>>("from")? {
            let file = create::From::file(&caller.path(&path.item)?);
            request.from.push(file.map_err(|error| labeled(&error, path.span))?);
        }
        request.from.extend(from_pipe(input, call.head)?);
        let created = caller.within(|| create::create(&project, &request))?;
        Ok(caller.record(&caller.told(created)))
    }
}

/// What came through the pipe, where anything did.
fn from_pipe(input: PipelineData, head: Span) -> Result<Option<create::From>, LabeledError> {
    let text = match input.into_value(head)? {
        Value::Nothing { .. } => return Ok(None),
        Value::String { val, .. } => val,
        value => works(&value)?.to_string(),
    };
    Ok(Some(create::From::Text { text: text.into_bytes(), name: "the pipe".to_owned() }))
}
