//! Who does what when. Nothing in here reads a clock, a file or a process: whatever decides comes in as an argument,
//! so that each rule can be tried with thousands of random cases.

pub mod closing;
pub mod edits;
pub mod phases;
pub mod states;
pub mod transitions;
