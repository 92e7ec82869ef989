//! Processes are killed at random while a batch runs. The truth is the agents' own log, which wf0 does not know.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use support::{Project, phases};

/// How many works there are; `WF0_CHAOS_WORKS` says otherwise.
const WORKS: usize = 24;

/// How many processes are killed for each of them, if the batch is not over before.
const KILLS: usize = 2;

/// An agent that notes its begin and end, and whether another one was at the same work.
const WITNESS: &str = r#"
mkdir "$AROUND/at-$WF0_WORK_ID" 2>/dev/null || echo "TWICE $WF0_WORK_ID $WF0_PHASE" >> "$AROUND/log"
trap 'rmdir "$AROUND/at-$WF0_WORK_ID"; exit 143' TERM
echo "B $WF0_WORK_ID $WF0_PHASE" >> "$AROUND/log"
sleep 0.15
echo "$WF0_PHASE" > "$WF0_WORK_ID-$WF0_PHASE"; git add . && git commit -q --allow-empty -m "$WF0_PHASE" || exit 1
echo "E $WF0_WORK_ID $WF0_PHASE" >> "$AROUND/log"
rmdir "$AROUND/at-$WF0_WORK_ID"
"#;

/// The generator of numerical recipes; the same kills in the same order every time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn count() -> usize {
    std::env::var("WF0_CHAOS_WORKS").ok().and_then(|text| text.parse().ok()).unwrap_or(WORKS)
}

fn works() -> Vec<(String, Vec<String>)> {
    (0..count())
        .map(|n| {
            let on = [n.checked_sub(3), n.checked_sub(7)];
            (format!("W{n}"), on.into_iter().flatten().map(|on| format!("W{on}")).collect())
        })
        .collect()
}

fn storm(targets: &[&str], seed: u64) -> Project {
    let project = Project::new(phases(&["one", "two"], "agent"));
    project.script("agent", WITNESS);
    let works = works();
    let lists: Vec<Vec<&str>> = works.iter().map(|(_, on)| on.iter().map(String::as_str).collect()).collect();
    let listed: Vec<(&str, &[&str])> =
        works.iter().zip(&lists).map(|((id, _), on)| (id.as_str(), on.as_slice())).collect();
    project.create(&listed);
    let killed = Mutex::new(Vec::new());
    let story = || format!("{}\n{:#?}", project.story(), killed.lock().unwrap());
    // Started again and again as a person would; it is running already, or over, or it goes on.
    let start = || {
        let ran = project.run(&["batch", "start", "--parallel", "3"]);
        let over = ran.err.contains(&format!("all {} works", count()));
        // The scheduler that it has just opened may be the one that is killed next.
        let told =
            ["already serves", "ended as soon as it was opened"].iter().any(|part| ran.err.contains(part));
        assert!(ran.code == 0 || over || told, "{ran:?}\n{}", story());
        over
    };
    start();
    let most = count() * KILLS;
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let killer = scope.spawn(|| {
            let mut random = Random(seed);
            while killed.lock().unwrap().len() < most && !over.load(Ordering::Relaxed) {
                let target = targets[usize::try_from(random.below(targets.len() as u64)).unwrap()];
                let pids = project.pids(target);
                if !pids.is_empty() {
                    let pid = pids[usize::try_from(random.below(pids.len() as u64)).unwrap()];
                    let line = std::fs::read_to_string(format!("/proc/{pid}/cmdline"));
                    let at = jiff::Timestamp::now();
                    killed.lock().unwrap().push(format!("{at} {pid} {target} {line:?}"));
                    support::kill(pid);
                }
                std::thread::sleep(Duration::from_millis(random.below(250)));
            }
        });
        // Whatever goes wrong here, the killer must end for the test to.
        let _end = Ends(&over);
        while !killer.is_finished() && !start() {
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    start();
    let status = project.until_over();
    assert_eq!(status, "completed", "nothing is lost\n{}", story());
    assert!(killed.lock().unwrap().len() > 5, "{}", story());
    project
}

/// Raises the flag when it goes.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn check(project: &Project) -> BTreeMap<String, u32> {
    let log = project.lines("log");
    assert!(!log.iter().any(|line| line.starts_with("TWICE")), "two at one work: {log:#?}");
    let works: BTreeMap<String, Vec<String>> = works().into_iter().collect();
    let (mut ended, mut done, mut ends) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
    for line in &log {
        let parts: Vec<&str> = line.split(' ').collect();
        let (work, phase) = (parts[1], parts[2]);
        if parts[0] == "B" {
            for on in &works[work] {
                assert!(done.contains(on.as_str()), "{work} {phase} began before {on} was done");
            }
            assert!(phase == "one" || ended.contains(&format!("{work} one")), "{line} before one");
        } else {
            ended.insert(format!("{work} {phase}"));
            *ends.entry(format!("{work} {phase}")).or_insert(0) += 1;
            if phase == "two" {
                done.insert(work.to_owned());
            }
        }
    }
    assert_eq!(ends.len(), 2 * count(), "each phase of each work came to its end");
    ends
}

#[test]
fn kills_of_scheduler_and_workers_cost_nothing() {
    let project = storm(&["batch daemon", "batch worker"], 7);
    for (phase, times) in check(&project) {
        assert_eq!(times, 1, "{phase} was run again although it had finished");
    }
}

#[test]
fn kills_of_anything_but_the_agent_lose_nothing_and_run_nothing_twice_at_once() {
    // A killed runner's agent is ended with TERM first: its mark goes with it.
    let project = storm(&["batch daemon", "batch worker", "batch runner"], 11);
    check(&project);
}
