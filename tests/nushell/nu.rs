//! The real Nushell with the plugin, in a project: its home, its temporary files and its registry are the project's.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use serde_json::Value as Json;

use crate::support::{DEADLINE, Project, Ran};

/// The version that the plugin is built for.
const VERSION: &str = "0.115.1";

/// The plugin.
pub const PLUGIN: &str = env!("CARGO_BIN_EXE_nu_plugin_wf0");

/// The list that `nu --plugins` takes.
pub fn plugins() -> String {
    format!("[\"{PLUGIN}\"]")
}

/// `WF0_TEST_NU`, else the one that scripts/test puts beside what is built, else the one on PATH.
pub static NU: LazyLock<PathBuf> = LazyLock::new(|| {
    if let Some(given) = std::env::var_os("WF0_TEST_NU") {
        return given.into();
    }
    let built = Path::new(PLUGIN).parent().and_then(Path::parent).unwrap();
    let beside = built.join(format!("nushell-{VERSION}/nu"));
    if beside.exists() {
        return beside;
    }
    let on_path = Command::new("nu").arg("--version").output();
    if on_path.is_ok_and(|said| String::from_utf8_lossy(&said.stdout).trim() == VERSION) {
        return "nu".into();
    }
    panic!(
        "Nushell {VERSION} is needed to test the plugin and is not here: run scripts/test, which brings it"
    );
});

/// A failure as a script sees it in `catch`.
#[derive(Debug)]
pub struct Caught {
    pub code: String,
    pub message: String,
    pub help: String,
    /// What stands below the underlined text.
    pub label: String,
    /// What is underlined.
    pub at: String,
}

impl Project {
    /// A program at home in the project.
    pub fn at_home(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let home = self.around().join("home");
        let temporary = self.around().join("tmp");
        std::fs::create_dir_all(&home).unwrap();
        std::fs::create_dir_all(&temporary).unwrap();
        let mut command = self.program(program);
        command.env("HOME", &home).env("TMPDIR", temporary).env_remove("NU_LIB_DIRS");
        for name in ["XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"] {
            command.env(name, home.join(name));
        }
        command
    }

    /// Nushell with the plugin, about to run that.
    pub fn nu(&self, code: &str) -> Command {
        let mut command = self.at_home(&*NU);
        command.args(["-n", "--no-std-lib", "--plugins", &plugins(), "-c", code]);
        command
    }

    /// Nushell with a registry of plugins, which need not exist.
    pub fn nu_with_registry(&self, code: &str) -> Command {
        let registry = self.around().join("plugins.msgpackz");
        let empty = self.around().join("empty.nu");
        std::fs::write(&empty, "").unwrap();
        let mut command = self.at_home(&*NU);
        command.arg("--no-std-lib").arg("--config").arg(&empty).arg("--env-config").arg(&empty);
        command.arg("--plugin-config").arg(registry).args(["-c", code]);
        command
    }

    /// The processes of the plugin. Nushell's own command line names it, too, but not how it is spoken to.
    pub fn plugins(&self) -> Vec<u32> {
        self.pids("nu_plugin_wf0 --")
    }

    /// Runs code; whatever comes of it.
    #[track_caller]
    pub fn nu_ran(&self, code: &str) -> Ran {
        ran(&mut self.nu(code))
    }

    /// Runs code that must succeed; gives what it printed.
    #[track_caller]
    pub fn nu_ok(&self, code: &str) -> String {
        let ran = self.nu_ran(code);
        assert_eq!(ran.code, 0, "{code}\n{}\n{}", ran.out, ran.err);
        ran.out
    }

    /// The value of code whose last pipeline gives one.
    #[track_caller]
    pub fn nu_value(&self, code: &str) -> Json {
        let out = self.nu_ok(&format!("{code} | to json --raw"));
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{code}\n{error}\n{out}"))
    }

    /// What code that must fail says to a script.
    #[track_caller]
    pub fn nu_fails(&self, code: &str) -> Caught {
        self.nu_fails_after("", code)
    }

    /// The same, after something that must succeed.
    #[track_caller]
    pub fn nu_fails_after(&self, before: &str, code: &str) -> Caught {
        let whole =
            format!("{before}; try {{ {code} | ignore; null }} catch {{|e| $e.details }} | to json --raw");
        let out = self.nu_ok(whole.trim_start_matches("; "));
        let details: Json = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{whole}\n{out}"));
        assert!(!details.is_null(), "it does not fail: {code}");
        let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
        let label = &details["labels"][0];
        let offset = |name: &str| usize::try_from(label["location"][name].as_u64().unwrap_or(0)).unwrap();
        let at = whole.trim_start_matches("; ").get(offset("start")..offset("end")).unwrap_or_default();
        Caught {
            code: text(&details["code"]),
            message: text(&details["msg"]),
            help: text(&details["help"]),
            label: text(&label["text"]),
            at: at.to_owned(),
        }
    }
}

/// Runs a command to its end, and to that of everything it writes, within the deadline.
#[track_caller]
pub fn ran(command: &mut Command) -> Ran {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let out = all(child.stdout.take().unwrap());
    let err = all(child.stderr.take().unwrap());
    let begin = Instant::now();
    let mut text = |from: Receiver<String>| {
        from.recv_timeout(DEADLINE.saturating_sub(begin.elapsed())).unwrap_or_else(|_| {
            let _ = child.kill();
            panic!("not within {DEADLINE:?}: {command:?}")
        })
    };
    let (out, err) = (text(out), text(err));
    Ran { code: child.wait().unwrap().code().unwrap_or(-1), out, err }
}

fn all(mut from: impl Read + Send + 'static) -> Receiver<String> {
    let (to, text) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        to.send(String::from_utf8_lossy(&bytes).into_owned())
    });
    text
}

/// Something that runs while the test goes on, read line by line.
pub struct Running {
    pub child: Child,
    lines: Receiver<String>,
}

impl Running {
    pub fn new(command: &mut Command) -> Running {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (to, lines) = channel();
        std::thread::spawn(move || out.lines().map_while(Result::ok).all(|line| to.send(line).is_ok()));
        Running { child, lines }
    }

    /// The next line it prints.
    #[track_caller]
    pub fn line(&self) -> String {
        self.lines.recv_timeout(DEADLINE).expect("a line within the deadline")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
