//! What people read. Everything that came from outside is shown without control characters.

use std::fmt::Write;
use std::time::Duration;

use comfy_table::{ContentArrangement, Table, presets};

use crate::commands::create::{Created, Preview};
use crate::commands::doctor::{self, Health};
use crate::commands::init::Initialized;
use crate::commands::start::Started;
use crate::commands::status::{Progress, Row, Summary, WorkerState};
use crate::commands::{plan as plans, show as shows, stop, watch, why as whys, work as works};
use crate::schedule::id::{count, printable};
use crate::schedule::problems::{Problem, Severity};
use crate::schedule::{Edge, ScheduleStatus, State, WorkId};

/// The most rows that a list of failures shows; the rest is counted.
const MOST: usize = 20;

fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header);
    for row in rows {
        table.add_row(row);
    }
    let mut out = String::new();
    for line in table.lines() {
        let _ = writeln!(out, "{}", line.trim_end().strip_prefix(' ').unwrap_or(line.trim_end()));
    }
    out
}

fn joined(ids: &[WorkId]) -> String {
    ids.iter().map(WorkId::as_str).collect::<Vec<_>>().join(" ")
}

fn short(text: &str, most: usize) -> String {
    let text = printable(text);
    if text.chars().count() <= most {
        return text;
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

fn lasted(it: Duration) -> String {
    let seconds = it.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) if s < 10 => format!("{:.1}s", it.as_secs_f64()),
        (0, 0, s) => format!("{s}s"),
        (0, m, s) => format!("{m}m {s:02}s"),
        (h, m, _) => format!("{h}h {m:02}m"),
    }
}

pub fn initialized(it: &Initialized) -> String {
    let what = if it.written { "wrote" } else { "kept" };
    format!(
        "Project: {}\n{what} {}\n\nNext: `wf0 schedule create local=FEAT-1-first,FEAT-2-second`, then `wf0 batch start --dry-run`\n",
        printable(&it.root),
        printable(&it.config)
    )
}

pub fn created(it: &Created) -> String {
    format!(
        "Created {} with {}\n\nNext: `wf0 batch start --dry-run` shows the plan, `wf0 batch start` runs it\n",
        printable(&it.file),
        count(it.works, "work")
    )
}

pub fn show(rows: &[shows::Row]) -> String {
    table(
        &["WORK", "PRIORITY", "STATUS", "DEPENDENCIES", "TITLE"],
        rows.iter().map(|row| {
            vec![
                row.work_id.to_string(),
                row.priority.to_string(),
                row.status.to_string(),
                short(&joined(&row.dependencies), 60),
                short(row.title.as_deref().unwrap_or_default(), 50),
            ]
        }),
    )
}

pub fn preview(it: &Preview) -> String {
    let waits = if it.edges.is_empty() { String::new() } else { format!("\n{}", edges(&it.edges)) };
    let (works, waiting) = (count(it.works.len(), "work"), count(it.edges.len(), "dependency"));
    let waiting = waiting.replace("dependencys", "dependencies");
    format!("{}{waits}\n{works}, {waiting}. Nothing was changed.\n", show(&it.works))
}

pub fn edges(rows: &[Edge]) -> String {
    if rows.is_empty() {
        return "No work waits for another.\n".into();
    }
    table(
        &["FROM", "TO", "ORIGIN", "RESOLVED", "TEXT"],
        rows.iter().map(|row| {
            vec![
                row.from.to_string(),
                row.to.to_string(),
                row.origin.to_string(),
                row.resolved.to_string(),
                short(row.text.as_deref().unwrap_or_default(), 80),
            ]
        }),
    )
}

pub fn why(rows: &[whys::Row]) -> String {
    let mut out = String::new();
    for row in rows {
        let indent = "  ".repeat(row.depth.min(20) as usize);
        let _ = writeln!(out, "{indent}{} ({}): {}", row.work_id, row.state, short(&row.because, 300));
        if let Some(text) = &row.text {
            let _ = writeln!(out, "{indent}  \"{}\"", short(text, 100));
        }
    }
    out
}

pub fn problems(rows: &[Problem]) -> String {
    if rows.is_empty() {
        return "No problem found.\n".into();
    }
    let mut out = String::new();
    for row in rows {
        let mark = match row.severity {
            Severity::Error => "❌ error",
            Severity::Warning => "⚠️  warning",
        };
        let _ = writeln!(
            out,
            "{mark}: {} [{}]\n   help: {}",
            printable(&row.message),
            row.code,
            printable(&row.hint)
        );
    }
    out
}

