-- +goose Up
CREATE TABLE deliveries (
    id              BIGSERIAL PRIMARY KEY,
    guid            TEXT NOT NULL UNIQUE,
    replay_key      BYTEA UNIQUE,
    event           TEXT NOT NULL,
    action          TEXT NOT NULL,
    installation_id BIGINT NOT NULL,
    repo_id         BIGINT NOT NULL,
    number          BIGINT NOT NULL,
    head_sha        TEXT NOT NULL,
    pull_updated_at BIGINT NOT NULL,
    received_at     BIGINT NOT NULL,
    finished_at     BIGINT NOT NULL DEFAULT 0,
    status          TEXT NOT NULL,
    reason          TEXT NOT NULL DEFAULT '',
    headers         BYTEA NOT NULL,
    body            BYTEA NOT NULL
);
CREATE INDEX deliveries_pull ON deliveries (repo_id, number, pull_updated_at) WHERE number <> 0;
CREATE INDEX deliveries_status ON deliveries (status, received_at);

CREATE TABLE subjects (
    repo_id         BIGINT NOT NULL,
    number          BIGINT NOT NULL,
    head_sha        TEXT NOT NULL,
    pull_updated_at BIGINT NOT NULL,
    closed          BIGINT NOT NULL DEFAULT 0,
    comment_id      BIGINT NOT NULL DEFAULT 0,
    comment_state   TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (repo_id, number)
);

CREATE TABLE runs (
    seq             BIGSERIAL PRIMARY KEY,
    id              TEXT NOT NULL UNIQUE,
    delivery        TEXT NOT NULL,
    installation_id BIGINT NOT NULL,
    repo_id         BIGINT NOT NULL,
    owner           TEXT NOT NULL,
    name            TEXT NOT NULL,
    number          BIGINT NOT NULL,
    head_sha        TEXT NOT NULL,
    pipeline        TEXT NOT NULL,
    attempt         BIGINT NOT NULL,
    status          TEXT NOT NULL,
    reason          TEXT NOT NULL DEFAULT '',
    check_id        BIGINT NOT NULL DEFAULT 0,
    check_shows     TEXT NOT NULL DEFAULT '',
    enqueued        BIGINT NOT NULL DEFAULT 0,
    judged          BIGINT NOT NULL DEFAULT 0,
    queued_at       BIGINT NOT NULL,
    started_at      BIGINT NOT NULL DEFAULT 0,
    finished_at     BIGINT NOT NULL DEFAULT 0,
    plan            BYTEA NOT NULL,
    document        BYTEA NOT NULL,
    UNIQUE (repo_id, head_sha, pipeline, attempt)
);
CREATE INDEX runs_pull ON runs (repo_id, number, status);
CREATE INDEX runs_recent ON runs (queued_at);
CREATE INDEX runs_delivery ON runs (delivery);

CREATE TABLE leases (
    name  TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    until BIGINT NOT NULL
);

CREATE TABLE nodes (
    id   TEXT PRIMARY KEY,
    seen BIGINT NOT NULL
);

-- +goose Down
DROP TABLE nodes;
DROP TABLE leases;
DROP TABLE runs;
DROP TABLE subjects;
DROP TABLE deliveries;
