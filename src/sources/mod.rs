//! Where works come from.

pub mod github;
pub mod identity;
pub mod issue;
pub mod jira;
pub mod local;
pub mod records;
pub mod resolve;
mod secrets;
pub mod table;
pub mod tracker;
