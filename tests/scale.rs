//! Ten thousand works are no trouble, a hundred thousand in a chain overflow nothing, and twice the works take twice
//! the time. The bounds are those of a release build (`cargo test --release --test scale`); an unoptimised one gets
//! ten times as much.

mod support;

use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, WaitId, WaitIdOptions};
use serde_json::json;
use support::Project;

fn bound(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds * if cfg!(debug_assertions) { 10.0 } else { 1.0 })
}

fn write(project: &Project, name: &str, works: usize, on: impl Fn(usize) -> Vec<usize>) -> String {
    let id = |n: usize| format!("FEAT-{n}-work");
    let records: Vec<serde_json::Value> = (0..works)
        .map(|n| {
            let on: Vec<String> = on(n).into_iter().map(id).collect();
            json!({"work_id": id(n), "title": format!("The work of number {n}"), "dependencies": on})
        })
        .collect();
    let path = project.around().join(name);
    std::fs::write(&path, serde_json::Value::from(records).to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

#[track_caller]
fn timed(project: &Project, arguments: &[&str]) -> Duration {
    let begin = Instant::now();
    project.ok(arguments);
    begin.elapsed()
}

/// How long a command, with all that it waited for, had a processor; where the system does not tell, how long it took.
/// What else the machine does counts in the latter only. In a unit of the system's.
#[track_caller]
fn worked(project: &Project, arguments: &[&str]) -> u64 {
    let begin = Instant::now();
    let mut child = project.wf0(arguments).stdout(Stdio::null()).spawn().unwrap();
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    rustix::process::waitid(WaitId::Pid(pid), ended).unwrap();
    let took = begin.elapsed();
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap_or_default();
    assert!(child.wait().unwrap().success(), "{arguments:?}");
    match stat.rsplit_once(')') {
        // utime, stime, cutime, cstime.
        Some((_, fields)) => {
            let times = fields.split_ascii_whitespace().skip(11).take(4);
            times.map(|ticks| ticks.parse::<u64>().unwrap()).sum()
        }
        None => u64::try_from(took.as_millis()).unwrap(),
    }
}

fn several(n: usize) -> Vec<usize> {
    [1, 7, 50].into_iter().filter_map(|back| n.checked_sub(back)).collect()
}

#[test]
fn ten_thousand_works_are_created_checked_and_planned_at_once() {
    let project = Project::new(support::phases(&["one"], "true"));
    let list = write(&project, "list", 10_000, several);
    let create = timed(&project, &["schedule", "create", "--from", &list]);
    assert!(create < bound(2.0), "create took {create:?}");
    for arguments in [
        &["schedule", "validate"][..],
        &["batch", "start", "--dry-run"],
        &["batch", "status", "--format", "json"],
        &["work", "next"],
    ] {
        let took = timed(&project, arguments);
        assert!(took < bound(1.0), "{arguments:?} took {took:?}");
    }
}

#[test]
fn a_thousand_issues_that_name_three_thousand_others_are_a_schedule_at_once() {
    let project = Project::new(support::phases(&["one"], "true"));
    let filler = "Lorem ipsum, see `code` and <!-- a comment -->. ".repeat(40);
    let issues: Vec<serde_json::Value> = (1..=1003_u32)
        .map(|n| {
            let on: Vec<String> =
                [1, 7, 50].iter().filter_map(|back| n.checked_sub(*back)).filter(|n| *n > 0).map(|n| format!("#{n}")).collect();
            let body = match on.as_slice() {
                [] => filler.clone(),
                on => format!("{filler}\n\n**Depends on:** {}\n\n{filler}", on.join(", ")),
            };
            json!({"number": n, "title": format!("Work number {n}"), "body": body, "labels": [{"name": "scheduled"}],
                   "state": "OPEN", "url": format!("https://github.com/acme/shop/issues/{n}")})
        })
        .collect();
    let path = project.around().join("issues.json");
    std::fs::write(&path, serde_json::Value::from(issues).to_string()).unwrap();
    let path = path.to_str().unwrap();
    for arguments in [
        &["schedule", "create", "--from", path, "--dry-run"][..],
        &["schedule", "create", "--from", path],
        &["schedule", "create", "--from", path],
        &["schedule", "show", "--edges"],
        &["schedule", "validate"],
        &["schedule", "why", "FEAT-1003-work-number-1003"],
    ] {
        let took = timed(&project, arguments);
        assert!(took < bound(2.0), "{arguments:?} took {took:?}");
    }
    let edges = project.ok(&["schedule", "show", "--edges", "--format", "ndjson"]);
    assert!(edges.lines().count() > 2900, "{}", edges.lines().count());
}

#[test]
fn a_chain_of_a_hundred_thousand_works_overflows_nothing() {
    let project = Project::new(support::phases(&["one"], "true"));
    let list = write(&project, "chain", 100_000, |n| n.checked_sub(1).into_iter().collect());
    project.ok(&["schedule", "create", "--from", &list]);
    project.ok(&["schedule", "validate"]);
    let plan = project.ok(&["batch", "start", "--dry-run", "--format", "ndjson"]);
    assert_eq!(plan.lines().count(), 100_000);
    assert!(plan.lines().last().unwrap().contains("\"wave\":100000"));
    let around = write(&project, "around", 100_000, |n| vec![(n + 1) % 100_000]);
    assert!(project.fails(&["schedule", "create", "--force", "--from", &around]).contains("circle"));
}

#[test]
fn twice_the_works_take_about_twice_the_time() {
    let best = |works: usize| {
        let project = Project::new(support::phases(&["one"], "true"));
        let list = write(&project, "list", works, several);
        let runs = (0..3).map(|_| {
            worked(&project, &["schedule", "create", "--force", "--from", &list])
                + worked(&project, &["batch", "start", "--dry-run", "--format", "json"])
        });
        runs.min().unwrap()
    };
    let (once, twice) = (best(8_000), best(16_000));
    let ratio = twice as f64 / once as f64;
    assert!(ratio < 3.0, "{once} and {twice}: {ratio:.2} times");
}
