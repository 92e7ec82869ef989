//! Works named on the command line: `local=FEAT-1-a,FIX-2-b`.
//!
//! What the project itself knows of them is taken along: an entry in `.wf/state.json`, and the front matter of
//! `docs/wf/ID/*.md`. Both are read only.

mod front_matter;

use std::collections::HashSet;
use std::io;
use std::path::Path;

use serde_json::Value;

use super::records::{Item, Listed};
use crate::error::{Code, Error, Result};
use crate::project::Project;
use crate::schedule::id::printable;
use crate::schedule::references::named;
use crate::schedule::{Source, WorkId, WorkRecord};
use front_matter::FrontMatter;

/// More of a document is not looked at: front matter stands at its beginning.
const MOST: usize = 64 * 1024;

/// What is known of a work.
#[derive(Debug, Default)]
struct Known {
    title: Option<String>,
    priority: Option<i64>,
    depends: Vec<String>,
}

/// The works of a list of identifiers, separated by commas.
///
/// # Errors
/// [`Code::WorkId`], [`Code::Duplicate`], [`Code::Usage`] for an empty list; [`Code::File`], [`Code::Form`] for what the
/// project has of them.
pub fn read(ids: &str, project: &Project) -> Result<Vec<Item>> {
    let (mut items, mut seen) = (Vec::new(), HashSet::new());
    let state = state(&project.state_file())?;
    for text in ids.split(',').map(str::trim).filter(|text| !text.is_empty()) {
        let id = WorkId::new(text)?;
        if !seen.insert(id.clone()) {
            return Err(Error::new(
                Code::Duplicate,
                format!("'{id}' stands in local= twice"),
                "name it once",
            )
            .with_about(id.as_str()));
        }
        let mut known = Known::default();
        known.of_state(&project.state_file(), &state, &id)?;
        known.of_documents(&project.root().join("docs/wf").join(id.as_str()))?;
        let mut work = WorkRecord::new(Source::local(&id, known.title));
        work.priority = known.priority;
        items.push(Item::from(Listed { id, work, depends: known.depends }));
    }
    if items.is_empty() {
        return Err(Error::new(
            Code::Usage,
            "local= names no work",
            "give identifiers, as in local=FEAT-1-a,FIX-2-b",
        ));
    }
    Ok(items)
}

fn state(path: &Path) -> Result<Value> {
    match std::fs::read(path) {
        Ok(text) => serde_json::from_slice(&text).map_err(|error| {
            Error::new(
                Code::File,
                format!("{} is not JSON: {}", path.display(), crate::schedule::json::words(&error)),
                "let the agent write it again, or remove it",
            )
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Value::Null),
        Err(error) => Err(Error::file("read", path, &error)),
    }
}

impl Known {
    fn of_state(&mut self, path: &Path, state: &Value, id: &WorkId) -> Result<()> {
        let Some(entry) = state.get("works").and_then(|works| works.get(id.as_str())) else { return Ok(()) };
        let title = entry.get("title").or_else(|| entry.pointer("/source/title")).and_then(Value::as_str);
        self.take_title(title.unwrap_or_default());
        self.priority = entry.get("priority").and_then(Value::as_i64);
        for key in front_matter::DEPENDS {
            let texts: Vec<String> = match entry.get(key) {
                Some(Value::Array(list)) => {
                    list.iter().map(|it| it.as_str().map_or_else(|| it.to_string(), str::to_owned)).collect()
                }
                Some(Value::String(text)) => front_matter::parts(text),
                _ => Vec::new(),
            };
            self.take_depends(&format!("{}: works.{id}.{key}", path.display()), texts)?;
        }
        Ok(())
    }

    /// The documents of a work, by name; the first title counts, and every dependency.
    fn of_documents(&mut self, folder: &Path) -> Result<()> {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(());
            }
            Err(error) => return Err(Error::file("read", folder, &error)),
        };
        let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.retain(|path| {
            path.extension().is_some_and(|it| it.eq_ignore_ascii_case("md")) && path.is_file()
        });
        paths.sort();
        for path in paths {
            let text = beginning(&path).map_err(|error| Error::file("read", &path, &error))?;
            let Some(found) = FrontMatter::of(&text) else { continue };
            self.take_title(found.title.as_deref().unwrap_or_default());
            self.priority = self.priority.or(found.priority);
            self.take_depends(&format!("{}: front matter", path.display()), found.depends)?;
        }
        Ok(())
    }

    fn take_title(&mut self, title: &str) {
        let title = printable(title.trim());
        if self.title.is_none() && !title.is_empty() {
            self.title = Some(title);
        }
    }

    fn take_depends(&mut self, place: &str, texts: Vec<String>) -> Result<()> {
        for text in texts {
            if named(&text).is_none() {
                let why = WorkId::new(text).err();
                let what = why.as_ref().map_or("it names no work", Error::what);
                return Err(Error::new(
                    Code::Form,
                    format!("{place}: {what}"),
                    "name works or issues there, as in `depends_on: [FEAT-1-a, \"#12\"]`",
                ));
            }
            self.depends.push(text);
        }
        Ok(())
    }
}

fn beginning(path: &Path) -> io::Result<String> {
    use std::io::Read;
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MOST as u64).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_project_knows_of_a_work_is_taken_along() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for below in [".wf", "docs/wf/FEAT-1-a", "docs/wf/FEAT-2-b"] {
            std::fs::create_dir_all(root.join(below)).unwrap();
        }
        let write = |path: &str, text: &str| std::fs::write(root.join(path), text).unwrap();
        write(
            ".wf/state.json",
            r##"{"works": {"FEAT-1-a": {"title": "First", "dependencies": ["#12", 7]}}}"##,
        );
        write("docs/wf/FEAT-1-a/spec.md", "---\ntitle: Other\ndepends_on: [FEAT-2-b]\n---\n# x\n");
        write("docs/wf/FEAT-2-b/01.md", "no front matter\n---\ntitle: x\n---\n");
        write(
            "docs/wf/FEAT-2-b/02.md",
            "---\ntitle: \"Second\u{1b}[31m\"\npriority: 3\nblocked_by:\n  - FEAT-3\n---\n",
        );
        let project = Project::at(&root).unwrap();
        let items = read("FEAT-1-a, FEAT-2-b,FEAT-3-c", &project).unwrap();
        let said: Vec<(Option<String>, Option<i64>, Vec<String>)> = items
            .into_iter()
            .map(|item| match item {
                Item::Listed(it) => (it.work.source.unwrap().title, it.work.priority, it.depends),
                other => panic!("{other:?}"),
            })
            .collect();
        let texts = |all: &[&str]| all.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        assert_eq!(said[0], (Some("First".into()), None, texts(&["#12", "7", "FEAT-2-b"])));
        assert_eq!(said[1], (Some("Second[31m".into()), Some(3), texts(&["FEAT-3"])));
        assert_eq!(said[2], (None, None, texts(&[])));
        write("docs/wf/FEAT-2-b/03.md", "---\ndepends_on: ../x\n---\n");
        let error = read("FEAT-2-b", &project).unwrap_err();
        assert!(error.what().contains("03.md: front matter: '../x' cannot name a work"), "{error}");
        write(".wf/state.json", "{");
        assert!(read("FEAT-3-c", &project).unwrap_err().what().contains("state.json is not JSON"));
    }
}
