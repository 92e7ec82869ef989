//! What becomes of branches and worktrees: where they start, how they are pushed, when they are kept.

mod support;

use serde_json::json;
use support::{COMMITS, Project, WAITS, phases};

#[test]
fn a_work_with_several_dependencies_starts_from_all_of_them_merged() {
    let project = Project::new(phases(&["one"], "agent"));
    project.script("agent", COMMITS);
    project.create(&[("A", &[]), ("B", &[]), ("C", &["A", "B"])]);
    project.ok(&["batch", "start", "--parallel", "2", "--wait"]);
    let files = project.git(&["ls-tree", "--name-only", "feat/C"]);
    assert_eq!(files, "A-one.txt\nB-one.txt\nC-one.txt\n");
}

#[test]
fn dependencies_that_do_not_merge_fail_the_work_before_its_first_phase_and_name_the_files() {
    let project = Project::new(phases(&["one"], "agent"));
    project.script(
        "agent",
        r#"echo "$WF0_WORK_ID" >> "$AROUND/ran"; echo "$WF0_WORK_ID" > same.txt; git add . && git commit -q -m x"#,
    );
    project.create(&[("A", &[]), ("B", &[]), ("C", &["A", "B"])]);
    assert_eq!(project.run(&["batch", "start", "--wait"]).code, 1);
    let row = project.status()["C"].clone();
    assert_eq!(row["state"], "failed");
    let error = row["error"].as_str().unwrap();
    assert!(error.contains("same.txt") && error.contains("feat/B"), "{error}");
    assert!(!project.lines("ran").contains(&"C".to_owned()));
    assert!(!project.root().join(".worktrees/feat-C").exists());
    assert_eq!(project.git(&["branch", "--list", "feat/C"]), "");
}

#[test]
fn a_dependent_starts_from_the_kept_commit_where_the_branch_is_gone_and_from_the_base_where_skipped() {
    let project = Project::new(phases(&["one"], "agent"));
    project.script("agent", &format!("{WAITS}{COMMITS} await \"go-$WF0_WORK_ID\""));
    project.create(&[("A", &[]), ("B", &["A"]), ("S", &[]), ("T", &["S"])]);
    // S is declared done by hand.
    let mut document = project.document();
    document["works"]["S"]["status"] = "completed".into();
    std::fs::write(project.root().join(".wf/schedule.json"), document.to_string()).unwrap();
    project.touch("go-A");
    project.touch("go-T");
    let mut watch = project.wf0(&["batch", "daemon"]).stdout(std::process::Stdio::null()).spawn().unwrap();
    let mut worker =
        project.wf0(&["batch", "worker", "1"]).stdout(std::process::Stdio::null()).spawn().unwrap();
    project.until("A is done", || project.state("A") == "completed");
    project.until("B waits in its phase", || project.lines("calls").contains(&"B one 1".to_owned()));
    project.until("B has committed", || {
        project.git(&["ls-tree", "--name-only", "feat/B"]) == "A-one.txt\nB-one.txt\n"
    });
    project.ok(&["batch", "stop"]);
    assert_eq!((support::ended(&mut watch), support::ended(&mut worker)), (Some(0), Some(0)));
    // Begin B again, with A's branch gone.
    project.git(&["worktree", "remove", "--force", "--force", ".worktrees/feat-B"]);
    project.git(&["branch", "-q", "-D", "feat/A", "feat/B"]);
    project.touch("go-B");
    project.ok(&["batch", "resume"]);
    assert_eq!(project.until_over(), "completed");
    assert_eq!(project.git(&["ls-tree", "--name-only", "feat/B"]), "A-one.txt\nB-one.txt\n");
    assert_eq!(project.git(&["ls-tree", "--name-only", "feat/T"]), "T-one.txt\n");
}

