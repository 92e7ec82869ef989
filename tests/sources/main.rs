//! Schedules from issues: what they are made of, where each edge comes from (here), what becomes of a schedule whose
//! sources are read again (`renewed`), and both trackers through the command line (`trackers`).

#[path = "../support/jira.rs"]
#[allow(dead_code, reason = "the library's own tests ask for more kinds of answers")]
mod jira;
mod renewed;
#[path = "../support/mod.rs"]
mod support;
mod trackers;

use serde_json::{Value, json};
use support::Project;

fn project() -> Project {
    Project::new(support::phases(&["one"], "true"))
}

fn issue(number: u32, title: &str, body: &str) -> Value {
    json!({
        "number": number, "title": title, "body": body, "labels": [], "state": "OPEN",
        "url": format!("https://github.com/acme/shop/issues/{number}"), "milestone": null, "assignees": [],
    })
}

fn shop() -> Vec<Value> {
    vec![
        issue(100, "Create the database", ""),
        issue(123, "Add authentication", "**Blocked by:** #100\n\nRelated to #456"),
        issue(456, "Fix the login", "Depends on #123, acme/legal#7 and #99"),
    ]
}

#[track_caller]
fn create(project: &Project, issues: &[Value], more: &[&str]) -> support::Ran {
    let mut command = vec!["schedule", "create", "--from", "-"];
    command.extend(more);
    let ran = project.run_with_input(&command, Value::from(issues.to_vec()).to_string().as_bytes());
    assert_eq!(ran.code, 0, "{ran:?}");
    ran
}

fn edges(project: &Project) -> Vec<String> {
    let text = project.ok(&["schedule", "show", "--edges", "--format", "json"]);
    let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
    let field = |row: &Value, key: &str| row[key].as_str().unwrap_or("-").to_owned();
    rows.iter()
        .map(|row| ["from", "to", "origin", "resolved", "text"].map(|key| field(row, key)).join(" | "))
        .collect()
}

fn works(project: &Project) -> Vec<String> {
    let text = project.ok(&["schedule", "show", "--format", "json"]);
    let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
    rows.iter()
        .map(|row| {
            format!(
                "{} {} {}",
                row["work_id"].as_str().unwrap(),
                row["priority"],
                row["status"].as_str().unwrap()
            )
        })
        .collect()
}

#[test]
fn every_edge_says_where_it_comes_from() {
    let project = project();
    let ran = create(&project, &shop(), &[]);
    assert!(
        ran.err.contains("'FIX-456-fix-the-login' depends on 'GH-99', which is not in the schedule"),
        "{ran:?}"
    );
    assert_eq!(
        works(&project),
        [
            "FEAT-100-create-the-database 1 pending",
            "FEAT-123-add-authentication 2 pending",
            "FIX-456-fix-the-login 3 pending",
        ]
    );
    let text = "Depends on #123, acme/legal#7 and #99";
    let fix = "FIX-456-fix-the-login";
    assert_eq!(
        edges(&project),
        [
            "FEAT-123-add-authentication | FEAT-100-create-the-database | text | work | **Blocked by:** #100"
                .to_owned(),
            format!("{fix} | FEAT-123-add-authentication | text | work | {text}"),
            format!("{fix} | GH-acme.legal-7 | text | external | {text}"),
            format!("{fix} | GH-99 | text | external | {text}"),
        ]
    );
    assert_eq!(project.state(fix), "blocked");
    project.ok(&[
        "schedule",
        "edit",
        fix,
        "remove-dep=GH-acme.legal-7,GH-99",
        "add-dep=FEAT-100-create-the-database",
    ]);
    assert_eq!(project.state(fix), "pending");
    assert_eq!(
        edges(&project)[1..],
        [
            format!("{fix} | FEAT-123-add-authentication | text | work | {text}"),
            format!("{fix} | FEAT-100-create-the-database | manual | work | -"),
        ]
    );
    let table = project.ok(&["schedule", "show", "--edges"]);
    assert!(table.starts_with("FROM") && table.contains("**Blocked by:** #100"), "{table}");
}

