//! Schedules from issues: what they are made of, where each edge comes from, and what becomes of a schedule whose
//! sources are read again.

#[path = "support/jira.rs"]
#[allow(dead_code, reason = "the library's own tests ask for more kinds of answers")]
mod jira;
mod support;

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
fn reading_again_keeps_what_is_done_and_what_was_edited() {
    let project = project();
    create(&project, &shop(), &[]);
    let (base, auth, login) =
        ("FEAT-100-create-the-database", "FEAT-123-add-authentication", "FIX-456-fix-the-login");
    project.ok(&["work", "claim", base, "1"]);
    let held = project
        .run_with_input(&["schedule", "create", "--from", "-"], Value::from(shop()).to_string().as_bytes());
    assert!(held.err.contains("is claimed by a script"), "{held:?}");
    project.ok(&["work", "complete", base, "1"]);
    project.ok(&["schedule", "edit", login, "priority=7", "remove-dep=GH-99", &format!("add-dep={base}")]);
    project.ok(&["schedule", "edit", login, "remove-dep=GH-acme.legal-7"]);
    // 100 was closed meanwhile and is not listed any more, 123 has another title, 500 is new.
    let again = vec![
        issue(123, "Add authentication and tokens", "Blocked by #100"),
        issue(456, "Fix the login", "Depends on #123, acme/legal#7, #99 and #500"),
        issue(500, "Write the help", ""),
    ];
    let ran = create(&project, &again, &[]);
    assert_eq!(ran.err, "", "it is done, and nobody has to do anything about it");
    assert_eq!(
        works(&project),
        [
            format!("{base} 1 completed"),
            "FEAT-500-write-the-help 1 pending".to_owned(),
            format!("{auth} 2 pending"),
            format!("{login} 7 pending"),
        ]
    );
    let said = "Depends on #123, acme/legal#7, #99 and #500";
    assert_eq!(
        edges(&project),
        [
            format!("{auth} | {base} | text | work | Blocked by #100"),
            format!("{login} | {auth} | text | work | {said}"),
            format!("{login} | FEAT-500-write-the-help | text | work | {said}"),
            format!("{login} | {base} | manual | work | -"),
        ]
    );
    let document = project.document();
    assert_eq!(document["works"][base]["source"]["vanished"], true);
    assert_eq!(document["works"][auth]["source"]["title"], "Add authentication and tokens");
    create(&project, &shop(), &[]);
    assert_eq!(project.document()["works"][base]["source"]["vanished"], Value::Null);
    assert_eq!(project.state(base), "completed");
    create(&project, &again, &["--force"]);
    assert_eq!(works(&project).len(), 3, "--force starts over");
    assert_eq!(project.document()["works"][login]["priority"], 2, "and no edit by hand is left");
}

#[test]
fn a_work_whose_issue_is_closed_meanwhile_counts_as_completed_until_it_is_open_again() {
    let project = project();
    let (base, auth, login) =
        ("FEAT-100-create-the-database", "FEAT-123-add-authentication", "FIX-456-fix-the-login");
    create(&project, &shop(), &[]);
    project.ok(&["schedule", "edit", login, "remove-dep=GH-99", "remove-dep=GH-acme.legal-7"]);
    let mut closed = shop();
    closed[0]["state"] = json!("CLOSED");
    let file = project.around().join("other.json");
    std::fs::write(&file, Value::from(closed).to_string()).unwrap();
    let again = ["schedule", "create", "--from", file.to_str().unwrap()];
    let statuses = |project: &Project| [base, auth, login].map(|id| project.state(id));
    let looked = project.run(&[&again[..], &["--dry-run"]].concat());
    assert!(looked.out.contains(&format!("{base}  1         completed")), "{looked:?}");
    assert_eq!(statuses(&project), ["pending"; 3]);
    let ran = project.run(&again);
    assert!(ran.err.contains(&format!("closed: {base}; they count as completed")), "{ran:?}");
    assert_eq!(statuses(&project), ["completed", "pending", "pending"]);
    assert_eq!(edges(&project)[0], format!("{auth} | {base} | text | closed | **Blocked by:** #100"));
    assert!(project.ok(&["schedule", "why", base]).contains("its issue is closed"));
    // Once is enough to say it, and it goes on.
    let ran = project.run(&again);
    assert!(!ran.err.contains("closed"), "{ran:?}");
    assert_eq!(statuses(&project), ["completed", "pending", "pending"]);
    project.ok(&["work", "claim", auth, "1"]);
    project.ok(&["work", "complete", auth, "1"]);
    // Open again, it is to be done.
    let ran = create(&project, &shop(), &[]);
    assert!(ran.err.contains(&format!("open again: {base}; they are pending")), "{ran:?}");
    assert_eq!(statuses(&project), ["pending", "completed", "pending"]);
    assert_eq!(project.document()["works"][base]["source"]["closed"], Value::Null);
    // Who wants it to run though it is closed gets his way.
    project.run(&again);
    assert_eq!(statuses(&project), ["completed", "completed", "pending"]);
    let mut document = project.document();
    document["works"][base]["status"] = json!("pending");
    std::fs::write(project.root().join(".wf/schedule.json"), document.to_string()).unwrap();
    project.run(&again);
    assert_eq!(statuses(&project), ["pending", "completed", "pending"]);
}