#[test]
fn a_push_that_is_owed_is_made_good_by_resume_alone() {
    let mut config = phases(&["one", "two"], "agent");
    config["batch"]["max_step_failures"] = 2.into();
    let project = Project::new(config);
    project.script("agent", COMMITS);
    let origin = project.with_origin();
    let away = project.around().join("away.git");
    std::fs::rename(&origin, &away).unwrap();
    project.create(&[("A", &[]), ("B", &["A"])]);
    assert_eq!(project.run(&["batch", "start", "--wait"]).code, 1);
    let status = project.status();
    let error = status["A"]["error"].as_str().unwrap();
    assert!(error.starts_with("push: ") && error.contains("origin"), "{error}");
    assert_eq!((status["A"]["phase"].as_str(), status["A"]["attempts"].as_i64()), (Some("push"), Some(2)));
    assert_eq!(status["B"]["state"], "blocked");
    assert!(project.root().join(".worktrees/feat-A").exists(), "kept while its push is owed");

    std::fs::rename(&away, &origin).unwrap();
    project.ok(&["batch", "resume"]);
    assert_eq!(project.until_over(), "completed");
    let calls = project.lines("calls");
    assert_eq!(calls, ["A one 1", "A two 1", "B one 1", "B two 1"], "no phase of A again");
    assert_eq!(project.git_in(&origin, &["rev-list", "--count", "main..feat/B"]).trim(), "4");
}

#[test]
fn commits_of_others_at_origin_fail_the_work_and_are_counted() {
    let project = Project::new(phases(&["one"], "agent"));
    project.script("agent", COMMITS);
    let origin = project.with_origin();
    let other = project.around().join("other");
    project.git(&["clone", "-q", origin.to_str().unwrap(), other.to_str().unwrap()]);
    let person = |arguments: &[&str]| {
        project.git_in(&other, &[&["-c", "user.name=P", "-c", "user.email=p@localhost"], arguments].concat())
    };
    person(&["checkout", "-q", "-b", "feat/A"]);
    person(&["commit", "-q", "--allow-empty", "-m", "theirs"]);
    person(&["commit", "-q", "--allow-empty", "-m", "theirs, too"]);
    person(&["push", "-q", "origin", "feat/A"]);
    let theirs = person(&["rev-parse", "HEAD"]);
    project.create(&[("A", &[])]);
    assert_eq!(project.run(&["batch", "start", "--wait"]).code, 1);
    let error = project.status()["A"]["error"].as_str().unwrap().to_owned();
    assert!(error.contains("2 commits"), "{error}");
    assert_eq!(project.git_in(&origin, &["rev-parse", "feat/A"]), theirs, "never forced");
}

#[test]
fn a_worktree_is_removed_only_when_nothing_in_it_could_be_lost() {
    let project = Project::new(phases(&["one"], "agent"));
    project.script(
        "agent",
        r#"
        case $WF0_WORK_ID in
            untracked) echo x > notes.txt ;;
            ignored) echo "secret" > .env; echo .env > .gitignore; git add .gitignore; git commit -q -m x ;;
            cache) mkdir node_modules; echo x > node_modules/x; echo node_modules > .gitignore; git add .gitignore; git commit -q -m x ;;
            clean) git commit -q --allow-empty -m x ;;
        esac
        "#,
    );
    project.create(&[("clean", &[]), ("untracked", &[]), ("ignored", &[]), ("cache", &[])]);
    project.ok(&["batch", "start", "--wait"]);
    let kept = |id: &str| project.root().join(format!(".worktrees/feat-{id}")).exists();
    assert_eq!(["clean", "untracked", "ignored", "cache"].map(kept), [false, true, true, false]);
    let status = project.status();
    assert_eq!(status["ignored"]["worktree"], ".worktrees/feat-ignored");
    assert!(status["clean"]["worktree"].is_null());
    assert!(!project.root().join(".worktrees/.trash").exists());
}

