//! Errors as scripts match them and as people see them: a stable code, the argument at fault underlined, what to do.

use crate::fixture;
use crate::nu::Caught;
use crate::support::Project;
use serde_json::json;

#[track_caller]
fn is(caught: &Caught, code: &str, at: &str, help: &str) {
    assert_eq!(caught.code, format!("wf0::{code}"), "{caught:?}");
    assert_eq!(caught.at, at, "{caught:?}");
    assert!(caught.help.contains(help), "{caught:?}");
    assert!(!caught.label.is_empty() && !caught.message.ends_with('.'), "{caught:?}");
    assert!(!caught.message.contains("os error"), "{caught:?}");
}

#[track_caller]
fn fails(project: &Project, code: &str, expected: &str, at: &str, help: &str) {
    is(&project.nu_fails(code), expected, at, help);
}

#[test]
fn in_a_schedule_of_which_nothing_has_run() {
    let project = fixture::fresh();
    for (code, expected, at, help) in [
        ("wf0 batch status --state nope", "usage", "--state nope", "use pending, running"),
        ("wf0 batch status --summary --flat", "usage", "--flat", "leave one out"),
        ("wf0 batch status --summary --state failed", "usage", "--state failed", "leave one out"),
        ("wf0 batch start --dry-run --wait", "usage", "--wait", "leave one out"),
        ("wf0 batch start --flat", "usage", "--flat", "--dry-run"),
        ("wf0 batch start --format dot", "usage", "--format dot", "--dry-run"),
        ("wf0 batch start --dry-run --format png", "usage", "--format png", "dot or mermaid"),
        ("wf0 batch start --parallel 0", "usage", "--parallel 0", "1 or more"),
        ("wf0 batch watch --pulse 0sec", "usage", "--pulse 0sec", "5sec"),
        ("wf0 batch logs FEAT-123-aut", "schedule::unknown_work", "FEAT-123-aut", "FEAT-123-auth"),
        ("wf0 batch stop FEAT-125-api,FEAT-12", "schedule::unknown_work", "FEAT-125-api,FEAT-12", ""),
        ("wf0 batch logs '../x'", "schedule::work_id", "'../x'", ""),
        ("wf0 schedule create --from -", "usage", "--from -", "leave out --from -"),
        ("wf0 batch logs FEAT-123-auth --phase wf9", "schedule::unknown_phase", "--phase wf9", "wf1-kickoff"),
        (
            "wf0 schedule edit FEAT-100-database --add-dep FEAT-124-export",
            "schedule::cycle",
            "--add-dep FEAT-124-export",
            "",
        ),
        ("wf0 schedule edit FEAT-126-ui --add-dep FEAT-9", "schedule::unknown_work", "--add-dep FEAT-9", ""),
        ("wf0 schedule edit FEAT-126-ui add-dep=FEAT-9", "schedule::unknown_work", "add-dep=FEAT-9", ""),
        ("wf0 schedule edit FEAT-126-ui colour=red", "usage", "colour=red", "priority="),
        ("wf0 schedule edit FEAT-126-ui --depends [FEAT-100-database '/']", "schedule::work_id", "'/'", ""),
        ("wf0 schedule create --force local=A,B,A", "schedule::duplicate", "local=A,B,A", "once"),
        (
            "wf0 schedule create --force local=FEAT-1-a,WHAT-1-a",
            "schedule::collision",
            "local=FEAT-1-a,WHAT-1-a",
            "",
        ),
        ("wf0 schedule create --force", "usage", "wf0 schedule create", "local=ID"),
        ("wf0 schedule create --force nonsense", "usage", "nonsense", "local="),
        ("wf0 schedule create --force --from missing.json", "file", "--from missing.json", "path exists"),
        ("'[{' | wf0 schedule create --force", "schedule::form", "wf0 schedule create", ""),
        ("wf0 work claim FEAT-124-export 7", "work::state", "FEAT-124-export", ""),
        ("wf0 work claim FEAT-100-database x", "usage", "x", ""),
        (
            "wf0 work complete FEAT-100-database 7",
            "work::not_yours",
            "FEAT-100-database",
            "nobody has it: `wf0 work claim FEAT-100-database worker-7` takes it",
        ),
        ("wf0 batch status --project /nowhere", "file", "--project /nowhere", "path exists"),
    ] {
        fails(&project, code, expected, at, help);
    }
    let before = project.nu_fails_after("cd ..", "wf0 batch status");
    is(&before, "project::missing", "wf0 batch status", "wf0 init");
}

