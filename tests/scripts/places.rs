//! Where wf0 is found, and from where the scripts may be called.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::support::{Project, ran};
use super::{HOSTILE, scripts, shell, text};
use crate::in_every_shell;

/// A copy of the scripts with `bin/wf0` beside it, in a hostile place.
fn installed(project: &Project) -> PathBuf {
    let place = project.around().join("installed").join(HOSTILE);
    for folder in ["scripts", "bin"] {
        std::fs::create_dir_all(place.join(folder)).unwrap();
    }
    for name in ["batch-daemon.sh", "batch-worker.sh", "batch-utils.sh"] {
        std::fs::copy(scripts().join(name), place.join("scripts").join(name)).unwrap();
    }
    symlink(env!("CARGO_BIN_EXE_wf0"), place.join("bin/wf0")).unwrap();
    place.join("scripts")
}

fn write(path: &Path, content: &str) {
    std::fs::write(path, content).unwrap();
}

fn wf0_is_found(words: &[&str]) {
    let project = Project::new(json!({}));
    project.create(&[("A", &[])]);
    let place = installed(&project);
    std::fs::create_dir(project.around().join("callers")).unwrap();
    let caller = project.around().join("callers/caller.sh");
    write(&caller, ". \"$UTILS\"\ncd \"$1\"\nwf_batch_get_next_work\n");
    let linked = project.around().join("batch-utils.sh");
    let renamed = project.around().join("functions");
    for link in [&linked, &renamed] {
        symlink(place.join("batch-utils.sh"), link).unwrap();
    }
    let knows = matches!(words[0], "bash" | "zsh" | "ksh");
    let below = project.root().join("below");
    std::fs::create_dir(&below).unwrap();
    let call = |utils: &Path, script: &Path, set: &dyn Fn(&mut std::process::Command)| {
        let mut command = shell(&project, words, script);
        command.env_remove("WF0_BIN").env("UTILS", utils).arg(project.root()).current_dir(&below);
        set(&mut command);
        ran(&mut command)
    };
    let found =
        |ran: super::support::Ran| assert_eq!((ran.out.as_str(), ran.code), ("A\n", 0), "{}", ran.err);
    // Beside itself, where the shell tells; also by a relative path, and through a link of any name.
    for utils in [place.join("batch-utils.sh"), linked.clone(), renamed] {
        let ran = call(&utils, &caller, &|_| {});
        if knows {
            found(ran);
        } else {
            assert_eq!((ran.out.as_str(), ran.code), ("", 1));
            assert!(ran.err.contains("ERROR: the program wf0 was not found\n"), "{}", ran.err);
            assert!(ran.err.contains("WF_BATCH_DIR"), "{}", ran.err);
        }
    }
    if knows {
        found(call(Path::new("./batch-utils.sh"), &caller, &|command| {
            command.current_dir(&place);
        }));
    }
    // By what is said, wherever the shell thinks it is.
    found(call(&linked, &caller, &|command| {
        command.env("WF_BATCH_DIR", &place);
    }));
    found(call(&linked, &caller, &|command| {
        command.env("WF0_BIN", env!("CARGO_BIN_EXE_wf0"));
    }));
    // A caller that lies beside it, itself or through a link.
    let beside = place.join("caller.sh");
    std::fs::copy(&caller, &beside).unwrap();
    found(call(&place.join("batch-utils.sh"), &beside, &|_| {}));
    let link = project.around().join("link.sh");
    symlink(&beside, &link).unwrap();
    found(call(&place.join("batch-utils.sh"), &link, &|_| {}));
    // On PATH, in front of a function of the caller's own.
    let on_path =
        format!("{}:{}", place.parent().unwrap().join("bin").display(), std::env::var("PATH").unwrap());
    write(&caller, ". \"$UTILS\"\nwf0() { echo mine; }\ncd \"$1\"\nwf_batch_get_next_work\n");
    found(call(&scripts().join("batch-utils.sh"), &caller, &|command| {
        command.env("PATH", &on_path).env("WF_BATCH_DIR", "/nowhere");
    }));
    // What is named must be there, and a program.
    for wrong in ["/no/such wf0", "/", "/etc/passwd"] {
        let set = |command: &mut std::process::Command| {
            command.env("WF0_BIN", wrong);
        };
        let mut worker = shell(&project, words, &scripts().join("batch-worker.sh"));
        for ran in [call(&linked, &caller, &set), ran(worker.arg("1").env("WF0_BIN", wrong))] {
            let said =
                format!("ERROR: WF0_BIN is no program: {wrong}\nset it to the program wf0, or unset it\n");
            assert_eq!((ran.code, ran.err), (1, said));
        }
    }
}
in_every_shell!(wf0_is_found);

fn called_through_links_from_anywhere(words: &[&str]) {
    let project = Project::named(HOSTILE, json!({}));
    let place = installed(&project);
    let links = project.around().join("links");
    std::fs::create_dir(&links).unwrap();
    symlink(place.join("batch-daemon.sh"), links.join("first")).unwrap();
    symlink("first", links.join("daemon")).unwrap();
    let mut command = shell(&project, words, &links.join("daemon"));
    let ran_daemon = ran(command.env_remove("WF0_BIN"));
    assert_eq!((ran_daemon.code, ran_daemon.out.as_str()), (1, ""));
    assert!(ran_daemon.err.starts_with("ERROR: schedule.json not found\n"), "{}", ran_daemon.err);
    let mut command = shell(&project, words, Path::new("batch-worker.sh"));
    let outside = ran(command.arg("1").env_remove("WF0_BIN").current_dir(&place));
    assert!(
        outside.err.contains("ERROR: schedule.json not found\nthere is no .wf folder"),
        "{}",
        outside.err
    );
    // In a worktree, and far below it.
    project.create(&[("A", &[])]);
    let worktree = ran(&mut text(&project, words, "wf_batch_create_worktree A feat/A")).out;
    let below = Path::new(worktree.trim_end_matches('\n')).join("x/y");
    std::fs::create_dir_all(&below).unwrap();
    let script = "wf_batch_get_progress; wf_batch_claim_work A 7 && wf_batch_complete_work A 7";
    let ran_below = ran(text(&project, words, script).current_dir(&below));
    assert_eq!(
        ran_below.out, "{\"total\":1,\"completed\":0,\"in_progress\":0,\"pending\":1}\n",
        "{}",
        ran_below.err
    );
    assert_eq!(project.state("A"), "completed");
    // The batch is over: the scheduler says how it went.
    let mut command = shell(&project, words, &links.join("daemon"));
    let over = ran(command.env_remove("WF0_BIN").current_dir(&below));
    assert_eq!(over.code, 0, "{}", over.err);
    assert!(over.out.contains("\nCompleted: 1\n"), "{}", over.out);
}
in_every_shell!(called_through_links_from_anywhere);

#[test]
fn functions_that_bash_exports_do_without_the_file() {
    let project = Project::new(json!({}));
    project.create(&[("A", &[])]);
    let script = "
eval \"$(declare -F | sed -n 's/^declare -f \\(_*wf_batch_.*\\)/export -f \\1/p')\"
exec bash -euc 'wf_batch_lock; wf_batch_get_next_work; wf_batch_update_schedule .mine=1; wf_batch_unlock'";
    let programs = Path::new(env!("CARGO_BIN_EXE_wf0")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let ran = ran(text(&project, &["bash"], script).env_remove("WF0_BIN").env("PATH", path));
    assert_eq!((ran.out.as_str(), ran.err.as_str(), ran.code), ("A\n", "", 0));
}
