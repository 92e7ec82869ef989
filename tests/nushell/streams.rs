//! What comes bit by bit: events and logs, for readers that stay, leave, press Ctrl-C, exit or are killed.

use std::time::Duration;

use serde_json::json;

use crate::fixture;
use crate::nu::Running;
use crate::support::{Project, ended, kill};
use crate::terminal::Terminal;

/// The prompt has to be back by then.
const AT_ONCE: Duration = Duration::from_millis(200);

#[test]
fn events_come_as_they_happen_until_the_batch_ends() {
    let project = fixture::running();
    let watch = Running::new(&mut project.nu(
        "wf0 batch watch --pulse 20ms | each {|e| print $\"($e.event) ($e.work_id) ($e.at | describe)\"; $e } | ignore; print over",
    ));
    assert_eq!(watch.line(), "pulse  datetime");
    project.touch("go");
    let lines: Vec<String> =
        std::iter::repeat_with(|| watch.line()).take_while(|line| line != "over").collect();
    let events: Vec<&String> = lines.iter().filter(|line| !line.starts_with("pulse")).collect();
    assert!(events.iter().any(|line| *line == "completed FEAT-125-api datetime"), "{events:?}");
    assert_eq!(*events[events.len() - 1], "ended  datetime");
}

#[test]
fn logs_are_followed_as_text() {
    let project = fixture::running();
    let logs = Running::new(&mut project.nu(
        "wf0 batch logs FEAT-125-api --phase wf2-spec --follow | lines | each {|line| print $line } | ignore; print over",
    ));
    assert_eq!(logs.line(), "==> wf2-spec (attempt 1) <==");
    assert_eq!(logs.line(), "it begins: größer → 🚀");
    project.touch("go");
    assert_eq!(logs.line(), "it goes on");
    let rest: Vec<String> =
        std::iter::repeat_with(|| logs.line()).take_while(|line| line != "over").collect();
    assert_eq!(rest, ["FEAT-125-api wf2-spec: done"]);
    // The same as a whole, and as the text that it is.
    let text = project.nu_value("wf0 batch logs FEAT-125-api --phase wf2-spec");
    assert_eq!(text, project.ok(&["batch", "logs", "FEAT-125-api", "--phase", "wf2-spec"]));
    let about = project.nu_value("wf0 batch logs FEAT-125-api | metadata | get content_type");
    assert_eq!(about, "text/plain");
}

#[test]
fn logs_of_any_bytes_are_text() {
    let project = fixture::project(
        r"printf 'a\377\376b\360\237\n'; head -c 300000 /dev/zero | tr '\0' 'x' | sed 's/x/ö/g'; echo; echo end",
    );
    project.create(&[("A", &[])]);
    project.ok(&["batch", "start", "--wait"]);
    let found = project.nu_value("wf0 batch logs A --phase wf1-kickoff | lines | each {|line| $line | str length --grapheme-clusters }");
    assert_eq!(found, json!([31, 5, 300_000, 3]));
}

#[test]
fn who_reads_three_rows_leaves_the_plugin_free() {
    let project = fixture::running();
    let terminal = Terminal::open(&project);
    terminal.enter("wf0 batch watch --pulse 30ms | first 3 | get event | str join '-'");
    terminal.until("three rows", |screen| screen.contains("pulse-pulse-pulse\n"));
    terminal.until_prompt();
    assert_eq!(project.plugins().len(), 1);
    terminal.enter("plugin stop wf0");
    project.until("it has been stopped", || project.plugins().is_empty());
    // And one that is not stopped goes by itself.
    terminal.until_prompt();
    terminal.enter("$env.config.plugin_gc.default.stop_after = 0sec");
    terminal.until_prompt();
    terminal.enter("wf0 batch watch --pulse 30ms | first 3 | get event | str join '+'");
    terminal.until("three rows", |screen| screen.contains("pulse+pulse+pulse\n"));
    project.until("it has gone by itself", || project.plugins().is_empty());
    assert!(project.pids("/nu ").contains(&terminal.pid()));
    terminal.enter("wf0 batch logs FEAT-125-api --follow | lines | first 1");
    terminal.until("a line", |screen| screen.contains("==> wf1-kickoff"));
    terminal.until_prompt();
    project.touch("go");
    project.until("logs leave it free, too", || project.plugins().is_empty());
}

