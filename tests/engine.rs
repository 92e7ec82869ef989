//! The rules as the store applies them, over thousands of random graphs, event orders and failures: a work is never
//! given out before what it depends on is done, never twice at once, never lost; the order is the plan's; a batch
//! always ends.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use wf0::project::Project;
use wf0::schedule::{Document, ScheduleStatus, Status, WorkId, WorkerNumber};
use wf0::store::Store;
use wf0::store::create::Checked;
use wf0::store::runs::Outcome;
use wf0::store::works::Owner;

const WORKERS: u32 = 3;

#[derive(Debug, Clone)]
enum Happens {
    Assign(u32),
    Complete(u32),
    Fail(u32),
    Return { worker: u32, pause: bool },
    PausePending(usize),
    Reopen(usize),
    ClaimExternal { work: usize, worker: u32 },
}

#[derive(Debug, Clone)]
struct Case {
    works: Vec<(i64, Vec<usize>)>,
    events: Vec<Happens>,
}

fn case() -> impl Strategy<Value = Case> {
    let works = proptest::collection::vec(
        (1i64..4, proptest::collection::vec(any::<prop::sample::Index>(), 0..3)),
        1..12,
    );
    let worker = 1..=WORKERS;
    let event = prop_oneof![
        6 => worker.clone().prop_map(Happens::Assign),
        5 => worker.clone().prop_map(Happens::Complete),
        2 => worker.clone().prop_map(Happens::Fail),
        2 => (worker.clone(), any::<bool>()).prop_map(|(worker, pause)| Happens::Return { worker, pause }),
        1 => (0usize..12).prop_map(Happens::PausePending),
        1 => (0usize..12).prop_map(Happens::Reopen),
        1 => (0usize..12, worker).prop_map(|(work, worker)| Happens::ClaimExternal { work, worker }),
    ];
    (works, proptest::collection::vec(event, 0..40)).prop_map(|(works, events)| Case {
        works: works
            .into_iter()
            .enumerate()
            .map(|(n, (priority, on))| {
                let on: BTreeSet<usize> = on.into_iter().filter(|_| n > 0).map(|on| on.index(n)).collect();
                (priority, on.into_iter().collect())
            })
            .collect(),
        events,
    })
}

/// What must be true, kept beside the store and much simpler than it.
#[derive(Debug)]
struct Truth {
    works: Vec<(i64, Vec<usize>)>,
    weights: Vec<u32>,
    status: Vec<Status>,
    paused: Vec<bool>,
    held: BTreeMap<u32, usize>,
}

impl Truth {
    fn new(works: Vec<(i64, Vec<usize>)>) -> Truth {
        let mut weights = vec![0; works.len()];
        for n in (0..works.len()).rev() {
            for &on in &works[n].1 {
                weights[on] = weights[on].max(weights[n] + 1);
            }
        }
        let len = works.len();
        Truth {
            works,
            weights,
            status: vec![Status::Pending; len],
            paused: vec![false; len],
            held: BTreeMap::new(),
        }
    }

    fn is_ready(&self, n: usize) -> bool {
        self.status[n] == Status::Pending
            && !self.paused[n]
            && self.works[n].1.iter().all(|on| self.status[*on] == Status::Completed)
    }

    fn next(&self) -> Option<usize> {
        let ready = (0..self.works.len()).filter(|n| self.is_ready(*n));
        ready.min_by_key(|n| (self.works[*n].0, std::cmp::Reverse(self.weights[*n]), *n))
    }

    fn is_over(&self) -> bool {
        self.held.is_empty() && self.next().is_none()
    }
}

fn id(n: usize) -> WorkId {
    WorkId::new(format!("W{n}")).unwrap()
}

fn worker(n: u32) -> WorkerNumber {
    WorkerNumber::new(n).unwrap()
}

fn play(store: &mut Store, case: Case) -> Result<(), TestCaseError> {
    let works: serde_json::Map<String, serde_json::Value> = case
        .works
        .iter()
        .enumerate()
        .map(|(n, (priority, on))| {
            let on: Vec<String> = on.iter().map(|on| id(*on).to_string()).collect();
            (id(n).to_string(), serde_json::json!({"priority": priority, "dependencies": on}))
        })
        .collect();
    let text = serde_json::json!({"works": works}).to_string();
    let prefixes = wf0::config::Config::default().branch_prefix;
    let checked = Checked::new(Document::parse("case", text.as_bytes()).unwrap(), &prefixes).unwrap();
    store.replace(&checked, WORKERS).unwrap();
    store.change(|change| change.start_batch(WORKERS, false)).unwrap();
    let mut truth = Truth::new(case.works);
    for event in case.events {
        happen(store, &mut truth, event)?;
        agree(store, &truth)?;
    }
    // From here on nothing fails: whatever came before, the batch ends.
    for turn in 0..1000 {
        if truth.is_over() {
            break;
        }
        let event = match truth.held.keys().next() {
            Some(worker) => Happens::Complete(*worker),
            None => Happens::Assign(1),
        };
        happen(store, &mut truth, event)?;
        prop_assert!(turn < 900, "it does not end");
    }
    agree(store, &truth)?;
    let status = store.status().unwrap().unwrap();
    let all = truth.status.iter().all(|status| *status == Status::Completed);
    prop_assert_eq!(status == ScheduleStatus::Completed, all);
    prop_assert_ne!(status, ScheduleStatus::Running);
    Ok(())
}

