//! Every function of batch-utils.sh, in every shell, in a project whose path is hostile.

use serde_json::json;

use super::support::{Project, ran};
use super::{HOSTILE, shell, text};
use crate::in_every_shell;

/// An agent that says what it was told, where it is, or fails.
const CLAUDE: &str = r#"
case $2 in
"/fail "*) exit 7 ;;
"/where "*) printf '%s %s %s\n' "$PWD" "$WF0_WORK_ID" "$WF0_PHASE" ;;
*) printf '%s\n' "$@" ;;
esac"#;

fn project() -> Project {
    let project = Project::named(HOSTILE, json!({}));
    project.with_origin();
    project.script("claude", CLAUDE);
    project.create(&[("W1", &[]), ("W2", &["W1"]), ("W3", &[]), ("W4", &[]), ("W5", &[])]);
    project
}

fn every_function_does_what_it_says(words: &[&str]) {
    let project = project();
    let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts/functions.sh");
    let ran = ran(&mut shell(&project, words, &script));
    assert_eq!((ran.out.as_str(), ran.code), ("done\n", 0), "{}", ran.err);
    assert_eq!(ran.err, "");
}
in_every_shell!(every_function_does_what_it_says);

/// Names of variables and functions, options, traps and folder, before and after.
const NOTHING_ELSE: &str = r#"
look() {
    (
        set | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/\1/p'
        set +o
        pwd
        umask
        echo "$-"
    ) | grep -v -e '^_*wf_batch_' -e '^_$' -e LINENO -e RANDOM -e SECONDS -e '^BASH' -e PIPESTATUS -e '^FUNC' -e '^PPID' \
        -e COLUMNS -e LINES -e EPOCH -e '^pipestatus' -e '^status$' -e '^argv$' -e before -e '^after' -e '^TTYIDLE' -e '^ERRNO' -e '^_*$'
}
before=1
IFS=': '
trap 'true' USR1
trap > "$AROUND/traps"
before=$(look)
same() {
    trap > "$AROUND/traps-now"
    cmp "$AROUND/traps" "$AROUND/traps-now" || echo "$1: traps"
    after=$(look)
    [ "$before" = "$after" ] || printf '%s: from\n%s\nto\n%s\n' "$1" "$before" "$after"
}
after=1
"#;

fn sourcing_and_calling_changes_nothing_else(words: &[&str]) {
    let project = project();
    let path = project.around().join("nothing.sh");
    let calls = r#"
. "$UTILS"
same sourced
wf_batch_claim_work W1 7
wf_batch_get_next_work
wf_batch_fail_work W1 7 x
wf_batch_update_schedule .
wf_batch_lock && wf_batch_unlock
wf_batch_log INFO x > /dev/null
wf_batch_create_worktree W3 '' > /dev/null
wf_batch_cleanup_worktree W3
wf_batch_invoke_claude W3 . > /dev/null
same called
"#;
    std::fs::write(&path, format!("{NOTHING_ELSE}{calls}")).unwrap();
    let ran = ran(shell(&project, words, &path).env("AROUND", project.around()));
    assert_eq!((ran.out.as_str(), ran.code), ("W3\n", 0), "{}", ran.err);
}
in_every_shell!(sourcing_and_calling_changes_nothing_else);

#[test]
fn claims_are_quick() {
    let project = Project::new(json!({}));
    let names: Vec<String> = (0..20).map(|n| format!("W{n}")).collect();
    let works: Vec<(&str, &[&str])> = names.iter().map(|name| (name.as_str(), &[][..])).collect();
    project.create(&works);
    let fastest = (0..20)
        .map(|n| {
            let (id, worker) = (format!("W{n}"), (n + 1).to_string());
            let begin = std::time::Instant::now();
            project.ok(&["--script", "work", "claim", "--", id.as_str(), worker.as_str()]);
            begin.elapsed()
        })
        .min();
    // A release build takes a fifth of it.
    assert!(fastest < Some(std::time::Duration::from_millis(75)), "{fastest:?}");
}

#[test]
fn without_a_schedule_each_function_says_so() {
    let project = Project::new(json!({}));
    for call in [
        "get_next_work",
        "is_running",
        "get_progress",
        "claim_work A 1",
        "deps_resolved A",
        "update_schedule .",
    ] {
        let ran = ran(&mut text(&project, &["sh"], &format!("wf_batch_{call}")));
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{call}");
        assert!(ran.err.starts_with("ERROR: schedule.json not found\ncreate one: "), "{call}: {}", ran.err);
    }
}

#[test]
fn shellcheck_finds_nothing() {
    for entry in std::fs::read_dir(super::scripts()).unwrap().flatten() {
        let mut command = std::process::Command::new("shellcheck");
        let ran = ran(command.args(["-s", "sh"]).arg(entry.path()));
        assert_eq!(ran.code, 0, "{}", ran.out);
    }
}
