//! tmux: sessions that are known to be a project's, opened, listed and closed without a surprise.
//!
//! tmux *runs* shell code that it finds in names (`#(…)`), reads `;` at the end of an argument as the next
//! command, and takes `-t name` for a prefix. So: session names are made of letters, digits, `_` and `-` only,
//! a window's name and folder are never given, every target is exact, and whatever else is needed travels in
//! the hand-over file. A session carries its project's root in the option `@wf0_root`, set in the same breath
//! in which it is made, and only sessions with the right root are listed or closed.
//!
//! No call takes longer than [`Tmux::limit`]. What runs in a session is not known here.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::error::{Code, Error, Result, plain};
use crate::platform::children::{self, Finished, RunError};
use crate::platform::environment::{self, TRACKER_TOKENS};
use crate::platform::process_id::ProcessId;
use crate::platform::process_watch::ProcessWatch;
use crate::schedule::id::printable;

use super::descriptors::pass_none;
use super::handover::{Handover, Waiting};
use super::names::{names_for, tag_of};
use super::program::RELAUNCH;
use super::{Launch, Opened, Until};

/// The option that says whose a session is.
const TAG: &str = "@wf0_root";
/// How often a server that is just going away is asked again.
const TRIES: usize = 3;
/// How often an opened process is looked at until it has taken its hand-over.
const LOOK: Duration = Duration::from_millis(5);

/// The way to a tmux server: the user's default one, unless `environment` leads elsewhere.
#[derive(Debug, Clone)]
pub struct Tmux {
    /// Variables for tmux on top of this process's: `TMUX_TMPDIR` leads to another server, `PATH` to another
    /// tmux.
    pub environment: Vec<(OsString, OsString)>,
    /// The longest that one call may take.
    pub limit: Duration,
}

impl Default for Tmux {
    fn default() -> Self {
        Tmux { environment: Vec::new(), limit: Duration::from_secs(10) }
    }
}

/// The command with which people look into a session.
pub fn attach_command(session: &str) -> String {
    format!("tmux attach -t {session}")
}

/// Why there is no new session.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The project has this one for the role.
    Taken(String),
    /// tmux did not do it.
    Cannot(String),
    /// Nothing to do with tmux.
    Error(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Refusal::Error(error)
    }
}

/// A session of the server.
#[derive(Debug, PartialEq, Eq)]
struct Session {
    /// tmux's own identifier, `$3`: never used twice.
    id: String,
    /// The value of [`TAG`], empty where there is none.
    tag: String,
    name: String,
}

impl Tmux {
    /// Whether there is a tmux to be used.
    pub fn is_installed(&self) -> bool {
        self.program().is_some()
    }

    /// Names of the sessions that belong to the project at `root`. No server is no session.
    ///
    /// # Errors
    /// tmux cannot be run, does not answer, or refuses for another reason than that it has no sessions.
    pub fn sessions_of(&self, root: &Path) -> Result<Vec<String>> {
        let tag = tag_of(root);
        Ok(self
            .list()?
            .into_iter()
            .filter(|session| session.tag == tag)
            .map(|session| session.name)
            .collect())
    }

    /// Closes a session if it belongs to the project at `root`; what runs there gets SIGHUP. `false` where there
    /// is no such session, or it is another's.
    ///
    /// # Errors
    /// As [`Tmux::sessions_of`].
    pub fn close(&self, session: &str, root: &Path) -> Result<bool> {
        let tag = tag_of(root);
        let Some(found) = self.list()?.into_iter().find(|it| it.name == session && it.tag == tag) else {
            return Ok(false);
        };
        let done = self.run(&["kill-session".into(), "-t".into(), found.id.into()])?;
        match done.status.success() {
            true => Ok(true),
            // It may have ended by itself since.
            false if says(&done).contains("can't find session") || has_no_server(&says(&done)) => Ok(false),
            false => Err(refused(&done)),
        }
    }

    /// The session that this process runs in; `None` outside tmux, or where tmux doesn't know.
    pub fn current_session(&self) -> Option<String> {
        self.variable("TMUX").filter(|value| !value.is_empty())?;
        let pane = self.variable("TMUX_PANE")?;
        let number = pane.to_str()?.strip_prefix('%')?;
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let words = ["display-message", "-p", "-t", &format!("%{number}"), "#{session_name}"];
        let done = self.run(&words.map(OsString::from)).ok()?;
        let name = String::from_utf8_lossy(&done.stdout).trim_end_matches('\n').to_owned();
        (done.status.success() && !name.is_empty()).then_some(name)
    }

    fn variable(&self, name: &str) -> Option<OsString> {
        let given = self.environment.iter().rev().find(|(key, _)| key == name);
        given.map(|(_, value)| value.clone()).or_else(|| environment::var_os(name))
    }

