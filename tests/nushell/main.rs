//! The Nushell plugin in the real Nushell: what every command gives, takes, says and leaves behind.

mod completions;
mod configuration;
mod errors;
mod examples;
mod fixture;
mod house;
mod nu;
mod parallel;
mod pipelines;
mod registry;
mod start;
mod streams;
#[path = "../support/mod.rs"]
mod support;
mod terminal;
mod types;
