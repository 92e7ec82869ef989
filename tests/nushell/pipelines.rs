//! What goes through pipes into the commands, on a batch that runs.

use serde_json::json;

use crate::fixture;

#[test]
fn what_failed_is_taken_up_again_while_the_rest_goes_on() {
    let project = fixture::running();
    let before = project.status()["FEAT-125-api"].clone();
    project.script("stand-in", "echo better");
    let taken = project.nu_value("wf0 batch status | where state == failed | wf0 batch resume | get status");
    assert_eq!(taken, "running");
    project.until("it is completed", || project.state("FEAT-123-auth") == "completed");
    project.until("and what waited for it", || project.state("FEAT-124-export") == "completed");
    let after = project.status()["FEAT-125-api"].clone();
    assert_eq!((after["state"].as_str(), &after["started_at"]), (Some("running"), &before["started_at"]));
    assert_eq!(project.state("FEAT-126-ui"), "paused");
}

#[test]
fn what_runs_is_stopped_by_rows_by_ids_and_by_names() {
    let project = fixture::running();
    let stopped =
        project.nu_value("wf0 batch status | where state == running | get work_id | wf0 batch stop");
    assert_eq!(stopped, json!([{"target": "FEAT-125-api", "result": "stopped"}]));
    project.until("it is paused", || project.state("FEAT-125-api") == "paused");
    for (input, expected) in [
        ("[[work_id x]; [FEAT-125-api 1] [FEAT-126-ui 2]] | wf0 batch stop", 2),
        ("{work_id: FEAT-125-api} | wf0 batch stop", 1),
        ("'FEAT-125-api' | wf0 batch stop FEAT-126-ui", 2),
        ("wf0 batch stop FEAT-125-api,FEAT-126-ui", 2),
        ("[FEAT-125-api FEAT-125-api] | wf0 batch stop FEAT-125-api", 1),
    ] {
        let rows = project.nu_value(input);
        assert_eq!(rows.as_array().unwrap().len(), expected, "{input}");
        assert!(rows.as_array().unwrap().iter().all(|row| row["result"] == "not running"), "{rows}");
    }
}

#[test]
fn an_empty_pipe_stops_and_resumes_nothing() {
    let project = fixture::running();
    for nothing in [
        "wf0 batch status | where work_id == none",
        "wf0 batch status | where work_id == none | get work_id",
        "[]",
        "wf0 batch status --state running | where false | select work_id",
    ] {
        assert_eq!(project.nu_value(&format!("{nothing} | wf0 batch stop")), json!([]), "{nothing}");
        let caught = project.nu_fails(&format!("{nothing} | wf0 batch resume"));
        assert_eq!(caught.code, "wf0::batch::nothing", "{caught:?}");
    }
    // A variable that holds nothing must not mean everything.
    for empty in ["''", "' '", "','"] {
        let caught = project.nu_fails(&format!("let id = {empty}; wf0 batch stop $id"));
        assert_eq!(caught.code, "wf0::schedule::work_id", "{caught:?}");
        let caught = project.nu_fails(&format!("let id = {empty}; $id | wf0 batch stop"));
        assert_eq!(caught.code, "wf0::schedule::work_id", "{caught:?}");
    }
    assert_eq!(project.nu_fails("wf0 batch stop --all FEAT-125-api").code, "wf0::usage");
    let status = project.status();
    assert_eq!(status["FEAT-125-api"]["state"], "running");
    assert_eq!(status["FEAT-123-auth"]["state"], "failed");
}

#[test]
fn rows_that_name_no_work_are_shown_where_they_are() {
    let project = fixture::running();
    for (code, message, at) in [
        (
            "[[id]; [FEAT-125-api]] | wf0 batch stop",
            "row 1 has no column `work_id`",
            "[[id]; [FEAT-125-api]]",
        ),
        ("[{work_id: FEAT-125-api} {id: X}] | wf0 batch stop", "row 2 has no column `work_id`", "{id: X}"),
        ("[[work_id]; [FEAT-125-api] [7]] | wf0 batch resume", "row 2, column `work_id`: int", "7"),
        ("[FEAT-125-api null] | wf0 batch stop", "row 2: nothing", "null"),
        ("[FEAT-125-api [A]] | wf0 batch stop", "row 2: list<string>", "[A]"),
        ("[FEAT-125-api '../x'] | wf0 batch stop", "'../x' cannot name a work", "'../x'"),
    ] {
        let caught = project.nu_fails(code);
        assert!(caught.message.starts_with(message), "{code}: {caught:?}");
        assert_eq!(caught.at, at, "{code}: {caught:?}");
        assert!(!caught.help.is_empty() && !caught.label.is_empty(), "{caught:?}");
    }
    assert_eq!(project.state("FEAT-125-api"), "running", "nothing was stopped");
}

