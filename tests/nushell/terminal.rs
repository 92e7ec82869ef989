//! Nushell as somebody at a terminal has it: a pane of tmux, keys in, a screen out.

use std::time::{Duration, Instant};

use crate::nu::{NU, plugins};
use crate::support::{DEADLINE, Project};

/// What stands where something can be typed.
const PROMPT: &str = "READY>";

pub struct Terminal<'a> {
    project: &'a Project,
}

impl<'a> Terminal<'a> {
    /// Opens one; Nushell waits for the first line.
    pub fn open(project: &'a Project) -> Terminal<'a> {
        let terminal = Terminal { project };
        let quiet = "$env.config.show_banner = false; $env.PROMPT_COMMAND = 'READY'; \
                     $env.PROMPT_COMMAND_RIGHT = ''; $env.PROMPT_INDICATOR = '>'; \
                     $env.config.shell_integration.osc133 = false";
        let mut tmux = project.at_home("tmux");
        tmux.args(["-f", "/dev/null", "new-session", "-d", "-s", "nu", "-x", "120", "-y", "40"]).arg(&*NU);
        tmux.args(["-n", "--no-std-lib", "--plugins", &plugins(), "-e", quiet]);
        let opened = crate::support::ran(&mut tmux);
        assert_eq!(opened.code, 0, "{opened:?}");
        terminal.until_prompt();
        terminal
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        let ran = self.project.tmux(arguments);
        assert_eq!(ran.code, 0, "tmux {arguments:?}: {ran:?}");
        ran.out
    }

    /// Types a line on an empty screen.
    pub fn enter(&self, line: &str) {
        self.tmux(&["send-keys", "-t", "nu", "C-l"]);
        self.until("the screen is empty", |screen| screen.trim() == PROMPT);
        self.tmux(&["send-keys", "-t", "nu", "-l", line]);
        self.tmux(&["send-keys", "-t", "nu", "Enter"]);
    }

    /// What is to be seen.
    pub fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-t", "nu"])
    }

    /// Waits until the screen is as it should be.
    #[track_caller]
    pub fn until(&self, what: &str, condition: impl Fn(&str) -> bool) -> String {
        let begin = Instant::now();
        loop {
            let screen = self.screen();
            if condition(&screen) {
                return screen;
            }
            assert!(begin.elapsed() < DEADLINE, "{what}: not within {DEADLINE:?}\n{screen}");
            std::thread::sleep(Duration::from_millis(4));
        }
    }

    /// Waits until something can be typed again.
    #[track_caller]
    pub fn until_prompt(&self) -> String {
        self.until("the prompt", |screen| {
            screen.trim_end().lines().last().is_some_and(|line| line.trim() == PROMPT)
        })
    }

    /// Presses Ctrl-C; how long it takes until something can be typed.
    #[track_caller]
    pub fn interrupt(&self) -> (Duration, String) {
        let pressed = Instant::now();
        self.tmux(&["send-keys", "-t", "nu", "C-c"]);
        let screen = self.until_prompt();
        (pressed.elapsed(), screen)
    }

    /// The process of Nushell.
    pub fn pid(&self) -> u32 {
        self.tmux(&["display-message", "-p", "-t", "nu", "#{pane_pid}"]).trim().parse().unwrap()
    }
}
