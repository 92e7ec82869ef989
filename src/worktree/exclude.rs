//! Keeping wf0's own names out of `git status`, by the common `info/exclude`, which every worktree reads.
//!
//! The user's lines stay as they are. It knows no name that is to be excluded.

use std::io;
use std::path::Path;

use super::repository::Repository;
use crate::error::{Error, Result};
use crate::platform::children::Never;

impl Repository {
    /// Adds lines to the common `info/exclude`, which every worktree reads; lines that are there stay single.
    /// Says whether anything was added.
    ///
    /// # Errors
    /// The file cannot be read or replaced.
    pub fn exclude(&self, patterns: &[&str]) -> Result<bool> {
        let named = self.common_dir().join("info").join("exclude");
        if missing_lines(&read_or_empty(&named)?, patterns).is_empty() {
            return Ok(false);
        }
        let _lock = self.lock(&mut Never)?;
        let folder = self.common_dir().join("info");
        std::fs::create_dir_all(&folder)
            .map_err(|error| Error::file("create the folder", &folder, &error))?;
        // Replaced where it really lies, should it be a link to a file that is kept elsewhere.
        let path = std::fs::canonicalize(&named).unwrap_or(named);
        let mut text = read_or_empty(&path)?;
        let lines = missing_lines(&text, patterns);
        if !text.is_empty() && !text.ends_with(b"\n") {
            text.push(b'\n');
        }
        for line in &lines {
            text.extend_from_slice(line.as_bytes());
            text.push(b'\n');
        }
        replace(&path, &text).map_err(|error| Error::file("write", &path, &error))?;
        Ok(!lines.is_empty())
    }
}

/// Replaces a file in one step, keeping its permissions.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mode = std::fs::metadata(path).map_or(0o644, |it| it.permissions().mode() & 0o777);
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(mode))?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

fn read_or_empty(path: &Path) -> Result<Vec<u8>> {
    match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        other => other.map_err(|error| Error::file("read", path, &error)),
    }
}

fn missing_lines<'a>(text: &[u8], patterns: &[&'a str]) -> Vec<&'a str> {
    let text = String::from_utf8_lossy(text);
    patterns.iter().copied().filter(|pattern| !text.lines().any(|line| line.trim_end() == *pattern)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::Project;

    #[test]
    fn lines_are_excluded_once_and_the_rest_of_the_file_is_kept() {
        let project = Project::new();
        let repository = project.repository();
        let path = repository.common_dir().join("info/exclude");
        std::fs::write(&path, "# mine\n*.log").unwrap();
        assert!(repository.exclude(&["/.wf", "/.worktrees/"]).unwrap());
        assert!(!repository.exclude(&["/.worktrees/", "/.wf"]).unwrap());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "# mine\n*.log\n/.wf\n/.worktrees/\n");
        std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
        assert!(repository.exclude(&["/.wf"]).unwrap());
        std::thread::scope(|scope| {
            for number in 0..8 {
                let repository = &repository;
                scope.spawn(move || repository.exclude(&[&format!("/{number}")]).unwrap());
            }
        });
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 9);
    }
}