#[test]
fn in_a_batch_that_runs_and_one_that_is_over() {
    let project = fixture::running();
    for (code, expected, at, help) in [
        ("wf0 batch start", "batch::taken", "wf0 batch start", "wf0 batch stop"),
        (
            "wf0 batch start --parallel 3",
            "batch::taken",
            "wf0 batch start",
            "`wf0 batch resume --parallel 3` changes its workers",
        ),
        ("wf0 schedule clear", "batch::running", "wf0 schedule clear", "wf0 batch stop"),
        ("wf0 schedule create --force local=A", "batch::running", "wf0 schedule create", "wf0 batch stop"),
        ("wf0 work claim FEAT-125-api 7", "work::not_pending", "FEAT-125-api", ""),
        (
            "wf0 work complete FEAT-125-api 7",
            "work::not_yours",
            "FEAT-125-api",
            "wf0 batch stop FEAT-125-api",
        ),
        (
            "wf0 work complete FEAT-100-database 7",
            "work::not_yours",
            "FEAT-100-database",
            "nobody has it: it is completed",
        ),
    ] {
        fails(&project, code, expected, at, help);
    }
    // The number that every table shows beside the work is no contradiction.
    let worker = project.status()["FEAT-125-api"]["worker"].as_u64().unwrap();
    for code in
        [format!("wf0 work complete FEAT-125-api {worker}"), format!("wf0 work fail FEAT-125-api {worker}")]
    {
        let caught = project.nu_fails(&code);
        is(&caught, "work::not_yours", "FEAT-125-api", "wf0 work claim");
        let message = format!(
            "'FEAT-125-api' is run by the batch itself, as worker-{worker}, which records its outcome"
        );
        assert_eq!(caught.message, message);
    }
    let project = fixture::ended();
    fails(&project, "wf0 batch start", "batch::nothing", "wf0 batch start", "wf0 batch resume");
    fails(&project, "wf0 batch resume FEAT-100-database", "work::state", "FEAT-100-database", "");
    // What the README tells scripts to do.
    let said = project.nu_ok(
        "try { wf0 batch start } catch {|e| if $e.details.code == wf0::batch::nothing { print resume } else { print $e.msg } }",
    );
    assert_eq!(said.trim(), "resume");
}

#[test]
fn one_work_is_spoken_of_as_one() {
    let project = fixture::project("true");
    project.nu_ok("wf0 schedule create local=A; wf0 batch stop A");
    let paused = project.nu_fails("wf0 batch start");
    assert_eq!(paused.message, "there is nothing to run: 1 paused of 1 work");
    assert_eq!(paused.help, "`wf0 batch resume` would take up the one that is paused");
    project.nu_ok("wf0 batch resume");
    assert_eq!(project.until_over(), "completed");
    let done = project.nu_fails("wf0 batch start").message;
    assert_eq!(done, "there is nothing to run: the only work is completed");
    project.nu_ok("wf0 schedule create local=B --force; wf0 work claim B 7; wf0 work fail B 7");
    assert_eq!(project.nu_value("wf0 batch status --summary | get reason"), "0 of 1 work completed");
    project.nu_ok("[{work_id: C, dependencies: [X]}] | wf0 schedule create --force");
    let blocked = project.nu_fails("wf0 batch start").message;
    assert_eq!(blocked, "there is nothing to run: 1 work is blocked");
}

#[test]
fn in_places_where_nothing_can_run() {
    let bare = fixture::project("true");
    fails(&bare, "wf0 batch status", "schedule::missing", "wf0 batch status", "wf0 schedule create");
    bare.nu_ok("wf0 schedule create local=A");
    bare.config(json!({"batch": {"phases": [{"name": "a", "command": ["no-such-agent"]}]}}));
    fails(&bare, "wf0 batch start", "agent::missing", "wf0 batch start", "");
    bare.config(json!({"batch": {"default_parallel": "two"}}));
    let caught = bare.nu_fails("wf0 batch start");
    is(&caught, "config::invalid", "wf0 batch start", "");
    assert!(caught.message.contains("default_parallel"), "{caught:?}");
    bare.config(json!({"batch": {"phases": [{"name": "a", "command": ["/bin/true"]}]}}));
    let caught = bare.nu_fails("with-env {PATH: []} { wf0 batch start }");
    is(&caught, "git::missing", "wf0 batch start", "install git");

    let plain = Project::plain(json!({"batch": {"phases": [{"name": "a", "command": ["true"]}]}}));
    plain.ok(&["schedule", "create", "local=A"]);
    fails(&plain, "wf0 batch start", "git::repository", "wf0 batch start", "");
}

#[test]
fn a_word_that_is_no_command_is_answered_with_the_nearest() {
    let project = fixture::fresh();
    for (code, at, help) in [
        ("wf0 bacth", "bacth", "did you mean `wf0 batch`?"),
        ("wf0 batch stats", "stats", "did you mean `wf0 batch status`?"),
        ("wf0 schedule creat local=A", "creat", "did you mean `wf0 schedule create`?"),
        ("wf0 work clam A 7", "clam", "did you mean `wf0 work claim`?"),
        ("wf0 batch xyzzy", "xyzzy", "there are start, stop, status, resume, logs, watch"),
        ("wf0 batch daemon", "daemon", "run `^wf0 batch daemon`"),
        ("wf0 batch worker 1", "worker", "run `^wf0 batch worker`"),
    ] {
        fails(&project, code, "usage", at, help);
    }
    for group in ["wf0", "wf0 schedule", "wf0 batch", "wf0 work"] {
        let help = project.nu_ok(group);
        assert!(help.contains("Subcommands:"), "{help}");
        assert!(help.contains("Search terms:"), "{help}");
    }
    let unknown_flag = project.nu_ran("wf0 batch status --stat failed");
    assert!(unknown_flag.err.contains("--state"), "{}", unknown_flag.err);
    let piped = project.nu_ran("ls | wf0 batch status");
    assert!(piped.code != 0 && piped.err.contains("does not support"), "{}", piped.err);
}

#[test]
fn people_see_the_place_the_code_and_what_to_do() {
    let project = fixture::fresh();
    let said = project.nu_ran("wf0 batch logs FEAT-123-aut").err;
    for part in
        ["wf0::schedule::unknown_work", "there is no work 'FEAT-123-aut'", "not in the schedule", "help:"]
    {
        assert!(said.contains(part), "{said}");
    }
}
