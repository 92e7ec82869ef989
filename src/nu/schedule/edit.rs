//! `wf0 schedule edit`.

use nu_plugin::{EngineInterface, EvaluatedCall, PluginCommand};
use nu_protocol::engine::ArgType;
use nu_protocol::{
    Example, FromValue, LabeledError, PipelineData, Signature, Spanned, SyntaxShape, Type, Value,
};

use crate::commands::edit;
use crate::nu::Wf0Plugin;
use crate::nu::caller::Caller;
use crate::nu::completions::{self, Which, offers};
use crate::nu::failure::labeled;
use crate::nu::signature::Shared;
use crate::nu::values;
use crate::schedule::WorkId;

/// The command.
pub struct Edit;

impl PluginCommand for Edit {
    type Plugin = Wf0Plugin;

    fn name(&self) -> &str {
        "wf0 schedule edit"
    }

    fn description(&self) -> &str {
        "Change the priority and dependencies of a work."
    }

    fn signature(&self) -> Signature {
        Signature::build(self.name())
            .of_a_project()
            .required("id", SyntaxShape::String, "The work.")
            .rest("change", SyntaxShape::String, "priority=N, depends=A,B, add-dep=C or remove-dep=D.")
            .named("priority", SyntaxShape::Int, "Lower runs first.", None)
            .named("depends", ids(), "All dependencies.", None)
            .named("add-dep", ids(), "More dependencies.", None)
            .named("remove-dep", ids(), "Dependencies less.", None)
            .gives(Type::Nothing)
    }

    fn search_terms(&self) -> Vec<&str> {
        vec!["priority", "dependency", "reorder"]
    }

    fn examples(&self) -> Vec<Example<'_>> {
        vec![
            Example {
                example: "wf0 schedule edit FEAT-126-ui --priority 1; wf0 schedule show | where priority == 1 | get work_id",
                description: "Let a work run earlier.",
                result: Some(values::texts(&["FEAT-100-database", "FEAT-126-ui"])),
            },
            Example {
                example: "wf0 schedule edit FEAT-126-ui add-dep=FEAT-123-auth; wf0 schedule show | where work_id == FEAT-126-ui | get 0.dependencies",
                description: "Let it wait for another.",
                result: Some(values::texts(&["FEAT-125-api", "FEAT-123-auth"])),
            },
            Example {
                example: "wf0 schedule edit FEAT-126-ui --depends []; wf0 schedule show | where work_id == FEAT-126-ui | get 0.dependencies",
                description: "Let it wait for none.",
                result: Some(values::texts(&[])),
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
        let mut request = edit::Request {
            priority: call.get_flag("priority")?,
            depends: call.get_flag("depends")?.map(works).transpose()?,
            add: call.get_flag("add-dep")?.map(works).transpose()?.unwrap_or_default(),
            remove: call.get_flag("remove-dep")?.map(works).transpose()?.unwrap_or_default(),
        };
        for change in call.rest::<Spanned<String>>(1)? {
            request.take(&change.item).map_err(|error| labeled(&error, change.span))?;
        }
        caller.told(edit::edit(&project, &id, &request).map_err(|error| caller.failure(&error))?);
        Ok(PipelineData::empty())
    }

    offers!(|engine, call, argument| {
        match argument {
            ArgType::Positional(n) if n > 0 => {
                Some(completions::beginnings(&["priority=", "depends=", "add-dep=", "remove-dep="]))
            }
            _ => completions::works(engine, &call, &argument, Which::Every),
        }
    });
}

/// Works as a list, or as a text with commas between them.
fn ids() -> SyntaxShape {
    SyntaxShape::OneOf(vec![SyntaxShape::List(Box::new(SyntaxShape::String)), SyntaxShape::String])
}

fn works(given: Value) -> Result<Vec<WorkId>, LabeledError> {
    let texts: Vec<Spanned<String>> = match &given {
        Value::List { vals, .. } => {
            vals.iter().cloned().map(FromValue::from_value).collect::<Result<_, _>>()?
        }
        one => {
            let text = one.as_str()?;
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            parts.map(|part| Spanned { item: part.to_owned(), span: given.span() }).collect()
        }
    };
    let work = |text: Spanned<String>| WorkId::new(text.item).map_err(|error| labeled(&error, text.span));
    texts.into_iter().map(work).collect()
}
