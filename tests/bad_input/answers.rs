//! What a refusal must look like, and what must not have changed by it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{Project, Ran};

/// One phase that ends at once.
pub fn one_phase() -> Value {
    json!({"batch": {"phases": [{"name": "one", "command": ["true"]}]}})
}

/// A project with the works FEAT-1-auth, FEAT-2-export (after it) and FIX-9-typo.
pub fn with_works() -> Project {
    let project = Project::new(one_phase());
    project.create(&[("FEAT-1-auth", &[]), ("FEAT-2-export", &["FEAT-1-auth"]), ("FIX-9-typo", &[])]);
    project
}

/// Checks that an answer holds nothing that belongs to programmers or moves a cursor.
#[track_caller]
pub fn fit_for_people(case: &str, ran: &Ran) {
    for text in [&ran.out, &ran.err] {
        for word in
            ["panicked", "RUST_BACKTRACE", "stack backtrace", "os error", "struct ", "Some(", "unwrap"]
        {
            assert!(!text.contains(word), "{case}: {word}: {text}");
        }
        let bad = text.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(bad, None, "{case}: {text:?}");
        assert!(!text.contains('\u{202e}'), "{case}: {text:?}");
        assert!(text.len() < 4000, "{case}: {} bytes", text.len());
    }
}

/// Checks a refusal: exit status 1, nothing on standard output, what happened and what to do in one line each.
/// Gives the two, with the scratch folder written as `~`.
#[track_caller]
pub fn refusal(case: &str, project: &Project, ran: &Ran) -> String {
    fit_for_people(case, ran);
    assert_eq!(ran.code, 1, "{case}: {ran:?}");
    assert_eq!(ran.out, "", "{case}: {ran:?}");
    two_lines(case, &ran.err);
    ran.err.replace(&project.around().canonicalize().unwrap().display().to_string(), "~")
}

/// Checks wrong usage: exit status 2, and something that helps.
#[track_caller]
pub fn misuse(case: &str, ran: &Ran) -> String {
    fit_for_people(case, ran);
    assert_eq!(ran.code, 2, "{case}: {ran:?}");
    assert_eq!(ran.out, "", "{case}: {ran:?}");
    assert!(ran.err.starts_with("error: ") || ran.err.contains("Usage: wf0"), "{case}: {ran:?}");
    ran.err.clone()
}

#[track_caller]
fn two_lines(case: &str, text: &str) {
    let lines: Vec<&str> = text.lines().collect();
    let [what, hint] = lines.as_slice() else { panic!("{case}: {text}") };
    assert!(what.starts_with("error: ") && what.contains(" [wf0::"), "{case}: {text}");
    assert!(hint.strip_prefix("help: ").is_some_and(|hint| hint.len() > 5), "{case}: {text}");
}

#[track_caller]
pub fn holds(case: &str, text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{case}: without {part:?}: {text}");
    }
}

/// What tells of every file whether it was touched.
type Files = BTreeMap<PathBuf, (u64, i64, i64, u32)>;

/// What must stay the same where a command may open the store: every file outside the engine's folder, untouched, and
/// what the store holds.
#[derive(Debug, PartialEq)]
pub struct Meaning {
    files: Files,
    store: Option<String>,
}

pub fn meaning(project: &Project) -> Meaning {
    let root = project.root();
    let mut files = project.snapshot();
    // The engine's folder is made inside these two, which changes their times.
    for parent in [".git", ".wf"] {
        files.remove(&root.join(parent));
    }
    for folder in [".git/wf0", ".wf/engine"] {
        files.retain(|path, _| !path.starts_with(root.join(folder)));
    }
    let look = || {
        let found = wf0::project::Project::at(root).ok()?;
        Some(format!("{:?}", wf0::store::Store::look(&found).ok()??.schedule().ok()??))
    };
    Meaning { files, store: look() }
}

/// Checks that nothing of the project has another meaning than before.
#[track_caller]
pub fn unchanged(case: &str, project: &Project, before: &Meaning) {
    let now = meaning(project);
    same_files(case, &before.files, &now.files);
    assert_eq!(before.store, now.store, "{case}");
}

/// Checks that not one file, link or folder was touched.
#[track_caller]
pub fn untouched(case: &str, project: &Project, before: &Files) {
    same_files(case, before, &project.snapshot());
}

#[track_caller]
fn same_files(case: &str, before: &Files, now: &Files) {
    let gone = before.keys().filter(|path| !now.contains_key(*path));
    let touched = now.iter().filter(|(path, it)| before.get(*path) != Some(it)).map(|(path, _)| path);
    let other: Vec<&PathBuf> = gone.chain(touched).collect();
    assert!(other.is_empty(), "{case}: changed {other:?}");
}