fn happen(store: &mut Store, truth: &mut Truth, event: Happens) -> Result<(), TestCaseError> {
    let running = store.status().unwrap() == Some(ScheduleStatus::Running);
    match event {
        Happens::Assign(number) => {
            let given = store.change(|change| change.assign(worker(number))).unwrap();
            let expected = if running && !truth.held.contains_key(&number) { truth.next() } else { None };
            prop_assert_eq!(given, expected.map(id), "the order is priority, longest chain, creation");
            if let Some(n) = expected {
                truth.status[n] = Status::Running;
                truth.held.insert(number, n);
                let run = store.run_of(worker(number)).unwrap().unwrap();
                prop_assert!(store.change(|change| change.begin_run(run.id)).unwrap());
                prop_assert!(
                    !store.change(|change| change.begin_run(run.id)).unwrap(),
                    "a claim is begun once"
                );
            }
        }
        Happens::Complete(number) => end(store, truth, number, &Outcome::Completed)?,
        Happens::Fail(number) => end(store, truth, number, &Outcome::Failed("x".into()))?,
        Happens::Return { worker, pause } => {
            end(store, truth, worker, &Outcome::Returned { why: "x".into(), pause })?;
        }
        Happens::PausePending(n) if n < truth.works.len() => {
            let paused = store.change(|change| change.pause_pending(&id(n))).unwrap();
            let expected = truth.status[n] == Status::Pending && !truth.paused[n];
            prop_assert_eq!(paused, expected);
            truth.paused[n] |= expected;
        }
        Happens::Reopen(n) if n < truth.works.len() => {
            let opened = store.change(|change| change.reopen(&id(n))).unwrap();
            let expected =
                truth.status[n] == Status::Failed || (truth.status[n] == Status::Pending && truth.paused[n]);
            prop_assert_eq!(opened, expected);
            if expected {
                truth.status[n] = Status::Pending;
                truth.paused[n] = false;
                store.change(|change| change.start_batch(WORKERS, false)).unwrap();
                store.change(|change| change.close_if_over()).unwrap();
            }
        }
        Happens::ClaimExternal { work: n, worker: number } if n < truth.works.len() => {
            let claimed = store.change(|change| change.claim_external(&id(n), worker(number))).is_ok();
            let paused = store.status().unwrap() == Some(ScheduleStatus::Paused);
            let expected = truth.is_ready(n) && !truth.held.contains_key(&number) && !paused;
            prop_assert_eq!(claimed, expected);
            if claimed {
                truth.status[n] = Status::Running;
                truth.held.insert(number, n);
            }
        }
        _ => {}
    }
    Ok(())
}

fn end(store: &mut Store, truth: &mut Truth, number: u32, outcome: &Outcome) -> Result<(), TestCaseError> {
    let run = store.run_of(worker(number)).unwrap();
    let held = truth.held.remove(&number);
    prop_assert_eq!(run.as_ref().map(|run| run.work_id.clone()), held.map(id));
    let (Some(run), Some(n)) = (run, held) else { return Ok(()) };
    if run.owner == Owner::External {
        let other = worker(number % WORKERS + 1);
        let stolen = store.change(|change| change.external_run(Some(&run.work_id), other));
        prop_assert!(stolen.is_err(), "a claim is its owner's");
    }
    prop_assert!(store.change(|change| change.end_run(run.id, &run.work_id, outcome)).unwrap());
    prop_assert!(!store.change(|change| change.end_run(run.id, &run.work_id, &Outcome::Completed)).unwrap());
    (truth.status[n], truth.paused[n]) = match outcome {
        Outcome::Completed => (Status::Completed, false),
        Outcome::Failed(_) => (Status::Failed, false),
        Outcome::Returned { pause, .. } => (Status::Pending, *pause),
    };
    Ok(())
}

fn agree(store: &Store, truth: &Truth) -> Result<(), TestCaseError> {
    let schedule = store.schedule().unwrap().unwrap();
    for (n, work) in schedule.works.iter().enumerate() {
        prop_assert_eq!((work.status, work.paused), (truth.status[n], truth.paused[n]), "{}", work.id);
        if work.status == Status::Running {
            for on in &truth.works[n].1 {
                prop_assert_eq!(truth.status[*on], Status::Completed, "{} runs before W{}", work.id, on);
            }
        }
    }
    let runs: BTreeMap<u32, WorkId> =
        schedule.runs.iter().map(|run| (run.worker.get(), run.work_id.clone())).collect();
    let held: BTreeMap<u32, WorkId> = truth.held.iter().map(|(number, n)| (*number, id(*n))).collect();
    prop_assert_eq!(runs, held);
    if schedule.status == ScheduleStatus::Running {
        prop_assert!(!truth.is_over(), "what is over is closed");
    } else {
        prop_assert!(truth.held.is_empty(), "what runs keeps the batch open");
    }
    Ok(())
}

#[test]
fn no_order_of_events_breaks_a_promise() {
    // What is proved here has nothing to do with a disk; in memory a transition costs no wait for one.
    let memory = std::path::Path::new("/dev/shm");
    let folder = tempfile::tempdir_in(memory).or_else(|_| tempfile::tempdir()).unwrap();
    std::fs::create_dir(folder.path().join(".wf")).unwrap();
    let project = Project::at(folder.path()).unwrap();
    let mut store = Store::open(&project).unwrap();
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 2000,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let store = std::cell::RefCell::new(&mut store);
    runner.run(&case(), |case| play(&mut store.borrow_mut(), case)).unwrap();
}