#[test]
fn an_agent_that_destroys_its_worktree_never_gets_at_the_projects_own_checkout() {
    let project = Project::new(phases(&["one", "two"], "agent"));
    project.script(
        "agent",
        r#"
        first() { [ ! -e "$AROUND/seen-$WF0_WORK_ID" ] && : > "$AROUND/seen-$WF0_WORK_ID"; }
        case $WF0_WORK_ID in
            fails) if first; then rm -f .git; exit 1; fi ;;
            passes) if first; then rm -f .git; exit 0; fi ;;
            empties) if first; then rm -rf "$WF0_WORKTREE"; mkdir "$WF0_WORKTREE"; exit 1; fi ;;
            removes) if first; then git commit -q --allow-empty -m kept; rm -rf "$WF0_WORKTREE"; fi ;;
        esac
        git commit -q -a --allow-empty -m "$WF0_WORK_ID"
        "#,
    );
    std::fs::write(project.root().join("mine"), "begin").unwrap();
    project.git(&["add", "mine"]);
    project.git(&["commit", "-q", "-m", "mine"]);
    std::fs::write(project.root().join("mine"), "my private edit").unwrap();
    let before = (project.git(&["rev-parse", "main"]), project.git(&["status", "--porcelain"]));
    project.create(&[("fails", &[]), ("passes", &[]), ("empties", &[]), ("removes", &[])]);
    project.run(&["batch", "start", "--parallel", "2", "--wait"]);
    let status = project.status();
    for id in ["empties", "removes"] {
        assert_eq!(status[id]["state"], "completed", "made again from its branch: {}", status[id]);
    }
    assert_eq!(project.git(&["log", "--format=%s", "-2", "--skip=1", "feat/removes"]), "removes\nkept\n");
    for id in ["fails", "passes"] {
        assert_eq!(status[id]["state"], "failed", "what is in it is nobody's to throw away");
        let error = status[id]["error"].as_str().unwrap();
        assert!(error.contains("no worktree of this repository"), "{error}");
    }
    assert_eq!((project.git(&["rev-parse", "main"]), project.git(&["status", "--porcelain"])), before);
    assert_eq!(project.git(&["symbolic-ref", "HEAD"]), "refs/heads/main\n");
}

#[test]
fn a_project_that_was_moved_goes_on_where_it_is() {
    let project = Project::new(phases(&["one"], "agent"));
    project.script("agent", &format!("{WAITS}{COMMITS} await go"));
    project.create(&[("A", &[])]);
    project.ok(&["batch", "start"]);
    project.until("A runs", || !project.lines("calls").is_empty());
    project.ok(&["batch", "stop"]);
    let moved = project.around().join("moved");
    std::fs::rename(project.root(), &moved).unwrap();
    project.touch("go");
    let ran = support::ran(project.wf0(&["batch", "resume"]).current_dir(&moved));
    assert_eq!(ran.code, 0, "{ran:?}");
    let status = || {
        support::ran(project.wf0(&["batch", "status", "--summary", "--format", "json"]).current_dir(&moved))
            .out
    };
    project.until("it is completed", || {
        serde_json::from_str::<serde_json::Value>(&status())
            .is_ok_and(|it| it["scheduler"]["state"] == "stopped")
    });
    assert!(status().contains("\"completed\": 1"), "{}", status());
    std::fs::rename(&moved, project.root()).unwrap();
}

#[test]
fn an_agent_that_moves_head_is_followed_where_its_work_is_on_top_and_refused_elsewhere() {
    let mut config = phases(&["one"], "agent");
    config["batch"]["max_step_failures"] = 1.into();
    let project = Project::new(config);
    project.script(
        "agent",
        r#"
        case $WF0_WORK_ID in
            own) git checkout -q -b my-own-name; git commit -q --allow-empty -m mine ;;
            detached) git checkout -q --detach; git commit -q --allow-empty -m mine ;;
            lost) git commit -q --allow-empty -m kept; git checkout -q -b elsewhere main ;;
        esac
        "#,
    );
    project.create(&[("own", &[]), ("detached", &[]), ("lost", &[])]);
    assert_eq!(project.run(&["batch", "start", "--wait"]).code, 1);
    for id in ["own", "detached"] {
        assert_eq!(project.state(id), "completed");
        assert_eq!(project.git(&["log", "-1", "--format=%s", &format!("feat/{id}")]), "mine\n");
    }
    let error = project.status()["lost"]["error"].as_str().unwrap().to_owned();
    assert!(error.contains("feat/lost") && error.contains("elsewhere"), "{error}");
    assert_eq!(project.git(&["log", "-1", "--format=%s", "feat/lost"]), "kept\n", "nothing is thrown away");
}

