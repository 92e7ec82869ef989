//! A scratch project on real git, real tmux and real processes, which leaves nothing behind.

#![allow(dead_code, reason = "each test file uses its own part of this")]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{Seek, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The longest that anything in a test may take.
pub const DEADLINE: Duration = Duration::from_secs(60);

pub struct Project {
    folder: tempfile::TempDir,
    root: PathBuf,
    /// Every process of the project carries it in its environment.
    cookie: String,
    path: String,
}

#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Project {
    /// A project with one commit on main. tmux is off unless the configuration turns it on.
    pub fn new(config: Value) -> Project {
        Self::named("project", config)
    }

    /// The same in a folder of that name, below a scratch one; the name may hold `/`.
    pub fn named(name: impl AsRef<OsStr>, config: Value) -> Project {
        let project = Self::unborn(name, config);
        project.git(&["commit", "-q", "--allow-empty", "-m", "Begin"]);
        project
    }

    /// A project whose repository has no commit.
    pub fn unborn(name: impl AsRef<OsStr>, config: Value) -> Project {
        let project = Self::scratch(name);
        project.git(&["init", "-q", "-b", "main", "."]);
        for (key, value) in
            [("user.name", "Test"), ("user.email", "test@localhost"), ("commit.gpgsign", "false")]
        {
            project.git(&["config", key, value]);
        }
        project.ok(&["init"]);
        project.config(config);
        project
    }

    /// A project that is no git repository.
    pub fn plain(config: Value) -> Project {
        let project = Self::scratch("project");
        project.ok(&["init"]);
        project.config(config);
        project
    }

    /// An empty folder of that name, which is no project.
    pub fn scratch(name: impl AsRef<OsStr>) -> Project {
        let folder = tempfile::Builder::new().prefix("wf0-test-").tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap().join(name.as_ref());
        std::fs::create_dir_all(&root).unwrap();
        std::fs::create_dir(folder.path().join("tmux")).unwrap();
        std::fs::create_dir(folder.path().join("bin")).unwrap();
        let cookie = format!("WF0_TEST={}", folder.path().display());
        let path = format!("{}:{}", folder.path().join("bin").display(), std::env::var("PATH").unwrap());
        Project { folder, root, cookie, path }
    }

    /// Replaces the configuration.
    pub fn config(&self, mut config: Value) {
        if config["batch"]["tmux"].is_null() {
            config["batch"]["tmux"] = false.into();
        }
        std::fs::write(self.root.join(".wf/config.json"), config.to_string()).unwrap();
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The scratch folder around the project.
    pub fn around(&self) -> &Path {
        self.folder.path()
    }

    /// Gives the project a bare origin.
    pub fn with_origin(&self) -> PathBuf {
        let origin = self.around().join("origin.git");
        self.git(&["init", "-q", "--bare", "-b", "main", origin.to_str().unwrap()]);
        self.git(&["remote", "add", "origin", origin.to_str().unwrap()]);
        self.git(&["push", "-q", "origin", "main"]);
        origin
    }

    /// Writes a file below the root.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.root.join(path), content).unwrap();
    }

    /// A script that phases can call by name.
    pub fn script(&self, name: &str, body: &str) -> PathBuf {
        let path = self.around().join("bin").join(name);
        std::fs::write(&path, format!("#!/bin/sh\nAROUND='{}'\n{body}\n", self.around().display())).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// Any program in the project's environment.
    pub fn program(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if ["WF0_", "GIT_", "TMUX", "GH_", "GITHUB_", "JIRA_"].iter().any(|part| text.starts_with(part)) {
                command.env_remove(&name);
            }
        }
        let (name, value) = self.cookie.split_once('=').unwrap();
        command
            .env(name, value)
            .env("PATH", &self.path)
            .env("TMUX_TMPDIR", self.around().join("tmux"))
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("TZ", "UTC")
            .env("LC_ALL", "C.UTF-8");
        command
    }

    /// The command line.
    pub fn wf0<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = self.program(env!("CARGO_BIN_EXE_wf0"));
        command.args(arguments);
        command
    }

    pub fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Ran {
        ran(&mut self.wf0(arguments))
    }

    /// Runs a command with that on its standard input.
    pub fn run_with_input<S: AsRef<OsStr>>(&self, arguments: &[S], input: &[u8]) -> Ran {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(input).unwrap();
        file.rewind().unwrap();
        ran(self.wf0(arguments).stdin(file))
    }

    /// Runs a command that must succeed; gives its standard output.
    #[track_caller]
    pub fn ok<S: AsRef<OsStr> + std::fmt::Debug>(&self, arguments: &[S]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "wf0 {arguments:?}: {ran:?}");
        ran.out
    }

    /// Runs a command that must fail with exit status 1; gives what it said.
    #[track_caller]
    pub fn fails<S: AsRef<OsStr> + std::fmt::Debug>(&self, arguments: &[S]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 1, "wf0 {arguments:?}: {ran:?}");
        ran.err
    }

    #[track_caller]
    pub fn git(&self, arguments: &[&str]) -> String {
        self.git_in(&self.root, arguments)
    }

    #[track_caller]
    pub fn git_in(&self, folder: &Path, arguments: &[&str]) -> String {
        let ran = ran(self.program("git").arg("-C").arg(folder).args(arguments));
        assert_eq!(ran.code, 0, "git {arguments:?}: {ran:?}");
        ran.out
    }

    /// tmux on the project's own server.
    pub fn tmux(&self, arguments: &[&str]) -> Ran {
        ran(self.program("tmux").args(arguments))
    }

    /// Creates the schedule from `[(id, [dependencies])]`.
    #[track_caller]
    pub fn create(&self, works: &[(&str, &[&str])]) {
        let records: Vec<Value> = works
            .iter()
            .map(|(id, dependencies)| serde_json::json!({"work_id": id, "dependencies": dependencies}))
            .collect();
        let path = self.around().join("works.json");
        std::fs::write(&path, Value::from(records).to_string()).unwrap();
        self.ok(&["schedule", "create", "--force", "--from", path.to_str().unwrap()]);
    }

    /// The rows of `batch status`, by work.
    #[track_caller]
    pub fn status(&self) -> BTreeMap<String, Value> {
        let rows: Vec<Value> =
            serde_json::from_str(&self.ok(&["batch", "status", "--format", "json"])).unwrap();
        rows.into_iter().map(|row| (row["work_id"].as_str().unwrap().to_owned(), row)).collect()
    }

    #[track_caller]
    pub fn state(&self, id: &str) -> String {
        self.status()[id]["state"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub fn summary(&self) -> Value {
        serde_json::from_str(&self.ok(&["batch", "status", "--summary", "--format", "json"])).unwrap()
    }

    /// The store itself, for what no command tells.
    pub fn store(&self) -> wf0::store::Store {
        let project = wf0::project::Project::at(&self.root).unwrap();
        wf0::store::Store::open(&project).unwrap()
    }

    /// What the works and the batch's own record tell, for a test that has failed.
    pub fn story(&self) -> String {
        let works = self.run(&["batch", "status", "--format", "json"]).out;
        let store = self.store();
        let (mut story, mut seen) = (works, 0);
        loop {
            let events = store.events_after(seen).unwrap();
            let Some(last) = events.last() else { return story };
            seen = last.seq;
            events.iter().for_each(|event| story.push_str(&format!("{event:?}\n")));
        }
    }

    /// The document that other programs read.
    #[track_caller]
    pub fn document(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.root.join(".wf/schedule.json")).unwrap()).unwrap()
    }

    /// Waits until `condition` holds.
    #[track_caller]
    pub fn until(&self, what: &str, mut condition: impl FnMut() -> bool) {
        let begin = Instant::now();
        while !condition() {
            if begin.elapsed() > DEADLINE {
                panic!("{what}: not within {DEADLINE:?}\n{}", self.run(&["batch", "status"]).out);
            }
            std::thread::sleep(Duration::from_millis(15));
        }
    }

    /// Waits until the batch has left the status `running` and its scheduler has gone.
    #[track_caller]
    pub fn until_over(&self) -> String {
        let mut status = String::new();
        self.until("the batch is over", || {
            let summary = self.summary();
            status = summary["status"].as_str().unwrap().to_owned();
            status != "running" && summary["scheduler"]["state"] == "stopped"
        });
        status
    }

    /// A file around the project that scripts write to, as lines.
    pub fn lines(&self, name: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.around().join(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Makes an empty file around the project, which scripts wait for.
    pub fn touch(&self, name: &str) {
        std::fs::write(self.around().join(name), "").unwrap();
    }

    /// The processes of the project whose command line holds `part`.
    pub fn pids(&self, part: &str) -> Vec<u32> {
        pids(&self.cookie, part)
    }

    /// Kills processes of the project whose command line holds `part`; they must be there.
    #[track_caller]
    pub fn kill(&self, part: &str) {
        let pids = self.pids(part);
        assert!(!pids.is_empty(), "no process {part}");
        for pid in pids {
            kill(pid);
        }
    }

    /// Kills scheduler, workers and runners, however fast they open each other again.
    #[track_caller]
    pub fn kill_all(&self) {
        self.until("all are dead", || {
            let pids: Vec<u32> = ["batch daemon", "batch worker", "batch runner", "__relaunch"]
                .iter()
                .flat_map(|part| self.pids(part))
                .collect();
            pids.iter().copied().for_each(kill);
            pids.is_empty()
        });
    }

    /// Every file below the project with what tells whether it was touched.
    pub fn snapshot(&self) -> BTreeMap<PathBuf, (u64, i64, i64, u32)> {
        let mut found = BTreeMap::new();
        walk(&self.root, &mut found);
        found
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = self.run(&["batch", "stop"]);
        let _ = self.tmux(&["kill-server"]);
        let begin = Instant::now();
        while !self.pids("").is_empty() && begin.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let left: Vec<String> =
            self.pids("").iter().map(|pid| format!("{pid} {}", command_line(*pid))).collect();
        self.pids("").into_iter().for_each(kill);
        if !std::thread::panicking() {
            assert!(left.is_empty(), "left behind: {left:#?}");
        }
    }
}

pub fn ran(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Waits for a child with the deadline that everything has; gives its exit status.
#[track_caller]
pub fn ended(child: &mut std::process::Child) -> Option<i32> {
    let begin = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        assert!(begin.elapsed() < DEADLINE, "process {} does not end", child.id());
        std::thread::sleep(Duration::from_millis(10));
    }
}

pub fn kill(pid: u32) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
}

