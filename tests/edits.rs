//! Others edit schedule.json by hand and with jq while wf0 uses it.

mod support;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{Project, WAITS, phases};

fn project() -> Project {
    let project = Project::new(phases(&["one"], "agent"));
    project.script(
        "agent",
        &format!("{WAITS} echo $WF0_WORK_ID >> \"$AROUND/calls\"; await \"go-$WF0_WORK_ID\""),
    );
    project
}

/// `jq … > tmp && mv`, as people do it.
#[track_caller]
fn jq(project: &Project, expression: &str) {
    let script =
        format!("jq '{expression}' .wf/schedule.json > .wf/mine.tmp && mv .wf/mine.tmp .wf/schedule.json");
    let ran = support::ran(project.program("sh").args(["-c", &script]));
    assert_eq!(ran.code, 0, "{ran:?}");
}

fn write(project: &Project, text: &str) {
    std::fs::write(project.root().join(".wf/schedule.json"), text).unwrap();
}

#[test]
fn a_file_by_hand_is_accepted_and_fields_that_wf0_does_not_know_survive() {
    let project = project();
    write(
        &project,
        r#"{"version": "1.0", "mine": {"a": [1]}, "sources": [{"type": "x", "k": 1}], "execution": {"note": "n"},
            "works": {"A": {"color": "red", "source": {"type": "github", "id": 7, "extra": true}, "priority": 3},
                      "B": {"dependencies": ["A"], "status": "running"}}}"#,
    );
    let status = project.status();
    assert_eq!(status["A"]["priority"], 3);
    assert_eq!(status["B"]["priority"], 2, "depth + 1");
    assert_eq!(status["B"]["state"], "pending", "nobody has it");
    let document = project.document();
    assert_eq!(document["mine"], json!({"a": [1]}));
    assert_eq!(document["sources"], json!([{"type": "x", "k": 1}]));
    assert_eq!(document["execution"]["note"], "n");
    assert_eq!(document["works"]["A"]["color"], "red");
    assert_eq!(document["works"]["A"]["source"]["extra"], true);
    project.ok(&["schedule", "edit", "A", "priority=9"]);
    assert_eq!(project.document()["works"]["A"]["color"], "red");
    // A slip for another id, perhaps.
    jq(&project, r#".works.A.dependencies = ["A"]"#);
    let shown = project.run(&["schedule", "show"]);
    assert!(shown.err.contains("'A' depends on itself: that is dropped"), "{shown:?}");
    assert_eq!(project.status()["A"]["dependencies"], json!([]));
}

