//! Where works come from.

pub mod local;
pub mod table;
