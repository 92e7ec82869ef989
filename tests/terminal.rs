//! Opening schedulers and workers on a real tmux server (one of the test's own) and detached.
//!
//! The opened program is a shell script: it answers `__relaunch` with the real `wf0`, and otherwise writes down
//! what it was given and waits. Where the opener itself matters, it is this test program, run again.
#![cfg(target_os = "linux")]

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use wf0::error::{Code, Result};
use wf0::platform::process_id::ProcessId;
use wf0::platform::process_stat::Stat;
use wf0::platform::process_watch::ProcessWatch;
use wf0::schedule::id::WorkerNumber;
use wf0::terminal::{Launch, Opened, Opening, Role, Tmux, attach_command, open};

const DEADLINE: Duration = Duration::from_secs(60);
const ARGUMENTS: [&str; 5] = ["a b;", ";", "#(false)", "line\nend", "größe"];

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < DEADLINE, "never came true: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A tmux server of the test's own, with a configuration that is hard on us. Ended with the test.
struct Server(tempfile::TempDir);

impl Server {
    fn new() -> Server {
        let server = Server(tempfile::tempdir().unwrap());
        let hostile = "set -g destroy-unattached on\nset -g remain-on-exit on\nset -g base-index 7\n";
        fs::write(server.0.path().join(".tmux.conf"), hostile).unwrap();
        server
    }

    fn environment(&self) -> Vec<(OsString, OsString)> {
        let folder = self.0.path().as_os_str().to_owned();
        vec![("TMUX_TMPDIR".into(), folder.clone()), ("HOME".into(), folder), ("TMUX".into(), "".into())]
    }

    fn tmux(&self) -> Tmux {
        Tmux { environment: self.environment(), ..Tmux::default() }
    }

    fn run(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("tmux");
        let done = command.args(arguments).envs(self.environment()).current_dir("/").output().unwrap();
        String::from_utf8_lossy(&done.stdout).into_owned()
    }

    fn socket(&self) -> PathBuf {
        self.0.path().join(format!("tmux-{}/default", fs::metadata("/proc/self").unwrap().uid()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // By its socket: where the folder is missing tmux would turn to the user's own server.
        if self.socket().exists() {
            let _ = Command::new("tmux").arg("-S").arg(self.socket()).arg("kill-server").output();
        }
    }
}

/// A project with the script in it. What was opened there is ended with the test.
struct Project {
    _folder: tempfile::TempDir,
    root: PathBuf,
    engine: PathBuf,
    program: PathBuf,
    log: PathBuf,
}

impl Project {
    fn new(name: &OsStr) -> Project {
        Project::with(tempfile::tempdir().unwrap(), name)
    }

    fn with(folder: tempfile::TempDir, name: &OsStr) -> Project {
        let root = folder.path().join(name);
        let engine = root.join(".git/wf0");
        fs::create_dir_all(&engine).unwrap();
        fs::set_permissions(&engine, fs::Permissions::from_mode(0o700)).unwrap();
        let program = root.join("wf0;");
        let script = format!(
            "#!/bin/sh\n[ \"$1\" = __relaunch ] && exec '{}' \"$@\"\n\
             printf '%s\\0' \"$@\" > args\nenv -0 > env\npwd -P > folder\nls -l /proc/$$/fd > fds\n\
             echo output; echo $$ > pid.new; mv pid.new pid; exec sleep 300\n",
            env!("CARGO_BIN_EXE_wf0")
        );
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let log = engine.join("log");
        Project { _folder: folder, root, engine, program, log }
    }

    fn launch(&self, role: Role) -> Launch<'_> {
        Launch {
            program: &self.program,
            arguments: ARGUMENTS.map(OsString::from).into(),
            root: &self.root,
            role,
            folder: &self.engine,
            log: &self.log,
        }
    }

    fn open(&self, tmux: &Tmux, prefer_tmux: bool) -> Result<Opening> {
        open(tmux, &self.launch(Role::Scheduler), prefer_tmux)
    }

    /// Opens it from a process of its own, whose output is `stdout`, and which passes on that pipe as
    /// descriptor 7 as well.
    fn open_from_outside(&self, environment: &[(OsString, OsString)], prefer_tmux: bool) -> Opener {
        let mut command = Command::new("sh");
        command.args(["-c", "exec 7>&1; exec \"$@\"", "sh"]).arg(std::env::current_exe().unwrap());
        command.args(["--exact", "opener", "--nocapture"]).current_dir("/");
        command.env("WF0_TEST_PROJECT", &self.root).env("WF0_TEST_TMUX", if prefer_tmux { "1" } else { "0" });
        command.env("WF0_TEST_SECRET", secret()).envs(environment.iter().cloned());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (tell, ended) = mpsc::channel();
        let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        std::thread::spawn(move || {
            let mut text = Vec::new();
            out.read_to_end(&mut text).unwrap();
            err.read_to_end(&mut text).unwrap();
            tell.send(text).unwrap();
        });
        assert!(child.wait().unwrap().success(), "{:?}", ended.recv_timeout(DEADLINE).map(String::from_utf8));
        Opener { ended }
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.root.join(name)).unwrap()
    }

