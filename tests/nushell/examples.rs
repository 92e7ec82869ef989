//! Every example of every command, run as it stands, gives what its result says: the same value of the same type.

use nu_protocol::{Example, Value};
use serde_json::{Value as Json, json};

use crate::fixture;
use crate::support::Project;

/// The project in which the examples of a command are true.
fn project_of(command: &str) -> fn() -> Project {
    match command {
        "wf0" | "wf0 schedule" | "wf0 batch" | "wf0 batch status" | "wf0 batch stop" | "wf0 batch resume"
        | "wf0 batch logs" | "wf0 batch watch" => fixture::ended,
        _ => fixture::fresh,
    }
}

/// Whether a project can serve for the next example as well.
fn only_looks(command: &str) -> bool {
    matches!(
        command,
        "wf0" | "wf0 schedule" | "wf0 batch" | "wf0 batch status" | "wf0 batch logs" | "wf0 batch watch"
    ) || matches!(command, "wf0 schedule show" | "wf0 schedule validate" | "wf0 doctor" | "wf0 work next")
}

fn to_json(value: &Value) -> Json {
    match value {
        Value::Nothing { .. } => Json::Null,
        Value::Bool { val, .. } => json!(val),
        Value::Int { val, .. } => json!(val),
        Value::String { val, .. } => json!(val),
        Value::Duration { val, .. } => json!(val),
        Value::List { vals, .. } => vals.iter().map(to_json).collect(),
        Value::Record { val, .. } => {
            Json::Object(val.iter().map(|(name, cell)| (name.clone(), to_json(cell))).collect())
        }
        other => panic!("a result of type {} can't be compared", other.get_type()),
    }
}

#[track_caller]
fn is_true(project: &Project, example: &Example<'_>) {
    let code = match &example.result {
        Some(_) => {
            format!(
                "{} | do {{ let it = $in; {{type: ($it | describe), value: $it}} }} | to json --raw",
                example.example
            )
        }
        None => example.example.to_owned(),
    };
    let ran = project.nu_ran(&code);
    assert_eq!(ran.code, 0, "{code}\n{}\n{}", ran.out, ran.err);
    // Warnings of Nushell, of what is deprecated for example, would come here.
    assert!(ran.err.lines().all(|line| line.starts_with("wf0: ")), "{code}\n{}", ran.err);
    let Some(expected) = &example.result else { return };
    let found: Json = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{code}\n{}", ran.out));
    assert_eq!(found["value"], to_json(expected), "{}", example.example);
    assert_eq!(found["type"], expected.get_type().to_string(), "{}", example.example);
}

/// Runs the examples of the commands that `which` takes.
fn all(which: impl Fn(&str) -> bool) {
    let mut count = 0;
    let mut looked_at: [Option<Project>; 2] = [None, None];
    for command in wf0::nu::commands().iter().filter(|command| which(command.name())) {
        let make = project_of(command.name());
        for example in command.examples() {
            count += 1;
            if only_looks(command.name()) {
                let is_ended = std::ptr::fn_addr_eq(make, fixture::ended as fn() -> Project);
                is_true(looked_at[usize::from(is_ended)].get_or_insert_with(make), &example);
            } else {
                is_true(&make(), &example);
            }
        }
    }
    assert!(count > 0);
}

#[test]
fn examples_of_looking() {
    all(only_looks);
}

#[test]
fn examples_of_the_schedule() {
    all(|name| name.starts_with("wf0 schedule") && !only_looks(name));
}

#[test]
fn examples_of_starting() {
    all(|name| name == "wf0 batch start");
}

#[test]
fn examples_of_stopping() {
    all(|name| name == "wf0 batch stop");
}

#[test]
fn examples_of_taking_up_again() {
    all(|name| name == "wf0 batch resume");
}

#[test]
fn examples_of_work() {
    all(|name| name.starts_with("wf0 work") && !only_looks(name));
}

#[test]
fn examples_of_beginning() {
    all(|name| ["wf0 init", "wf0 demo"].contains(&name));
}

#[test]
fn no_command_is_left_out() {
    let tested = |name: &str| {
        only_looks(name)
            || ["wf0 batch start", "wf0 batch stop", "wf0 batch resume", "wf0 init", "wf0 demo"]
                .contains(&name)
            || name.starts_with("wf0 schedule")
            || name.starts_with("wf0 work")
    };
    for command in wf0::nu::commands() {
        assert!(tested(command.name()), "{}", command.name());
    }
}