#[test]
fn a_work_that_is_only_mentioned_is_told_of() {
    let project = project();
    let issues = [
        issue(1, "a", ""),
        issue(2, "b", "Depends on the rework in #1"),
        issue(3, "c", "Requires #2 (see #1)"),
        issue(4, "d", "Depends on #1, and the work in #1"),
    ];
    let ran = create(&project, &issues, &["--dry-run"]);
    assert_eq!(
        ran.err,
        "'FEAT-2-b' does not wait for 'FEAT-1-a', which is only mentioned: \"Depends on the rework in #1\"; if it is to, `wf0 schedule edit FEAT-2-b add-dep=FEAT-1-a`\n"
    );
    let many: Vec<Value> =
        (1..30).map(|n| issue(n, "x", &format!("Depends on the rework in #{}", n % 29 + 1))).collect();
    let ran = create(&project, &many, &[]);
    assert_eq!(ran.err.lines().count(), 11, "{ran:?}");
    assert!(ran.err.ends_with("\n19 more works are only mentioned where others are waited for\n"), "{ran:?}");
}

#[test]
fn an_edit_of_the_file_by_hand_is_a_manual_edge() {
    let project = project();
    project.create(&[("A-1", &[]), ("B-2", &["A-1"]), ("C-3", &[])]);
    let mut document = project.document();
    document["works"]["C-3"]["dependencies"] = json!(["B-2"]);
    document["works"]["B-2"]["dependencies"] = json!([]);
    document["works"]["D-4"] = json!({"dependencies": ["C-3"]});
    project.write(".wf/schedule.json", document.to_string());
    assert_eq!(edges(&project), ["C-3 | B-2 | manual | work | -", "D-4 | C-3 | manual | work | -"]);
}

#[test]
fn a_preview_shows_all_and_writes_nothing_at_all() {
    let project = project();
    let input = Value::from(shop()).to_string();
    let dry = |more: &[&str]| {
        let mut command = vec!["schedule", "create", "--from", "-", "--dry-run"];
        command.extend(more);
        let before = project.snapshot();
        let ran = project.run_with_input(&command, input.as_bytes());
        assert_eq!(project.snapshot(), before, "{ran:?}");
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.out
    };
    let shown: Value = serde_json::from_str(&dry(&["--format", "json"])).unwrap();
    assert_eq!(shown["works"][2]["work_id"], "FIX-456-fix-the-login");
    assert_eq!(shown["works"][2]["priority"], 3);
    assert_eq!(shown["edges"].as_array().unwrap().len(), 4);
    assert!(dry(&[]).contains("3 works, 4 dependencies. Nothing was changed."));
    create(&project, &shop(), &[]);
    project.ok(&["schedule", "edit", "FEAT-100-create-the-database", "priority=9"]);
    let shown: Value = serde_json::from_str(&dry(&["--format", "json"])).unwrap();
    assert_eq!(shown["works"][2]["work_id"], "FEAT-100-create-the-database");
    assert_eq!(shown["works"][2]["priority"], 9);
    let mut document = project.document();
    document["works"]["FIX-456-fix-the-login"]["priority"] = json!(1);
    project.write(".wf/schedule.json", document.to_string());
    let shown: Value = serde_json::from_str(&dry(&["--format", "json"])).unwrap();
    assert_eq!(shown["works"][0]["work_id"], "FIX-456-fix-the-login");
    let circle = [issue(1, "a", "Depends on #2"), issue(2, "b", "Depends on #1")];
    let before = project.snapshot();
    let command = ["schedule", "create", "--from", "-", "--dry-run"];
    let ran = project.run_with_input(&command, Value::from(circle.to_vec()).to_string().as_bytes());
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains(
            "FEAT-1-a → FEAT-2-b → FEAT-1-a: FEAT-1-a waits for FEAT-2-b (\"Depends on #2\"); FEAT-2-b waits for FEAT-1-a (\"Depends on #1\") ["
        ),
        "{ran:?}"
    );
    assert_eq!(project.snapshot(), before);
}

