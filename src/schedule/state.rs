//! States of works and of the schedule, as the contract names them.

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            /// Every value, in the contract's order.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word that files and tables use.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }

            /// The value of a word; `None` for any other text.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($text => Some($name::$variant),)+ _ => None }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
                // Not derived: that answers a number with "expected value".
                let word = <String as serde::Deserialize>::deserialize(from)?;
                Self::from_word(&word).ok_or_else(|| {
                    serde::de::Error::custom(format!(
                        "{}, expected one of {}",
                        crate::schedule::id::quoted(&word),
                        [$($text),+].join(", ")
                    ))
                })
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}
pub(crate) use words;

words! {
    /// What is recorded of a work, and what schedule.json shows.
    Status {
        /// Waits for a worker or for its dependencies.
        Pending = "pending",
        /// A worker has it.
        Running = "running",
        /// All phases done.
        Completed = "completed",
        /// Gave up.
        Failed = "failed",
    }
}

words! {
    /// What tables show of a work: its [`Status`], and why a pending one does not start.
    State {
        /// Waits for a worker or for its dependencies.
        Pending = "pending",
        /// A worker has it.
        Running = "running",
        /// All phases done.
        Completed = "completed",
        /// Gave up.
        Failed = "failed",
        /// A dependency failed, is itself blocked, or does not exist.
        Blocked = "blocked",
        /// Stopped by name; waits for `resume`.
        Paused = "paused",
    }
}

words! {
    /// The status of the whole schedule.
    ScheduleStatus {
        /// Never started.
        Pending = "pending",
        /// Something can still run.
        Running = "running",
        /// Stopped, or held by the batch itself.
        Paused = "paused",
        /// Ended, and not every work is completed.
        Failed = "failed",
        /// Ended, and every work is completed.
        Completed = "completed",
    }
}