pub fn plan(rows: &[plans::Row]) -> String {
    if rows.is_empty() {
        return "Nothing would run.\n".into();
    }
    let mut out = table(
        &["ORDER", "WAVE", "WORK", "PRIORITY", "CRITICAL", "BRANCH", "BASE", "WORKTREE"],
        rows.iter().map(|row| {
            vec![
                row.order.to_string(),
                row.wave.to_string(),
                row.work_id.to_string(),
                row.priority.to_string(),
                if row.critical { "yes".into() } else { String::new() },
                row.branch.clone().unwrap_or_default(),
                short(row.base.as_deref().unwrap_or_default(), 60),
                printable(&row.worktree),
            ]
        }),
    );
    let waves = rows.iter().map(|row| row.wave).max().unwrap_or(0);
    let phases = rows.first().map(|row| row.phases.join(" → ")).unwrap_or_default();
    let (works, waves) = (count(rows.len(), "work"), count(waves as usize, "wave"));
    let _ = writeln!(out, "\n{works} in {waves}; each: {phases}. Nothing was changed.");
    out
}

pub fn started(it: &Started) -> String {
    let workers = it.workers.iter().filter(|worker| worker.pid.is_some()).count();
    let (works, workers) = (count(it.pending as usize, "work"), count(workers, "worker"));
    let mut out = format!("Batch {}: {works} to do, {workers}\n", it.status);
    if it.attach.is_empty() {
        out.push_str("Output: `wf0 batch logs ID --follow`\n");
    }
    for command in &it.attach {
        let _ = writeln!(out, "  {}", printable(command));
    }
    out.push_str("\nNext: `wf0 batch status`, `wf0 batch watch`, `wf0 batch stop`\n");
    out
}

pub fn stopped(rows: &[stop::Row]) -> String {
    rows.iter().map(|row| format!("{}: {}\n", row.target, row.result.as_str())).collect()
}

fn progress(it: &Progress) -> String {
    let mut out = String::from("Progress:\n");
    let always = [
        ("✅ Completed:  ", it.completed),
        ("🔄 In Progress:", it.in_progress),
        ("⏳ Pending:    ", it.pending),
    ];
    let where_any =
        [("❌ Failed:     ", it.failed), ("⛔ Blocked:    ", it.blocked), ("⏸  Paused:     ", it.paused)];
    for (label, count) in always.into_iter().chain(where_any.into_iter().filter(|(_, count)| *count > 0)) {
        let _ = writeln!(out, "  {label} {count}");
    }
    out
}

fn head(it: &Summary) -> String {
    let mut out = String::from("📊 Batch Execution Status\n═══════════════════════════════════════\n\n");
    let reason = it.reason.as_deref().map(|reason| format!(" ({})", printable(reason))).unwrap_or_default();
    let _ = writeln!(out, "Status: {}{reason}\n", it.status);
    out.push_str(&progress(&it.progress));
    let scheduler = match &it.scheduler.session {
        Some(session) => format!("✅ running ({})", printable(session)),
        None if it.scheduler.pid.is_some() => "✅ running".to_owned(),
        None => "⏹  stopped".to_owned(),
    };
    let _ = writeln!(out, "\nWorkers:\n  📋 Scheduler: {scheduler}");
    for worker in &it.workers {
        let doing = match &worker.work_id {
            Some(id) => format!("{id} ({})", worker.state),
            None => worker.state.to_string(),
        };
        let _ = writeln!(out, "  🔧 Worker {}: {}", worker.worker, printable(&doing));
    }
    out
}

fn next_step(it: &Summary) -> &'static str {
    let by_scripts = it.workers.iter().any(|worker| worker.state == WorkerState::External);
    match it.status {
        ScheduleStatus::Running if by_scripts && it.scheduler.pid.is_none() => "Next: `wf0 batch watch`",
        ScheduleStatus::Failed if it.progress.failed == 0 => {
            "Next: `wf0 schedule validate` shows what blocks the rest"
        }
        ScheduleStatus::Pending => "Next: `wf0 batch start`",
        ScheduleStatus::Running if it.scheduler.pid.is_none() => {
            "The scheduler is gone. Next: `wf0 batch start` goes on"
        }
        ScheduleStatus::Running => "Next: `wf0 batch watch`, `wf0 batch logs ID --follow`, `wf0 batch stop`",
        ScheduleStatus::Paused => "Next: `wf0 batch resume`",
        ScheduleStatus::Failed => {
            "Next: `wf0 batch logs ID` shows what happened, `wf0 batch resume` tries again"
        }
        ScheduleStatus::Completed => "All works are completed.",
    }
}

