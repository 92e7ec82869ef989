//! Wrong arguments: exit status 2, one line that says what is wrong, nothing done. And output that nobody can take.

use std::fs::File;
use std::process::Stdio;

use crate::answers::{fit_for_people, holds, meaning, misuse, unchanged, with_works};
use crate::support::ran;

#[test]
fn wrong_arguments_are_wrong_usage() {
    let project = with_works();
    let before = meaning(&project);
    let more_than_0 = "expected a whole number, 1 or more";
    let worker = "give a number from 1 to 9999";
    let cases: [(&[&str], &str); 47] = [
        (&[], "Usage: wf0"),
        (&["batch"], "Usage: wf0 batch"),
        (&["schedule"], "Usage: wf0 schedule"),
        (&["work"], "Usage: wf0 work"),
        (&["what"], "unrecognized subcommand 'what'"),
        (&["batch", "strat"], "'start'"),
        (&["--what"], "unexpected argument '--what'"),
        (&["batch", "status", "--what"], "unexpected argument '--what'"),
        (&["batch", "start", "FEAT-1-auth"], "unexpected argument 'FEAT-1-auth'"),
        (&["batch", "start", "--parallel", "0"], more_than_0),
        (&["batch", "start", "--parallel", "-1"], more_than_0),
        (&["batch", "start", "--parallel", "abc"], more_than_0),
        (&["batch", "start", "--parallel", "1e9"], more_than_0),
        (&["batch", "start", "--parallel", "99999999999"], more_than_0),
        (&["batch", "start", "--parallel", ""], more_than_0),
        (&["batch", "start", "--parallel", "\u{1b}[31m2"], more_than_0),
        (&["batch", "start", "--parallel"], "a value is required"),
        (&["batch", "start", "--dry-run", "--parallel", "0"], more_than_0),
        (&["batch", "resume", "--parallel", "0"], more_than_0),
        (&["batch", "start", "--dry-run", "--wait"], "cannot be used with"),
        (&["batch", "start", "--flat"], "--dry-run"),
        (&["batch", "stop", "--all", "FIX-9-typo"], "cannot be used with"),
        (&["batch", "status", "--summary", "--flat"], "cannot be used with"),
        (&["batch", "status", "--format", "xml"], "invalid value 'xml'"),
        (&["batch", "status", "--format", "dot"], "dot and mermaid draw plans only"),
        (&["batch", "logs"], "<ID>"),
        (&["batch", "worker"], "<N>"),
        (&["batch", "worker", "0"], worker),
        (&["batch", "worker", "99999"], worker),
        (&["batch", "worker", "worker-"], worker),
        (&["batch", "worker", "\u{1b}[31mx"], worker),
        (&["batch", "runner", "0"], more_than_0),
        (&["batch", "daemon", "--poll", "0"], "expected a number from 0.1 to 3600"),
        (&["batch", "daemon", "--poll", "-1"], "expected a number from 0.1 to 3600"),
        (&["batch", "daemon", "--poll", "x"], "expected a number from 0.1 to 3600"),
        (&["work", "claim", "FIX-9-typo"], "<WORKER>"),
        (&["work", "claim", "FIX-9-typo", "0"], worker),
        (&["work", "release", "x"], worker),
        (&["schedule", "edit", "FIX-9-typo"], "nothing is to be changed of 'FIX-9-typo'"),
        (&["schedule", "edit", "FIX-9-typo", "priority=high"], "'high' is no priority"),
        (&["schedule", "edit", "FIX-9-typo", "priority=1.5"], "'1.5' is no priority"),
        (&["schedule", "edit", "FIX-9-typo", "--priority", "x"], "expected a whole number"),
        (&["schedule", "edit", "FIX-9-typo", "what=1"], "'what=1' is no change of a work"),
        (&["demo", "--pace", "x"], "expected a whole number, 0 or more"),
        (&["demo", "--pace", "-1"], "expected a whole number, 0 or more"),
        (&["init", "there"], "unexpected argument 'there'"),
        (&["\u{1b}[31mwhat\u{202e}"], "unrecognized subcommand"),
    ];
    for (arguments, part) in cases {
        let case = format!("{arguments:?}");
        holds(&case, &misuse(&case, &project.run(arguments)), &[part]);
    }
    unchanged("nothing", &project, &before);
}

#[test]
fn standard_output_that_is_gone_or_full_is_no_crash() {
    let project = with_works();
    let commands: [&[&str]; 9] = [
        &["--help"],
        &["batch", "status"],
        &["batch", "status", "--format", "json"],
        &["batch", "start", "--dry-run"],
        &["schedule", "show", "--format", "ndjson"],
        &["schedule", "validate"],
        &["work", "next"],
        &["doctor"],
        &["batch", "stop"],
    ];
    for command in commands {
        let case = format!("{command:?}");
        let shell = |redirections: &str| {
            let mut shell = project.program("sh");
            shell
                .args(["-c", &format!("\"$@\" {redirections}"), "sh", env!("CARGO_BIN_EXE_wf0")])
                .args(command);
            ran(&mut shell)
        };
        for redirections in [">&-", ">&- 2>&- <&-", "| head -c 0"] {
            let done = shell(redirections);
            fit_for_people(&case, &done);
            assert!(done.code == 0 && done.err.is_empty(), "{case} {redirections}: {done:?}");
        }
        // Nobody closed that one: what was asked for is lost, and whoever asked must know.
        let Ok(full) = File::options().write(true).open("/dev/full") else { continue };
        let done = ran(project.wf0(command).stdout(Stdio::from(full)).stderr(Stdio::piped()));
        fit_for_people(&case, &done);
        if command != ["--help"] {
            assert_eq!(done.code, 1, "{case}: {done:?}");
            holds(&case, &done.err, &["cannot write to standard output: no space left on device"]);
        }
    }
    let started = project
        .program("sh")
        .args(["-c", "\"$0\" batch start --wait >&- 2>&-", env!("CARGO_BIN_EXE_wf0")])
        .status();
    assert!(started.unwrap().success());
    assert_eq!(project.state("FEAT-2-export"), "completed");
}