#[test]
fn the_agents_record_guides_the_phases_within_limits() {
    let mut config = phases(&["wf1-kickoff", "wf2-spec", "wf5-implement", "wf6-verify"], "agent");
    config["batch"]["max_phase_runs"] = 3.into();
    config["batch"]["max_step_failures"] = 2.into();
    let project = Project::new(config);
    // The next phase of each work comes from a list; `=` in it leaves the record as it is.
    project.script(
        "agent",
        r#"
        echo "$WF0_WORK_ID $WF0_PHASE" >> "$AROUND/calls"
        n=$(grep -c "^$WF0_WORK_ID " "$AROUND/calls")
        next=$(sed -n "${n}p" "$AROUND/next-$WF0_WORK_ID")
        [ "$next" = "=" ] || printf '{"works":{"%s":{"current":"x","next":"%s","plan":{"current_step":%s,"total_steps":2}}}}' \
            "$WF0_WORK_ID" "$next" "$n" > "$WF0_PROJECT_ROOT/.wf/state.json"
        "#,
    );
    let phases_of = |id: &str| -> Vec<String> {
        let lines = project.lines("calls");
        lines.iter().filter_map(|line| line.strip_prefix(&format!("{id} "))).map(str::to_owned).collect()
    };
    let run = |id: &str, next: &[&str]| {
        std::fs::write(project.around().join(format!("next-{id}")), next.join("\n") + "\n").unwrap();
        project.create(&[(id, &[])]);
        project.run(&["batch", "start", "--parallel", "1", "--wait"]).code
    };
    // An older entry says that all is done: a first attempt begins at the first phase all the same.
    std::fs::write(project.root().join(".wf/state.json"), r#"{"works":{"skips":{"next":"complete"}}}"#)
        .unwrap();
    assert_eq!(run("skips", &["wf5-implement", "wf5-implement", "wf2-spec", "wf6-verify", "complete"]), 0);
    assert_eq!(
        phases_of("skips"),
        ["wf1-kickoff", "wf5-implement", "wf5-implement", "wf2-spec", "wf6-verify"]
    );

    assert_eq!(run("early", &["complete", "complete"]), 1);
    let error = project.status()["early"]["error"].as_str().unwrap().to_owned();
    assert!(error.contains("wf1-kickoff") && error.contains("complete"), "{error}");

    assert_eq!(run("still", &["wf2-spec", "wf2-spec", "=", "="]), 1);
    let error = project.status()["still"]["error"].as_str().unwrap().to_owned();
    assert!(error.contains("moved nothing"), "{error}");

    assert_eq!(
        run("round", &["wf2-spec", "wf1-kickoff", "wf2-spec", "wf1-kickoff", "wf2-spec", "wf1-kickoff"]),
        1
    );
    let error = project.status()["round"]["error"].as_str().unwrap().to_owned();
    assert!(error.contains("circles"), "{error}");
}

#[test]
fn an_interrupted_phase_that_the_agent_had_finished_is_not_run_again() {
    let project = Project::new(phases(&["one", "two"], "agent"));
    project.script(
        "agent",
        &format!(
            r#"{WAITS}
            echo "$WF0_PHASE" >> "$AROUND/calls"
            [ "$WF0_PHASE" = one ] && next=two || next=complete
            printf '{{"works":{{"A":{{"next":"%s"}}}}}}' "$next" > "$WF0_PROJECT_ROOT/.wf/state.json"
            echo x >> "$AROUND/recorded"
            await go"#
        ),
    );
    project.create(&[("A", &[])]);
    project.ok(&["batch", "start"]);
    project.until("phase one is recorded", || !project.lines("recorded").is_empty());
    project.ok(&["batch", "stop"]);
    project.touch("go");
    project.ok(&["batch", "resume"]);
    assert_eq!(project.until_over(), "completed");
    assert_eq!(project.lines("calls"), ["one", "two"]);
}

#[test]
fn a_configuration_that_breaks_while_the_batch_runs_holds_it_and_fails_nothing() {
    let config = phases(&["one"], "agent");
    let project = Project::new(config.clone());
    project.script("agent", &format!("{WAITS} echo $WF0_WORK_ID >> \"$AROUND/calls\"; await go"));
    project.create(&[("A", &[]), ("B", &["A"]), ("C", &["B"])]);
    project.ok(&["batch", "start", "--parallel", "1"]);
    project.until("A runs", || !project.lines("calls").is_empty());
    std::fs::write(project.root().join(".wf/config.json"), "{\"batch\": {").unwrap();
    project.touch("go");
    project.until("the batch holds itself", || project.summary()["status"] == "paused");
    let summary = project.summary();
    assert!(summary["reason"].as_str().unwrap().contains("config.json"), "{summary}");
    assert_eq!(summary["progress"]["failed"], 0);
    project.config(config);
    project.ok(&["batch", "resume"]);
    assert_eq!(project.until_over(), "completed");
    assert_eq!(project.lines("calls"), ["A", "B", "C"]);
    assert_eq!(
        project.document()["works"]["A"]["source"],
        json!({"type": "local", "id": "A", "title": null, "url": null})
    );
}