pub fn summary(rows: &[Row], it: &Summary) -> String {
    format!("{}{}\n{}\n", head(it), troubled(rows), next_step(it))
}

pub fn status(rows: &[Row], it: &Summary) -> String {
    let mut out = head(it);
    if rows.len() <= 200 {
        out.push('\n');
        out.push_str(&table(
            &["WORK", "STATE", "PHASE", "TRIES", "ELAPSED", "WAITING ON"],
            rows.iter().map(|row| {
                vec![
                    row.work_id.to_string(),
                    format!("{} {}", mark(row.state), row.state),
                    printable(row.phase.as_deref().unwrap_or_default()),
                    if row.attempts > 1 { row.attempts.to_string() } else { String::new() },
                    if row.elapsed.is_zero() { String::new() } else { lasted(row.elapsed) },
                    short(&joined(&row.waiting_on), 50),
                ]
            }),
        ));
    }
    out.push_str(&troubled(rows));
    let _ = writeln!(out, "\n{}", next_step(it));
    out
}

/// The works that failed or are blocked, with why.
fn troubled(rows: &[Row]) -> String {
    let mut out = String::new();
    let troubled: Vec<&Row> =
        rows.iter().filter(|row| matches!(row.state, State::Failed | State::Blocked)).collect();
    if !troubled.is_empty() {
        out.push('\n');
    }
    for row in troubled.iter().take(MOST) {
        let error = short(row.error.as_deref().unwrap_or_default(), 400);
        let _ = writeln!(out, "{} {}: {error}", mark(row.state), row.work_id);
    }
    if troubled.len() > MOST {
        let _ = writeln!(out, "… and {} more", troubled.len() - MOST);
    }
    out
}

fn mark(state: State) -> &'static str {
    match state {
        State::Pending => "⏳",
        State::Running => "🔄",
        State::Completed => "✅",
        State::Failed => "❌",
        State::Blocked => "⛔",
        State::Paused => "⏸ ",
    }
}

pub fn event(row: &watch::Row) -> String {
    let mut out = format!("{} {:<18}", clock(row.at), row.event);
    for part in [row.work_id.as_ref().map(|id| id.to_string()), row.phase.clone()].into_iter().flatten() {
        let _ = write!(out, " {part}");
    }
    if let Some(worker) = row.worker {
        let _ = write!(out, " (worker-{worker})");
    }
    if let Some(state) = row.state.as_ref().filter(|_| row.work_id.is_none()) {
        let _ = write!(out, " {state}");
    }
    if let Some(message) = row.message.as_ref().filter(|_| row.event != "assigned") {
        let _ = write!(out, " {}", short(message, 300));
    }
    printable(&out) + "\n"
}

/// The time of day here, where people read it.
fn clock(at: jiff::Timestamp) -> String {
    at.to_zoned(jiff::tz::TimeZone::system()).strftime("%H:%M:%S").to_string()
}

/// Date and time here, as log lines have them.
pub fn stamp(at: jiff::Timestamp) -> String {
    at.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

pub fn work(row: &works::Row) -> String {
    let branch = row.branch.as_deref().map(|branch| format!("branch:   {branch}\n")).unwrap_or_default();
    format!(
        "work_id:  {}\n{branch}worktree: {}\nphases:   {}\n",
        row.work_id,
        printable(&row.worktree),
        row.phases.join(" ")
    )
}

pub fn doctor(rows: &[doctor::Row]) -> String {
    let mut out = String::new();
    for row in rows {
        let mark = match row.state {
            Health::Ok => "✅",
            Health::Warning => "⚠️ ",
            Health::Error => "❌",
        };
        let _ = writeln!(out, "{mark} {:<14} {}", row.check, printable(&row.message));
        if let Some(hint) = &row.hint {
            let _ = writeln!(out, "   {:<14} help: {}", "", printable(hint));
        }
    }
    out
}
