//! What Linux tells of any process.

/// What `/proc/PID/stat` says.
#[derive(Debug, Clone, Copy)]
pub struct Stat {
    /// The parent's number.
    pub parent: u32,
    /// Process group.
    pub group: u32,
    /// Session.
    pub session: u32,
    /// Start, in clock ticks since boot.
    pub started: u64,
    /// Ended, waiting to be reaped.
    pub zombie: bool,
}

impl Stat {
    /// Reads it; `None` where there is no such process.
    pub fn read(pid: u32) -> Option<Stat> {
        let text = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
        // The name, in parentheses, may itself hold spaces and parentheses: the fields begin after the last one.
        let after = text.iter().rposition(|b| *b == b')')? + 2;
        let rest = std::str::from_utf8(text.get(after..)?).ok()?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        let number = |n: usize| fields.get(n).and_then(|f| f.parse::<u64>().ok());
        Some(Stat {
            parent: u32::try_from(number(1)?).ok()?,
            group: u32::try_from(number(2)?).ok()?,
            session: u32::try_from(number(3)?).ok()?,
            started: number(19)?,
            zombie: matches!(fields.first(), Some(&"Z" | &"X")),
        })
    }
}
