//! The projects that the tests, and the examples of the commands, are about.

use serde_json::json;

use crate::support::{Project, WAITS};

/// The works of every project here: identifier, title, dependencies.
const WORKS: [(&str, &str, &[&str]); 5] = [
    ("FEAT-100-database", "Create the database", &[]),
    ("FEAT-123-auth", "Add authentication", &["FEAT-100-database"]),
    ("FEAT-125-api", "Offer an API", &["FEAT-100-database"]),
    ("FEAT-124-export", "Export data", &["FEAT-123-auth"]),
    ("FEAT-126-ui", "Build the user interface", &["FEAT-125-api"]),
];

const PHASES: [&str; 6] =
    ["wf1-kickoff", "wf2-spec", "wf3-plan", "wf4-review", "wf5-implement", "wf6-verify"];

/// A project whose agent does that, without a schedule.
pub fn project(agent: &str) -> Project {
    let phases: Vec<_> = PHASES.iter().map(|name| json!({"name": name, "command": ["stand-in"]})).collect();
    let project = Project::new(json!({"batch": {"phases": phases, "retry_delay": 0}}));
    project.script("stand-in", &format!("{WAITS}\n{agent}"));
    project
}

/// Makes the schedule, with more works than those there always are.
pub fn schedule(project: &Project, more: &[(&str, &str, &[&str])]) {
    let works = WORKS.iter().chain(more);
    let records: Vec<_> = works
        .map(|(id, title, dependencies)| json!({"work_id": id, "title": title, "dependencies": dependencies}))
        .collect();
    let path = project.around().join("works.json");
    std::fs::write(&path, json!(records).to_string()).unwrap();
    project.ok(&["schedule", "create", "--from", path.to_str().unwrap()]);
}

/// A schedule of which nothing has run.
pub fn fresh() -> Project {
    let project = project(r#"echo "$WF0_WORK_ID $WF0_PHASE: done""#);
    schedule(&project, &[]);
    project
}

/// The agent of [`ended`] and [`running`].
const FAILS: &str = r#"
case "$WF0_WORK_ID/$WF0_PHASE" in FEAT-123-auth/wf5-implement)
    echo "$WF0_WORK_ID $WF0_PHASE: the tests fail"
    exit 1 ;;
esac
echo "$WF0_WORK_ID $WF0_PHASE: done"
"#;

/// A batch that is over: two works are completed, one failed, one is blocked by it, and one was stopped by name.
pub fn ended() -> Project {
    let project = project(FAILS);
    schedule(&project, &[]);
    project.ok(&["batch", "stop", "FEAT-126-ui"]);
    let _ = project.run(&["batch", "start", "--wait"]);
    project.until_over();
    project
}

/// A batch that runs, with one work of each state. FEAT-125-api stays at wf2-spec until the file `go` is there.
pub fn running() -> Project {
    let project = project(&format!(
        "{}\n{FAILS}",
        r#"
        case "$WF0_WORK_ID/$WF0_PHASE" in FEAT-125-api/wf2-spec)
            echo "it begins: größer → 🚀"
            await go
            echo "it goes on" ;;
        esac
        "#
    ));
    schedule(&project, &[("FEAT-127-docs", "Write documents", &["FEAT-125-api"])]);
    project.ok(&["batch", "stop", "FEAT-126-ui"]);
    project.ok(&["batch", "start"]);
    project.until("one work runs and another has failed", || {
        let status = project.status();
        let waits = &status["FEAT-125-api"];
        status["FEAT-123-auth"]["state"] == "failed"
            && waits["phase"] == "wf2-spec"
            && waits["state"] == "running"
    });
    project.until("it has said so", || project.ok(&["batch", "logs", "FEAT-125-api"]).contains("it begins"));
    project
}
