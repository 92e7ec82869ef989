//! `.wf/schedule.json`: documents that break the form, circles, and what is no file at all.

use std::path::Path;

use crate::answers::{holds, meaning, one_phase, refusal, unchanged, untouched, with_works};
use crate::support::Project;

/// Every command that reads the schedule, but `batch stop`, which must work whatever stands there.
const COMMANDS: [&[&str]; 12] = [
    &["schedule", "show"],
    &["schedule", "edit", "FIX-9-typo", "priority=7"],
    &["batch", "start"],
    &["batch", "start", "--dry-run"],
    &["batch", "status"],
    &["batch", "status", "--summary"],
    &["batch", "resume"],
    &["batch", "logs", "FIX-9-typo"],
    &["batch", "watch"],
    &["batch", "daemon"],
    &["work", "next"],
    &["work", "claim", "FIX-9-typo", "7"],
];

/// What a script reports is recorded whatever stands in the file, which is said and left alone.
fn a_report_goes_through(case: &str, project: &Project, parts: &[&str]) {
    let known = project.store().status().unwrap().is_some();
    let before = project.snapshot();
    let ran = project.run(&["work", "release", "7"]);
    let said = ran.err.replace(&project.root().display().to_string(), "~/project");
    assert_eq!(ran.code, i32::from(!known), "{case}: {ran:?}");
    parts.iter().for_each(|part| assert!(said.contains(part), "{case}: {ran:?}"));
    let file = project.root().join(".wf/schedule.json");
    assert_eq!(project.snapshot().get(&file), before.get(&file), "{case}");
}