/// Runs a line, waits for what it shows, presses Ctrl-C; again where the machine was busy with something else.
fn interrupts(project: &Project, line: &str, shows: &str, before_again: &str) {
    let terminal = Terminal::open(project);
    let mut took = Vec::new();
    while took.len() < 5 {
        terminal.enter(line);
        terminal.until(shows, |screen| {
            screen.lines().any(|it| it.trim_start_matches(['│', ' ']).starts_with(shows))
        });
        let (time, screen) = terminal.interrupt();
        assert!(!screen.contains("panic"), "{screen}");
        if time < AT_ONCE {
            return;
        }
        took.push(time);
        if !before_again.is_empty() {
            terminal.enter(before_again);
            terminal.until_prompt();
        }
    }
    panic!("the prompt is never back within {AT_ONCE:?}: {took:?}");
}

#[test]
fn ctrl_c_ends_watching() {
    let project = fixture::running();
    interrupts(
        &project,
        "wf0 batch watch --pulse 300ms | each {|e| print $\"saw ($e.event)\" }",
        "saw pulse",
        "",
    );
}

#[test]
fn ctrl_c_ends_watching_when_nothing_happens() {
    let project = fixture::running();
    // Quiet: nothing but the stream itself would notice.
    interrupts(&project, "print begun; wf0 batch watch", "begun", "");
}

#[test]
fn ctrl_c_ends_following_logs() {
    let project = fixture::running();
    interrupts(&project, "wf0 batch logs FEAT-125-api --follow", "it begins", "");
    assert_eq!(project.state("FEAT-125-api"), "running", "only the reader ends");
}

#[test]
fn ctrl_c_ends_waiting_and_the_batch_goes_on() {
    let project = fixture::project("echo \"$WF0_PHASE\" >> \"$AROUND/began\"; await go");
    project.create(&[("A", &[])]);
    let terminal = Terminal::open(&project);
    let mut took = Vec::new();
    loop {
        terminal.enter("wf0 batch start --wait");
        project.until("it runs", || project.lines("began").len() > took.len());
        let (time, screen) = terminal.interrupt();
        assert!(screen.contains("wf0::interrupted") && screen.contains("the batch goes on"), "{screen}");
        assert_eq!(project.state("A"), "running");
        if time < AT_ONCE {
            break;
        }
        took.push(time);
        assert!(took.len() < 5, "the prompt is never back within {AT_ONCE:?}: {took:?}");
        project.ok(&["batch", "stop"]);
        project.nu_ok("wf0 schedule create local=A --force");
    }
    project.touch("go");
    assert_eq!(project.until_over(), "completed");
}

#[test]
fn a_session_that_exits_or_is_killed_leaves_no_plugin() {
    let project = fixture::running();
    for kills in [false, true] {
        let terminal = Terminal::open(&project);
        // A stream that gives nothing more: the plugin can't know that nobody reads it.
        terminal.enter(
            "wf0 batch watch --pulse 1day | first 0; wf0 batch logs FEAT-125-api --follow | lines | first 1",
        );
        terminal.until("a line", |screen| screen.contains("==> wf1-kickoff"));
        terminal.until_prompt();
        assert!(!project.plugins().is_empty());
        if kills {
            kill(terminal.pid());
        } else {
            terminal.enter("exit");
        }
        project.until("Nushell and the plugin have gone", || {
            project.plugins().is_empty() && project.pids("--no-std-lib").is_empty()
        });
    }
    // In the middle of a stream.
    let watch =
        Running::new(&mut project.nu("wf0 batch watch --pulse 10ms | each {|e| print $e.event } | ignore"));
    assert_eq!(watch.line(), "pulse");
    drop(watch);
    project.until("the plugin has gone", || project.plugins().is_empty());
    // By the signal that a terminal's Ctrl-C is to a script.
    let mut watch =
        Running::new(&mut project.nu("wf0 batch watch --pulse 10ms | each {|e| print $e.event } | ignore"));
    assert_eq!(watch.line(), "pulse");
    let pid = rustix::process::Pid::from_child(&watch.child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    ended(&mut watch.child);
    project.until("the plugin has gone", || project.plugins().is_empty());
    assert_eq!(project.state("FEAT-125-api"), "running");
    project.touch("go");
}