    fn pid(&self) -> u32 {
        let path = self.root.join("pid");
        until("the opened process has written its number", || path.exists());
        fs::read_to_string(path).unwrap().trim().parse().unwrap()
    }

    /// The opened process has everything, and nothing of the hand-over is left.
    fn assert_handed_over(&self) {
        let mut expected: Vec<u8> = Vec::new();
        for argument in ARGUMENTS {
            expected.extend_from_slice(argument.as_bytes());
            expected.push(0);
        }
        assert_eq!(self.read("args"), expected);
        assert_eq!(self.read("folder").strip_suffix(b"\n").unwrap(), self.root.as_os_str().as_bytes());
        let left = fs::read_dir(&self.engine).unwrap().flatten().map(|entry| entry.file_name());
        let left: Vec<_> = left.filter(|name| name != "log").collect();
        assert!(left.is_empty(), "{left:?}");
    }

    fn environment(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let env = self.read("env");
        let entries = env.split(|byte| *byte == 0).filter(|entry| !entry.is_empty());
        let pair = |entry: &[u8]| {
            let at = entry.iter().position(|byte| *byte == b'=').unwrap();
            (entry[..at].to_vec(), entry[at + 1..].to_vec())
        };
        entries.map(pair).collect()
    }

    fn variable(&self, name: &str) -> Option<Vec<u8>> {
        self.environment().into_iter().find(|(key, _)| key == name.as_bytes()).map(|(_, value)| value)
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        if let Ok(pid) = fs::read_to_string(self.root.join("pid"))
            && let Ok(pid) = pid.trim().parse()
        {
            let id = ProcessId::of(pid);
            let ours = fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|folder| folder == self.root);
            if ours && id.signal(rustix::process::Signal::KILL) {
                ProcessWatch::new(&id).wait(Some(DEADLINE));
            }
        }
    }
}

struct Opener {
    ended: mpsc::Receiver<Vec<u8>>,
}

impl Opener {
    fn assert_pipes_are_closed(&self) {
        assert!(self.ended.recv_timeout(DEADLINE).is_ok(), "somebody still holds the opener's pipes");
    }
}

fn secret() -> OsString {
    OsString::from_vec(b"line one\nline = two;\xff #(false)".to_vec())
}

