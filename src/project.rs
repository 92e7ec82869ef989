//! Where a project lies, and which files and folders belong to it.

use std::io;
use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::error::{Code, Error, Result};

/// A project: the folder that holds `.wf`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    root: PathBuf,
}

impl Project {
    /// The project that `start` lies in: the first folder upwards that holds `.wf`; where that is a link, as in a
    /// worktree, the root is the parent of the real `.wf`. Where `.wf` was deleted as a whole (`git clean -fdx`), the
    /// store in the git folder still tells. Where there is nothing above, `start` may be in a git worktree elsewhere: then it
    /// is the project that the main work tree of its repository is.
    ///
    /// # Errors
    /// [`Code::NoProject`]; [`Code::ProjectPlace`] where what is called `.wf` is no folder.
    pub fn find(start: &Path) -> Result<Project> {
        let start = start.canonicalize().map_err(|error| Error::file("open", start, &error))?;
        for folder in start.ancestors() {
            let real = folder.join(".wf").canonicalize().ok().filter(|real| real.is_dir());
            if let Some(real) = real {
                let root = real.parent().unwrap_or(folder).to_owned();
                return Ok(Project { root });
            }
            let without = Project { root: folder.to_owned() };
            if without.engine_folder().is_ok_and(|engine| engine.join("wf0.db").exists()) {
                return Self::why_not(folder).map_or(Ok(without), Err);
            }
        }
        if let Some(why_not) = start.ancestors().find_map(Self::why_not) {
            return Err(why_not);
        }
        let main = start.ancestors().find_map(main_work_tree).filter(|main| main.join(".wf").is_dir());
        main.map(|root| Project { root }).ok_or_else(|| {
            Error::new(
                Code::NoProject,
                format!("there is no .wf folder in {} or above it", start.display()),
                "run `wf0 init` in the top folder of your repository",
            )
        })
    }

    /// Why `folder` is no project although something named `.wf` lies in it; `None` where nothing does, or a folder.
    pub fn why_not(folder: &Path) -> Option<Error> {
        let wf = folder.join(".wf");
        let about = wf.symlink_metadata().ok().filter(|_| !wf.is_dir())?;
        let what = match std::fs::read_link(&wf) {
            Ok(to) if about.is_symlink() => format!("is a link to {}, where no folder is", to.display()),
            _ => "is a file, not a folder".to_owned(),
        };
        Some(Error::new(
            Code::ProjectPlace,
            format!("{} {what}", wf.display()),
            "move it away, then run `wf0 init` in the top folder of your repository",
        ))
    }

    /// The project whose root is exactly `root`.
    ///
    /// # Errors
    /// [`Code::NoProject`] where it holds no `.wf`, [`Code::ProjectPlace`] where that is no folder; [`Code::File`] where it can't be opened.
    pub fn at(root: &Path) -> Result<Project> {
        let root = root.canonicalize().map_err(|error| Error::file("open", root, &error))?;
        if root.join(".wf").is_dir() {
            return Self::find(&root);
        }
        Err(Self::why_not(&root).unwrap_or_else(|| {
            Error::new(
                Code::NoProject,
                format!("{} holds no .wf folder", root.display()),
                "run `wf0 init` there, or give another folder with --project",
            )
        }))
    }

    /// The top folder, absolute and without links.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Its name, for people.
    pub fn name(&self) -> String {
        self.root.file_name().unwrap_or(self.root.as_os_str()).to_string_lossy().into_owned()
    }

    /// `.wf`.
    pub fn wf(&self) -> PathBuf {
        self.root.join(".wf")
    }

    /// `.wf/schedule.json`.
    pub fn schedule_file(&self) -> PathBuf {
        self.wf().join("schedule.json")
    }

    /// `.wf/config.json`.
    pub fn config_file(&self) -> PathBuf {
        self.wf().join("config.json")
    }

    /// `.wf/state.json`, the agent's own.
    pub fn state_file(&self) -> PathBuf {
        self.wf().join("state.json")
    }

    /// Reads the configuration.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn config(&self) -> Result<Config> {
        Config::read(&self.config_file())
    }

    /// The folder of worktrees.
    pub fn worktree_root(&self, config: &Config) -> PathBuf {
        self.root.join(&config.worktree.root_dir)
    }

    /// The engine's own folder: `wf0` in the git folder of the root, where `git clean -fdx` does not reach;
    /// `.wf/engine` where the root is no repository. It need not exist.
    ///
    /// # Errors
    /// [`Code::File`] where a `.git` file can't be read.
    pub fn engine_folder(&self) -> Result<PathBuf> {
        let git = self.root.join(".git");
        match std::fs::metadata(&git) {
            Ok(about) if about.is_dir() => Ok(git.join("wf0")),
            Ok(_) => {
                Ok(git_folder(&self.root).map_err(|error| Error::file("read", &git, &error))?.join("wf0"))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(self.wf().join("engine")),
            Err(error) => Err(Error::file("look at", &git, &error)),
        }
    }
}

/// The git folder that the file `.git` in `top` names.
fn git_folder(top: &Path) -> io::Result<PathBuf> {
    let text = std::fs::read(top.join(".git"))?;
    let place = text.strip_prefix(b"gitdir: ").unwrap_or(&text);
    Ok(top.join(as_path(place.trim_ascii_end())))
}

/// The main work tree of the repository that `top` is a worktree of; `None` where it is none.
fn main_work_tree(top: &Path) -> Option<PathBuf> {
    if !top.join(".git").is_file() {
        return None;
    }
    let own = git_folder(top).ok()?;
    let common = std::fs::read(own.join("commondir")).ok()?;
    let common = own.join(as_path(common.trim_ascii_end())).canonicalize().ok()?;
    (common.file_name()? == ".git").then(|| common.parent().map(Path::to_owned)).flatten()
}

fn as_path(bytes: &[u8]) -> &Path {
    use std::os::unix::ffi::OsStrExt;
    Path::new(std::ffi::OsStr::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_is_found_from_below_and_through_a_worktrees_link() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let below = root.join(".worktrees/feat-1-a/src");
        std::fs::create_dir_all(root.join(".wf")).unwrap();
        std::fs::create_dir_all(&below).unwrap();
        std::os::unix::fs::symlink("../../.wf", root.join(".worktrees/feat-1-a/.wf")).unwrap();
        for start in [&root, &below] {
            assert_eq!(Project::find(start).unwrap().root(), root);
        }
        assert!(Project::at(&below).is_err());
        assert_eq!(Project::at(&root).unwrap().engine_folder().unwrap(), root.join(".wf/engine"));
    }

    #[test]
    fn a_project_is_found_from_a_worktree_that_lies_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let (root, other) = (folder.join("project"), folder.join("other"));
        let own = root.join(".git/worktrees/other");
        for folder in [&root.join(".wf"), &own, &other.join("src")] {
            std::fs::create_dir_all(folder).unwrap();
        }
        assert!(Project::find(&other).is_err());
        std::fs::write(own.join("commondir"), "../..\n").unwrap();
        std::fs::write(other.join(".git"), format!("gitdir: {}\n", own.display())).unwrap();
        assert_eq!(Project::find(&other.join("src")).unwrap().root(), root);
        std::fs::remove_dir(root.join(".wf")).unwrap();
        assert_eq!(Project::find(&other).unwrap_err().code(), Code::NoProject);
    }
}
