//! A schedule.json that somebody has just broken: what scripts have done is recorded all the same.

use serde_json::json;

use super::support::{Project, ran};
use super::text;

#[test]
fn outcomes_are_recorded_and_the_broken_file_is_left_alone() {
    for broken in ["", "{\"works\": "] {
        let project = Project::new(json!({}));
        project.create(&[("A", &[]), ("B", &[]), ("C", &[]), ("D", &["A"])]);
        project.ok(&["work", "claim", "A", "worker-1"]);
        project.ok(&["work", "claim", "B", "worker-2"]);
        project.ok(&["work", "claim", "C", "worker-3"]);
        project.write(".wf/schedule.json", broken);
        for call in ["is_running", "complete_work A 1", "fail_work B 2 why", "release_worker 3"] {
            let ran = ran(&mut text(&project, &["sh"], &format!("wf_batch_{call}")));
            assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{call}: {}", ran.err);
            assert!(ran.err.contains("schedule.json line "), "{call}: {}", ran.err);
            assert!(
                ran.err.contains("(`rm .wf/schedule.json`): then it is written anew"),
                "{call}: {}",
                ran.err
            );
        }
        // What has to take the file in refuses it, and says the same.
        let refused = ran(&mut text(&project, &["sh"], "wf_batch_claim_work C 3"));
        assert_eq!(refused.code, 1);
        assert!(refused.err.contains("`rm .wf/schedule.json`"), "{}", refused.err);
        assert_eq!(std::fs::read_to_string(project.root().join(".wf/schedule.json")).unwrap(), broken);
        std::fs::remove_file(project.root().join(".wf/schedule.json")).unwrap();
        let states = ["A", "B", "C", "D"].map(|id| project.state(id));
        assert_eq!(states, ["completed", "failed", "pending", "pending"]);
        assert_eq!(project.document()["works"]["B"]["error"], "why");
    }
}

#[test]
fn removing_it_is_advised_only_where_that_brings_it_back() {
    let project = Project::new(json!({}));
    project.create(&[("A", &[])]);
    project.write(".wf/schedule.json", "");
    let refused = ran(&mut text(&project, &["sh"], "wf_batch_claim_work A 1"));
    assert_eq!(refused.code, 1);
    assert!(!refused.err.contains("rm .wf/schedule.json"), "{}", refused.err);
}

#[test]
fn removing_it_after_the_last_report_brings_it_back_too() {
    let project = Project::new(json!({}));
    project.create(&[("A", &[])]);
    project.ok(&["work", "claim", "A", "worker-1"]);
    project.write(".wf/schedule.json", "");
    assert_eq!(ran(&mut text(&project, &["sh"], "wf_batch_complete_work A 1")).code, 0);
    let over = ran(&mut text(&project, &["sh"], "wf_batch_is_running"));
    assert!(over.code == 1 && over.err.contains("`rm .wf/schedule.json`"), "{}", over.err);
    std::fs::remove_file(project.root().join(".wf/schedule.json")).unwrap();
    assert_eq!(project.state("A"), "completed");
    assert_eq!(project.document()["status"], "completed");
}
