-- +goose Up
-- The schedules that repositories' configs listen to, as they were read last,
-- and when each is due next.
CREATE TABLE schedules (
    repo_id INTEGER NOT NULL,
    name    TEXT NOT NULL,
    spec    TEXT NOT NULL,
    next_at INTEGER NOT NULL,
    PRIMARY KEY (repo_id, name)
);
CREATE INDEX schedules_next ON schedules (next_at);

-- When a repository's config is to be read for its schedules; 0 is now.
ALTER TABLE repositories ADD COLUMN schedules_at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX repositories_schedules ON repositories (schedules_at);

-- +goose Down
DROP INDEX repositories_schedules;
ALTER TABLE repositories DROP COLUMN schedules_at;
DROP TABLE schedules;
