//! Where works come from.

pub mod issue;
pub mod local;
pub mod table;