#[test]
fn a_document_that_breaks_the_form_is_refused_with_its_place_and_left_alone() {
    let long = format!(r#"{{"works": {{"{}": {{}}}}}}"#, "x".repeat(1 << 20));
    let deep = "[".repeat(200_000);
    let deep_works = r#"{"works":"#.repeat(100_000);
    let deep_key = format!(r#"{{"works": {{"A": {{"mine": {deep}}}}}}}"#);
    let of = |field: &str| format!(r#"{{"works": {{"A": {{{field}}}}}}}"#);
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (
            br#"{"version":"1.0","works":{"A-1":{"work_id""#.into(),
            "column 42 at works.A-1: it ends inside an object",
        ),
        (b"".into(), "it is empty"),
        (b" \n".into(), "it ends where a value should follow"),
        (b"\x00\x01\xff\xfe".into(), "this is no JSON value"),
        (b"\xef\xbb\xbf{}".into(), "line 1 column 1"),
        (b"[]".into(), "a list, expected an object"),
        (b"7".into(), "the number 7, expected an object"),
        (b"null".into(), "null, expected an object"),
        (b"{}".into(), "missing field 'works'"),
        (
            br#"{"works": []}"#.into(),
            "at works: a list, expected an object with a work under each identifier",
        ),
        (br#"{"works": null}"#.into(), "at works: null, expected an object"),
        (br#"{"works": {}}"#.into(), "the schedule would have no works"),
        (br#"{"version": "2.0", "works": {"A": {}}}"#.into(), r#"at version: version '2.0', expected "1.0""#),
        (br#"{"version": 1.0, "works": {"A": {}}}"#.into(), "at version: the number 1.0, expected a text"),
        (br#"{"status": "done", "works": {"A": {}}}"#.into(), "at status: 'done', expected one of pending"),
        (
            br#"{"created_at": "today", "works": {"A": {}}}"#.into(),
            "at created_at: 'today' is no date and time",
        ),
        (br#"{"sources": {}, "works": {"A": {}}}"#.into(), "at sources: an object, expected a list"),
        (
            br#"{"sources": [7], "works": {"A": {}}}"#.into(),
            "at sources[0]: the number 7, expected an object",
        ),
        (br#"{"execution": [], "works": {"A": {}}}"#.into(), "at execution: a list, expected an object"),
        (br#"{"progress": 7, "works": {"A": {}}}"#.into(), "at progress: the number 7, expected an object"),
        (br#"{"wf0": [7], "works": {"A": {}}}"#.into(), "at wf0: a list, expected an object"),
        (br#"{"wf0": {"rev": -1}, "works": {"A": {}}}"#.into(), "at wf0.rev: the number -1"),
        (br#"{"works": {"A": []}}"#.into(), "at works.A: a list, expected an object"),
        (br#"{"works": {"A": null}}"#.into(), "at works.A: null, expected an object"),
        (br#"{"works": {"A": {}, "A": {}}}"#.into(), "at works: work 'A' stands there twice"),
        (br#"{"works": {"A": {}}, "works": {"B": {}}}"#.into(), "duplicate field 'works'"),
        (of(r#""work_id": "B""#).into(), "has work_id 'B' under the key 'A'"),
        (of(r#""work_id": 7"#).into(), "at works.A.work_id: the number 7, expected a text"),
        (
            of(r#""status": "blocked""#).into(),
            "at works.A.status: 'blocked', expected one of pending, running",
        ),
        (of(r#""status": 1"#).into(), "at works.A.status: the number 1, expected a text"),
        (
            of(r#""priority": "high""#).into(),
            r#"at works.A.priority: the text "high", expected a whole number"#,
        ),
        (of(r#""priority": 1.5"#).into(), "at works.A.priority: the number 1.5, expected a whole number"),
        (of(r#""priority": 99999999999999999999"#).into(), "at works.A.priority: the number 1e+20"),
        (of(r#""priority": 1, "priority": 2"#).into(), "at works.A: duplicate field 'priority'"),
        (of(r#""dependencies": "B""#).into(), r#"at works.A.dependencies: the text "B", expected a list"#),
        (of(r#""dependencies": [7]"#).into(), "at works.A.dependencies[0]: the number 7, expected a text"),
        (of(r#""dependencies": ["../x"]"#).into(), "'../x' cannot name a work: it contains '/'"),
        (
            of(r#""started_at": "2026-13-01T00:00:00Z""#).into(),
            "at works.A.started_at: '2026-13-01T00:00:00Z' is no",
        ),
        (of(r#""completed_at": 7"#).into(), "at works.A.completed_at: the number 7, expected a text"),
        (of(r#""source": 7"#).into(), "at works.A.source: the number 7, expected an object"),
        (
            of(r#""source": {"type": "gitlab", "id": "1"}"#).into(),
            "at works.A.source.type: 'gitlab', expected one of",
        ),
        (of(r#""source": {"type": "local"}"#).into(), "at works.A.source: missing field 'id'"),
        (of(r#""error": 7"#).into(), "at works.A.error: the number 7, expected a text"),
        (br#"{"works": {"": {}}}"#.into(), "'' cannot name a work: it is empty"),
        (br#"{"works": {"../x": {}}}"#.into(), "'../x' cannot name a work: it contains '/'"),
        (br#"{"works": {"a'b\"c": {}}}"#.into(), "cannot name a work: it contains '''"),
        (br#"{"works": {"a\nb": {}}}"#.into(), r"'a\nb' cannot name a work: it contains '\n'"),
        (br#"{"works": {"a\u0000b": {}}}"#.into(), r"'a\u{0}b' cannot name a work"),
        (b"{\"works\": {\"a\x00b\": {}}}".into(), "control character"),
        (br#"{"works": {"\u001b[31mA": {}}}"#.into(), r"'\u{1b}[31mA' cannot name a work"),
        (br#"{"works": {"A\u202eb": {}}}"#.into(), r"'A\u{202e}b' cannot name a work"),
        (long.into(), "xxx…' cannot name a work: it has 1048576 characters"),
        (deep.into(), "a list, expected an object"),
        (deep_works.into(), "it is nested too deeply"),
        (deep_key.into(), "it is nested too deeply"),
        (
            br#"{"works": {"FEAT-1-a": {}, "WHAT-1-a": {}}}"#.into(),
            "'FEAT-1-a' and 'WHAT-1-a' would share the branch",
        ),
        (
            br#"{"works": {"FEAT-1-a": {}, "FEAT-1-A": {}}}"#.into(),
            "'FEAT-1-a' and 'FEAT-1-A' would share the branch",
        ),
    ];
    let (fresh, known) = (Project::new(one_phase()), with_works());
    for project in [&fresh, &known] {
        for (content, part) in &cases {
            let case: String = String::from_utf8_lossy(content).chars().take(80).collect();
            project.write(".wf/schedule.json", content);
            let before = project.snapshot();
            let text = refusal(&case, project, &project.run(&["batch", "start", "--dry-run"]));
            holds(&case, &text, &["~/project/.wf/schedule.json", part]);
            let rows = project.run(&["schedule", "validate", "--format", "json"]);
            assert_eq!(rows.code, 1, "{case}: {rows:?}");
            untouched(&case, project, &before);
        }
    }
}

#[test]
fn every_command_refuses_such_a_document_and_overwrites_nothing() {
    for content in [
        r#"{"works": {"FIX-9-typo": "#,
        r#"{"works": {"FIX-9-typo": {"status": "done"}}}"#,
        r#"{"works": {}}"#,
        r#"{"works": {"A-1": {"dependencies": ["B-2"]}, "B-2": {"dependencies": ["A-1"]}}}"#,
        r#"{"works": {"FEAT-1-a": {}, "WHAT-1-a": {}}}"#,
    ] {
        let (fresh, known) = (Project::new(one_phase()), with_works());
        for project in [&fresh, &known] {
            project.write(".wf/schedule.json", content);
            let before = meaning(project);
            for command in COMMANDS {
                let case = format!("{command:?} with {content}");
                let text = refusal(&case, project, &project.run(command));
                holds(&case, &text, &[".wf/schedule.json"]);
                unchanged(&case, project, &before);
            }
            a_report_goes_through(content, project, &["~/project/.wf/schedule.json"]);
        }
    }
}

#[test]
fn a_circle_is_shown_wherever_it_comes_from() {
    let path = "A-1 → B-2 → C-3 → A-1";
    let list = br#"[{"work_id": "A-1", "dependencies": ["B-2"]}, {"work_id": "B-2", "dependencies": ["C-3"]},
        {"work_id": "C-3", "dependencies": ["A-1"]}, {"work_id": "D-4"}]"#;
    let project = with_works();
    let before = meaning(&project);
    let create = project.run_with_input(&["schedule", "create", "--force", "--from", "-"], list);
    holds(
        "create",
        &refusal("create", &project, &create),
        &[path, "help: take one of these dependencies out"],
    );
    unchanged("nothing", &project, &before);

    let project = Project::new(one_phase());
    project.create(&[("A-1", &["B-2"]), ("B-2", &["C-3"]), ("C-3", &[])]);
    let before = meaning(&project);
    let edit = project.run(&["schedule", "edit", "C-3", "add-dep=A-1", "priority=9"]);
    insta::assert_snapshot!(refusal("edit", &project, &edit), @r"
    error: the dependencies go in a circle: A-1 → B-2 → C-3 → A-1 [wf0::schedule::cycle]
    help: take one of these dependencies out
    ");
    let itself = project.run(&["schedule", "edit", "C-3", "add-dep=C-3"]);
    holds("itself", &refusal("itself", &project, &itself), &["'C-3' can't depend on itself"]);
    unchanged("nothing", &project, &before);

    let mut document = project.document();
    document["works"]["C-3"]["dependencies"] = serde_json::json!(["A-1"]);
    project.write(".wf/schedule.json", document.to_string());
    let before = meaning(&project);
    for command in [["batch", "start"], ["batch", "status"]] {
        let text = refusal("by hand", &project, &project.run(&command));
        holds("by hand", &text, &["~/project/.wf/schedule.json: ", path, "take one of these"]);
    }
    let dry = refusal("by hand", &project, &project.run(&["batch", "start", "--dry-run"]));
    holds("dry run", &dry, &["~/project/.wf/schedule.json: ", path]);
    holds("validate", &project.run(&["schedule", "validate"]).out, &["❌ error", path]);
    unchanged("nothing", &project, &before);
}

#[test]
fn what_is_no_file_is_neither_waited_for_nor_swapped_away() {
    type Make = fn(&Path);
    let kinds: [(&str, Make); 3] = [
        ("is a folder, not a file", |path| std::fs::create_dir(path).unwrap()),
        ("is a link that leads nowhere", |path| std::os::unix::fs::symlink("nowhere", path).unwrap()),
        ("is no ordinary file", |path| {
            rustix::fs::mkfifoat(rustix::fs::CWD, path, rustix::fs::Mode::RUSR).unwrap();
        }),
    ];
    for (part, make) in kinds {
        for project in [Project::new(one_phase()), with_works()] {
            let path = project.root().join(".wf/schedule.json");
            let _ = std::fs::remove_file(&path);
            make(&path);
            let before = meaning(&project);
            let more: [&[&str]; 3] = [
                &["schedule", "validate"],
                &["schedule", "clear"],
                &["schedule", "create", "--force", "local=A-1"],
            ];
            for command in COMMANDS.into_iter().chain(more) {
                let case = format!("{command:?} with {part}");
                let text = refusal(&case, &project, &project.run(command));
                holds(&case, &text, &["~/project/.wf/schedule.json", part, "help: move it away"]);
                unchanged(&case, &project, &before);
            }
            a_report_goes_through(part, &project, &["~/project/.wf/schedule.json", part, "move it away"]);
        }
    }
}

#[test]
fn a_store_that_is_none_is_named_and_kept() {
    let project = with_works();
    let path = project.root().join(".git/wf0/wf0.db");
    std::fs::write(&path, "no database".repeat(1000)).unwrap();
    let before = project.snapshot();
    for command in COMMANDS.into_iter().chain([&["work", "release", "7"][..]]) {
        let case = format!("{command:?}");
        let text = refusal(&case, &project, &project.run(command));
        holds(
            &case,
            &text,
            &["~/project/.git/wf0/wf0.db", "file is not a database", "help: keep a copy of it"],
        );
    }
    untouched("no store", &project, &before);
}
