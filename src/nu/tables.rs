//! Which fields of the commands' answers are columns, in which order.

use super::rows::rows;
use crate::commands::{create, doctor, init, plan, show, start, status, stop, watch, why, work};
use crate::schedule::Edge;
use crate::schedule::problems::Problem;

rows! {
    status::Row {
        work_id, state, priority, phase, worker, attempts, waiting_on, dependencies, started_at, finished_at, elapsed,
        branch, worktree, source, error,
    }
    status::Summary { status, reason, created_at, progress, scheduler, workers }
    status::Progress { total, completed, in_progress, pending, failed, blocked, paused }
    status::Scheduler { state, pid, session }
    status::Worker { worker, state, work_id, phase, pid, session, since }
    start::Started { status, scheduler, workers, pending, attach }
    stop::Row { target, result }
    plan::Row { order, wave, work_id, priority, dependencies, critical, branch, base, worktree, phases }
    watch::Row { at, event, work_id, phase, worker, state, message }
    show::Row { work_id, priority, status, dependencies, source, title }
    work::Row { work_id, branch, worktree, phases, source }
    doctor::Row { check, state, message, hint }
    init::Initialized { root, config, written }
    Problem { severity, code, work_id, message, hint }
    create::Created { works, file }
    create::Preview { works, edges }
    why::Row { depth, work_id, state, because, needed_by, origin, text }
    Edge { from, to, origin, text, resolved }
}
