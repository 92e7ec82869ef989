//! `$env.config.plugins.wf0`, and whose folder and environment count: always the session's.

use serde_json::json;

use crate::fixture;
use crate::support::Project;

#[test]
fn a_flag_beats_the_environment_which_beats_the_folder() {
    let (one, two, three) = (fixture::fresh(), fixture::project("true"), fixture::project("true"));
    two.create(&[("TWO", &[])]);
    three.create(&[("THREE", &[])]);
    let root = |project: &Project| project.root().display().to_string();
    let first = |code: &str| one.nu_value(&format!("{code} | get work_id | first"));
    assert_eq!(first("wf0 batch status"), "FEAT-100-database");
    let inherited = format!("$env.WF0_PROJECT_ROOT = '{}'", root(&three));
    assert_eq!(first(&format!("{inherited}; wf0 batch status")), "THREE");
    assert_eq!(first(&format!("{inherited}; wf0 batch status --project '{}'", root(&two))), "TWO");
    assert_eq!(
        first(&format!("{inherited}; $env.WF0_PROJECT_ROOT = ''; wf0 batch status")),
        "FEAT-100-database"
    );
    // The session's own variables, not those that the plugin was started with.
    let set =
        format!("wf0 batch status; with-env {{WF0_PROJECT_ROOT: '{}'}} {{ wf0 batch status }}", root(&three));
    assert_eq!(first(&set), "THREE");
}

#[test]
fn one_is_where_the_session_is() {
    let (one, two) = (fixture::fresh(), fixture::project("true"));
    two.create(&[("TWO", &[])]);
    let seen = one.nu_value(&format!(
        "let a = wf0 batch status | length
        mkdir deep/down; cd deep/down; let b = wf0 batch status | length
        cd '{}'; let c = wf0 batch status | get work_id
        let d = do {{ cd '{}'; wf0 batch status | length }}
        [$a $b $c $d (wf0 batch status --project {} | length)]",
        two.root().display(),
        one.root().display(),
        "../../".to_owned() + &one.root().strip_prefix("/tmp").unwrap_or(one.root()).display().to_string(),
    ));
    assert_eq!(seen, json!([5, 5, ["TWO"], 5, 5]));
    // Files are looked for there, too.
    one.write("works.json", r#"[{"work_id": "HERE"}]"#);
    let made = one.nu_value("mkdir sub; cd sub; wf0 schedule create --from ../works.json --force; wf0 schedule show | get work_id");
    assert_eq!(made, json!(["HERE"]));
}

#[test]
fn workers_and_pulse_come_from_it_unless_a_flag_says_otherwise() {
    let project = fixture::project("await go");
    project.create(&[("A", &[]), ("B", &[]), ("C", &[])]);
    let started =
        project.nu_value("$env.config.plugins.wf0 = {parallel: 3}; wf0 batch start | get workers.worker");
    assert_eq!(started, json!([1, 2, 3]));
    let pulse = project.nu_value("$env.config.plugins.wf0 = {pulse: 10ms}; wf0 batch watch | where event == pulse | first 2 | get event");
    assert_eq!(pulse, json!(["pulse", "pulse"]));
    // A closure is asked anew each time.
    let asked = project.nu_value("$env.config.plugins.wf0 = {|| {pulse: 10ms} }; wf0 batch watch | where event == pulse | first 1 | get event");
    assert_eq!(asked, json!(["pulse"]));
    let other = fixture::project("await go");
    other.create(&[("A", &[]), ("B", &[]), ("C", &[])]);
    let started = other.nu_value("$env.config.plugins.wf0 = {parallel: 3, other: 1}; wf0 batch start --parallel 1 | get workers.worker");
    assert_eq!(started, json!([1]));
    project.touch("go");
    other.touch("go");
}

#[test]
fn what_is_wrong_with_it_is_shown_where_it_was_written() {
    let project = fixture::fresh();
    for (config, message, at, command) in [
        ("{parallel: two}", "$env.config.plugins.wf0.parallel is string", "two", "wf0 batch start --dry-run"),
        (
            "{parallel: 0}",
            "$env.config.plugins.wf0.parallel is 0, expected a whole number, 1 or more",
            "0",
            "wf0 batch start --dry-run",
        ),
        ("{parallel: -1}", "$env.config.plugins.wf0.parallel is -1,", "-1", "wf0 batch start --dry-run"),
        ("{pulse: 5}", "$env.config.plugins.wf0.pulse is 5, expected a duration", "5", "wf0 batch watch"),
        ("{pulse: 0sec}", "$env.config.plugins.wf0.pulse is 0sec,", "0sec", "wf0 batch watch"),
        ("[]", "$env.config.plugins.wf0 is list", "[]", "wf0 batch watch"),
    ] {
        let caught = project.nu_fails_after(&format!("$env.config.plugins.wf0 = {config}"), command);
        assert_eq!(caught.code, "wf0::config::invalid", "{config}: {caught:?}");
        assert!(caught.message.starts_with(message), "{config}: {caught:?}");
        assert_eq!(caught.at, at, "{config}: {caught:?}");
    }
}

#[test]
fn programs_are_those_of_the_sessions_path() {
    let project = fixture::fresh();
    let bin = project.around().join("only-here");
    std::fs::create_dir(&bin).unwrap();
    std::fs::rename(project.around().join("bin/stand-in"), bin.join("stand-in")).unwrap();
    let agent = "wf0 doctor | where check == agent | get 0.state";
    assert_eq!(project.nu_value(agent), "error");
    let path = format!("{{PATH: ($env.PATH | prepend '{}')}}", bin.display());
    assert_eq!(project.nu_value(&format!("with-env {path} {{ {agent} }}")), "ok");
    // And the phases run with it, whatever the plugin itself was started with.
    let ended = project.nu_value(&format!(
        "$env.SAID = 'by the session'; load-env {path}; wf0 batch start --wait | get progress.completed"
    ));
    assert_eq!(ended, 5);
}
