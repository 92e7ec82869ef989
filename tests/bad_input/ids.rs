//! Identifiers: unknown ones, and those that could never name a work.

use serde_json::json;

use crate::answers::{holds, meaning, misuse, one_phase, refusal, unchanged, with_works};
use crate::support::Project;

#[test]
fn an_unknown_work_is_answered_with_the_nearest_and_nothing_is_done() {
    let project = with_works();
    let before = meaning(&project);
    let commands: [&[&str]; 11] = [
        &["batch", "stop", "FEAT-1-aut"],
        &["batch", "stop", "FIX-9-typo", "FEAT-1-aut"],
        &["batch", "stop", "FIX-9-typo,FEAT-1-aut"],
        &["batch", "resume", "FEAT-1-aut"],
        &["batch", "resume", "FIX-9-typo", "FEAT-1-aut"],
        &["batch", "logs", "FEAT-1-aut"],
        &["batch", "logs", "FEAT-1-aut", "--follow"],
        &["work", "claim", "FEAT-1-aut", "7"],
        &["work", "complete", "FEAT-1-aut", "7"],
        &["work", "fail", "FEAT-1-aut", "7", "why"],
        &["schedule", "edit", "FEAT-1-aut", "priority=1"],
    ];
    let edits = ["add-dep=FEAT-1-aut", "depends=FEAT-2-export,FEAT-1-aut"];
    let edits = edits.map(|change| vec!["schedule", "edit", "FIX-9-typo", change]);
    for command in commands.iter().map(|it| it.to_vec()).chain(edits) {
        let case = format!("{command:?}");
        let text = refusal(&case, &project, &project.run(&command));
        holds(
            &case,
            &text,
            &["there is no work 'FEAT-1-aut' in the schedule", "help: did you mean FEAT-1-auth?"],
        );
        unchanged(&case, &project, &before);
    }
    let far = refusal("far", &project, &project.run(&["batch", "logs", "ZZZZ-77"]));
    holds("far", &far, &["there is no work 'ZZZZ-77'", "help: `wf0 schedule show` lists the works"]);
    let phase = refusal("phase", &project, &project.run(&["batch", "logs", "FIX-9-typo", "--phase", "on"]));
    holds("phase", &phase, &["there is no phase 'on'", "help: did you mean one?"]);
    let phase = project.run(&["batch", "logs", "FIX-9-typo", "--phase", "\u{1b}[31mzzzz"]);
    holds(
        "phase",
        &refusal("phase", &project, &phase),
        &[r"there is no phase '\u{1b}[31mzzzz'", "help: there are one"],
    );
}

#[test]
fn what_could_never_name_a_work_is_refused_by_name_from_every_argument() {
    let project = with_works();
    let before = meaning(&project);
    let long = "x".repeat(120_000);
    let cases: [(&str, &str); 17] = [
        ("", "'' cannot name a work: it is empty"),
        ("../x", "'../x' cannot name a work: it contains '/'"),
        ("A/..", "'A/..' cannot name a work: it contains '/'"),
        ("A..B", "'A..B' cannot name a work: it contains '..'"),
        (".git", "'.git' cannot name a work: it begins with '.'"),
        ("A.lock", "'A.lock' cannot name a work: it ends in '.lock' or '.'"),
        ("a'b", "'a'b' cannot name a work: it contains '''"),
        ("a\"b", "'a\"b' cannot name a work: it contains '\"'"),
        ("a b", "'a b' cannot name a work: it contains ' '"),
        ("$(x)", "'$(x)' cannot name a work: it contains '$'"),
        ("a\nb", r"'a\nb' cannot name a work: it contains '\n'"),
        ("\u{1b}[31mA", r"'\u{1b}[31mA' cannot name a work: it contains '\u{1b}'"),
        ("A\u{202e}B", r"'A\u{202e}B' cannot name a work: it contains '\u{202e}'"),
        ("é", "'é' cannot name a work: it contains 'é'"),
        ("🎉", "'🎉' cannot name a work: it contains '🎉'"),
        ("_A", "'_A' cannot name a work: it begins with '_'"),
        (long.as_str(), "xxx…' cannot name a work: it has 120000 characters"),
    ];
    for (id, part) in cases {
        let (local, add) = (format!("local={id}"), format!("add-dep={id}"));
        let mut commands: Vec<Vec<&str>> = vec![
            vec!["batch", "stop", id],
            vec!["batch", "resume", id],
            vec!["batch", "logs", id],
            vec!["work", "claim", id, "7"],
            vec!["work", "complete", id, "7"],
            vec!["work", "fail", id, "7"],
            vec!["schedule", "edit", id, "priority=1"],
        ];
        if !id.is_empty() {
            commands.push(vec!["schedule", "create", "--force", &local]);
            commands.push(vec!["schedule", "edit", "FIX-9-typo", &add]);
            commands.push(vec!["schedule", "edit", "FIX-9-typo", "--depends", id]);
        }
        for command in commands {
            let case: String = format!("{command:?}").chars().take(100).collect();
            let text = refusal(&case, &project, &project.run(&command));
            holds(&case, &text, &[part, "help: use 1 to 100 letters, digits"]);
        }
    }
    for empty in [["schedule", "create", "--force", "local="], ["schedule", "edit", "FIX-9-typo", "add-dep="]]
    {
        misuse("empty", &project.run(&empty));
    }
    unchanged("nothing", &project, &before);
}

#[test]
fn an_empty_name_never_stands_for_every_work() {
    let project = Project::new(json!({"batch": {"phases": [{"name": "one", "command": ["waits"]}]}}));
    project.script("waits", "while [ ! -e \"$AROUND/go\" ]; do sleep 0.02; done");
    project.create(&[("A-1", &[]), ("B-2", &[])]);
    project.ok(&["batch", "start", "--parallel", "1"]);
    project.until("it runs", || project.state("A-1") == "running");
    for command in
        [["batch", "stop", ""], ["batch", "stop", ","], ["batch", "stop", "B-2,"], ["batch", "resume", ""]]
    {
        let case = format!("{command:?}");
        holds(
            &case,
            &refusal(&case, &project, &project.run(&command)),
            &["'' cannot name a work: it is empty"],
        );
    }
    assert_eq!((project.state("A-1").as_str(), project.state("B-2").as_str()), ("running", "pending"));
}

#[test]
fn works_that_would_meet_are_refused_together() {
    let project = Project::new(one_phase());
    let before = meaning(&project);
    for (ids, names) in [
        ("FEAT-1-a,WHAT-1-a", ["'FEAT-1-a'", "'WHAT-1-a'"]),
        ("FEAT-1-a,FEAT-1-A", ["'FEAT-1-a'", "'FEAT-1-A'"]),
        ("FEAT-x,x", ["'FEAT-x'", "'x'"]),
    ] {
        let text = refusal(ids, &project, &project.run(&["schedule", "create", &format!("local={ids}")]));
        holds(ids, &text, &names);
        holds(ids, &text, &["would share the branch feat/", "help: give one of them another identifier"]);
        unchanged(ids, &project, &before);
    }
}
