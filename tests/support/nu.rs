//! The Nushell that the plugin is tested with.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The version that the plugin is built for.
pub const VERSION: &str = "0.115.1";

/// The program: `WF0_TEST_NU`, what `scripts/test` brought, or the one on PATH where it is of that version.
pub fn nushell() -> PathBuf {
    if let Some(given) = std::env::var_os("WF0_TEST_NU").filter(|given| !given.is_empty()) {
        return given.into();
    }
    let built = Path::new(env!("CARGO_BIN_EXE_wf0")).parent().and_then(Path::parent);
    let brought = built.map(|target| target.join(format!("nushell-{VERSION}/nu"))).filter(|nu| nu.is_file());
    brought.unwrap_or_else(|| {
        let done = Command::new("nu").arg("--version").output();
        let there = done.is_ok_and(|done| String::from_utf8_lossy(&done.stdout).trim() == VERSION);
        assert!(there, "Nushell {VERSION} is missing: `scripts/test --install` brings it");
        "nu".into()
    })
}
