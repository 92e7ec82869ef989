//! What becomes of the commits of a work that a script does: those that depend on it have them.

use serde_json::json;

use super::support::{Project, ran};
use super::text;

/// W1 is done by a script with one commit, then what `after` says; gives the files in the worktree of W2, which depends
/// on W1, and what was complained of.
fn dependents_files(branch: &str, after: &str) -> (String, String) {
    let project = Project::named(super::HOSTILE, json!({}));
    project.create(&[("W1", &[]), ("W2", &["W1"])]);
    let script = format!(
        "
set -e
wf_batch_claim_work W1 7
worktree=$(wf_batch_create_worktree W1 '{branch}')
: > \"$worktree/done-by-W1\"
git -C \"$worktree\" add .
git -C \"$worktree\" commit -qm W1
{after}
wf_batch_claim_work W2 7
cd \"$(wf_batch_create_worktree W2 '')\"
ls"
    );
    let ran = ran(&mut text(&project, &["sh"], &script));
    assert_eq!(ran.code, 0, "{}", ran.err);
    (ran.out, ran.err)
}

#[test]
fn dependents_have_the_commits_whatever_became_of_the_branch() {
    let clean = "wf_batch_cleanup_worktree W1";
    let complete = "wf_batch_complete_work W1 7";
    for (branch, after) in [
        ("", complete.to_owned()),
        ("", format!("{clean}\n{complete}\ngit branch -qD feat/W1")),
        ("", format!("{complete}\n{clean}\ngit branch -qD feat/W1")),
        ("my/own", complete.to_owned()),
        ("my/own", format!("{clean}\n{complete}")),
        ("my/own", format!("{clean}\n{complete}\ngit branch -qD my/own")),
        ("my/own", format!("{complete}\n{clean}\ngit branch -qD my/own")),
    ] {
        let (files, complaints) = dependents_files(branch, &after);
        assert_eq!((files.as_str(), complaints.as_str()), ("done-by-W1\n", ""), "{branch}: {after}");
    }
}

#[test]
fn dependents_have_what_was_committed_away_from_the_branch() {
    for branch in ["", "my/own"] {
        for away in ["git switch -q -c agents-own", "git checkout -q --detach"] {
            for after in ["wf_batch_push_changes W1 \"$worktree\"\nwf_batch_cleanup_worktree W1", ""] {
                let after = format!(
                    "cd \"$worktree\"\n{away}\ngit commit -qm more --allow-empty\n: > more; git add .; git commit -qm more
                     cd - > /dev/null\n{after}\nwf_batch_complete_work W1 7"
                );
                let (files, complaints) = dependents_files(branch, &after);
                assert_eq!(
                    (files.as_str(), complaints.as_str()),
                    ("done-by-W1\nmore\n", ""),
                    "{branch}: {after}"
                );
            }
        }
    }
}

#[test]
fn the_branch_of_the_work_is_pushed_whatever_is_checked_out() {
    let project = Project::new(json!({}));
    let origin = project.with_origin();
    project.create(&[("W1", &[]), ("W2", &[])]);
    let script = "
wf_batch_claim_work W1 7
worktree=$(wf_batch_create_worktree W1 '')
git -C \"$worktree\" switch -q -c agents-own
git -C \"$worktree\" commit -qm more --allow-empty
wf_batch_cleanup_worktree W1 2>/dev/null && echo 'not kept'
wf_batch_push_changes W1 \"$worktree\" || echo 'not pushed'
git -C \"$worktree\" symbolic-ref --short HEAD
wf_batch_push_changes W2 \"$worktree\" && echo pushed
wf_batch_push_changes W9 \"$worktree\" && echo pushed
wf_batch_invoke_claude W2 \"$worktree\" && echo invoked
wf_batch_invoke_claude W9 \"$worktree\" && echo invoked
wf_batch_cleanup_worktree W9 && echo 'cleaned up'
git -C \"$worktree\" checkout -q --detach HEAD~1
wf_batch_push_changes W1 \"$worktree\" && echo pushed
wf_batch_complete_work W1 7
git worktree add -q -b of-my-own ../mine
wf_batch_push_changes W2 ../mine || echo 'not pushed'
wf_batch_push_changes W2 . && echo pushed
true";
    project.script("claude", "echo ran");
    let ran = ran(&mut text(&project, &["sh"], script));
    assert_eq!((ran.out.as_str(), ran.code), ("feat/W1\n", 0), "{}", ran.err);
    let worktree = project.root().join(".worktrees/feat-W1");
    for said in [
        format!("ERROR: {} is the worktree of 'W1', not of 'W2'\n", worktree.display()),
        "what is checked out does not contain it\nbring the wanted commits onto feat/W1 there, then push again\n".into(),
        "the commit of 'W1' is on its branch only: ".into(),
    ] {
        assert!(ran.err.contains(&said), "{said}: {}", ran.err);
    }
    assert_eq!(ran.err.matches("is the worktree of 'W1', not of 'W2'\n").count(), 2, "{}", ran.err);
    assert_eq!(ran.err.matches("ERROR: there is no work 'W9' in the schedule\n").count(), 3, "{}", ran.err);
    let tip = project.git(&["rev-parse", "feat/W1"]);
    for at in
        [project.git(&["rev-parse", "refs/wf0/done/W1"]), project.git_in(&origin, &["rev-parse", "feat/W1"])]
    {
        assert_eq!(at, tip);
    }
    assert_eq!(project.git_in(&origin, &["branch", "--list", "agents-own"]), "");
    assert!(ran.err.contains("project is no worktree of 'W2'\n"), "{}", ran.err);
    assert!(!project.git_in(&origin, &["branch", "--list", "of-my-own"]).is_empty());
}

#[test]
fn whoever_has_no_claim_changes_nothing_of_what_is_kept() {
    let project = Project::new(json!({}));
    project.create(&[("W1", &[])]);
    let script = "
wf_batch_claim_work W1 7
worktree=$(wf_batch_create_worktree W1 '')
wf_batch_complete_work W1 8 && echo no
git show-ref --verify --quiet refs/wf0/done/W1 && echo kept
wf_batch_complete_work W1 7
git show-ref --verify --quiet refs/wf0/done/W1 && echo kept";
    let ran = ran(&mut text(&project, &["sh"], script));
    assert_eq!((ran.out.as_str(), ran.code), ("kept\n", 0), "{}", ran.err);
}

#[test]
fn without_a_repository_a_work_is_completed_all_the_same() {
    let project = Project::plain(json!({}));
    project.create(&[("W1", &[])]);
    let ran = ran(&mut text(&project, &["sh"], "wf_batch_claim_work W1 7 && wf_batch_complete_work W1 7"));
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!(project.state("W1"), "completed");
}
