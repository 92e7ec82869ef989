//! `wf0 init`: makes a folder a project.

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::Answer;
use crate::error::{Error, Result};
use crate::project::Project;
use crate::store::Store;
use crate::store::intake::Unreadable;
use crate::worktree::Repository;

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Initialized {
    /// The project root.
    pub root: String,
    /// The configuration.
    pub config: String,
    /// Whether the configuration was written; `false` where there was one.
    pub written: bool,
}

/// The configuration that is written.
const CONFIG: &str = r#"{
  "batch": {
    "default_parallel": 2,
    "max_parallel": 5,
    "auto_worktree": true
  },
  "worktree": {
    "enabled": true,
    "root_dir": ".worktrees"
  }
}
"#;

/// Makes the repository that `start` lies in a project (or `start` itself, outside any repository): writes
/// `.wf/config.json` where there is none, and keeps `.wf` and the worktrees out of git's sight.
///
/// # Errors
/// A folder that can't be written, or a configuration that is there and broken.
pub fn init(start: &Path) -> Result<Answer<Initialized>> {
    let start = start.canonicalize().map_err(|error| Error::file("open", start, &error))?;
    let mut notices = Vec::new();
    let repository = start.ancestors().find(|folder| folder.join(".git").exists()).map(Path::to_owned);
    let root = match Project::find(&start) {
        Ok(project) => project.root().to_owned(),
        Err(_) => repository.clone().unwrap_or_else(|| start.clone()),
    };
    if repository.is_none() {
        notices.push(format!(
            "{} is no git repository: run `git init` and commit something, or set worktree.enabled to false",
            root.display()
        ));
    } else if root != start {
        notices.push(format!("the project is the whole repository, {}", root.display()));
    }
    let wf = root.join(".wf");
    if let Some(error) = Project::why_not(&root) {
        return Err(error);
    }
    let known = Project::find(&root).ok().filter(|_| !wf.exists());
    if let Some(project) = known {
        // `.wf` was deleted as a whole (git clean); what it showed is still known. Once the folder stands again without
        // its schedule.json, that would mean a cleared schedule.
        notices.extend(Store::open(&project)?.publish(Unreadable::Refuse)?);
    }
    std::fs::create_dir_all(&wf).map_err(|error| Error::file("create the folder", &wf, &error))?;
    let project = Project::at(&root)?;
    let path = project.config_file();
    let written = write_new(&path)?;
    let config = project.config()?;
    if repository.as_deref() == Some(project.root()) {
        let worktrees = format!("/{}/", config.worktree.root_dir.trim_matches('/'));
        Repository::open_unborn(project.root())?.exclude(&["/.wf", &worktrees])?;
    }
    let value = Initialized {
        root: project.root().display().to_string(),
        config: path.display().to_string(),
        written,
    };
    Ok(Answer { value, notices })
}

fn write_new(path: &PathBuf) -> Result<bool> {
    use std::io::Write;
    match std::fs::File::options().write(true).create_new(true).open(path) {
        Ok(mut file) => match file.write_all(CONFIG.as_bytes()) {
            Ok(()) => Ok(true),
            Err(error) => Err(Error::file("write", path, &error)),
        },
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(Error::file("write", path, &error)),
    }
}