    fn program(&self) -> Option<PathBuf> {
        let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
        which::which_in("tmux", self.variable("PATH"), here).ok()
    }

    /// Runs one tmux command. Its working folder is `/`: tmux would remember, and expand, any other.
    fn run(&self, arguments: &[OsString]) -> Result<Finished> {
        let Some(program) = self.program() else {
            return Err(Error::new(
                Code::Process,
                "tmux is not installed",
                "install tmux, or set batch.tmux to false in .wf/config.json",
            ));
        };
        let mut command = environment::command(program);
        command
            .args(arguments)
            .current_dir("/")
            .envs(self.environment.iter().map(|(key, value)| (key, value)));
        // Where there is no server yet this makes one, and what it is given it keeps.
        for token in TRACKER_TOKENS {
            command.env_remove(token);
        }
        pass_none(&mut command);
        let doing = arguments.first().map(|word| word.to_string_lossy()).unwrap_or_default();
        let hint = "see whether `tmux list-sessions` works, or set batch.tmux to false in .wf/config.json";
        children::run(&mut command, &mut Until(Instant::now() + self.limit)).map_err(|error| match error {
            RunError::Io(error) => {
                Error::new(Code::Process, format!("cannot run tmux {doing}: {}", plain(&error)), hint)
            }
            RunError::Interrupted => {
                let seconds = self.limit.as_secs_f32();
                Error::new(Code::Process, format!("tmux {doing} did not answer within {seconds} s"), hint)
            }
        })
    }

    fn list(&self) -> Result<Vec<Session>> {
        if !self.is_installed() {
            return Ok(Vec::new());
        }
        let words = ["list-sessions", "-F", "#{session_id} #{@wf0_root} #{session_name}"];
        let done = self.run(&words.map(OsString::from))?;
        if done.status.success() {
            return Ok(String::from_utf8_lossy(&done.stdout).lines().filter_map(read_session).collect());
        }
        if has_no_server(&says(&done)) { Ok(Vec::new()) } else { Err(refused(&done)) }
    }
}

fn read_session(line: &str) -> Option<Session> {
    let mut words = line.splitn(3, ' ');
    let (id, tag, name) = (words.next()?, words.next()?, words.next()?);
    Some(Session { id: id.to_owned(), tag: tag.to_owned(), name: name.to_owned() })
}

fn says(done: &Finished) -> String {
    printable(String::from_utf8_lossy(&done.stderr).trim())
}

fn refused(done: &Finished) -> Error {
    let said = says(done);
    let said = if said.is_empty() { done.status.to_string() } else { said };
    Error::new(
        Code::Process,
        format!("tmux refused: {said}"),
        "see whether `tmux list-sessions` works, or set batch.tmux to false in .wf/config.json",
    )
}

/// Whether an answer means that there is no server, or that it is just ending.
fn has_no_server(said: &str) -> bool {
    let absent = said.contains("No such file or directory") || said.contains("Connection refused");
    said.contains("no server running")
        || said.contains("no sessions")
        || said.contains("server exited")
        || said.contains("lost server")
        || (said.contains("error connecting to") && absent)
}

/// Opens a session for `launch` and waits until its process has taken the hand-over.
pub(super) fn open(tmux: &Tmux, launch: &Launch<'_>) -> std::result::Result<Opened, Refusal> {
    let names = names_for(launch.role, launch.root);
    let tag = tag_of(launch.root);
    let sessions = tmux.list().map_err(|error| Refusal::Cannot(error.what().to_owned()))?;
    if let Some(ours) = sessions.into_iter().find(|it| it.tag == tag && names.contains(&it.name)) {
        return Err(Refusal::Taken(ours.name));
    }
    let handover = Handover::of(launch)?;
    let waiting = handover.write(launch.folder)?;
    for name in &names {
        match try_name(tmux, name, &tag, &handover, &waiting) {
            Ok(pid) => return Ok(Opened::Tmux { session: name.clone(), pid }),
            Err(Failure::Anothers) => {}
            Err(Failure::Ours) => return Err(Refusal::Taken(name.clone())),
            Err(Failure::Cannot(why)) if waiting.withdraw() => return Err(Refusal::Cannot(why)),
            // Opening it again in another way would make two of it.
            Err(Failure::Cannot(why)) => {
                return Err(Refusal::Error(Error::new(
                    Code::Process,
                    format!("{} was started in tmux session {name}, but then: {why}", launch.role),
                    "see with `wf0 batch status` whether it runs, and start it again if not",
                )));
            }
        }
    }
    Err(Refusal::Cannot(format!("the session names {} are all taken by others", names.join(", "))))
}

/// Why a session of one name was not opened.
enum Failure {
    /// The name belongs to another project, or to nobody's.
    Anothers,
    /// The name belongs to this project.
    Ours,
    /// tmux refused, or the process did not start.
    Cannot(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Cannot(error.what().to_owned())
    }
}

