//! What the operating system gives, each means behind one small module that keeps its promise on Linux and on
//! macOS, or says what it can't keep there.

pub mod children;
pub mod environment;
pub mod exchange;
pub mod filelock;
pub mod process_id;
#[cfg(target_os = "linux")]
pub mod process_stat;
pub mod process_watch;
pub mod program;
pub mod signals;
pub mod tree;
