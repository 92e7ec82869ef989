//! The store's tables and how an older store becomes a newer one.

use rusqlite::Connection;

/// The version this wf0 writes and reads.
pub const VERSION: u32 = STEPS.len() as u32;

/// What leads from version N to version N + 1. Never changed once released; only added to.
const STEPS: &[&str] = &["
    CREATE TABLE schedule (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        created_at INTEGER NOT NULL,
        status TEXT NOT NULL,
        reason TEXT,
        sources TEXT NOT NULL,
        extra TEXT NOT NULL,
        parallel INTEGER NOT NULL,
        over INTEGER NOT NULL DEFAULT 0,
        configured INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE works (
        n INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        status TEXT NOT NULL,
        paused INTEGER NOT NULL DEFAULT 0,
        priority INTEGER NOT NULL,
        weight INTEGER NOT NULL DEFAULT 0,
        unmet INTEGER NOT NULL DEFAULT 0,
        source TEXT NOT NULL,
        extra TEXT NOT NULL,
        worktree TEXT,
        position TEXT,
        attempts INTEGER NOT NULL DEFAULT 0,
        counted_from INTEGER NOT NULL DEFAULT 0,
        worked_ms INTEGER NOT NULL DEFAULT 0,
        started_at INTEGER,
        ended_at INTEGER,
        error TEXT
    );
    CREATE INDEX works_ready ON works(priority, weight DESC, n) WHERE status = 'pending' AND unmet = 0 AND paused = 0;
    CREATE INDEX works_open ON works(status, paused) WHERE status <> 'completed';
    CREATE TABLE dependencies (
        work INTEGER NOT NULL REFERENCES works(n),
        place INTEGER NOT NULL,
        dependency TEXT NOT NULL,
        PRIMARY KEY (work, place)
    ) WITHOUT ROWID;
    CREATE INDEX dependents ON dependencies(dependency, work);
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        work INTEGER NOT NULL REFERENCES works(n),
        worker INTEGER NOT NULL,
        owner TEXT NOT NULL CHECK (owner IN ('runner', 'external')),
        state TEXT NOT NULL CHECK (state IN ('claimed', 'running', 'ended')),
        wish TEXT CHECK (wish IN ('return', 'pause')),
        outcome TEXT,
        claimed_at INTEGER NOT NULL,
        ended_at INTEGER
    );
    CREATE UNIQUE INDEX one_run_a_work ON runs(work) WHERE state <> 'ended';
    CREATE UNIQUE INDEX one_run_a_worker ON runs(worker) WHERE state <> 'ended';
    CREATE TABLE attempts (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        run INTEGER NOT NULL REFERENCES runs(id),
        work INTEGER NOT NULL REFERENCES works(n),
        phase TEXT NOT NULL,
        number INTEGER NOT NULL,
        outcome TEXT,
        error TEXT,
        agent_group INTEGER,
        next_before TEXT,
        log TEXT NOT NULL,
        started_at INTEGER NOT NULL,
        ended_at INTEGER
    );
    CREATE INDEX attempts_of_work ON attempts(work, id);
    CREATE TABLE processes (
        role TEXT PRIMARY KEY,
        pid INTEGER NOT NULL,
        started TEXT NOT NULL,
        session TEXT,
        managed INTEGER NOT NULL,
        wish INTEGER NOT NULL DEFAULT 0,
        since INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE events (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        event TEXT NOT NULL,
        work TEXT,
        phase TEXT,
        worker INTEGER,
        state TEXT,
        message TEXT
    );
    CREATE TABLE revisions (rev INTEGER PRIMARY KEY, hash TEXT, status TEXT);
    CREATE TABLE history (
        work TEXT NOT NULL,
        rev INTEGER NOT NULL,
        status TEXT,
        priority INTEGER,
        dependencies TEXT,
        PRIMARY KEY (work, rev)
    ) WITHOUT ROWID;
    CREATE TABLE published (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        rev INTEGER NOT NULL,
        signature TEXT NOT NULL
    );
    CREATE TABLE identity (one INTEGER PRIMARY KEY CHECK (one = 1), name TEXT NOT NULL);
    INSERT INTO identity(one, name) VALUES (1, lower(hex(randomblob(8))));
", "
    CREATE TABLE edges (
        work INTEGER NOT NULL REFERENCES works(n),
        dependency TEXT NOT NULL,
        origin TEXT NOT NULL,
        text TEXT,
        resolved TEXT NOT NULL,
        dropped INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (work, dependency)
    ) WITHOUT ROWID;
    ALTER TABLE works ADD COLUMN priority_by_hand INTEGER NOT NULL DEFAULT 0;
"];

/// Brings a store of version `from` to [`VERSION`], all steps or none.
pub fn migrate(connection: &Connection, from: u32) -> rusqlite::Result<()> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let steps = || -> rusqlite::Result<()> {
        for step in STEPS.iter().skip(from as usize) {
            connection.execute_batch(step)?;
        }
        connection.pragma_update(None, "user_version", VERSION)?;
        connection.execute_batch("COMMIT")
    };
    steps().inspect_err(|_| {
        // A failed COMMIT may already have rolled back; the first error is the one that counts.
        let _ = connection.execute_batch("ROLLBACK");
    })
}
