//! `.wf/config.json`: every key with a wrong type or value, and texts that are no JSON.

use serde_json::{Value, json};

use crate::answers::{holds, meaning, one_phase, refusal, unchanged, untouched, with_works};
use crate::support::Project;

#[test]
fn every_key_with_a_wrong_value_is_named_with_what_was_expected() {
    let project = with_works();
    let batch = |key: &str, value: Value| json!({"batch": {key: value}});
    let phases = |list: Value| json!({"batch": {"phases": list}});
    let cases: Vec<(Value, &[&str])> = vec![
        (json!({"default_base_branch": 7}), &["default_base_branch: the number 7, expected a text"]),
        (json!({"default_base_branch": ""}), &["default_base_branch: '', expected the name of a branch"]),
        (json!({"branch_prefix": 7}), &["branch_prefix: the number 7, expected an object"]),
        (json!({"branch_prefix": {"FEAT": 1}}), &["branch_prefix.FEAT: the number 1, expected a text"]),
        (json!({"branch_prefix": {"FEAT": "../x"}}), &["branch_prefix: '../x' for 'FEAT' cannot begin"]),
        (json!({"branch_prefix": {"\u{1b}[31mA": "\u{1b}[2J"}}), &[r"'\u{1b}[2J' for '\u{1b}[31mA'"]),
        (json!({"worktree": 7}), &["worktree: the number 7, expected an object"]),
        (json!({"worktree": []}), &["worktree: a list, expected an object"]),
        (
            json!({"worktree": {"enabled": "yes"}}),
            &[r#"worktree.enabled: the text "yes", expected true or false"#],
        ),
        (json!({"worktree": {"root_dir": 7}}), &["worktree.root_dir: the number 7, expected a text"]),
        (json!({"worktree": {"root_dir": "../x"}}), &["worktree.root_dir: '../x', expected a folder inside"]),
        (json!({"worktree": {"root_dir": "/x"}}), &["worktree.root_dir: '/x', expected a folder inside"]),
        (json!({"worktree": {"root_dir": ""}}), &["worktree.root_dir: '', expected a folder inside"]),
        (json!({"worktree": {"root_dir": "."}}), &["worktree.root_dir: '.', expected a folder inside"]),
        (
            json!({"worktree": {"root_dir": "a\nb"}}),
            &[r"worktree.root_dir: 'a\nb', expected a folder inside"],
        ),
        (
            json!({"worktree": {"root_dir": ".git/x"}}),
            &["worktree.root_dir: '.git/x' is not free for worktrees"],
        ),
        (json!({"worktree": {"root_dir": ".wf"}}), &["worktree.root_dir: '.wf' is not free for worktrees"]),
        (json!({"batch": null}), &["batch: null, expected an object"]),
        (json!({"batch": []}), &["batch: a list, expected an object"]),
        (
            batch("default_parallel", json!("2")),
            &[r#"batch.default_parallel: the text "2", expected a whole number"#],
        ),
        (batch("default_parallel", json!(0)), &["batch.default_parallel: 0, expected 1 or more"]),
        (
            batch("default_parallel", json!(-1)),
            &["batch.default_parallel: the number -1, expected a whole number"],
        ),
        (
            batch("default_parallel", json!(1.5)),
            &["batch.default_parallel: the number 1.5, expected a whole number"],
        ),
        (
            batch("default_parallel", json!(5_000_000_000_u64)),
            &["batch.default_parallel: the number 5000000000"],
        ),
        (batch("max_parallel", json!(0)), &["batch.max_parallel: 0, expected 1 or more"]),
        (batch("max_parallel", json!(10_000)), &["batch.max_parallel: 10000, expected at most 9999"]),
        (batch("max_parallel", Value::Null), &["batch.max_parallel: null, expected a whole number"]),
        (
            batch("auto_worktree", json!("x")),
            &[r#"batch.auto_worktree: the text "x", expected true or false"#],
        ),
        (
            batch("cleanup_worktree", json!(1)),
            &["batch.cleanup_worktree: the number 1, expected true or false"],
        ),
        (batch("max_step_failures", json!(0)), &["batch.max_step_failures: 0, expected 1 or more"]),
        (
            batch("max_step_failures", json!({})),
            &["batch.max_step_failures: an object, expected a whole number"],
        ),
        (batch("retry_delay", json!(-1)), &["batch.retry_delay: -1 seconds, expected 0 to 60"]),
        (batch("retry_delay", json!(61)), &["batch.retry_delay: 61 seconds, expected 0 to 60"]),
        (batch("retry_delay", json!("1s")), &[r#"batch.retry_delay: the text "1s", expected a number"#]),
        (batch("max_phase_runs", json!(0)), &["batch.max_phase_runs: 0, expected 1 or more"]),
        (batch("max_phase_runs", json!([])), &["batch.max_phase_runs: a list, expected a whole number"]),
        (batch("agent", json!(7)), &["batch.agent: the number 7, expected a text"]),
        (
            batch("agent", json!("gpt")),
            &["batch.agent: 'gpt' is no agent that wf0 knows", "help: use claude"],
        ),
        (batch("agent", json!("\u{1b}[31m")), &["batch.agent: '", "is no agent that wf0 knows"]),
        (batch("agent_args", json!("x")), &[r#"batch.agent_args: the text "x", expected a list"#]),
        (batch("agent_env", json!({})), &["batch.agent_env: an object, expected a list"]),
        (batch("tmux", json!("no")), &[r#"batch.tmux: the text "no", expected true or false"#]),
        (phases(json!({})), &["batch.phases: an object, expected a list"]),
        (phases(json!([])), &["batch.phases: an empty list, expected at least one phase"]),
        (phases(json!(["wf1"])), &[r#"batch.phases[0]: the text "wf1", expected an object"#]),
        (phases(json!([["a"]])), &["batch.phases[0]: a list, expected an object"]),
        (phases(json!([{}])), &["batch.phases[0]: missing field 'name'"]),
        (phases(json!([{"name": 7}])), &["batch.phases[0].name: the number 7, expected a text"]),
        (phases(json!([{"name": "a", "command": 7}])), &["batch.phases[0].command: expected a command"]),
        (phases(json!([{"name": "a", "command": []}])), &["batch.phases: 'a' has an empty command"]),
        (phases(json!([{"name": "a", "command": " "}])), &["batch.phases: 'a' has an empty command"]),
        (
            phases(json!([{"name": "a", "command": ["x\u{0}"]}])),
            &["batch.phases: 'a' has a NUL in its command"],
        ),
        (phases(json!([{"name": "../a", "command": "x"}])), &["batch.phases: phase 1 has no usable name"]),
        (
            phases(json!([{"name": "a", "command": "x"}, {"name": "a", "command": "x"}])),
            &["batch.phases: 'a' stands there twice"],
        ),
        (
            batch("max_parallel", json!("x".repeat(1 << 20))),
            &["batch.max_parallel: the text \"xxx", "expected a whole number"],
        ),
    ];
    for (config, parts) in cases {
        let case: String = config.to_string().chars().take(80).collect();
        project.write(".wf/config.json", config.to_string());
        let before = project.snapshot();
        let text = refusal(&case, &project, &project.run(&["batch", "start", "--dry-run"]));
        holds(&case, &text, parts);
        untouched(&case, &project, &before);
    }
}

#[test]
fn what_is_no_configuration_is_refused_with_line_and_column_by_whoever_needs_it() {
    let project = with_works();
    let deep = format!("{{\"a\": {}", "[".repeat(200_000));
    let cases: [(&str, &[u8], &str); 11] = [
        ("cut off", b"{\"batch\": {", "line 1 column 11: it ends inside an object"),
        ("empty", b"", "it is empty"),
        ("no JSON", b"batch:\n  tmux: false\n", "line 1 column 1: this is no JSON value"),
        ("binary", b"\xff\xfe\x00\x01", "line 1 column 1: this is no JSON value"),
        ("no UTF-8", b"{\"batch\": {\"agent\": \"\xe9\"}}", "a text is not in UTF-8"),
        ("something after it", b"{} x", "line 1 column 4: something follows the end of the document"),
        ("a list", b"[]", "a list, expected an object"),
        ("a number", b"7", "the number 7, expected an object"),
        ("null", b"null", "null, expected an object"),
        ("a key twice", b"{\"batch\": {}, \"batch\": {}}", "duplicate field 'batch'"),
        ("deep", deep.as_bytes(), "it ends inside a list"),
    ];
    let commands: [&[&str]; 5] = [
        &["batch", "start", "--dry-run"],
        &["batch", "start"],
        &["batch", "resume"],
        &["schedule", "create", "--force", "local=A-1"],
        &["schedule", "edit", "FIX-9-typo", "priority=7"],
    ];
    for (case, content, part) in cases {
        project.write(".wf/config.json", content);
        let before = meaning(&project);
        for command in commands {
            let text = refusal(case, &project, &project.run(command));
            holds(case, &text, &[".wf/config.json", part]);
        }
        let rows = project.run(&["schedule", "validate", "--format", "json"]);
        assert_eq!(rows.code, 1);
        holds(case, &rows.out, &["wf0::config::invalid", part]);
        assert_eq!(project.run(&["doctor"]).code, 1, "{case}");
        unchanged(case, &project, &before);
    }
    project.write(".wf/config.json", "{\"batch\": {\n  \"tmux\": no\n}}");
    insta::assert_snapshot!(refusal("for people", &project, &project.run(&["batch", "start"])), @r"
    error: ~/project/.wf/config.json: batch.tmux: this is no JSON value (line 2 column 12) [wf0::config::invalid]
    help: correct that key; `wf0 doctor` checks the whole file
    ");
}

#[test]
fn what_is_no_file_is_refused() {
    let project = with_works();
    let path = project.root().join(".wf/config.json");
    std::fs::remove_file(&path).unwrap();
    for lead in ["nowhere", "config.json", "."] {
        std::os::unix::fs::symlink(lead, &path).unwrap();
        let before = project.snapshot();
        let text = refusal(lead, &project, &project.run(&["batch", "start", "--dry-run"]));
        holds(lead, &text, &["cannot read ~/project/.wf/config.json"]);
        untouched(lead, &project, &before);
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_batch_can_be_stopped_whatever_became_of_the_files() {
    for (name, content) in [("config.json", "{"), ("schedule.json", "{")] {
        let case = format!("{name}: {content}");
        let project = Project::new(json!({"batch": {"phases": [{"name": "one", "command": ["waits"]}]}}));
        project.script("waits", "while [ ! -e \"$AROUND/go\" ]; do sleep 0.02; done");
        project.create(&[("A-1", &[])]);
        project.ok(&["batch", "start", "--parallel", "1"]);
        project.until("it runs", || !project.pids("waits").is_empty());
        // Without a scheduler nobody puts a broken document aside.
        project.kill("batch daemon");
        project.write(&format!(".wf/{name}"), content);
        let ran = project.run(&["batch", "stop"]);
        assert_eq!((ran.code, ran.out.as_str()), (0, "all: stopped\n"), "{case}: {ran:?}");
        // The runner, the last to leave, puts aside what it can't read.
        let kept = [name.to_owned(), format!("{name}.rejected")].iter().any(|name| {
            std::fs::read_to_string(project.root().join(".wf").join(name)).is_ok_and(|it| it == content)
        });
        assert!(kept, "{case}");
        assert!(project.pids("").is_empty(), "{case}");
    }
    // A project that was never anything but this file has nothing to stop.
    let project = Project::new(one_phase());
    project.write(".wf/schedule.json", "{");
    refusal("no store", &project, &project.run(&["batch", "stop"]));
}
