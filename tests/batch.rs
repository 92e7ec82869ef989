//! A schedule runs in worktrees, from one command.

mod support;

use std::time::{Duration, Instant};

use serde_json::json;
use support::{COMMITS, Project, WAITS, phases};

const SEED: [(&str, &[&str]); 5] = [
    ("FEAT-100-database", &[]),
    ("FEAT-123-auth", &["FEAT-100-database"]),
    ("FEAT-125-api", &["FEAT-100-database"]),
    ("FEAT-124-export", &["FEAT-123-auth"]),
    ("FEAT-126-ui", &["FEAT-125-api"]),
];

#[test]
fn the_seeds_example_runs_with_the_agent_claude_in_tmux_within_five_seconds() {
    let project = Project::new(json!({"batch": {"tmux": true}}));
    let origin = project.with_origin();
    project.script(
        "claude",
        r#"
        printf '%s|%s|%s\n' "$WF0_WORK_ID" "$1" "$2" >> "$AROUND/claude-calls"
        for id in FEAT-100-database FEAT-123-auth; do
            [ "$WF0_WORK_ID" != FEAT-124-export ] || [ -e "$id-wf6-verify.txt" ] || exit 9
        done
        [ "$(git status --porcelain)" = "" ] || exit 8
        echo "$WF0_PHASE" > "$WF0_WORK_ID-$WF0_PHASE.txt"
        git add . && git commit -q -m "$WF0_WORK_ID $WF0_PHASE"
        "#,
    );
    project.create(&SEED);
    let begin = Instant::now();
    project.ok(&["batch", "start", "--parallel", "2", "--wait"]);
    let took = begin.elapsed();
    assert!(took < Duration::from_secs(5), "took {took:?}");

    let summary = project.summary();
    assert_eq!(summary["status"], "completed");
    assert_eq!(summary["progress"]["completed"], 5);
    let calls = project.lines("claude-calls");
    assert_eq!(calls.len(), 30, "six phases of five works, each once");
    assert_eq!(calls[0], "FEAT-100-database|--print|/wf1-kickoff local=FEAT-100-database");
    assert_eq!(calls[1], "FEAT-100-database|--print|/wf0-nextstep FEAT-100-database");
    let commits =
        |branch: &str| project.git_in(&origin, &["rev-list", "--count", &format!("main..{branch}")]);
    assert_eq!(commits("feat/100-database").trim(), "6");
    assert_eq!(commits("feat/124-export").trim(), "18", "its own, its dependency's and theirs");
    assert_eq!(project.tmux(&["ls"]).out, "", "no session is left");
    assert_eq!(std::fs::read_dir(project.root().join(".worktrees")).unwrap().count(), 0);
    assert_eq!(project.git(&["status", "--porcelain"]), "");
    let document = project.document();
    assert_eq!(document["status"], "completed");
    assert_eq!(document["progress"], json!({"total": 5, "completed": 5, "in_progress": 0, "pending": 0}));
}