#[test]
fn edits_under_a_running_batch_are_taken_in_or_refused_and_never_lost_in_silence() {
    let project = project();
    project.create(&[("A", &[]), ("B", &["A"]), ("BAD", &[])]);
    project.ok(&["batch", "start", "--parallel", "1"]);
    project.until("A runs", || project.lines("calls") == ["A"]);
    // A work added, a priority changed, a work skipped by hand, all at once.
    jq(
        &project,
        r#".works.NEW = {"dependencies": [], "priority": 0} | .works.BAD.status = "completed" | .works.B.priority = 7"#,
    );
    project.until("the edit is taken in", || project.status().contains_key("NEW"));
    let status = project.status();
    assert_eq!(
        (status["BAD"]["state"].as_str(), status["B"]["priority"].as_i64()),
        (Some("completed"), Some(7))
    );
    // What runs is not taken away by an edit, and a circle is refused and shown.
    jq(&project, r#".works.A.status = "pending" | .works.A.dependencies = ["B"]"#);
    let mut events = String::new();
    project.until("both are refused", || {
        events = support::ran(project.program("sh").args(["-c", "cat .git/wf0/scheduler.log"])).out;
        events.contains("A → B → A") && events.contains("wf0 batch stop A")
    });
    assert_eq!(project.state("A"), "running");
    assert_eq!(project.document()["works"]["A"]["dependencies"], json!([]));
    // Paused by hand: what runs comes to its end, nothing new begins.
    jq(&project, r#".status = "paused""#);
    project.until("it is paused", || project.summary()["status"] == "paused");
    project.touch("go-A");
    project.until("A came to its end", || project.state("A") == "completed");
    project.until("A's worker is idle", || project.summary()["workers"][0]["state"] == "idle");
    assert_eq!(project.lines("calls"), ["A"]);
    for work in ["B", "NEW"] {
        project.touch(&format!("go-{work}"));
    }
    jq(&project, r#".status = "running""#);
    assert_eq!(project.until_over(), "completed");
    assert_eq!(project.lines("calls"), ["A", "NEW", "B"]);
}

#[test]
fn an_edit_made_from_an_older_revision_changes_only_what_its_writer_changed() {
    let project = project();
    project.create(&[("A", &[]), ("B", &[])]);
    let older = project.document();
    project.ok(&["schedule", "edit", "A", "priority=5"]);
    let mut edited = older.clone();
    edited["works"]["B"]["priority"] = 8.into();
    write(&project, &edited.to_string());
    let status = project.status();
    assert_eq!((status["A"]["priority"].as_i64(), status["B"]["priority"].as_i64()), (Some(5), Some(8)));
    // An older document as it was is stale, no edit.
    let text = serde_json::to_string_pretty(&older).unwrap() + "\n";
    write(&project, &text);
    assert_eq!(project.status()["B"]["priority"], 8);
    assert_eq!(project.document()["works"]["B"]["priority"], 8, "published again");
    // A revision that was never published here: its status values count for nothing, and that is said.
    let mut foreign = project.document();
    foreign["wf0"]["rev"] = 999_999.into();
    foreign["works"]["A"]["status"] = "completed".into();
    foreign["works"]["A"]["priority"] = 6.into();
    write(&project, &foreign.to_string());
    let ran = project.run(&["batch", "status", "--format", "json"]);
    assert!(ran.err.contains("revision that is not known"), "{ran:?}");
    assert_eq!(project.state("A"), "pending");
    assert_eq!(project.status()["A"]["priority"], 6);
}

#[test]
fn hundreds_of_edits_at_full_speed_are_all_taken_in_while_works_come_and_go() {
    let mut config = phases(&["one"], "true");
    config["worktree"] = json!({"enabled": false});
    let project = Project::new(config);
    let names: Vec<String> = (0..60).map(|n| format!("W{n}")).collect();
    let works: Vec<(&str, &[&str])> = names.iter().map(|name| (name.as_str(), &[][..])).collect();
    project.create(&works);
    project.ok(&["batch", "start", "--parallel", "2"]);
    for n in 0..100 {
        jq(&project, &format!(r#".works["E{n}"] = {{"priority": {n}}}"#));
        // The next edit starts from a document that has been read anew: mv would otherwise undo the one before.
        project.until("the edit has arrived", || {
            let text = std::fs::read_to_string(project.root().join(".wf/schedule.json")).unwrap();
            serde_json::from_str::<Value>(&text).unwrap()["works"][format!("E{n}")].is_object()
        });
    }
    assert_eq!(project.until_over(), "completed");
    assert_eq!(project.status().len(), 160, "no edit was lost");
}

#[test]
fn a_broken_file_is_refused_untouched_and_a_running_batch_puts_it_aside() {
    let project = project();
    project.create(&[("A", &[])]);
    let good = std::fs::read_to_string(project.root().join(".wf/schedule.json")).unwrap();
    write(&project, &good[..good.len() / 2]);
    let begin = Instant::now();
    let said = project.fails(&["batch", "start"]);
    assert!(said.contains("schedule.json line ") && begin.elapsed() < Duration::from_secs(10), "{said}");
    assert_eq!(
        std::fs::read_to_string(project.root().join(".wf/schedule.json")).unwrap().len(),
        good.len() / 2
    );
    write(&project, &good);
    project.ok(&["batch", "start"]);
    project.until("A runs", || !project.lines("calls").is_empty());
    write(&project, "{\"works\": {\"A\": ");
    let aside = project.root().join(".wf/schedule.json.rejected");
    project.until("it is put aside", || aside.exists() && project.run(&["batch", "status"]).code == 0);
    assert_eq!(project.document()["works"]["A"]["status"], "running");
    project.touch("go-A");
    assert_eq!(project.until_over(), "completed");
}

#[test]
fn a_deleted_file_clears_at_rest_and_is_published_again_otherwise() {
    let project = project();
    project.create(&[("A", &[]), ("B", &[])]);
    let path = project.root().join(".wf/schedule.json");
    project.ok(&["batch", "start", "--parallel", "1"]);
    project.until("A runs", || !project.lines("calls").is_empty());
    std::fs::remove_file(&path).unwrap();
    project.until("it is published again", || path.exists());
    // `.wf` gone as a whole, as by `git clean -fdx`.
    std::fs::remove_dir_all(project.root().join(".wf")).unwrap();
    project.until("it is published again", || path.exists());
    project.config(phases(&["one"], "agent"));
    project.ok(&["batch", "stop"]);
    std::fs::remove_dir_all(project.root().join(".wf")).unwrap();
    assert_eq!(project.status().len(), 2, "known from the git folder");
    assert!(path.exists());
    let paused = project.summary();
    assert_eq!(paused["status"], "paused");
    std::fs::remove_file(&path).unwrap();
    let ran = project.run(&["batch", "status"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("cleared"), "{ran:?}");
    let kept =
        std::fs::read_dir(project.root().join(".git/wf0/archive")).unwrap().flatten().next().unwrap().path();
    project.ok(&["schedule", "create", "--from", kept.to_str().unwrap()]);
    assert_eq!(project.status().len(), 2);
}

#[test]
fn scripts_that_are_workers_share_works_with_real_ones() {
    let project = project();
    project.create(&[("A", &[]), ("B", &["A"])]);
    let row: Value = serde_json::from_str(&project.ok(&["work", "next", "--format", "json"])).unwrap();
    assert_eq!((row["work_id"].as_str(), row["branch"].as_str()), (Some("A"), Some("feat/A")));
    project.ok(&["work", "claim", "A", "worker-7"]);
    assert!(project.fails(&["work", "claim", "A", "8"]).contains("'A' is running"));
    assert!(project.fails(&["work", "claim", "B", "8"]).contains("waits for 1 of its dependencies"));
    let refused = project.fails(&["work", "complete", "A", "8"]);
    assert!(refused.contains("worker-8 has no claim on 'A'"), "{refused}");
    assert!(refused.contains("report it as worker-7, which claimed it"), "{refused}");
    let summary = project.summary();
    assert_eq!(
        (summary["status"].as_str(), summary["workers"][0]["state"].as_str()),
        (Some("running"), Some("external"))
    );
    // Neither start nor a bare resume touches it.
    project.ok(&["batch", "start", "--parallel", "1"]);
    project.ok(&["batch", "resume"]);
    assert_eq!(project.summary()["workers"][1]["work_id"], "A");
    project.ok(&["work", "release", "7"]);
    project.until("a real worker has it", || project.lines("calls") == ["A"]);
    project.touch("go-A");
    project.touch("go-B");
    assert_eq!(project.until_over(), "completed");
    assert_eq!(project.ok(&["work", "next"]), "");

    project.create(&[("A", &[]), ("B", &[])]);
    project.ok(&["work", "claim", "A", "1"]);
    project.ok(&["work", "fail", "A", "1", "no $(luck)"]);
    assert_eq!(project.status()["A"]["error"], "no $(luck)");
    project.ok(&["work", "claim", "B", "1"]);
    project.ok(&["work", "complete", "B", "1"]);
    assert_eq!(project.summary()["status"], "failed", "the last one ends the schedule, without a scheduler");
}