fn try_name(
    tmux: &Tmux,
    name: &str,
    tag: &str,
    handover: &Handover,
    waiting: &Waiting,
) -> std::result::Result<u32, Failure> {
    let words = new_session(name, &handover.program, waiting.path(), tag);
    let mut tries = 1..TRIES;
    loop {
        let done = tmux.run(&words)?;
        let said = says(&done);
        if let Some((id, pid)) = read_opened(&done.stdout) {
            if done.status.success() && wait_until_taken(waiting, pid, tmux.limit) {
                return Ok(pid);
            }
            // Half open, or dead at birth. Nothing can be done about a server that doesn't close it.
            let _ = tmux.run(&["kill-session".into(), "-t".into(), id.into()]);
            let dead = format!("the process in the new session {name} did not start");
            return Err(Failure::Cannot(if said.is_empty() { dead } else { said }));
        }
        if said.contains("duplicate session") {
            match tmux.list()?.into_iter().find(|session| session.name == name) {
                Some(session) if session.tag == tag => return Err(Failure::Ours),
                Some(_) => return Err(Failure::Anothers),
                // It has ended in the meantime: the name is free.
                None => {}
            }
        } else if !has_no_server(&said) {
            return Err(refused(&done).into());
        }
        if tries.next().is_none() {
            return Err(refused(&done).into());
        }
    }
}

/// One call, four commands: the server runs them without looking at anything in between, so nobody sees the
/// session without its mark, and a `destroy-unattached` in the user's configuration doesn't end it at once.
fn new_session(name: &str, program: &Path, file: &Path, tag: &str) -> Vec<OsString> {
    let target = format!("={name}:");
    let words = ["new-session", "-d", "-P", "-F", "#{session_id} #{pane_pid}", "-s", name, "--"];
    let mut arguments: Vec<OsString> = words.map(OsString::from).into();
    arguments.push(escaped(program.as_os_str()));
    arguments.push(RELAUNCH.into());
    arguments.push(escaped(file.as_os_str()));
    let options: [&[&str]; 3] = [
        &["set-option", "-t", &target, TAG, tag],
        &["set-option", "-t", &target, "destroy-unattached", "off"],
        &["set-option", "-w", "-t", &target, "remain-on-exit", "off"],
    ];
    for option in options {
        arguments.push(";".into());
        arguments.extend(option.iter().map(OsString::from));
    }
    arguments
}

fn read_opened(stdout: &[u8]) -> Option<(String, u32)> {
    let text = std::str::from_utf8(stdout).ok()?;
    let (id, pid) = text.trim().split_once(' ')?;
    Some((id.to_owned(), pid.parse().ok()?))
}

/// `true` as soon as the process goes on with its hand-over, `false` if it ended or dawdled: then it never will.
fn wait_until_taken(waiting: &Waiting, pid: u32, limit: Duration) -> bool {
    let until = Instant::now() + limit;
    let watch = ProcessWatch::new(&ProcessId::of(pid));
    while !waiting.is_taken() && !watch.wait(Some(LOOK)) && Instant::now() < until {}
    !waiting.withdraw()
}

/// An argument that tmux takes as it is.
fn escaped(argument: &OsStr) -> OsString {
    let mut bytes = argument.as_bytes().to_vec();
    if bytes.last() == Some(&b';') {
        bytes.insert(bytes.len() - 1, b'\\');
    }
    OsString::from_vec(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_final_semicolon_is_escaped_and_nothing_else() {
        for (given, expected) in [("a;", "a\\;"), (";", "\\;"), ("a\\;", "a\\\\;"), ("a;b", "a;b"), ("", "")]
        {
            assert_eq!(escaped(OsStr::new(given)), OsStr::new(expected));
        }
    }

    #[test]
    fn sessions_of_others_are_read_too() {
        let session = |id: &str, tag: &str, name: &str| {
            Some(Session { id: id.into(), tag: tag.into(), name: name.into() })
        };
        assert_eq!(read_session("$3 /a=20b wf-batch-worker-1"), session("$3", "/a=20b", "wf-batch-worker-1"));
        assert_eq!(read_session("$4  my own work"), session("$4", "", "my own work"));
        assert_eq!(read_session(""), None);
    }

    #[test]
    fn without_tmux_there_are_no_sessions() {
        let nowhere = tempfile::tempdir().unwrap();
        let tmux = Tmux {
            environment: vec![("PATH".into(), nowhere.path().as_os_str().to_owned())],
            ..Tmux::default()
        };
        assert!(!tmux.is_installed());
        assert_eq!(tmux.sessions_of(Path::new("/p")).unwrap(), Vec::<String>::new());
        assert!(!tmux.close("wf-batch-worker-1", Path::new("/p")).unwrap());
        assert!(tmux.run(&["list-sessions".into()]).unwrap_err().what().contains("not installed"));
    }
}