#[test]
fn a_source_decides_how_the_agent_begins() {
    let project = Project::new(json!({}));
    project.script("claude", r#"echo "$2 $WF0_SOURCE_TYPE $WF0_SOURCE_ID" >> "$AROUND/prompts""#);
    let works = json!({"works": {
        "FEAT-1-a": {"source": {"type": "github", "id": "123", "title": "T"}},
        "FEAT-2-b": {"source": {"type": "jira", "id": "ABC-7"}},
        "FEAT-3-c": {"source": {"type": "local", "id": "mine"}}
    }});
    std::fs::write(project.root().join(".wf/schedule.json"), works.to_string()).unwrap();
    project.ok(&["batch", "start", "--parallel", "1", "--wait"]);
    let prompts = project.lines("prompts");
    for (id, first) in [
        ("github 123", "/wf1-kickoff github=#123"),
        ("jira ABC-7", "/wf1-kickoff jira=ABC-7"),
        ("local mine", "/wf1-kickoff local=mine"),
    ] {
        let of: Vec<&String> = prompts.iter().filter(|line| line.ends_with(id)).collect();
        assert_eq!(of.len(), 6);
        assert_eq!(*of[0], format!("{first} {id}"));
        assert!(of[1..].iter().all(|line| line.starts_with("/wf0-nextstep FEAT-")), "{of:?}");
    }
}

#[test]
fn a_failing_phase_is_tried_again_then_blocks_its_dependents_and_resume_takes_up_the_rest() {
    let mut config = phases(&["one", "two", "three"], "agent");
    config["batch"]["max_step_failures"] = 2.into();
    let project = Project::new(config);
    project.script(
        "agent",
        &format!(
            r#"{COMMITS}
            if [ "$WF0_WORK_ID $WF0_PHASE" = "BAD two" ] && [ ! -e "$AROUND/mended" ]; then
                echo "the disk of the moon is full"; exit 7
            fi"#
        ),
    );
    project.create(&[("BAD", &[]), ("NEXT", &["BAD"]), ("LAST", &["NEXT"]), ("OTHER", &[])]);
    let ran = project.run(&["batch", "start", "--parallel", "2", "--wait"]);
    assert_eq!(ran.code, 1, "{ran:?}");

    let status = project.status();
    let error = status["BAD"]["error"].as_str().unwrap();
    for part in ["two", "2 attempts", "exit status 7", "the disk of the moon is full"] {
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(status["BAD"]["phase"], "two");
    assert_eq!(status["BAD"]["attempts"], 2);
    assert_eq!(status["NEXT"]["state"], "blocked");
    assert_eq!(status["NEXT"]["error"], "BAD failed");
    assert_eq!(status["NEXT"]["waiting_on"], json!(["BAD"]));
    assert_eq!(status["LAST"]["state"], "blocked");
    assert_eq!(status["OTHER"]["state"], "completed");
    assert_eq!(project.summary()["status"], "failed");
    assert_eq!(project.document()["works"]["BAD"]["status"], "failed");
    assert_eq!(project.document()["works"]["NEXT"]["status"], "pending");

    let said = project.fails(&["batch", "start"]);
    assert!(said.contains("1 failed") && said.contains("wf0 batch resume"), "{said}");
    let said = project.fails(&["batch", "logs", "BAD", "--phase", "zzzz"]);
    assert!(said.contains("there are one, two, three\n"), "each once, run or not: {said}");

    let before = project.lines("calls").len();
    project.touch("mended");
    project.ok(&["batch", "resume"]);
    assert_eq!(project.until_over(), "completed");
    let again: Vec<String> = project.lines("calls").split_off(before);
    assert_eq!(again[..2], ["BAD two 1", "BAD three 1"], "what was finished is not run again");
    assert_eq!(again.len(), 8);
    let said = project.fails(&["batch", "start"]);
    assert!(said.contains("completed"), "{said}");
}

#[test]
fn waits_between_attempts_grow_and_a_stop_cuts_them_short() {
    let mut config = phases(&["one"], "agent");
    config["batch"]["retry_delay"] = 0.3.into();
    let project = Project::new(config);
    project.script("agent", r#"date +%s.%N >> "$AROUND/times"; exit 1"#);
    project.create(&[("A", &[])]);
    assert_eq!(project.run(&["batch", "start", "--wait"]).code, 1);
    let times: Vec<f64> = project.lines("times").iter().map(|line| line.parse().unwrap()).collect();
    assert_eq!(times.len(), 3);
    assert!(times[1] - times[0] >= 0.3 && times[2] - times[1] >= 0.6, "{times:?}");

    let mut config = phases(&["one"], "agent");
    config["batch"]["retry_delay"] = 60.into();
    project.config(config);
    project.ok(&["batch", "resume"]);
    project.until("the fourth attempt", || project.lines("times").len() == 4);
    project.until("it is recorded as failed", || {
        project.ok(&["batch", "logs", "A"]).matches("==>").count() == 4
    });
    let begin = Instant::now();
    project.ok(&["batch", "stop"]);
    assert!(begin.elapsed() < Duration::from_secs(30), "{:?}", begin.elapsed());
    assert_eq!(project.state("A"), "pending");
}

#[test]
fn placeholders_and_environment_reach_a_phase_without_a_shell() {
    let title = "$(touch owned) `touch owned` \"quoted\" 'single' {branch} 🚀 \u{1b}[31m";
    let project = Project::new(json!({"batch": {"phases": [
        {"name": "list", "command": ["show", "{work_id}/{phase}", "{title}", "{branch}", "{worktree}", "{source_type}:{source_id}", "{unknown}"]},
        {"name": "text", "command": "show \"$WF0_TITLE\" \"$WF0_PHASE\" {phase}"},
    ]}}));
    project.script(
        "show",
        r#"
        for argument; do printf '<%s>\n' "$argument" >> "$AROUND/shown"; done
        [ -z "$CLAUDECODE$GH_TOKEN$GIT_DIR" ] || exit 3
        [ "$GIT_TERMINAL_PROMPT" = 0 ] && [ "$(git config gc.auto)" = 0 ] || exit 4
        [ "$WF0_WORKTREE" = "$(pwd -P)" ] && [ -e "$WF0_PROJECT_ROOT/.wf/config.json" ] || exit 5
        [ "$WF0_BRANCH" = "$(git symbolic-ref --short HEAD)" ] && [ "$WF0_ATTEMPT" = 1 ] || exit 6
        [ "$(readlink -f /dev/stdin)" = /dev/null ] || exit 7
        [ "$WF0_PHASE" = text ] || [ "$(ps -o pgid= -p $$ | tr -d ' ')" = $$ ] || exit 8
        "#,
    );
    let works = json!([{"work_id": "FIX-1-a", "title": title}]);
    let path = project.around().join("works.json");
    std::fs::write(&path, works.to_string()).unwrap();
    project.ok(&["schedule", "create", "--from", path.to_str().unwrap()]);
    let mut start = project.wf0(&["batch", "start", "--wait"]);
    start.env("CLAUDECODE", "1").env("GH_TOKEN", "secret").env("GIT_DIR", "/nowhere");
    let ran = support::ran(&mut start);
    assert_eq!(ran.code, 0, "{ran:?} {:?}", project.status());
    let worktree = project.root().join(".worktrees/fix-1-a");
    let shown = project.lines("shown");
    assert_eq!(
        shown,
        [
            "<FIX-1-a/list>".to_owned(),
            format!("<{title}>"),
            "<fix/1-a>".to_owned(),
            format!("<{}>", worktree.display()),
            "<local:FIX-1-a>".to_owned(),
            "<{unknown}>".to_owned(),
            format!("<{title}>"),
            "<text>".to_owned(),
            "<{phase}>".to_owned(),
        ]
    );
    assert!(!project.root().join("owned").exists() && !worktree.join("owned").exists());
    for command in [&["batch", "status"][..], &["schedule", "show"]] {
        assert!(!project.ok(command).contains('\u{1b}'), "{command:?}");
    }
}

#[test]
fn starting_twice_at_once_gives_one_scheduler_and_one_clear_answer() {
    let project = Project::new(phases(&["one"], "agent"));
    project.script("agent", &format!("{WAITS} await go"));
    project.create(&[("A", &[])]);
    let both: Vec<_> = std::thread::scope(|scope| {
        let start = || project.run(&["batch", "start"]);
        let other = scope.spawn(start);
        vec![start(), other.join().unwrap()]
    });
    let mut codes: Vec<i32> = both.iter().map(|ran| ran.code).collect();
    codes.sort_unstable();
    assert_eq!(codes, [0, 1], "{both:?}");
    let refused = both.iter().find(|ran| ran.code == 1).unwrap();
    assert!(refused.err.contains("a scheduler already serves this project (pid "), "{refused:?}");
    assert_eq!(project.pids("batch daemon").len(), 1);
    project.touch("go");
    assert_eq!(project.until_over(), "completed");
}

#[test]
fn two_projects_of_one_name_never_meet() {
    let mut config = phases(&["one"], "agent");
    config["batch"]["tmux"] = true.into();
    let one = Project::named("same", config.clone());
    let other = Project::named("same", config);
    for project in [&one, &other] {
        project.script("agent", &format!("{WAITS} await go"));
        project.create(&[("A", &[])]);
    }
    // Both on one tmux server, as on one machine.
    let shared = one.around().join("tmux");
    let start = |project: &Project| {
        let ran = support::ran(project.wf0(&["batch", "start"]).env("TMUX_TMPDIR", &shared));
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.out
    };
    assert!(start(&one).contains("tmux attach -t wf-batch-worker-1\n"));
    assert!(start(&other).contains("tmux attach -t wf-batch-worker-1-same"));
    let stop = support::ran(one.wf0(&["batch", "stop"]).env("TMUX_TMPDIR", &shared));
    assert_eq!(stop.code, 0, "{stop:?}");
    assert_eq!(other.state("A"), "running");
    other.touch("go");
    assert_eq!(other.until_over(), "completed");
    assert_eq!(one.state("A"), "pending");
    one.until("no session is left", || one.tmux(&["ls"]).out.is_empty());
}

#[test]
fn a_dry_run_changes_nothing_whatever_state_the_project_is_in() {
    let project = Project::new(phases(&["one"], "agent"));
    project.script("agent", &format!("{WAITS} echo $$ > \"$AROUND/begun\"; await go"));
    let unchanged = |what: &str| {
        let before = project.snapshot();
        let plan = project.ok(&["batch", "start", "--dry-run", "--format", "json"]);
        assert_eq!(project.snapshot(), before, "{what}");
        serde_json::from_str::<Vec<serde_json::Value>>(&plan).unwrap()
    };
    let text = r#"{"works": {"A": {}, "B": {"dependencies": ["A"]}, "C": {"dependencies": ["B", "A"]}}}"#;
    std::fs::write(project.root().join(".wf/schedule.json"), text).unwrap();
    let plan = unchanged("a file by hand and no store");
    assert_eq!(plan.len(), 3);
    assert!(!project.root().join(".git/wf0").exists());
    project.ok(&["batch", "status"]);
    unchanged("a store");

    project.ok(&["batch", "start"]);
    project.until("A runs", || !project.lines("begun").is_empty());
    project.kill_all();
    project.kill("bin/agent");
    project.until("all are dead", || project.pids("").is_empty());
    unchanged("everything was killed");
    let edited = std::fs::read_to_string(project.root().join(".wf/schedule.json")).unwrap();
    let mut document: serde_json::Value = serde_json::from_str(&edited).unwrap();
    document["works"]["C"]["dependencies"] = json!([]);
    std::fs::write(project.root().join(".wf/schedule.json"), document.to_string()).unwrap();
    let plan = unchanged("an edit that nobody has taken in");
    let c = plan.iter().find(|row| row["work_id"] == "C").unwrap();
    assert_eq!((c["wave"].as_i64(), c["base"].as_str()), (Some(1), Some("main")));
    project.touch("go");
}

#[test]
fn the_plan_is_the_order_in_which_works_are_dispatched() {
    let project = Project::new(phases(&["one"], "agent"));
    project.script("agent", r#"echo "$WF0_WORK_ID" >> "$AROUND/order""#);
    let works = json!([
        {"work_id": "L", "priority": 5}, {"work_id": "A"}, {"work_id": "B", "dependencies": ["A"]},
        {"work_id": "C", "dependencies": ["B"]}, {"work_id": "D"}, {"work_id": "U", "priority": -1},
        {"work_id": "E", "dependencies": ["D"], "priority": 1}, {"work_id": "X", "dependencies": ["C", "E"]}
    ]);
    let path = project.around().join("works.json");
    std::fs::write(&path, works.to_string()).unwrap();
    project.ok(&["schedule", "create", "--from", path.to_str().unwrap()]);
    let plan: Vec<serde_json::Value> = serde_json::from_str(&project.ok(&[
        "batch",
        "start",
        "--parallel",
        "1",
        "--dry-run",
        "--format",
        "json",
    ]))
    .unwrap();
    let planned: Vec<&str> = plan.iter().map(|row| row["work_id"].as_str().unwrap()).collect();
    assert_eq!(planned, ["U", "A", "D", "E", "B", "C", "X", "L"]);
    let critical: Vec<&str> = plan
        .iter()
        .filter(|row| row["critical"] == true)
        .map(|row| row["work_id"].as_str().unwrap())
        .collect();
    assert_eq!(critical, ["A", "B", "C", "X"]);
    project.ok(&["batch", "start", "--parallel", "1", "--wait"]);
    assert_eq!(project.lines("order"), planned);
}

#[test]
fn without_worktrees_works_run_in_the_project_root() {
    let mut config = phases(&["one"], "agent");
    config["worktree"] = json!({"enabled": false});
    let project = Project::new(config);
    project.script("agent", r#"pwd -P >> "$AROUND/where"; [ -z "$WF0_BRANCH" ]"#);
    project.create(&[("A", &[]), ("B", &["A"])]);
    let ran = project.run(&["batch", "start", "--parallel", "2", "--wait"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.err.contains("share one folder"), "{ran:?}");
    let root = project.root().to_str().unwrap().to_owned();
    assert_eq!(project.lines("where"), [root.clone(), root]);
    assert!(project.status().values().all(|row| row["branch"].is_null() && row["worktree"].is_null()));
    assert_eq!(project.git(&["branch", "--list"]).trim(), "* main");
}

#[test]
fn commands_work_from_anywhere_inside_the_project_and_its_worktrees() {
    let project = Project::new(phases(&["one"], "agent"));
    project.script("agent", &format!("{WAITS} await go"));
    project.create(&[("FEAT-1-a", &[])]);
    project.ok(&["batch", "start"]);
    let worktree = project.root().join(".worktrees/feat-1-a");
    project.until("the worktree is linked", || worktree.join(".wf/schedule.json").exists());
    std::fs::create_dir(project.root().join("below")).unwrap();
    for folder in [project.root().join("below"), worktree] {
        let ran = support::ran(project.wf0(&["batch", "status", "--format", "ndjson"]).current_dir(&folder));
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(ran.out.contains(r#""work_id":"FEAT-1-a""#), "{ran:?}");
    }
    let ran = support::ran(
        project.wf0(&["batch", "status"]).current_dir("/").env("WF0_PROJECT_ROOT", project.root()),
    );
    assert_eq!(ran.code, 0, "{ran:?}");
    project.touch("go");
    assert_eq!(project.until_over(), "completed");
}
