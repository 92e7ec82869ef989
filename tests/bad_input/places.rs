//! Where a project lies: no project, `.wf` that is no folder, names that need care everywhere, folders that can't be
//! written.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::json;

use crate::answers::{fit_for_people, holds, meaning, one_phase, refusal, unchanged, untouched, with_works};
use crate::support::{Project, ran};

#[test]
fn where_there_is_no_project_every_command_says_what_makes_one() {
    let project = Project::scratch("project");
    let commands: [&[&str]; 8] = [
        &["schedule", "create", "local=A-1"],
        &["schedule", "validate"],
        &["batch", "start"],
        &["batch", "start", "--dry-run"],
        &["batch", "status"],
        &["batch", "stop"],
        &["batch", "logs", "A-1"],
        &["work", "next"],
    ];
    for command in commands {
        let case = format!("{command:?}");
        let text = refusal(&case, &project, &project.run(command));
        holds(&case, &text, &["there is no .wf folder in ~/project or above it", "help: run `wf0 init`"]);
    }
    assert!(project.snapshot().is_empty());
    for (root, parts) in [
        ("/nowhere/at/all", ["cannot open /nowhere/at/all: no such file or directory", "help: check that"]),
        ("/dev/null", ["/dev/null holds no .wf folder", "help: run `wf0 init` there"]),
        ("a\u{1b}[31m\nb", ["cannot open a[31m b: no such file", "help: check that"]),
    ] {
        let given = project.run(&["--project", root, "batch", "status"]);
        holds(root, &refusal(root, &project, &given), &parts);
        let inherited = ran(project.wf0(&["batch", "status"]).env("WF0_PROJECT_ROOT", root));
        holds(root, &refusal(root, &project, &inherited), &parts);
    }
    // A variable that was emptied is none.
    let project = with_works();
    assert_eq!(ran(project.wf0(&["batch", "status"]).env("WF0_PROJECT_ROOT", "")).code, 0);
}

#[test]
fn a_wf_that_is_no_folder_is_named_and_kept() {
    let link = |to: &'static str| move |path: &Path| std::os::unix::fs::symlink(to, path).unwrap();
    let file = |path: &Path| std::fs::write(path, "x").unwrap();
    type Make<'a> = &'a dyn Fn(&Path);
    let cases: [(&str, Make<'_>); 4] = [
        ("~/project/.wf is a file, not a folder", &file),
        ("~/project/.wf is a link to nowhere, where no folder is", &link("nowhere")),
        ("~/project/.wf is a link to .wf, where no folder is", &link(".wf")),
        ("~/project/.wf is a link to /dev/null, where no folder is", &link("/dev/null")),
    ];
    for (part, make) in cases {
        let project = Project::scratch("project");
        make(&project.root().join(".wf"));
        let before = project.snapshot();
        let commands: [&[&str]; 4] = [
            &["init"],
            &["batch", "status"],
            &["schedule", "create", "local=A-1"],
            &["--project", ".", "batch", "stop"],
        ];
        for command in commands {
            let case = format!("{command:?}");
            holds(&case, &refusal(&case, &project, &project.run(command)), &[part, "help: move it away"]);
        }
        untouched("nothing", &project, &before);
    }
}

/// Names that a shell, git, tmux or JSON could trip over.
const NAMES: [&[u8]; 15] = [
    b"with space",
    b" around ",
    b"q'uo\"te",
    b"$(touch X)`touch Y`$HOME",
    b"new\nline",
    "é漢😀".as_bytes(),
    b"*?[x]",
    b"-dash",
    b"a;b&c|d",
    b"#{x}#(touch X)",
    b"back\\slash",
    b"100%s",
    b"{title}",
    b"\x1b[31mred",
    b"not \xff\xfe utf-8",
];

#[test]
fn a_batch_runs_wherever_the_project_lies() {
    let deep = format!("{}/{}", "d".repeat(200), "e".repeat(200));
    for name in NAMES.into_iter().chain([deep.as_bytes()]) {
        let case = String::from_utf8_lossy(name);
        let phase = json!({"name": "one", "command": ["commits", "{worktree}"]});
        let config = json!({"batch": {"retry_delay": 0, "max_step_failures": 1, "phases": [phase]}});
        let project = Project::named(OsStr::from_bytes(name), config);
        project.script(
            "commits",
            "cd \"$1\" && pwd && touch \"$WF0_WORK_ID\" && git add . && git commit -q -m done",
        );
        project.create(&[("A-1", &[]), ("B-2", &["A-1"])]);
        for command in [["batch", "start", "--dry-run"], ["batch", "start", "--wait"]] {
            let done = project.run(&command);
            assert_eq!(done.code, 0, "{case}: {done:?}\n{}", project.run(&["batch", "status"]).out);
            fit_for_people(&case, &done);
        }
        // From inside, too, and by a path that is given.
        let mut below = project.wf0(&["batch", "status", "--summary"]);
        assert_eq!(ran(below.current_dir(project.root().join(".git"))).code, 0, "{case}");
        let mut given = project.wf0(&["--project"]);
        let given = ran(given.arg(project.root()).args(["schedule", "show"]).current_dir("/"));
        assert_eq!(given.code, 0, "{case}: {given:?}");
        assert_eq!(project.git(&["ls-tree", "--name-only", "feat/2"]), "A-1\nB-2\n", "{case}");
        assert_eq!(project.git(&["status", "--porcelain"]), "", "{case}");
        let doctor = project.run(&["doctor"]);
        assert_eq!(doctor.code, 0, "{case}: {doctor:?}");
        fit_for_people(&case, &doctor);
    }
}

#[test]
fn variables_of_a_git_hook_lead_nowhere_else() {
    let other = with_works();
    other.write("file", "x");
    let project = Project::new(one_phase());
    let before = other.snapshot();
    let commands: [&[&str]; 5] = [
        &["init"],
        &["schedule", "create", "local=A-1"],
        &["batch", "start", "--dry-run"],
        &["batch", "start", "--wait"],
        &["doctor"],
    ];
    for command in commands {
        let git = other.root().join(".git");
        let done = ran(project
            .wf0(command)
            .env("GIT_DIR", &git)
            .env("GIT_WORK_TREE", other.root())
            .env("GIT_INDEX_FILE", git.join("index"))
            .env("GIT_COMMON_DIR", &git)
            .env("GIT_OBJECT_DIRECTORY", git.join("objects"))
            .env("GIT_PREFIX", "below/"));
        assert_eq!(done.code, 0, "{command:?}: {done:?}");
    }
    assert_eq!(project.state("A-1"), "completed");
    assert!(project.git(&["branch", "--list", "feat/1"]).contains("feat/1"));
    untouched("nothing", &other, &before);
}

#[test]
fn what_cannot_be_written_is_named_and_nothing_is_half_done() {
    let commands: [&[&str]; 14] = [
        &["init"],
        &["schedule", "create", "--force", "local=A-1"],
        &["schedule", "show"],
        &["schedule", "edit", "FIX-9-typo", "priority=7"],
        &["schedule", "clear"],
        &["batch", "start"],
        &["batch", "status"],
        &["batch", "stop"],
        &["batch", "resume"],
        &["batch", "logs", "FIX-9-typo"],
        &["batch", "daemon"],
        &["batch", "worker", "1"],
        &["work", "next"],
        &["work", "claim", "FIX-9-typo", "7"],
    ];
    for project in [Project::scratch("project"), Project::new(one_phase()), with_works()] {
        let fresh = !project.root().join(".wf").exists();
        let before = project.snapshot();
        let Some(closed) = Closed::new(&project) else { return };
        for command in commands.iter().filter(|command| !fresh || command[0] == "init") {
            let done = closed.run(command);
            let case = format!("{command:?}: {done:?}");
            if done.code == 0 {
                // What is there already need not be written again.
                assert_eq!(command[0], "init", "{case}");
                continue;
            }
            let text = refusal(&case, &project, &done);
            let why = text.contains("read-only file system") || text.contains("permission denied");
            assert!(
                why || text.contains("readonly database") || text.contains("unable to open database"),
                "{text}"
            );
            holds(&case, &text, &["~/project/", "help: make "]);
        }
        // These only look.
        let done = closed.run(&["schedule", "validate"]);
        fit_for_people("validate", &done);
        drop(closed);
        untouched("nothing", &project, &before);
    }
}

/// A project that can't be written, by its mode or, since that does not bind root, by mounting it read-only.
struct Closed<'a> {
    project: &'a Project,
    mounts: bool,
}