#[test]
fn what_is_done_is_not_called_vanished_and_what_was_taken_out_stays_out() {
    let project = project();
    let issues = [issue(1, "a", "Depends on #99 and the rework in #2"), issue(2, "b", ""), issue(3, "c", "")];
    create(&project, &issues, &[]);
    project.ok(&["schedule", "edit", "FEAT-1-a", "remove-dep=GH-99", "add-dep=FEAT-2-b"]);
    project.ok(&["work", "claim", "FEAT-3-c", "1"]);
    project.ok(&["work", "complete", "FEAT-3-c", "1"]);
    // 99 is among them now, and 3, which is done, no more.
    let again = [issues[0].clone(), issues[1].clone(), issue(99, "base", "")];
    let ran = create(&project, &again, &[]);
    assert_eq!(ran.err, "", "{ran:?}");
    assert_eq!(edges(&project), ["FEAT-1-a | FEAT-2-b | manual | work | -"]);
    let ran = create(&project, &[&again[..], &[issue(3, "c", "")]].concat(), &[]);
    assert!(ran.err.contains("completed here: FEAT-3-c; they stay completed"), "{ran:?}");
    assert_eq!(project.state("FEAT-3-c"), "completed");
}

#[test]
fn a_fault_that_passes_fails_the_source_and_leaves_what_is_known() {
    let project = project();
    with_gh(&project, &[issue(1, "a", "Depends on #3")]);
    std::fs::write(project.around().join("closed"), "3\n").unwrap();
    project.ok(&["schedule", "create", "github=label:scheduled"]);
    let before = project.document();
    let gh = std::fs::read_to_string(project.around().join("bin/gh")).unwrap();
    let broken = gh
        .replace("'api graphql'", "'api graphql'*) echo 'gh: HTTP 502: Bad Gateway' >&2; exit 1 ;;\n'api x'");
    std::fs::write(project.around().join("bin/gh"), broken).unwrap();
    let ran = project.run(&["schedule", "create", "github=label:scheduled"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("GitHub can't be reached: gh: HTTP 502"), "{ran:?}");
    assert_eq!(project.document(), before);
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
fn works_that_github_lists_no_more_are_asked_for_whether_they_are_closed() {
    let project = project();
    with_gh(&project, &[issue(99, "The base", ""), issue(100, "More", "Depends on #99")]);
    project.ok(&["schedule", "create", "github=label:scheduled"]);
    assert_eq!(works(&project), ["FEAT-99-the-base 1 pending", "FEAT-100-more 2 pending"]);
    std::fs::write(project.around().join("closed"), "100\n").unwrap();
    with_gh(&project, &[issue(7, "Another", "")]);
    let ran = project.run(&["schedule", "create", "github=label:scheduled"]);
    assert_eq!(
        works(&project),
        ["FEAT-99-the-base 1 pending", "FEAT-7-another 1 pending", "FEAT-100-more 2 completed"]
    );
    assert!(ran.err.contains("any more: FEAT-99-the-base; they stay"), "{ran:?}");
    assert_eq!(ran.err.matches("FEAT-99-the-base").count(), 1, "said once: {ran:?}");
    let ready = project.ok(&["schedule", "why", "FEAT-99-the-base"]);
    assert!(ready.contains("no source names it any more"), "{ready}");
    // Where the list is empty, they lie where they lay.
    std::fs::write(project.around().join("closed"), "99\n").unwrap();
    with_gh(&project, &[]);
    let ran = project.run(&["schedule", "create", "github=label:scheduled"]);
    assert_eq!(project.state("FEAT-99-the-base"), "completed", "{ran:?}");
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
fn other_sources_add_to_a_schedule_and_take_nothing_away() {
    let project = project();
    create(&project, &shop(), &[]);
    let ran = project.run(&["schedule", "create", "local=DOCS-1-guide,FEAT-100-create-the-database"]);
    assert_eq!((ran.code, ran.err.contains("vanished")), (0, false), "{ran:?}");
    assert_eq!(works(&project).len(), 4);
    assert_eq!(project.document()["sources"].as_array().unwrap().len(), 2);
    assert_eq!(project.document()["works"]["FEAT-100-create-the-database"]["source"]["type"], "github");
    let before = project.document();
    let ran = project.run(&["schedule", "create", "local=E-1", "--from", "missing.json"]);
    assert!(ran.err.contains("cannot read missing.json"), "{ran:?}");
    assert_eq!(project.document(), before);
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

/// A stand-in for gh that lists these issues, says of those in the file `closed` that they are, and lets nobody see others.
fn with_gh(project: &Project, issues: &[Value]) {
    std::fs::write(project.around().join("issues.json"), Value::from(issues.to_vec()).to_string()).unwrap();
    project.script(
        "gh",
        r#"
printf '%s\n' "$*" >> "$AROUND/gh-calls"
case "$*" in
--version) echo 'gh version 2.94.0 (2026-01-01)' ;;
'issue list'*) cat "$AROUND/issues.json" ;;
'api graphql'*issueOrPullRequest*)
    printf '{"data":{"x":null'
    printf '%s\n' "$*" | grep -o 'n[0-9]*:repository([^)]*){it:issueOrPullRequest(number:[0-9]*' | while read -r asked; do
        if grep -qx "${asked##*:}" "$AROUND/closed"; then
            printf ',"%s":{"it":{"state":"CLOSED"}}' "${asked%%:*}"
        else
            printf ',"%s":null' "${asked%%:*}"
        fi
    done
    echo '},"errors":[{"message":"no access"}]}'; exit 1 ;;
*) echo "unexpected: $*" >&2; exit 1 ;;
esac
"#,
    );
}