#[test]
fn why_follows_the_chain_to_what_can_be_done() {
    let project = project();
    create(&project, &shop(), &[]);
    let why = |id: &str| -> Vec<String> {
        let text = project.ok(&["schedule", "why", id, "--format", "json"]);
        let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
        rows.iter()
            .map(|row| {
                let text = |key: &str| row[key].as_str().unwrap_or("-").to_owned();
                format!("{} {} {}: {}", row["depth"], text("work_id"), text("state"), text("because"))
            })
            .collect()
    };
    assert_eq!(
        why("FIX-456-fix-the-login"),
        [
            "0 FIX-456-fix-the-login blocked: it waits for FEAT-123-add-authentication, GH-acme.legal-7, GH-99",
            "1 FEAT-123-add-authentication pending: it waits for FEAT-100-create-the-database",
            "2 FEAT-100-create-the-database pending: nothing: `wf0 batch start` runs it",
            "1 GH-acme.legal-7 external: it lies outside of this schedule: once it is done, `wf0 schedule edit FIX-456-fix-the-login remove-dep=GH-acme.legal-7` lets FIX-456-fix-the-login go on",
            "1 GH-99 external: it lies outside of this schedule: once it is done, `wf0 schedule edit FIX-456-fix-the-login remove-dep=GH-99` lets FIX-456-fix-the-login go on",
        ]
    );
    let text = project.ok(&["schedule", "why", "FEAT-123-add-authentication"]);
    assert!(
        text.contains("\n  FEAT-100-create-the-database (pending)")
            && text.contains("\"**Blocked by:** #100\""),
        "{text}"
    );
    assert!(project.fails(&["schedule", "why", "FEAT-7"]).contains("there is no work 'FEAT-7'"));
}

#[test]
fn a_preview_while_the_batch_runs_says_what_it_is_worth() {
    let project = project();
    create(&project, &shop(), &[]);
    project.ok(&["work", "claim", "FEAT-100-create-the-database", "1"]);
    let ran = create(&project, &shop(), &["--dry-run"]);
    assert!(ran.err.contains("as worker-1: without --dry-run this is refused until it ends"), "{ran:?}");
    project.ok(&["work", "release", "1"]);
}

#[test]
fn an_issue_that_a_list_has_twice_is_one_work_that_waits_for_what_either_says() {
    let project = project();
    let issues = [
        issue(1, "a", ""),
        issue(2, "b", "Depends on #1"),
        issue(3, "c", ""),
        issue(2, "b", "Depends on #3"),
        issue(1, "a", ""),
    ];
    let ran = create(&project, &issues, &[]);
    assert!(ran.err.contains("standard input row 4: issue 2 was there before, and is one work"), "{ran:?}");
    assert_eq!(works(&project), ["FEAT-1-a 1 pending", "FEAT-3-c 1 pending", "FEAT-2-b 2 pending"]);
    assert_eq!(
        edges(&project),
        [
            "FEAT-2-b | FEAT-1-a | text | work | Depends on #1",
            "FEAT-2-b | FEAT-3-c | text | work | Depends on #3",
        ]
    );
}

#[test]
fn validate_lists_what_hangs_in_the_air_with_code_and_line() {
    let project = project();
    create(&project, &shop(), &[]);
    project.ok(&["schedule", "edit", "FEAT-100-create-the-database", "priority=5"]);
    let text = project.ok(&["schedule", "validate", "--format", "json"]);
    let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
    let codes: Vec<&str> = rows.iter().map(|row| row["code"].as_str().unwrap()).collect();
    assert_eq!(
        codes,
        [
            "wf0::schedule::priority",
            "wf0::schedule::external_dependency",
            "wf0::schedule::external_dependency",
        ]
    );
    assert_eq!(
        rows[1]["message"],
        "'FIX-456-fix-the-login' depends on 'GH-acme.legal-7', which lies outside of this schedule: it is blocked (\"Depends on #123, acme/legal#7 and #99\")"
    );
    assert!(
        rows.iter().all(|row| row["hint"].as_str().is_some_and(|hint| hint.contains("wf0 schedule edit")))
    );
}

