//! Whatever is wrong with what wf0 is given, the answer is one sentence of what happened, with the file, key or id in
//! it, and one of what to do; exit status 1, or 2 for wrong usage; and nothing is changed.

mod answers;
mod config;
mod ids;
mod lists;
mod places;
mod programs;
mod repositories;
mod schedule;
#[path = "../support/mod.rs"]
mod support;
mod titles;
mod usage;