/// As a child of another test, the opener of [`Project::open_from_outside`]; by itself, one that has nowhere to hand
/// anything over.
#[test]
fn opener() {
    let Some(root) = std::env::var_os("WF0_TEST_PROJECT").map(PathBuf::from) else {
        let nowhere = Path::new("/nowhere");
        let launch = Launch {
            program: nowhere,
            arguments: Vec::new(),
            root: Path::new("/"),
            role: Role::Scheduler,
            folder: nowhere,
            log: nowhere,
        };
        let error = open(&Tmux::default(), &launch, false).unwrap_err();
        assert!(error.what().contains("/nowhere"), "{error}");
        return;
    };
    let launch = Launch {
        program: &root.join("wf0;"),
        arguments: ARGUMENTS.map(OsString::from).into(),
        root: &root,
        role: Role::Scheduler,
        folder: &root.join(".git/wf0"),
        log: &root.join(".git/wf0/log"),
    };
    let prefer_tmux = std::env::var("WF0_TEST_TMUX").is_ok_and(|value| value == "1");
    let opening = open(&Tmux::default(), &launch, prefer_tmux).unwrap();
    assert_eq!(opening.warning, None);
    assert_eq!(opening.opened.session().is_some(), prefer_tmux);
    let parent = Stat::read(opening.opened.pid()).unwrap().parent;
    assert_ne!(parent, std::process::id(), "it must not be the opener's child, even while that lives");
}

