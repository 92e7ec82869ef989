//! Where works come from.

pub mod github;
pub mod issue;
pub mod local;
pub mod table;
pub mod tracker;