#[test]
fn a_pattern_that_cannot_be_used_is_named_and_one_of_the_users_own_is_used() {
    let project = project();
    let with = |patterns: Value| {
        project.config(json!({"batch": {
            "phases": [{"name": "one", "command": ["true"]}], "dependency_patterns": patterns,
        }}));
        let issues = Value::from(vec![issue(1, "a", "waits for 2"), issue(2, "b", "")]).to_string();
        project.run_with_input(&["schedule", "create", "--from", "-"], issues.as_bytes())
    };
    for pattern in [r"needs #(\d+", r"(\d{1,1000000})", r"needs #\d+"] {
        let ran = with(json!([r"fine (\d+)", pattern]));
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.err.contains(&format!("batch.dependency_patterns: '{pattern}'")), "{ran:?}");
    }
    assert_eq!(with(json!([r"waits for (\d+)"])).code, 0);
    assert_eq!(edges(&project), ["FEAT-1-a | FEAT-2-b | text | work | waits for 2"]);
}

#[test]
fn hostile_issues_move_no_cursor_and_reach_no_shell() {
    let project = project();
    let evil = "\u{1b}[31mred\u{7}\u{202e}gnol\u{0}$(touch pwned)`touch pwned`; rm -rf ~ \r\n../../..";
    let mut issues = vec![
        issue(1, evil, &format!("Depends on #2 {evil}\n{evil} Blocked by #3")),
        issue(2, &"\u{202e}".repeat(2000), "no longer depends on #1 \u{1b}]0;x\u{7}("),
        issue(3, "", &format!("{}\n\nBlocked by:\n{}", "x `".repeat(1 << 18), "- #2\n".repeat(100_000))),
        issue(4, &"x ".repeat(1 << 19), &"Depends on #".repeat((1 << 20) / 12)),
    ];
    issues[0]["labels"] = json!([{"name": evil}, {"name": "P1"}]);
    issues[0]["url"] = json!(format!("https://github.com/acme/shop/issues/1{evil}"));
    let ran = create(&project, &issues, &[]);
    let ids: Vec<String> = works(&project);
    assert_eq!(
        ids,
        [
            "FEAT-1-31mred-gnol-touch-pwned-touch 1 pending",
            "FEAT-2 1 pending",
            "FEAT-4-x-x-x-x-x-x-x-x-x-x-x-x-x-x-x 1 pending",
            "FEAT-3 2 pending",
        ],
        "{ran:?}"
    );
    let first = "FEAT-1-31mred-gnol-touch-pwned-touch";
    let mut shown = vec![ran.out, ran.err];
    for command in [
        &["schedule", "show"][..],
        &["schedule", "show", "--edges"],
        &["schedule", "show", "--edges", "--format", "json"],
        &["schedule", "why", first],
        &["schedule", "why", first, "--format", "ndjson"],
        &["schedule", "validate"],
        &["batch", "status"],
    ] {
        let ran = project.run(command);
        shown.extend([ran.out, ran.err]);
    }
    for text in shown {
        let bad =
            text.chars().find(|c| (c.is_control() && *c != '\n') || ('\u{202a}'..='\u{202e}').contains(c));
        assert_eq!(bad, None, "{text:?}");
        assert!(text.len() < 20_000, "{} bytes", text.len());
    }
    assert!(!project.root().join("pwned").exists());
    let text = edges(&project);
    assert!(
        text.iter()
            .any(|edge| edge.starts_with(&format!("{first} | FEAT-2 | text | work | Depends on #2 [31mred"))),
        "{text:?}"
    );
}
