-- +goose Up
-- Deliveries that GitHub could not deliver, as it lists them.
CREATE TABLE lost_deliveries (
    guid       TEXT PRIMARY KEY,
    attempt_id BIGINT NOT NULL,
    failed_at  BIGINT NOT NULL,
    asks       BIGINT NOT NULL DEFAULT 0,
    ask_at     BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX lost_deliveries_due ON lost_deliveries (ask_at, failed_at);

-- How far work that goes over a long list has come.
CREATE TABLE cursors (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- How often a run without a job was given one again.
ALTER TABLE runs ADD COLUMN revived BIGINT NOT NULL DEFAULT 0;
CREATE INDEX runs_unfinished ON runs (queued_at) WHERE status IN ('queued', 'running') OR check_shows <> 'completed';

-- +goose Down
DROP INDEX runs_unfinished;
ALTER TABLE runs DROP COLUMN revived;
DROP TABLE cursors;
DROP TABLE lost_deliveries;