#[test]
fn issues_of_github_make_a_schedule_and_closed_ones_outside_are_satisfied() {
    let project = project();
    let mut issues = shop();
    let node = json!({"number": 100, "state": "OPEN", "repository": {"nameWithOwner": "acme/shop"}});
    issues[1]["blockedBy"] = json!({"nodes": [node], "totalCount": 1});
    with_gh(&project, &issues);
    std::fs::write(project.around().join("closed"), "99\n").unwrap();
    let ran = project.run(&["schedule", "create", "github=label:scheduled"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let said = "Depends on #123, acme/legal#7 and #99";
    assert_eq!(
        edges(&project),
        [
            "FEAT-123-add-authentication | FEAT-100-create-the-database | native | work | -".to_owned(),
            format!("FIX-456-fix-the-login | GH-99 | text | closed | {said}"),
            format!("FIX-456-fix-the-login | FEAT-123-add-authentication | text | work | {said}"),
            format!("FIX-456-fix-the-login | GH-acme.legal-7 | text | external | {said}"),
        ]
    );
    assert_eq!(project.document()["sources"], json!([{"type": "github", "query": "label:scheduled"}]));
    assert_eq!(project.lines("gh-calls").len(), 3, "{:?}", project.lines("gh-calls"));
    // The same through the configuration, and one issue from two sources is one work.
    project.config(json!({"batch": {
        "phases": [{"name": "one", "command": ["true"]}],
        "sources": ["github=label:scheduled", {"type": "local", "ids": "DOCS-1-guide,FEAT-100-create-the-database"}],
    }}));
    project.ok(&["schedule", "create", "--all"]);
    assert_eq!(works(&project).len(), 4);
    // A source that fails fails them all.
    let before = project.document();
    with_gh(&project, &[]);
    let ran = project.run(&["schedule", "create", "github=label:none", "--force"]);
    assert!(ran.err.contains("no open issue is found by github='label:none' ["), "{ran:?}");
    project.script("gh", "echo 'HTTP 502: Bad Gateway' >&2; exit 1");
    let ran = project.run(&["schedule", "create", "local=NEW-1", "github=label:scheduled"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("github="), "{ran:?}");
    assert_eq!(project.document(), before);
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

/// A Jira of the Cloud's kind that has these issues and answers for what `key in (…)` asks as well.
fn with_jira(issues: Vec<Value>, outside: Vec<Value>) -> jira::Jira {
    jira::Jira::new(move |asked, _| {
        let all =
            if asked.get("jql").is_some_and(|jql| jql.starts_with("key in (")) { &outside } else { &issues };
        let body = json!({"issues": all, "isLast": true}).to_string();
        jira::Answer::Whole(200, "Content-Type: application/json\r\n", body)
    })
}

fn ticket(key: &str, title: &str, text: &str) -> Value {
    let description = json!({"type": "doc", "version": 1, "content": [
        {"type": "paragraph", "content": [{"type": "text", "text": text}]},
    ]});
    json!({"key": key, "fields": {
        "summary": title, "labels": [], "issuetype": {"name": "Bug"}, "description": description,
        "status": {"statusCategory": {"key": "new"}},
    }})
}

#[test]
fn tickets_of_jira_and_issues_of_github_make_one_schedule_and_no_agent_sees_a_token() {
    let project = project();
    project.config(json!({"batch": {
        "phases": [{"name": "one", "command": ["show"]}],
        "sources": ["jira=project = SHOP", "github=label:scheduled"],
    }}));
    project.script("show", r#"env > "$AROUND/seen-$WF0_WORK_ID""#);
    let link = json!({
        "type": {"name": "Blocks"},
        "inwardIssue": {"key": "SHOP-1", "fields": {"status": {"statusCategory": {"key": "new"}}}},
    });
    let mut second = ticket("SHOP-2", "Pay", "Depends on SHOP-9 and requires SHOP-8");
    second["fields"]["issuelinks"] = json!([link]);
    let mut done = ticket("SHOP-9", "Old", "");
    done["fields"]["status"]["statusCategory"]["key"] = json!("done");
    let jira = with_jira(vec![ticket("SHOP-1", "Cart", ""), second], vec![done]);
    with_gh(&project, &[issue(7, "Ship", "Requires SHOP-2")]);
    let mut create = project.wf0(&["schedule", "create", "--all"]);
    let ran = support::ran(create.envs(jira.login()).env("JIRA_EMAIL", "me@example.org"));
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(jira.asked().iter().all(|asked| asked.authorization.starts_with("Basic ")));
    assert_eq!(
        edges(&project),
        [
            "JIRA-SHOP-2-pay | SHOP-9 | text | closed | Depends on SHOP-9 and requires SHOP-8",
            "JIRA-SHOP-2-pay | JIRA-SHOP-1-cart | native | work | -",
            "JIRA-SHOP-2-pay | SHOP-8 | text | external | Depends on SHOP-9 and requires SHOP-8",
            "FEAT-7-ship | JIRA-SHOP-2-pay | text | work | Requires SHOP-2",
        ]
    );
    assert_eq!(
        project.document()["sources"],
        json!([{"type": "jira", "query": "project = SHOP"}, {"type": "github", "query": "label:scheduled"}])
    );
    project.ok(&["schedule", "edit", "JIRA-SHOP-2-pay", "remove-dep=SHOP-8"]);
    let mut start = project.wf0(&["batch", "start", "--wait", "--parallel", "1"]);
    let ran = support::ran(start.envs(jira.login()).env("GH_TOKEN", "gh-s3cret"));
    assert_eq!(ran.code, 0, "{ran:?}");
    for id in ["JIRA-SHOP-1-cart", "JIRA-SHOP-2-pay", "FEAT-7-ship"] {
        let seen = std::fs::read_to_string(project.around().join(format!("seen-{id}"))).unwrap();
        assert!(!seen.contains("s3cret"), "{seen}");
    }
    // Nor does anything that is left behind.
    for path in project.snapshot().into_keys().filter(|path| path.is_file()) {
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(6).any(|part| part == b"s3cret"), "{}", path.display());
    }
    // One source that fails fails them all, before anything is written.
    let before = project.document();
    let mut create = project.wf0(&["schedule", "create", "--all"]);
    let ran = support::ran(create.env("JIRA_BASE_URL", &jira.url).env("JIRA_EMAIL", "me@example.org"));
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("jira= needs a token"), "{ran:?}");
    assert_eq!(project.document(), before);
}
