//! Rows as Nushell values. A column's type comes from the type of its field, so what a signature promises and what a
//! command gives can't differ.

use std::time::Duration;

use chrono::{DateTime, FixedOffset};
use jiff::Timestamp;
use nu_protocol::{Record, Span, Type, Value};

/// How much a cell may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Density {
    /// Lists and records as they are.
    Typed,
    /// Lists joined with a space, records as their id, so that `to csv` and the like take the table.
    Flat,
}

/// Something that stands in a column.
pub trait Cell {
    /// Its type.
    fn cell_type(density: Density) -> Type;
    /// Its value, which has that type.
    fn cell(&self, density: Density, span: Span) -> Value;
    /// The type of a list of it.
    fn list_type(density: Density) -> Type {
        match density {
            Density::Typed => Type::List(Box::new(Self::cell_type(density))),
            Density::Flat => Type::String,
        }
    }
}

/// Something whose fields are columns.
pub trait Row {
    /// Names and types, in order.
    fn columns(density: Density) -> Vec<(String, Type)>;
    /// The values, in the same order.
    fn record(&self, density: Density, span: Span) -> Value;

    /// The type of one row.
    fn record_type(density: Density) -> Type {
        Type::Record(Self::columns(density).into())
    }

    /// The type of a table of such rows.
    fn table_type(density: Density) -> Type {
        Type::Table(Self::columns(density).into())
    }

    /// The type of a table that a flag makes flat: each column has one type or the other.
    fn either_table_type() -> Type {
        let pairs = Self::columns(Density::Typed).into_iter().zip(Self::columns(Density::Flat));
        let columns: Vec<_> = pairs.map(|((name, typed), (_, flat))| (name, either(typed, flat))).collect();
        Type::Table(columns.into())
    }
}

/// One type or the other; help shows a choice of one as if there were more.
fn either(one: Type, other: Type) -> Type {
    if one == other { one } else { Type::one_of([one, other]) }
}

/// The table of some rows.
pub fn table<R: Row>(rows: &[R], density: Density, span: Span) -> Value {
    Value::list(rows.iter().map(|row| row.record(density, span)).collect(), span)
}

/// Makes rows of structs: all their fields, in the order of the table.
macro_rules! rows {
    ($($row:path { $($field:ident),+ $(,)? })+) => { $(
        impl $crate::nu::rows::Row for $row {
            fn columns(density: $crate::nu::rows::Density) -> Vec<(String, nu_protocol::Type)> {
                fn of<R, C: $crate::nu::rows::Cell>(
                    _: impl Fn(&R) -> &C,
                    density: $crate::nu::rows::Density,
                ) -> nu_protocol::Type {
                    C::cell_type(density)
                }
                vec![$((stringify!($field).to_owned(), of(|row: &$row| &row.$field, density))),+]
            }

            fn record(&self, density: $crate::nu::rows::Density, span: nu_protocol::Span) -> nu_protocol::Value {
                // Without `..`: a field that comes later has to be a column, too.
                let $row { $($field),+ } = self;
                let mut record = nu_protocol::Record::new();
                $(record.push(stringify!($field), $crate::nu::rows::Cell::cell($field, density, span));)+
                nu_protocol::Value::record(record, span)
            }
        }

        impl $crate::nu::rows::Cell for $row {
            fn cell_type(density: $crate::nu::rows::Density) -> nu_protocol::Type {
                <$row as $crate::nu::rows::Row>::record_type(density)
            }
            fn cell(&self, density: $crate::nu::rows::Density, span: nu_protocol::Span) -> nu_protocol::Value {
                $crate::nu::rows::Row::record(self, density, span)
            }
            fn list_type(density: $crate::nu::rows::Density) -> nu_protocol::Type {
                <$row as $crate::nu::rows::Row>::table_type(density)
            }
        }
    )+ };
}
pub(crate) use rows;

/// Cells that are text.
macro_rules! texts {
    ($($name:ty),+ $(,)?) => { $(
        impl Cell for $name {
            fn cell_type(_: Density) -> Type {
                Type::String
            }
            fn cell(&self, _: Density, span: Span) -> Value {
                Value::string(self.to_string(), span)
            }
        }
    )+ };
}