#[test]
fn a_session_gets_everything_and_a_hostile_path_runs_nothing() {
    let server = Server::new();
    let marks = tempfile::tempdir().unwrap();
    let mark = |name: &str| marks.path().join(name);
    // The folders' names make up commands with full paths: tmux would run the first, a shell the others.
    for (n, begin) in ["a #(touch ", "b' \" $(touch ", "c\n`touch ", "d ä; touch "].iter().enumerate() {
        let end = if n == 2 { "hit`" } else { "hit) ;" };
        let name = OsString::from(format!("{begin}{}", mark(end).display()));
        let project = Project::new_below(&name);
        let mut environment = server.environment();
        environment.push(("TERM".into(), "of-the-opener".into()));
        // The server belongs to somebody else's environment.
        server.run(&[
            "new-session",
            "-d",
            "-s",
            "first",
            "sleep 300",
            ";",
            "set",
            "destroy-unattached",
            "off",
        ]);
        let opener = project.open_from_outside(&environment, true);
        let pid = project.pid();
        opener.assert_pipes_are_closed();
        project.assert_handed_over();
        assert_eq!(project.variable("WF0_TEST_SECRET"), Some(secret().into_vec()));
        assert_ne!(project.variable("TERM"), Some(b"of-the-opener".to_vec()));
        let (tmux, pane) = (project.variable("TMUX").unwrap(), project.variable("TMUX_PANE").unwrap());
        let inside = Tmux {
            environment: vec![
                ("TMUX".into(), OsString::from_vec(tmux)),
                ("TMUX_PANE".into(), OsString::from_vec(pane)),
            ],
            ..Tmux::default()
        };
        assert_eq!(inside.current_session().as_deref(), Some("wf-batch-scheduler"));
        assert_eq!(server.tmux().current_session(), None);
        assert_eq!(server.tmux().sessions_of(&project.root).unwrap(), ["wf-batch-scheduler"]);
        let listed = server.run(&["list-panes", "-t", "=wf-batch-scheduler:", "-F", "#{pane_pid}"]);
        assert_eq!(listed.trim(), pid.to_string(), "the pane's process is the program itself");
        // The positive control: had tmux found a command, it would have run it by now. (It ends such commands
        // with the client that brought them, so that not every one gets as far as its mark.)
        let controls = tempfile::tempdir().unwrap();
        let control = controls.path().join("control");
        let folder = format!("/#(touch {})", control.display());
        until("tmux has run the control", || {
            server.run(&["new-session", "-d", "-c", &folder, "--", "sleep", "1"]);
            control.exists()
        });
        let hits: Vec<_> =
            fs::read_dir(marks.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
        assert!(hits.is_empty(), "{hits:?}: something in {name:?} was run");
        assert!(server.tmux().close("wf-batch-scheduler", &project.root).unwrap());
        assert!(ProcessWatch::new(&ProcessId::of(pid)).wait(Some(DEADLINE)), "closed, but alive");
    }
}

impl Project {
    /// A project whose path, as text, ends in `name`, slashes and all.
    fn new_below(name: &OsStr) -> Project {
        let folder = tempfile::tempdir().unwrap();
        let mut text = folder.path().as_os_str().to_owned();
        text.push("/");
        text.push(name);
        let below = Path::new(&text).strip_prefix(folder.path()).unwrap().as_os_str().to_owned();
        Project::with(folder, &below)
    }
}

#[test]
fn the_first_session_starts_a_server_that_holds_nothing_of_the_opener() {
    let server = Server::new();
    assert_eq!(server.tmux().sessions_of(Path::new("/p")).unwrap(), Vec::<String>::new());
    assert!(!server.socket().exists(), "asking starts no server");
    let project = Project::new(OsStr::new("shop"));
    let mut environment = server.environment();
    environment.push(("GH_TOKEN".into(), "for-trackers-only".into()));
    let opener = project.open_from_outside(&environment, true);
    let pid = project.pid();
    opener.assert_pipes_are_closed();
    assert!(ProcessId::of(pid).is_alive());
    let kept = server.run(&["show-environment", "-g"]);
    assert!(kept.contains("HOME=") && !kept.contains("for-trackers-only"), "{kept}");
}

#[test]
fn projects_of_one_name_get_sessions_of_their_own() {
    let server = Server::new();
    let tmux = server.tmux();
    let keep = [";", "set", "destroy-unattached", "off"];
    let stranger = [&["new-session", "-d", "-s", "wf-batch-worker-1", "sleep 300"], &keep[..]].concat();
    server.run(&stranger);
    let projects: Vec<Project> = (0..2).map(|_| Project::new(OsStr::new("my shop"))).collect();
    let role = Role::Worker(WorkerNumber::new(1).unwrap());
    let mut names = Vec::new();
    for project in &projects {
        let opening = open(&tmux, &project.launch(role), true).unwrap();
        assert_eq!(opening.warning, None);
        assert_eq!(opening.opened.pid(), project.pid());
        names.push(opening.opened.session().unwrap().to_owned());
    }
    assert_eq!(names[0], "wf-batch-worker-1-my_shop");
    assert!(names[1].starts_with("wf-batch-worker-1-my_shop-") && names[1].len() == names[0].len() + 9);
    assert_eq!(attach_command(&names[0]), "tmux attach -t wf-batch-worker-1-my_shop");
    for (n, project) in projects.iter().enumerate() {
        assert_eq!(tmux.sessions_of(&project.root).unwrap(), [names[n].clone()]);
        // The first name is free for neither, and even if it were, the project has its session already.
        let error = open(&tmux, &project.launch(role), true).unwrap_err();
        assert_eq!(error.code(), Code::Taken);
        assert!(error.what().contains(&names[n]), "{error}");
        assert!(!tmux.close(&names[1 - n], &project.root).unwrap());
        assert!(!tmux.close("wf-batch-worker-1", &project.root).unwrap());
    }
    let worker_2 =
        open(&tmux, &projects[0].launch(Role::Worker(WorkerNumber::new(2).unwrap())), true).unwrap();
    assert_eq!(worker_2.opened.session(), Some("wf-batch-worker-2"));
    for (n, project) in projects.iter().enumerate() {
        assert!(tmux.close(&names[n], &project.root).unwrap());
        assert!(!tmux.close(&names[n], &project.root).unwrap());
    }
    let mut left = tmux.sessions_of(&projects[0].root).unwrap();
    left.extend(tmux.sessions_of(&projects[1].root).unwrap());
    assert_eq!(left, ["wf-batch-worker-2"]);
    assert!(tmux.close("wf-batch-worker-2", &projects[0].root).unwrap());
}

#[test]
fn of_many_openers_at_once_one_succeeds() {
    let server = Server::new();
    let project = Project::new(OsStr::new("shop"));
    let results: Vec<Result<Opening>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| project.open(&server.tmux(), true))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let pid = project.pid();
    for result in &results {
        match result {
            Ok(opening) => assert_eq!(opening.opened.pid(), pid),
            Err(error) => assert_eq!(error.code(), Code::Taken, "{error}"),
        }
    }
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert_eq!(server.tmux().sessions_of(&project.root).unwrap(), ["wf-batch-scheduler"]);
    project.assert_handed_over();
}

