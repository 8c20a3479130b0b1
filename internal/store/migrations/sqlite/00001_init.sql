-- +goose Up
CREATE TABLE deliveries (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    guid            TEXT NOT NULL UNIQUE,
    replay_key      BLOB UNIQUE,
    event           TEXT NOT NULL,
    action          TEXT NOT NULL,
    installation_id INTEGER NOT NULL,
    repo_id         INTEGER NOT NULL,
    number          INTEGER NOT NULL,
    head_sha        TEXT NOT NULL,
    pull_updated_at INTEGER NOT NULL,
    received_at     INTEGER NOT NULL,
    finished_at     INTEGER NOT NULL DEFAULT 0,
    status          TEXT NOT NULL,
    reason          TEXT NOT NULL DEFAULT '',
    headers         BLOB NOT NULL,
    body            BLOB NOT NULL
);
CREATE INDEX deliveries_pull ON deliveries (repo_id, number, pull_updated_at) WHERE number <> 0;
CREATE INDEX deliveries_status ON deliveries (status, received_at);

CREATE TABLE subjects (
    repo_id         INTEGER NOT NULL,
    number          INTEGER NOT NULL,
    head_sha        TEXT NOT NULL,
    pull_updated_at INTEGER NOT NULL,
    closed          INTEGER NOT NULL DEFAULT 0,
    comment_id      INTEGER NOT NULL DEFAULT 0,
    comment_state   TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (repo_id, number)
);

CREATE TABLE runs (
    seq             INTEGER PRIMARY KEY AUTOINCREMENT,
    id              TEXT NOT NULL UNIQUE,
    delivery        TEXT NOT NULL,
    installation_id INTEGER NOT NULL,
    repo_id         INTEGER NOT NULL,
    owner           TEXT NOT NULL,
    name            TEXT NOT NULL,
    number          INTEGER NOT NULL,
    head_sha        TEXT NOT NULL,
    pipeline        TEXT NOT NULL,
    attempt         INTEGER NOT NULL,
    status          TEXT NOT NULL,
    reason          TEXT NOT NULL DEFAULT '',
    check_id        INTEGER NOT NULL DEFAULT 0,
    check_shows     TEXT NOT NULL DEFAULT '',
    enqueued        INTEGER NOT NULL DEFAULT 0,
    judged          INTEGER NOT NULL DEFAULT 0,
    queued_at       INTEGER NOT NULL,
    started_at      INTEGER NOT NULL DEFAULT 0,
    finished_at     INTEGER NOT NULL DEFAULT 0,
    plan            BLOB NOT NULL,
    document        BLOB NOT NULL,
    UNIQUE (repo_id, head_sha, pipeline, attempt)
);
CREATE INDEX runs_pull ON runs (repo_id, number, status);
CREATE INDEX runs_recent ON runs (queued_at);
CREATE INDEX runs_delivery ON runs (delivery);

CREATE TABLE leases (
    name  TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    until INTEGER NOT NULL
);

CREATE TABLE nodes (
    id   TEXT PRIMARY KEY,
    seen INTEGER NOT NULL
);

-- +goose Down
DROP TABLE nodes;
DROP TABLE leases;
DROP TABLE runs;
DROP TABLE subjects;
DROP TABLE deliveries;
