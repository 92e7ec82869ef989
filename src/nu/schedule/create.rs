//! `wf0 schedule create`.

use nu_plugin::{EngineInterface, EvaluatedCall, PluginCommand};
use nu_protocol::engine::ArgType;
use nu_protocol::{Example, LabeledError, PipelineData, Signature, Spanned, SyntaxShape, Type, Value};

use crate::commands::create::{self, Created, Preview, Request};
use crate::error::{Code, Error};
use crate::nu::Wf0Plugin;
use crate::nu::caller::Caller;
use crate::nu::completions::{self, offers};
use crate::nu::failure::labeled;
use crate::nu::pipeline::to_json;
use crate::nu::rows::{Density, Row};
use crate::nu::signature::{Shared, either};
use crate::nu::values;
use crate::schedule::{Document, WorkId};

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
        let output = either([Created::record_type(Density::Typed), Preview::record_type(Density::Typed)]);
        Signature::build(self.name())
            .of_a_project()
            .rest("source", SyntaxShape::String, "github=QUERY, jira=JQL, local=ID,ID.")
            .named(
                "from",
                SyntaxShape::Filepath,
                "A file: a schedule, or records as JSON, NDJSON or CSV.",
                None,
            )
            .switch("all", "The sources that the configuration names in batch.sources, too.", None)
            .switch("force", "Start over: forget the schedule that is there.", None)
            .switch("dry-run", "Give the works and what they would wait for, and write nothing at all.", None)
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
                example: "[{number: 3, title: \"Add users\", body: \"\", labels: []} {number: 7, title: \"Mend the login\", body: \"Depends on #3\", labels: [{name: bug}]}] | wf0 schedule create --force; wf0 schedule show | select work_id dependencies | to nuon",
                description: "From issues, as `gh issue list --json number,title,body,labels | from json` gives them.",
                result: Some(values::text(
                    "[[work_id, dependencies]; [\"FEAT-3-add-users\", []], [\"FIX-7-mend-the-login\", [\"FEAT-3-add-users\"]]]",
                )),
            },
            Example {
                example: "[[work_id dependencies]; [A []] [B [A]]] | wf0 schedule create --force --dry-run | get edges | select from to origin",
                description: "What it would be; nothing is written.",
                result: Some(values::rows(&["from", "to", "origin"], &[&["B", "A", "config"]])),
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
        let caller = Caller::new(engine, call).with(input)?;
        let project = caller.project()?;
        let mut request =
            Request { force: call.has_flag("force")?, all: call.has_flag("all")?, ..Request::default() };
        for source in call.rest::<Spanned<String>>(0)? {
            let source_of = create::From::parse(&source.item);
            request.from.push(source_of.map_err(|error| labeled(&error, source.span))?);
        }
        if let Some(path) = call.get_flag::<Spanned<String>>("from")? {
            if path.item == "-" {
                let what = "- is no file: in Nushell what comes on the pipe is taken without it";
                return Err(labeled(&Error::new(Code::Usage, what, "leave out --from -"), path.span));
            }
            let file = create::From::file(&caller.path(&path.item)?);
            request.from.push(file.map_err(|error| labeled(&error, path.span))?);
        }
        request.from.extend(from_pipe(caller.piped())?);
        let mut interrupt = caller.interrupt()?;
        if call.has_flag("dry-run")? {
            let preview = caller.within(|| create::preview(&project, &request, &mut interrupt))?;
            return Ok(caller.record(&caller.told(preview)));
        }
        let created = caller.within(|| create::create_until(&project, &request, &mut interrupt))?;
        Ok(caller.record(&caller.told(created)))
    }

    offers!(|_engine, _call, argument| {
        matches!(argument, ArgType::Positional(_))
            .then(|| completions::beginnings(&["github=", "jira=", "local="]))
    });
}

/// What came through the pipe, where anything did.
fn from_pipe(piped: &Value) -> Result<Option<create::From>, LabeledError> {
    let name = "the pipe".to_owned();
    Ok(Some(match piped {
        Value::Nothing { .. } => return Ok(None),
        Value::String { val, .. } => create::From::Text { text: val.clone().into_bytes(), name },
        Value::List { vals, .. } => {
            if let Some(error) = only_ids(vals) {
                return Err(labeled(&error, vals.first().map_or(piped.span(), Value::span)));
            }
            let rows =
                (1..).zip(vals.iter()).map(|(row, value)| to_json(&format!("the pipe row {row}"), value));
            create::From::Values { values: rows.collect::<Result<_, _>>()?, name }
        }
        Value::Record { val, .. } if !val.contains("works") => {
            create::From::Values { values: vec![to_json("the pipe row 1", piped)?], name }
        }
        schedule => {
            let document = to_json("the pipe", schedule)?;
            Document::check_value(&name, &document).map_err(|error| labeled(&error, schedule.span()))?;
            create::From::Text { text: document.to_string().into_bytes(), name }
        }
    }))
}

/// The refusal of a list of nothing but identifiers: they are no records, and there is a source that takes them.
fn only_ids(values: &[Value]) -> Option<Error> {
    let ids: Vec<WorkId> =
        values.iter().map(|value| WorkId::new(value.as_str().ok()?).ok()).collect::<Option<_>>()?;
    let first = ids.first()?;
    let shown: Vec<&str> = ids.iter().take(5).map(WorkId::as_str).collect();
    let more = if ids.len() > shown.len() { ",…" } else { "" };
    Some(Error::new(
        Code::Form,
        format!("the pipe row 1: the text '{first}', expected a record"),
        format!("type `wf0 schedule create local={}{more}`", shown.join(",")),
    ))
}