#[test]
fn where_tmux_fails_or_hangs_the_process_is_detached_and_it_is_said() {
    for (script, said) in [("echo broken >&2; exit 1", "broken"), ("exec sleep 300", "did not answer")] {
        let tools = tempfile::tempdir().unwrap();
        let fake = tools.path().join("tmux");
        fs::write(&fake, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&fake, fs::Permissions::from_mode(0o755)).unwrap();
        let mut path = tools.path().as_os_str().to_owned();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap());
        let tmux = Tmux { environment: vec![("PATH".into(), path)], limit: Duration::from_millis(200) };
        let project = Project::new(OsStr::new("shop"));
        let opening = project.open(&tmux, true).unwrap();
        assert_eq!(opening.opened, Opened::Detached { pid: project.pid() });
        let warning = opening.warning.unwrap();
        assert!(warning.contains(said), "{warning}");
        assert!(tmux.sessions_of(&project.root).is_err());
        project.assert_handed_over();
    }
}

#[test]
fn a_program_that_does_not_start_is_an_error_that_names_it_and_leaves_nothing() {
    let server = Server::new();
    let project = Project::new(OsStr::new("shop"));
    fs::write(&project.program, "#!/bin/sh\necho no luck >&2; exit 3\n").unwrap();
    let error = project.open(&server.tmux(), true).unwrap_err();
    assert_eq!(error.code(), Code::Process);
    assert!(error.what().contains("the scheduler") && error.what().contains("no luck"), "{error}");
    assert_eq!(server.tmux().sessions_of(&project.root).unwrap(), Vec::<String>::new());
    assert_eq!(fs::read_dir(&project.engine).unwrap().count(), 0);

    let gone = Launch { root: Path::new("/no/such/folder"), ..project.launch(Role::Scheduler) };
    let gone = Launch { program: Path::new(env!("CARGO_BIN_EXE_wf0")), ..gone };
    let error = open(&server.tmux(), &gone, false).unwrap_err();
    assert!(error.what().contains("/no/such/folder"), "{error}");
}

#[test]
fn a_detached_process_is_on_its_own() {
    let project = Project::new(OsStr::new("a;b #(false)\n'ä"));
    let opener = project.open_from_outside(&[("TMUX".into(), "/x,1,0".into())], false);
    let pid = project.pid();
    opener.assert_pipes_are_closed();
    assert!(ProcessId::of(pid).is_alive(), "it outlives its opener");
    project.assert_handed_over();
    assert_eq!(project.variable("WF0_TEST_SECRET"), Some(secret().into_vec()));
    assert_eq!(project.variable("TMUX"), None);
    let stat = Stat::read(pid).unwrap();
    assert_eq!(stat.session, pid);
    assert_eq!(fs::read_link(format!("/proc/{pid}/fd/0")).unwrap(), Path::new("/dev/null"));
    for fd in [1, 2] {
        assert_eq!(fs::read_link(format!("/proc/{pid}/fd/{fd}")).unwrap(), project.log);
    }
    // The shell has its script open until it becomes `sleep`, and that its libraries while it begins.
    let count = || fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count();
    until("it has its three standard streams and nothing else", || count() == 3);
    assert_eq!(fs::metadata(&project.log).unwrap().mode() & 0o777, 0o600);
    assert_eq!(fs::read_to_string(&project.log).unwrap(), "output\n");
}
