//! What TAB offers.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::fixture;
use crate::support::Project;

/// What is offered, with descriptions.
#[track_caller]
fn offered(project: &Project, before: &str, typed: &str) -> BTreeMap<String, Option<String>> {
    let rows = project.nu_value(&format!("{before}\"{typed}\" | commandline complete --detailed"));
    let row = |row: &Value| {
        (row["value"].as_str().unwrap().to_owned(), row["description"].as_str().map(str::to_owned))
    };
    rows.as_array().unwrap().iter().map(row).collect()
}

#[track_caller]
fn names(project: &Project, typed: &str) -> Vec<String> {
    offered(project, "", typed).into_keys().collect()
}

#[test]
fn works_are_offered_where_they_can_be_meant_with_state_and_title() {
    let project = fixture::running();
    let all = offered(&project, "", "wf0 schedule edit ");
    assert_eq!(all.len(), 6);
    assert_eq!(all["FEAT-123-auth"].as_deref(), Some("failed · Add authentication"));
    assert_eq!(all["FEAT-127-docs"].as_deref(), Some("pending · Write documents"));
    for (typed, expected) in [
        ("wf0 batch stop ", &["FEAT-125-api"][..]),
        ("wf0 batch stop FEAT-125-api ", &["FEAT-125-api"]),
        ("wf0 batch resume ", &["FEAT-123-auth", "FEAT-126-ui"]),
        ("wf0 batch resume --parallel 2 FEAT-123", &["FEAT-123-auth"]),
        ("wf0 batch logs ", &["FEAT-100-database", "FEAT-123-auth", "FEAT-125-api"]),
        ("wf0 batch logs --follow FEAT-12", &["FEAT-123-auth", "FEAT-125-api"]),
        ("wf0 work claim ", &["FEAT-127-docs"]),
        ("wf0 work complete ", &["FEAT-125-api"]),
        ("wf0 schedule why FEAT-124", &["FEAT-124-export"]),
        ("wf0 schedule edit FEAT-127-docs --add-dep FEAT-10", &["FEAT-100-database"]),
        ("wf0 schedule edit FEAT-127-docs --remove-dep FEAT-125", &["FEAT-125-api"]),
        ("wf0 schedule edit FEAT-127-docs --depends FEAT-126", &["FEAT-126-ui"]),
    ] {
        assert_eq!(names(&project, typed), expected, "{typed}");
    }
}

#[test]
fn states_phases_and_formats_are_offered() {
    let project = fixture::fresh();
    let states = ["blocked", "completed", "failed", "paused", "pending", "running"];
    assert_eq!(names(&project, "wf0 batch status --state "), states);
    for (typed, expected) in [
        ("fail", &["failed"][..]),
        (
            "failed,",
            &["failed,blocked", "failed,completed", "failed,paused", "failed,pending", "failed,running"],
        ),
        ("failed,bl", &["failed,blocked"]),
        ("failed,blocked,pa", &["failed,blocked,paused"]),
        ("failed,nope", &[]),
    ] {
        assert_eq!(names(&project, &format!("wf0 batch status --state {typed}")), expected, "{typed}");
        assert_eq!(names(&project, &format!("wf0 batch status --flat --state={typed}")), expected, "{typed}");
    }
    assert_eq!(names(&project, "wf0 batch start --dry-run --format "), ["dot", "mermaid"]);
    let phases = names(&project, "wf0 batch logs FEAT-100-database --phase ");
    assert_eq!(phases.len(), 6);
    assert_eq!(phases[4], "wf5-implement");
    assert_eq!(names(&project, "wf0 batch logs FEAT-100-database --phase wf6"), ["wf6-verify"]);
    let commands = names(&project, "wf0 batch ");
    for command in ["wf0 batch start", "wf0 batch status", "wf0 batch watch"] {
        assert!(commands.iter().any(|it| it == command), "{commands:?}");
    }
}

#[test]
fn beginnings_are_offered_where_a_value_follows_an_equals_sign() {
    let project = fixture::fresh();
    let sources = ["github=", "jira=", "local="];
    let changes = ["add-dep=", "depends=", "priority=", "remove-dep="];
    for (typed, expected) in [
        ("wf0 schedule create ", &sources[..]),
        ("wf0 schedule create lo", &["local="]),
        ("wf0 schedule create --force local=A ", &sources),
        ("wf0 schedule create --dry-run gi", &["github="]),
        ("wf0 schedule edit FEAT-126-ui ", &changes),
        ("wf0 schedule edit FEAT-126-ui pri", &["priority="]),
        ("wf0 schedule edit FEAT-126-ui priority=1 re", &["remove-dep="]),
    ] {
        assert_eq!(names(&project, typed), expected, "{typed}");
    }
}

#[test]
fn what_is_offered_is_of_the_project_that_is_meant() {
    let project = fixture::fresh();
    let root = project.root().display().to_string();
    let elsewhere = format!("cd '{}'; ", project.around().display());
    // No project: nothing, and no word about it.
    assert_eq!(offered(&project, &elsewhere, "wf0 schedule edit "), BTreeMap::new());
    assert_eq!(offered(&project, &elsewhere, "wf0 batch logs A --phase "), BTreeMap::new());
    for (before, typed) in [
        (elsewhere.clone(), format!("wf0 schedule edit --project {root} ")),
        (format!("{elsewhere}$env.WF0_PROJECT_ROOT = '{root}'; "), "wf0 schedule edit ".into()),
        (format!("{elsewhere}cd project; "), "wf0 schedule edit ".into()),
    ] {
        assert_eq!(offered(&project, &before, &typed).len(), 5, "{before}{typed}");
    }
    // Nor where the project is there and has no schedule, or one that can't be read.
    project.ok(&["schedule", "clear"]);
    assert_eq!(names(&project, "wf0 schedule edit "), Vec::<String>::new());
    project.write(".wf/config.json", "{");
    assert_eq!(names(&project, "wf0 schedule edit "), Vec::<String>::new());
    assert_eq!(names(&project, "wf0 batch logs A --phase "), Vec::<String>::new());
}

#[test]
fn titles_of_strangers_stay_one_line_of_text() {
    let project = fixture::project("true");
    let works = json!([{"work_id": "A", "title": "x\u{1b}[31m\n\u{7}red\u{202e}"}]);
    project.write("works.json", works.to_string());
    project.ok(&["schedule", "create", "--from", "works.json"]);
    let described = offered(&project, "", "wf0 schedule edit ").remove("A").flatten().unwrap();
    assert!(!described.contains(|c: char| c.is_control() || c == '\u{202e}'), "{described:?}");
}

#[test]
fn ten_thousand_works_are_offered_at_once() {
    let project = fixture::project("true");
    let works: Vec<Value> = (0..10_000).map(|n| json!({"work_id": format!("FEAT-{n}-work")})).collect();
    project.write("works.json", json!(works).to_string());
    project.ok(&["schedule", "create", "--from", "works.json"]);
    let found = project.nu_value(
        "\"wf0 schedule edit \" | commandline complete | length
        let begin = date now
        let count = \"wf0 schedule edit FEAT-999\" | commandline complete | length
        {count: $count, took: ((date now) - $begin)}",
    );
    assert_eq!(found["count"], 11);
    // Unoptimised here; the bound that people feel is held by the measurements of a release.
    let took = Duration::from_nanos(found["took"].as_u64().unwrap());
    assert!(took < Duration::from_secs(3), "{took:?}");
}
