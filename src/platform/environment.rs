//! The environment of whoever asked for something: variables, and the programs that its PATH leads to.
//!
//! For a command line that is the process's own. A plugin serves callers whose environment is another one, and changes
//! from call to call: [`within`] puts it in place for what one thread does meanwhile.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;

/// Variables by name.
pub type Variables = BTreeMap<OsString, OsString>;

/// Tokens for trackers. Agents get them only by `batch.agent_env`, and a tmux server never: it would show them to every
/// pane for as long as it lives.
pub const TRACKER_TOKENS: [&str; 8] = [
    "GH_TOKEN",
    "GITHUB_TOKEN",
    "GH_ENTERPRISE_TOKEN",
    "GITHUB_ENTERPRISE_TOKEN",
    "JIRA_API_TOKEN",
    "JIRA_TOKEN",
    "JIRA_PAT",
    "JIRA_PASSWORD",
];

thread_local! {
    static GIVEN: RefCell<Option<Rc<Variables>>> = const { RefCell::new(None) };
}

/// Does something with these variables in the place of the process's own, in this thread.
pub fn within<T>(variables: Variables, act: impl FnOnce() -> T) -> T {
    /// Puts the earlier ones back, also where `act` panics.
    struct Back(Option<Rc<Variables>>);
    impl Drop for Back {
        fn drop(&mut self) {
            GIVEN.set(self.0.take());
        }
    }
    let _back = Back(GIVEN.replace(Some(Rc::new(variables))));
    act()
}

fn given() -> Option<Rc<Variables>> {
    GIVEN.with_borrow(Clone::clone)
}

/// One variable.
pub fn var_os(name: impl AsRef<OsStr>) -> Option<OsString> {
    match given() {
        Some(variables) => variables.get(name.as_ref()).cloned(),
        None => std::env::var_os(name),
    }
}

/// One variable, unless it is empty, which scripts use for "not set".
pub fn filled(name: impl AsRef<OsStr>) -> Option<OsString> {
    var_os(name).filter(|value| !value.is_empty())
}

/// All variables.
pub fn all() -> Vec<(OsString, OsString)> {
    match given() {
        Some(variables) => variables.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
        None => std::env::vars_os().collect(),
    }
}

/// A command that will run in this environment.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    if let Some(variables) = given() {
        command.env_clear().envs(variables.iter());
    }
    command
}

/// Where PATH leads for a program's name; a path is looked at as it is.
pub fn which(program: impl AsRef<OsStr>) -> Option<PathBuf> {
    which::which_in(program, var_os("PATH"), Path::new("/")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_stands_in_for_the_processes_own_and_only_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("only-here");
        std::fs::write(&program, "#!/bin/sh\nprintf %s \"$WHO-$HOME\"\n").unwrap();
        std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let path = std::env::join_paths([folder.path(), Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
        let variables = Variables::from([("PATH".into(), path), ("WHO".into(), "caller".into())]);
        assert!(which("only-here").is_none());
        within(variables, || {
            assert_eq!(var_os("WHO"), Some("caller".into()));
            assert_eq!(var_os("HOME"), None);
            assert_eq!(all().len(), 2);
            assert_eq!(which("only-here"), Some(program.clone()));
            let done = command("only-here").output().unwrap();
            assert_eq!(String::from_utf8(done.stdout).unwrap(), "caller-");
            within(Variables::new(), || assert!(all().is_empty()));
            assert_eq!(all().len(), 2);
        });
        assert_eq!(var_os("WHO"), None);
        assert_eq!(all().len(), std::env::vars_os().count());
    }
}