#[test]
fn works_that_are_not_there_are_shown_where_they_came_from() {
    let project = fixture::fresh();
    project.write("ids.json", r#"[{"work_id": "FEAT-125-api"}, {"work_id": "NOPE"}]"#);
    for (input, at, label) in [
        ("[FEAT-125-api NOPE] |", "NOPE", "row 2: not in the schedule"),
        (
            "[[work_id x]; [FEAT-125-api 1] [NOPE 2]] |",
            "NOPE",
            "row 2, column `work_id`: not in the schedule",
        ),
        ("{work_id: NOPE} |", "NOPE", "row 1, column `work_id`: not in the schedule"),
        ("let ids = [FEAT-125-api NOPE]; $ids |", "NOPE", "row 2: not in the schedule"),
        ("open ids.json |", "open", "row 2, column `work_id`: not in the schedule"),
        ("[FEAT-125-api '../x'] |", "'../x'", "row 2: cannot name a work"),
    ] {
        for command in ["wf0 batch stop", "wf0 batch resume"] {
            let caught = project.nu_fails(&format!("{input} {command}"));
            assert_eq!((caught.at.as_str(), caught.label.as_str()), (at, label), "{input}: {caught:?}");
        }
    }
    let typed = project.nu_fails("[FEAT-125-api] | wf0 batch stop NOPE");
    assert_eq!((typed.at.as_str(), typed.label.as_str()), ("NOPE", "not in the schedule"), "{typed:?}");
    project.nu_ok("wf0 work claim FEAT-100-database 7; wf0 work complete FEAT-100-database 7");
    let done = project.nu_fails("[FEAT-125-api FEAT-100-database] | wf0 batch resume");
    assert_eq!((done.at.as_str(), done.label.as_str()), ("FEAT-100-database", "row 2: not in this state"));
}

#[test]
fn a_schedule_comes_from_a_table_a_file_of_csv_and_records() {
    let project = fixture::project("true");
    let made = project.nu_value(
        "[[work_id dependencies priority title]; [A [] 2 First] [B [A] null null] [C 'A B' 1 'Third']] | wf0 schedule create | get works",
    );
    assert_eq!(made, 3);
    let shown = project.nu_value("wf0 schedule show | select work_id dependencies title");
    assert_eq!(
        shown,
        json!([
            {"work_id": "C", "dependencies": ["A", "B"], "title": "Third"},
            {"work_id": "A", "dependencies": [], "title": "First"},
            {"work_id": "B", "dependencies": ["A"], "title": null},
        ])
    );
    project.write("works.csv", "work_id,dependencies,priority\nX-1,,1\nX-2,X-1,2\nX-3,\"X-1 X-2\",3\n");
    assert_eq!(project.nu_value("open works.csv | wf0 schedule create --force | get works"), 3);
    assert_eq!(
        project.nu_value("wf0 schedule show --flat | get dependencies"),
        json!(["", "X-1", "X-1 X-2"])
    );
    // What one schedule gives, another takes.
    project.nu_ok("wf0 batch start --dry-run | wf0 schedule create --force");
    assert_eq!(project.nu_value("wf0 schedule show | get work_id"), json!(["X-1", "X-2", "X-3"]));
    project.nu_ok("open .wf/schedule.json | wf0 schedule create --force");
    assert_eq!(project.nu_value("wf0 schedule show | length"), 3);
    project.nu_ok("open --raw .wf/schedule.json | wf0 schedule create --force");
    project.write("works.json", r#"[{"work_id": "J-1"}]"#);
    assert_eq!(project.nu_value("wf0 schedule create --from works.json --force | get works"), 1);
    assert_eq!(project.nu_value("{work_id: R-1} | wf0 schedule create local=R-2 --force | get works"), 2);
}

#[test]
fn what_is_wrong_with_a_table_is_shown_in_its_cell() {
    let project = fixture::project("true");
    for (code, code_of, message, at) in [
        (
            "[[work_id dependencies]; [A []] [B 7]] | wf0 schedule create",
            "form",
            "row 2, column `dependencies`: expected",
            "7",
        ),
        (
            "[[work_id dependencies]; [A []] [B [A {}]]] | wf0 schedule create",
            "form",
            "row 2, column `dependencies`: expected",
            "[A {}]",
        ),
        (
            "[[work_id priority]; [A high]] | wf0 schedule create",
            "form",
            "row 1, column `priority`: expected",
            "high",
        ),
        ("[[work_id title]; [A {}]] | wf0 schedule create", "form", "row 1, column `title`: expected", "{}"),
        ("[{work_id: A} {id: B}] | wf0 schedule create", "form", "row 2 has no column `work_id`", "{id: B}"),
        ("[[name]; [A]] | wf0 schedule create", "form", "row 1 has no column `work_id`", "[[name]; [A]]"),
        ("[[work_id]; [[A]]] | wf0 schedule create", "form", "row 1, column `work_id`: expected", "[A]"),
        (
            "[[work_id]; ['a b']] | wf0 schedule create",
            "work_id",
            "row 1, column `work_id`: 'a b' cannot name a work",
            "'a b'",
        ),
        (
            "[[work_id dependencies]; [A ['../x']]] | wf0 schedule create",
            "work_id",
            "row 1, column `dependencies`: '../x'",
            "['../x']",
        ),
        ("[[work_id x]; [A {|| 1 }]] | wf0 schedule create", "form", "row 1, column `x`: closure", "{|| 1 }"),
        ("[A B] | wf0 schedule create", "form", "row 1: the text 'A', expected a record", "A"),
        ("[A 'x y'] | wf0 schedule create", "form", "row 1: the text 'A', expected a record", "A"),
        ("{a: 1} | wf0 schedule create", "form", "row 1 has no column `work_id`", "{a: 1}"),
        ("{} | wf0 schedule create", "form", "row 1 has no column `work_id`", "{}"),
        (
            "{works: 1} | wf0 schedule create",
            "form",
            "at works: the number 1, expected an object",
            "{works: 1}",
        ),
        (
            "{works: {A: {dependencies: 7}}} | wf0 schedule create",
            "form",
            "at works.A.dependencies: the number 7, expected a list",
            "{works: {A: {dependencies: 7}}}",
        ),
        (
            "{works: {A: {work_id: B}}} | wf0 schedule create",
            "form",
            "has work_id 'B' under the key 'A'",
            "{works: {A: {work_id: B}}}",
        ),
    ] {
        let caught = project.nu_fails(code);
        assert_eq!(caught.code, format!("wf0::schedule::{code_of}"), "{code}: {caught:?}");
        let message = format!("the pipe {message}");
        assert!(caught.message.starts_with(&message), "{code}: {caught:?}");
        assert_eq!(caught.at, at, "{code}: {caught:?}");
        assert!(!caught.help.is_empty(), "{caught:?}");
    }
    let ids = project.nu_fails("[A B] | wf0 schedule create");
    assert_eq!(ids.help, "type `wf0 schedule create local=A,B`");
    let ids = project.nu_fails("1..7 | each {|n| $'W-($n)' } | wf0 schedule create");
    assert_eq!(ids.help, "type `wf0 schedule create local=W-1,W-2,W-3,W-4,W-5,…`");
    assert!(!project.root().join(".wf/schedule.json").exists());
}

#[test]
fn a_plan_is_grouped_searched_and_saved() {
    let project = fixture::fresh();
    let waves = project
        .nu_value("wf0 batch start --dry-run | group-by wave | transpose wave works | get works.work_id");
    assert_eq!(
        waves,
        json!([["FEAT-100-database"], ["FEAT-123-auth", "FEAT-125-api"], ["FEAT-124-export", "FEAT-126-ui"]])
    );
    let before = project.snapshot();
    project.nu_ok("wf0 batch start --dry-run --flat | save ../plan.csv");
    assert_eq!(project.snapshot(), before, "a plan changes nothing");
    assert_eq!(project.nu_value("open ../plan.csv | get work_id | length"), 5);
    project.nu_ok("wf0 batch start --dry-run --format mermaid | save ../plan.mmd");
    assert!(project.lines("plan.mmd")[0].starts_with("flowchart"));
    let order = project.nu_value("wf0 batch start --dry-run | to json | from json | get order");
    assert_eq!(order, json!([1, 2, 3, 4, 5]));
}

#[test]
fn a_loop_waits_for_the_end() {
    let project = fixture::running();
    project.touch("go");
    let last = project.nu_value(
        "while (wf0 batch status --summary).status == running { sleep 50ms }; wf0 batch status | group-by state | transpose state works | each {|it| {($it.state): ($it.works | length)}} | into record",
    );
    assert_eq!(last, json!({"completed": 3, "failed": 1, "blocked": 1, "paused": 1}));
}
