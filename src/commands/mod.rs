//! One function a command: a typed request in, typed rows out. Nothing here prints, and nothing knows which front end
//! asked.

pub mod clear;
pub mod create;
pub mod demo;
pub mod doctor;
pub mod drawing;
pub mod edges;
pub mod edit;
pub mod init;
pub mod invoke;
pub mod issue;
pub mod lock;
pub mod logs;
pub mod names;
pub mod plan;
pub mod preflight;
pub mod resume;
pub mod show;
pub mod start;
pub mod status;
pub mod stop;
pub mod update;
pub mod validate;
pub mod watch;
pub mod why;
pub mod work;
pub mod worktree;

use jiff::Timestamp;
use serde::Serializer;

use crate::error::{Code, Error, Result};
use crate::project::Project;
use crate::store::Store;
use crate::store::intake::Unreadable;
use crate::store::works::{Schedule, no_schedule};

/// What a command gives, and what people should know beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer<T> {
    /// Rows, a record, or nothing.
    pub value: T,
    /// Lines for people; never data.
    pub notices: Vec<String>,
}

impl<T> Answer<T> {
    /// An answer with nothing to add.
    pub fn plain(value: T) -> Answer<T> {
        Answer { value, notices: Vec::new() }
    }
}

/// Opens the store with what others wrote into schedule.json taken in.
fn open(project: &Project) -> Result<(Store, Vec<String>)> {
    let mut store = Store::open(project)?;
    let notices = store.publish(Unreadable::Refuse)?;
    if let Some(line) = notices.first()
        && store.status()?.is_none()
    {
        // Deleting the file has just cleared the schedule: that is what every command has to say now.
        return Err(Error::new(Code::NoSchedule, line.clone(), no_schedule().hint()));
    }
    Ok((store, notices))
}

/// Opens the store for what must work whatever stands in schedule.json: stopping, and reports of outcomes. What is wrong
/// with the file is said beside the answer.
fn open_anyway(project: &Project) -> Result<(Store, Vec<String>)> {
    match open(project) {
        Err(error) if error.code() != Code::Store => {
            let store = Store::open(project)?;
            if store.status()?.is_none() {
                return Err(error);
            }
            Ok((store, vec![format!("{}; {}", error.what(), error.hint())]))
        }
        other => other,
    }
}

/// Brings schedule.json up to date where it can be; where it can't, that was said when the store was opened.
fn publish_anyway(store: &mut Store) -> Result<()> {
    match store.publish(Unreadable::Refuse) {
        Err(error) if error.code() == Code::Store => Err(error),
        _ => Ok(()),
    }
}

/// The schedule, which must be there.
fn schedule(store: &Store) -> Result<Schedule> {
    store.schedule()?.ok_or_else(no_schedule)
}

/// A time in JSON: RFC 3339 in UTC.
fn time<S: Serializer>(at: &Timestamp, to: S) -> std::result::Result<S::Ok, S::Error> {
    to.serialize_str(&crate::schedule::document::rfc3339(*at))
}

fn some_time<S: Serializer>(at: &Option<Timestamp>, to: S) -> std::result::Result<S::Ok, S::Error> {
    match at {
        Some(at) => time(at, to),
        None => to.serialize_none(),
    }
}

/// A duration in JSON: seconds.
fn seconds<S: Serializer>(it: &std::time::Duration, to: S) -> std::result::Result<S::Ok, S::Error> {
    to.serialize_f64((it.as_secs_f64() * 1000.0).round() / 1000.0)
}