texts!(
    String,
    &'static str,
    crate::schedule::WorkId,
    crate::schedule::Status,
    crate::schedule::State,
    crate::schedule::Origin,
    crate::schedule::Resolved,
    crate::schedule::ScheduleStatus,
    crate::schedule::problems::Severity,
    crate::commands::status::WorkerState,
    crate::commands::stop::Stopped,
    crate::commands::doctor::Health,
);

impl Cell for bool {
    fn cell_type(_: Density) -> Type {
        Type::Bool
    }
    fn cell(&self, _: Density, span: Span) -> Value {
        Value::bool(*self, span)
    }
}

impl Cell for i64 {
    fn cell_type(_: Density) -> Type {
        Type::Int
    }
    fn cell(&self, _: Density, span: Span) -> Value {
        Value::int(*self, span)
    }
}

impl Cell for u32 {
    fn cell_type(_: Density) -> Type {
        Type::Int
    }
    fn cell(&self, _: Density, span: Span) -> Value {
        Value::int(i64::from(*self), span)
    }
}

impl Cell for usize {
    fn cell_type(_: Density) -> Type {
        Type::Int
    }
    fn cell(&self, _: Density, span: Span) -> Value {
        Value::int(i64::try_from(*self).unwrap_or(i64::MAX), span)
    }
}

impl Cell for Duration {
    fn cell_type(_: Density) -> Type {
        Type::Duration
    }
    fn cell(&self, _: Density, span: Span) -> Value {
        Value::duration(i64::try_from(self.as_nanos()).unwrap_or(i64::MAX), span)
    }
}

impl Cell for Timestamp {
    fn cell_type(_: Density) -> Type {
        Type::Date
    }
    fn cell(&self, _: Density, span: Span) -> Value {
        match DateTime::from_timestamp_millis(self.as_millisecond()) {
            Some(at) => Value::date(at.with_timezone(&FixedOffset::east_opt(0).unwrap_or_else(utc)), span),
            // No clock and no document reaches it: both calendars end thousands of years away.
            None => Value::nothing(span),
        }
    }
}

/// An offset of no seconds, in the one way that can't fail.
fn utc() -> FixedOffset {
    use chrono::Offset;
    chrono::Utc.fix()
}

impl<C: Cell> Cell for Option<C> {
    fn cell_type(density: Density) -> Type {
        Type::one_of([C::cell_type(density), Type::Nothing])
    }
    fn cell(&self, density: Density, span: Span) -> Value {
        self.as_ref().map_or_else(|| Value::nothing(span), |it| it.cell(density, span))
    }
}

impl<C: Cell> Cell for Vec<C> {
    fn cell_type(density: Density) -> Type {
        C::list_type(density)
    }
    fn cell(&self, density: Density, span: Span) -> Value {
        let cells = self.iter().map(|it| it.cell(density, span));
        match density {
            Density::Typed => Value::list(cells.collect(), span),
            Density::Flat => {
                let texts: Vec<String> =
                    cells.map(|cell| cell.as_str().map(str::to_owned).unwrap_or_default()).collect();
                Value::string(texts.join(" "), span)
            }
        }
    }
}

impl Cell for crate::schedule::Source {
    fn cell_type(density: Density) -> Type {
        let nullable = || Type::one_of([Type::String, Type::Nothing]);
        match density {
            Density::Flat => Type::String,
            Density::Typed => {
                let columns = [
                    ("type", Type::String),
                    ("id", Type::String),
                    ("title", nullable()),
                    ("url", nullable()),
                ];
                Type::Record(columns.map(|(name, it)| (name.to_owned(), it)).to_vec().into())
            }
        }
    }
    fn cell(&self, density: Density, span: Span) -> Value {
        match density {
            Density::Flat => Value::string(self.id.clone(), span),
            Density::Typed => {
                let mut record = Record::new();
                record.push("type", Value::string(self.kind.as_str(), span));
                record.push("id", Value::string(self.id.clone(), span));
                record.push("title", self.title.cell(density, span));
                record.push("url", self.url.cell(density, span));
                Value::record(record, span)
            }
        }
    }
}