impl Closed<'_> {
    fn new(project: &Project) -> Option<Closed<'_>> {
        let closed = Closed { project, mounts: rustix::process::geteuid().is_root() };
        if !closed.mounts {
            closed.set_modes(0o500, 0o400);
            return Some(closed);
        }
        let works = ran(&mut closed.command(&["--version"])).code == 0;
        if !works {
            #[allow(clippy::print_stderr, reason = "a test that could not test must be heard")]
            {
                eprintln!("SKIPPED: root can write everywhere here, and may not mount anything read-only");
            }
        }
        works.then_some(closed)
    }

    fn command(&self, arguments: &[&str]) -> std::process::Command {
        if !self.mounts {
            return self.project.wf0(arguments);
        }
        let mut command = self.project.program("unshare");
        let script = "mount --bind . . && mount -o remount,bind,ro . && cd \"$PWD\" && exec \"$@\"";
        command.args(["-m", "sh", "-c", script, "sh", env!("CARGO_BIN_EXE_wf0")]).args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> crate::support::Ran {
        ran(&mut self.command(arguments))
    }

    fn set_modes(&self, folder: u32, file: u32) {
        fn walk(path: &Path, folder: u32, file: u32) {
            let about = path.symlink_metadata().unwrap();
            if about.is_symlink() {
                return;
            }
            let mode = if about.is_dir() { folder } else { file };
            if about.is_dir() {
                std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
                for entry in std::fs::read_dir(path).unwrap().flatten() {
                    walk(&entry.path(), folder, file);
                }
            }
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        walk(self.project.root(), folder, file);
    }
}

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        if !self.mounts {
            self.set_modes(0o755, 0o644);
        }
    }
}

#[test]
fn engine_files_in_the_way_are_named() {
    let project = Project::new(one_phase());
    project.write(".git/wf0", "x");
    let before = meaning(&project);
    for command in [["batch", "status"], ["batch", "start"], ["work", "next"]] {
        let case = format!("{command:?}");
        let text = refusal(&case, &project, &project.run(&command));
        holds(&case, &text, &["cannot create the folder ~/project/.git/wf0/leases: not a directory"]);
        unchanged(&case, &project, &before);
    }
}
