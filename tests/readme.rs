//! The README's examples, run as they stand there, so that they cannot rot.
//!
//! A fenced block after `<!-- run -->` is run by `sh -e` and must exit with 0; after `<!-- run: new -->` it begins a
//! new repository with an origin; a comment `<!-- run` … `-->` holds lines that are run and not shown. The block after
//! `<!-- output -->` is what the last one printed; times apart it must be the same. After `<!-- output: varies -->` it
//! is not compared. A block of `nu` is run by Nushell with the plugin loaded, where the plugin is built at all. With `UPDATE_README=1` the README's outputs are written anew.

use std::fmt::Write as _;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wf0::error::Code;

#[cfg(feature = "nushell")]
#[path = "support/nu.rs"]
mod nu;

/// What the README calls the folder that the projects lie in.
const HOME: &str = "/home/you";
const PROJECT: &str = "shop";
/// No example takes longer, on whatever machine.
const DEADLINE: Duration = Duration::from_secs(60);

fn readme() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")
}

/// A home of our own with a tmux server of our own; what runs there ends with the test.
struct Scratch(tempfile::TempDir);

impl Scratch {
    fn new() -> Scratch {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("tmux")).unwrap();
        // Each commit of git takes the lock of all packed refs for a moment, and says so where a slow disk makes that a
        // long one.
        let git = "[user]\nname = You\nemail = you@localhost\n[init]\ndefaultBranch = main\n[core]\npackedRefsTimeout = 60000\n";
        fs::write(home.path().join(".gitconfig"), git).unwrap();
        Scratch(home)
    }

    fn home(&self) -> PathBuf {
        self.0.path().canonicalize().unwrap()
    }

    fn project(&self) -> PathBuf {
        self.home().join(PROJECT)
    }

    fn command(&self, program: &str) -> Command {
        let programs = Path::new(env!("CARGO_BIN_EXE_wf0")).parent().unwrap().to_owned();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path =
            std::env::join_paths(std::iter::once(programs).chain(std::env::split_paths(&path))).unwrap();
        let mut command = Command::new(program);
        command.env("PATH", path).env("HOME", self.home()).env("TMUX_TMPDIR", self.home().join("tmux"));
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("TZ", "UTC").stdin(Stdio::null());
        command.env("WF_BATCH_DIR", Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts"));
        command.env("WF0_BIN", env!("CARGO_BIN_EXE_wf0"));
        for name in ["TMUX", "WF0_PROJECT_ROOT", "XDG_CONFIG_HOME", "GIT_DIR", "GIT_WORK_TREE"] {
            command.env_remove(name);
        }
        command
    }

    /// Runs a script and gives what it printed, with the scratch folder's name as the README has it.
    fn run(&self, script: &str) -> Result<String, String> {
        let mut command = self.command("sh");
        command.args(["-ec", &format!("exec 2>&1\n{script}")]);
        self.said(command, script)
    }

    /// The same in Nushell.
    #[cfg(feature = "nushell")]
    fn run_nu(&self, script: &str) -> Result<String, String> {
        let mut command = self.command("sh");
        command.args(["-c", "exec \"$0\" \"$@\" 2>&1"]).arg(nu::nushell());
        command.args(["-n", "--plugins", env!("CARGO_BIN_EXE_nu_plugin_wf0"), "-c", script]);
        self.said(command, script)
    }

    fn said(&self, mut command: Command, script: &str) -> Result<String, String> {
        let folder = if self.project().exists() { self.project() } else { self.home() };
        command.current_dir(folder).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut out = child.stdout.take().unwrap();
        let reader = std::thread::spawn(move || {
            let mut said = String::new();
            out.read_to_string(&mut said).map(|_| said)
        });
        let begin = Instant::now();
        let status = loop {
            match child.try_wait().unwrap() {
                Some(status) => break status,
                None if begin.elapsed() > DEADLINE => {
                    child.kill().unwrap();
                    return Err(format!("still running after {DEADLINE:?}:\n{script}"));
                }
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        let said = reader.join().unwrap().unwrap();
        let said = said.replace(self.home().to_str().unwrap(), HOME);
        if status.success() { Ok(said) } else { Err(format!("{status}:\n{script}\n{said}")) }
    }

    fn begin(&self) {
        self.end_batch();
        for folder in [self.project(), self.home().join("origin.git")] {
            if folder.exists() {
                fs::remove_dir_all(folder).unwrap();
            }
        }
        self.run(&format!(
            "git init -q --bare origin.git; git init -q {PROJECT}; cd {PROJECT}; echo '# Shop' > README.md
             git add .; git commit -qm Begin; git remote add origin \"$HOME/origin.git\"; git push -q origin main"
        ))
        .unwrap();
    }

    fn end_batch(&self) {
        if self.project().join(".wf/schedule.json").exists() {
            let _ = self.command("wf0").args(["batch", "stop"]).current_dir(self.project()).output();
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.end_batch();
        let sockets = fs::read_dir(self.home().join("tmux")).into_iter().flatten().flatten();
        for socket in sockets.map(|folder| folder.path().join("default")).filter(|socket| socket.exists()) {
            let _ = self.command("tmux").arg("-S").arg(socket).arg("kill-server").output();
        }
    }
}

enum Mark {
    Run { new: bool },
    Output { compared: bool },
}

/// The lines of a fenced block whose opening fence is at `at`, and the place of its closing fence.
fn fenced<'a>(lines: &[&'a str], at: usize) -> (Vec<&'a str>, usize) {
    assert!(lines[at].starts_with("```"), "README.md line {}: a fenced block was expected", at + 1);
    let end = (at + 1..lines.len()).find(|n| lines[*n] == "```").expect("the fence is closed");
    (lines[at + 1..end].to_vec(), end)
}

/// What may differ from run to run: widths, durations, times of day, dates, pids.
fn without_times(text: &str) -> Vec<String> {
    let plain = |word: &str| {
        let bare = word.trim_matches(|c: char| matches!(c, '"' | ',' | '(' | ')'));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let units = ["s", "ns", "µs", "ms", "sec", "min"];
        let duration = units.iter().any(|unit| bare.strip_suffix(unit).is_some_and(digits));
        let clock = bare.len() == 8 && bare.bytes().filter(|b| *b == b':').count() == 2;
        if duration || clock {
            "#".to_owned()
        } else if word.contains("──") {
            // The frame of a table is as wide as what it holds.
            word.replace('─', "")
        } else {
            word.to_owned()
        }
    };
    let line = |line: &str| {
        let mut words: Vec<String> = line.split_whitespace().map(plain).collect();
        // Nushell writes a duration as several words.
        words.dedup_by(|next, before| next == "#" && before == "#");
        words.join(" ")
    };
    text.trim_end().lines().map(line).collect()
}

#[test]
fn every_marked_example_runs_and_prints_what_stands_below_it() {
    let text = fs::read_to_string(readme()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let update = std::env::var_os("UPDATE_README").is_some();
    let scratch = Scratch::new();
    let (mut new_text, mut said, mut failures, mut n) = (String::new(), None, String::new(), 0);
    let mut ran = 0;
    // Where Nushell's blocks are not run, nor is what prepares them.
    let mut without = false;
    while n < lines.len() {
        let mark = match lines[n] {
            "<!-- run -->" => Some(Mark::Run { new: false }),
            "<!-- run: new -->" => Some(Mark::Run { new: true }),
            "<!-- output -->" => Some(Mark::Output { compared: true }),
            "<!-- output: varies -->" => Some(Mark::Output { compared: false }),
            _ => None,
        };
        let begin = n;
        let mut shown_anew = None;
        if lines[n] == "<!-- run" {
            let end = (n..lines.len()).find(|n| lines[*n] == "-->").expect("the comment is closed");
            if !without {
                let prepared = scratch.run(&lines[n + 1..end].join("\n"));
                prepared.unwrap_or_else(|error| panic!("line {}: {error}", n + 1));
            }
            n = end;
        }
        match mark {
            Some(Mark::Run { new }) => {
                if new {
                    without = cfg!(not(feature = "nushell")) && lines[n + 1] == "```nu";
                }
                if new && !without {
                    scratch.begin();
                }
                let (script, end) = fenced(&lines, n + 1);
                let script = script.join("\n");
                let ran_now = match lines[n + 1] {
                    #[cfg(feature = "nushell")]
                    "```nu" => Some(scratch.run_nu(&script)),
                    #[cfg(not(feature = "nushell"))]
                    "```nu" => None,
                    _ => Some(scratch.run(&script)),
                };
                said = ran_now.transpose().unwrap_or_else(|error| panic!("line {}: {error}", n + 1));
                (n, ran) = (end, ran + 1);
            }
            Some(Mark::Output { compared }) => {
                let (shown, end) = fenced(&lines, n + 1);
                let shown = without_times(&shown.join("\n"));
                let Some(said) = &said else {
                    lines[begin..=end].iter().for_each(|line| new_text.push_str(&format!("{line}\n")));
                    n = end + 1;
                    continue;
                };
                if compared && shown != without_times(said) {
                    let _ = writeln!(failures, "README.md line {} shows other output than:\n{said}", n + 2);
                }
                let trimmed: Vec<&str> = said.trim_end().lines().map(str::trim_end).collect();
                shown_anew = Some(format!("{}\n{}\n{}\n```\n", lines[n], lines[n + 1], trimmed.join("\n")));
                n = end;
            }
            None => {}
        }
        match shown_anew {
            Some(block) => new_text.push_str(&block),
            None => lines[begin..=n].iter().for_each(|line| new_text.push_str(&format!("{line}\n"))),
        }
        n += 1;
    }
    assert!(ran > 10, "only {ran} examples are marked");
    if update {
        fs::write(readme(), new_text).unwrap();
    } else {
        assert!(failures.is_empty(), "{failures}\nUPDATE_README=1 writes it anew");
    }
}

#[test]
fn every_error_code_is_explained() {
    let text = fs::read_to_string(readme()).unwrap();
    for code in Code::ALL {
        assert!(text.contains(&format!("| `{}` |", code.as_str())), "{} is missing", code.as_str());
    }
}

#[test]
fn every_command_of_the_reference_exists() {
    let text = fs::read_to_string(readme()).unwrap();
    let scratch = Scratch::new();
    let mut seen = 0;
    for line in text.lines() {
        let Some(row) = line.strip_prefix("| `wf0 ") else { continue };
        let words = row.split(['`', ' ']).take_while(|word| {
            !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase()) && *word != "github"
        });
        let words: Vec<&str> = words.collect();
        let done = scratch.command("wf0").args(&words).arg("--help").output().unwrap();
        assert!(done.status.success(), "wf0 {} is no command", words.join(" "));
        seen += 1;
    }
    assert!(seen > 15, "only {seen} commands are in the reference");
}
