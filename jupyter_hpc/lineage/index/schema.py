"""The tables of the lineage index, named after PROV's words, and how its file is opened."""

from __future__ import annotations

import sqlite3
from pathlib import Path

VERSION = 6
BUSY_S = 10.0

# run is prov:Activity; edge is prov:used and prov:wasGeneratedBy; link is prov:wasInformedBy, found from digests,
# names and what the records say; derived is prov:wasDerivedFrom; code is prov:hadPlan.
TABLES = """
CREATE TABLE run(
    run_id TEXT PRIMARY KEY, parent_run_id TEXT, kind TEXT NOT NULL, backend TEXT, target TEXT, native_id TEXT,
    state TEXT, created REAL, started_at REAL, ended_at REAL, name TEXT, label TEXT, notebook TEXT, cell_id TEXT,
    exec_count INTEGER, session TEXT, code_digest TEXT, env_digest TEXT, reuse_key TEXT, reused_from TEXT,
    resubmits TEXT, node TEXT, agent TEXT, host TEXT, error TEXT, cause TEXT) WITHOUT ROWID;
CREATE INDEX run_created ON run(created, run_id) WHERE kind != 'local_cell' AND parent_run_id IS NULL;
CREATE INDEX run_state ON run(state, created);
CREATE INDEX run_env ON run(env_digest);
CREATE INDEX run_reuse ON run(reuse_key) WHERE reuse_key IS NOT NULL;
CREATE INDEX run_cell ON run(cell_id) WHERE cell_id IS NOT NULL;
CREATE TABLE edge(
    run_id TEXT, role TEXT CHECK(role IN ('used', 'generated')), kind TEXT CHECK(kind IN ('value', 'code', 'file')),
    name TEXT, digest TEXT, nbytes INTEGER, type TEXT, t REAL, PRIMARY KEY(run_id, role, kind, name)) WITHOUT ROWID;
CREATE INDEX edge_digest ON edge(digest, role, t);
CREATE INDEX edge_name ON edge(name, role, t);
CREATE TABLE link(child TEXT, name TEXT, parent TEXT, via TEXT, PRIMARY KEY(child, name, parent)) WITHOUT ROWID;
CREATE INDEX link_parent ON link(parent);
CREATE TABLE derived(digest TEXT, src_digest TEXT, how TEXT, PRIMARY KEY(digest, src_digest, how)) WITHOUT ROWID;
CREATE TABLE code(
    run_id TEXT, module TEXT, path TEXT, git_remote TEXT, git_commit TEXT, git_branch TEXT, dirty INTEGER,
    diff_digest TEXT, PRIMARY KEY(run_id, module)) WITHOUT ROWID;
CREATE INDEX code_commit ON code(git_commit);
CREATE TABLE metric(
    run_id TEXT, name TEXT, last REAL, low REAL, high REAL, count INTEGER, PRIMARY KEY(run_id, name)) WITHOUT ROWID;
CREATE INDEX metric_name ON metric(name);
CREATE TABLE package(env_digest TEXT, name TEXT, version TEXT, PRIMARY KEY(name, env_digest)) WITHOUT ROWID;
CREATE TABLE tag(subject TEXT, key TEXT, value TEXT, name TEXT, t REAL, PRIMARY KEY(key, value)) WITHOUT ROWID;
CREATE INDEX tag_subject ON tag(subject);
CREATE TABLE seen(path TEXT PRIMARY KEY, stamp TEXT, sealed INTEGER, problem TEXT) WITHOUT ROWID;
CREATE INDEX seen_open ON seen(path) WHERE sealed = 0;
"""


def connect(path: Path | str, *, bulk: bool = False) -> sqlite3.Connection:
    """Open an index file; its transactions are begun by hand.

    Never in WAL mode: that needs shared memory, which hosts on a network file system don't have. ``bulk`` is for a
    file that nobody else sees yet.
    """
    database = sqlite3.connect(str(path), timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA cache_size = -65536")
    database.execute("PRAGMA temp_store = MEMORY")
    if bulk:
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA synchronous = OFF")
    return database


def create(database: sqlite3.Connection) -> None:
    """Make the tables."""
    database.executescript(TABLES)
    database.execute(f"PRAGMA user_version = {VERSION}")


def is_current(database: sqlite3.Connection) -> bool:
    """Whether the file has this version's tables."""
    return bool(database.execute("PRAGMA user_version").fetchone()[0] == VERSION)