fn pids(cookie: &str, part: &str) -> Vec<u32> {
    let me = std::process::id();
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let lines: BTreeMap<u32, String> = all
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| *pid != me)
        .filter(|pid| {
            let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|b| *b == 0).any(|entry| entry == cookie.as_bytes())
        })
        .map(|pid| (pid, command_line(pid)))
        .collect();
    let found = lines.iter().filter(|(_, line)| line.contains(part));
    // Between fork and exec a child bears its parent's name; it is the git, or the agent, that it will be.
    found
        .filter(|(pid, line)| parent(**pid).and_then(|parent| lines.get(&parent)) != Some(line))
        .map(|(pid, _)| *pid)
        .collect()
}

fn parent(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)?.parse().ok()
}

fn command_line(pid: u32) -> String {
    let text = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&text).replace('\0', " ")
}

fn walk(folder: &Path, found: &mut BTreeMap<PathBuf, (u64, i64, i64, u32)>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let about = std::fs::symlink_metadata(entry.path()).unwrap();
        found.insert(entry.path(), (about.size(), about.mtime(), about.mtime_nsec(), about.mode()));
        if about.is_dir() {
            walk(&entry.path(), found);
        }
    }
}

/// Phases that all run one command.
pub fn phases(names: &[&str], command: &str) -> Value {
    let list: Vec<Value> =
        names.iter().map(|name| serde_json::json!({"name": name, "command": [command]})).collect();
    serde_json::json!({"batch": {"phases": list, "retry_delay": 0}})
}

/// An agent that notes its calls in `calls` and commits a file a phase.
pub const COMMITS: &str = r#"
echo "$WF0_WORK_ID $WF0_PHASE $WF0_ATTEMPT" >> "$AROUND/calls"
echo "$WF0_PHASE" > "$WF0_WORK_ID-$WF0_PHASE.txt"
git add . && git commit -q -m "$WF0_WORK_ID $WF0_PHASE"
"#;

/// Waits in a script until the test makes that file.
pub const WAITS: &str = r#"
await() { while [ ! -e "$AROUND/$1" ]; do sleep 0.02; done; }
"#;
