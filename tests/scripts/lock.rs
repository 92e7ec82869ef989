//! The lock among the scripts of a project.

use serde_json::json;

use super::support::{Project, ended, kill, ran};
use super::{SHELLS, text};
use crate::in_every_shell;

fn project() -> Project {
    let project = Project::named(super::HOSTILE, json!({}));
    project.create(&[("A", &[])]);
    project
}

/// Tries for the lock from another shell.
const TRY: &str = r#"
try() {
    rm -f "$AROUND/got"
    sh -c '. "$UTILS"; wf_batch_lock && : > "$AROUND/got" && wf_batch_unlock' &
    trying=$!
    n=0
    while [ ! -e "$AROUND/got" ] && [ "$n" -lt "$1" ]; do
        sleep 0.1
        n=$((n + 1))
    done
    if [ -e "$AROUND/got" ]; then echo free; else echo held; kill "$trying"; fi
    wait "$trying" 2>/dev/null || true
}
"#;

fn it_is_re_entrant_and_wf0_never_waits_for_it(words: &[&str]) {
    let project = project();
    let script = format!(
        "{TRY}{}",
        r#"
wf_batch_unlock
wf_batch_lock
wf_batch_lock
wf_batch_unlock
try 5
(wf_batch_lock && wf_batch_unlock)
try 5
inner=$(wf_batch_lock && echo inner && wf_batch_unlock)
echo "$inner"
wf_batch_update_schedule '.works.A.priority = 7' && jq .works.A.priority .wf/schedule.json
wf_batch_claim_work A 7 && wf_batch_complete_work A 7 && echo claimed
. "$UTILS"
wf_batch_lock
wf_batch_unlock
try 5
wf_batch_unlock
try 100
(wf_batch_lock)
try 100
inner=$(wf_batch_lock && echo inner)
try 100
"#
    );
    let mut command = text(&project, words, &script);
    let ran = ran(command.env("AROUND", project.around()));
    let expected = "held\nheld\ninner\n7\nclaimed\nheld\nfree\nfree\nfree\n";
    assert_eq!(ran.out, expected, "{}", ran.err);
}
in_every_shell!(it_is_re_entrant_and_wf0_never_waits_for_it);

fn it_is_the_projects_wherever_the_shell_goes(words: &[&str]) {
    let other = project();
    let project = project();
    let script = format!(
        "{TRY}{}",
        r#"
cd "$OTHER"
other=$(pwd)
cd - > /dev/null
here=$PWD
wf_batch_lock
cd .wf
wf_batch_lock && wf_batch_unlock && echo again
cd "$other"
wf_batch_lock || echo 'not here'
wf_batch_update_schedule '.works.A.priority = 7' && jq .works.A.priority .wf/schedule.json
try 100
cd /
wf_batch_lock 2> /dev/null || echo 'nor there'
(cd "$here" && try 3)
wf_batch_unlock && echo unlocked
wf_batch_unlock && echo 'nothing to unlock'
cd "$here"
try 100
cd "$other"
wf_batch_lock
try 3
wf_batch_unlock
"#
    );
    let mut command = text(&project, words, &script);
    let ran = ran(command.env("AROUND", project.around()).env("OTHER", other.root()));
    let wanted = "again\nnot here\n7\nfree\nnor there\nheld\nunlocked\nnothing to unlock\nfree\nheld\n";
    assert_eq!(ran.out, wanted, "{}", ran.err);
    let refused = "ERROR: this shell has the lock of another project\n";
    assert!(ran.err.starts_with(refused), "{}", ran.err);
}
in_every_shell!(it_is_the_projects_wherever_the_shell_goes);

fn it_goes_with_its_shell(words: &[&str]) {
    let project = project();
    let mut command =
        text(&project, words, "wf_batch_lock; echo > \"$AROUND/locked\"; while :; do sleep 0.1; done");
    let mut holder = command.env("AROUND", project.around()).spawn().unwrap();
    project.until("it is locked", || project.around().join("locked").exists());
    let script = format!("{TRY}\ntry 3\n: > \"$AROUND/tried\"\nwf_batch_lock && echo mine\n");
    let mut other = text(&project, &["sh"], &script)
        .env("AROUND", project.around())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    project.until("another one waits", || project.around().join("tried").exists());
    kill(holder.id());
    holder.wait().unwrap();
    assert_eq!(ended(&mut other), Some(0));
    assert_eq!(other.wait_with_output().unwrap().stdout, b"held\nmine\n");
}
in_every_shell!(it_goes_with_its_shell);

#[test]
fn who_waits_for_long_is_told_for_whom() {
    let project = project();
    for waits in ["wf_batch_lock", "wf_batch_update_schedule '.works.A.priority = 7'"] {
        let [locked, go, said] = ["locked", "go", "said"].map(|name| project.around().join(name));
        let _ = std::fs::remove_file(&go);
        let script =
            r#"wf_batch_lock; : > "$AROUND/locked"; while [ ! -e "$AROUND/go" ]; do sleep 0.1; done"#;
        let mut holder = text(&project, &["sh"], script).env("AROUND", project.around()).spawn().unwrap();
        project.until("it is locked", || locked.exists());
        let err = std::fs::File::create(&said).unwrap();
        let mut other = text(&project, &["sh"], waits).stderr(err).spawn().unwrap();
        let expected = format!(
            "waiting for the lock among the scripts of this project, which process {} has\n",
            holder.id()
        );
        project.until("it says so", || std::fs::read_to_string(&said).unwrap() == expected);
        project.touch("go");
        assert_eq!((ended(&mut holder), ended(&mut other)), (Some(0), Some(0)));
        assert_eq!(std::fs::read_to_string(&said).unwrap(), expected, "once");
        std::fs::remove_file(&locked).unwrap();
    }
    assert_eq!(project.document()["works"]["A"]["priority"], 7);
}

#[test]
fn background_jobs_of_all_shells_take_turns() {
    let project = project();
    project.touch("count");
    std::fs::write(project.around().join("count"), "0").unwrap();
    let script = r#"
turn() {
    n=0
    while [ "$n" -lt 4 ]; do
        n=$((n + 1))
        wf_batch_lock
        count=$(cat "$AROUND/count")
        sleep 0.01
        echo $((count + 1)) > "$AROUND/count"
        wf_batch_update_schedule '.count += 1'
        wf_batch_unlock
    done
    wf_batch_update_schedule '.count += 1'
}
turn &
turn &
wait
"#;
    let mut all: Vec<_> = SHELLS
        .iter()
        .map(|words| text(&project, words, script).env("AROUND", project.around()).spawn().unwrap())
        .collect();
    for shell in &mut all {
        assert_eq!(ended(shell), Some(0));
    }
    assert_eq!(project.lines("count"), ["64"]);
    assert_eq!(project.document()["count"], 80, "no update was lost");
}
