//! wf0 runs dependent issues through coding agents: in parallel, unattended, each in a git worktree of its own.
//!
//! **The store is the truth. Everyone else reads it, changes it in a transaction, and rings a bell.** Scheduler,
//! workers, runners, the command line and scripts are separate processes that may be killed at any instant; none holds
//! state that another needs.
//!
//! ```text
//!  front ends   cli  nu                    words in; text, JSON or typed tables out
//!  commands     commands                   one function a command: typed request in, typed rows out
//!  processes    scheduler  worker  runner  gives works out · a slot one can watch · runs a work; terminal opens them
//!  rules        rules                      what follows what; no clock, no file, no process
//!  what         schedule  sources          works, dependencies, plans, schedule.json; where works come from
//!  store        store                      SQLite, publishing, taking in edits, bells, the engine's folder
//!  world        worktree  agent  platform  git · what a phase runs · what the operating system gives
//! ```
//!
//! Imports point down only; `schedule` and `rules` are pure and used by everything above them.
//!
//! Where to start reading: [`runner`] for what becomes of one work, [`scheduler`] for the loop around them,
//! [`store::runs`] for every change of a work that comes from running it, [`rules`] for why.

pub mod agent;
pub mod cli;
pub mod commands;
pub mod config;
pub mod error;
#[cfg(feature = "nushell")]
pub mod nu;
pub mod platform;
pub mod project;
pub mod rules;
pub mod runner;
pub mod schedule;
pub mod scheduler;
pub mod sources;
pub mod store;
pub mod terminal;
pub mod worker;
pub mod worktree;
