-- +goose Up
-- The installations of the app, as GitHub's events tell of them. One that was
-- deleted is remembered, so that nothing that comes late brings it back.
CREATE TABLE installations (
    id         BIGINT PRIMARY KEY,
    account    TEXT NOT NULL,
    status     TEXT NOT NULL,
    updated_at BIGINT NOT NULL DEFAULT 0
);

-- The repositories that the app was seen on. One that is not active was taken
-- from the app, archived or deleted.
CREATE TABLE repositories (
    id              BIGINT PRIMARY KEY,
    installation_id BIGINT NOT NULL,
    owner           TEXT NOT NULL,
    name            TEXT NOT NULL,
    default_branch  TEXT NOT NULL DEFAULT '',
    private         BIGINT NOT NULL DEFAULT 0,
    active          BIGINT NOT NULL DEFAULT 1
);
CREATE INDEX repositories_installation ON repositories (installation_id);

-- Findings that somebody said do not count on a pull request, and why.
CREATE TABLE dismissals (
    repo_id     BIGINT NOT NULL,
    number      BIGINT NOT NULL,
    fingerprint TEXT NOT NULL,
    who         TEXT NOT NULL,
    reason      TEXT NOT NULL,
    at          BIGINT NOT NULL,
    PRIMARY KEY (repo_id, number, fingerprint)
);

-- Of lost deliveries some are asked for before others.
ALTER TABLE lost_deliveries ADD COLUMN later BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE lost_deliveries DROP COLUMN later;
DROP TABLE dismissals;
DROP TABLE repositories;
DROP TABLE installations;
