//! Claude Code, driven without a person: which words it is given.

use std::ffi::OsString;

use super::call::{Call, fitting};
use crate::schedule::SourceType;

/// Its program.
pub const PROGRAM: &str = "claude";

/// What it is told for a phase: the first phase begins the work from its source, every later one goes on.
pub fn prompt(call: &Call<'_>, first: bool) -> String {
    if first {
        let source = match call.source.kind {
            SourceType::Github => format!("github=#{}", call.source.id.trim_start_matches('#')),
            SourceType::Jira => format!("jira={}", call.source.id),
            SourceType::Local => format!("local={}", call.source.id),
        };
        format!("/wf1-kickoff {source}")
    } else {
        format!("/wf0-nextstep {}", call.work_id)
    }
}

/// Its arguments.
///
/// The agent's own kick-off makes branches and worktrees; here both exist, with the dependencies' code in them, so it
/// is told to leave them.
pub fn arguments(call: &Call<'_>, prompt: &str, more: &[String]) -> Vec<OsString> {
    let mut arguments = vec!["--print".into(), fitting(prompt).into()];
    if let Some(branch) = call.branch {
        arguments.push("--append-system-prompt".into());
        let told = format!(
            "You work unattended on {id} (phase {phase}). Its branch {branch} and this worktree exist already, made from {base}; \
             the code of everything it depends on is in them. Use the work id {id}. Create no branch and no worktree, check out \
             nothing else, and commit what you do on {branch}.",
            id = call.work_id,
            phase = call.phase,
            base = call.base,
        );
        arguments.push(told.into());
        arguments.push("--add-dir".into());
        arguments.push(call.root.join(".wf").into());
    }
    arguments.extend(more.iter().map(OsString::from));
    arguments
}
