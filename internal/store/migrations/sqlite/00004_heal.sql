-- +goose Up
-- Runs whose review is not whole because something outside was out of reach,
-- and that complete themselves when it is back.
CREATE TABLE heals (
    run_id    TEXT PRIMARY KEY,
    job_id    INTEGER NOT NULL,
    tries     INTEGER NOT NULL DEFAULT 0,
    wakes     INTEGER NOT NULL DEFAULT 0,
    next_try  INTEGER NOT NULL,
    give_up   INTEGER NOT NULL,
    -- until when the check is kept open; 0 when it is concluded
    open_until INTEGER NOT NULL DEFAULT 0,
    -- whether there is a result that the pull request does not show yet
    unshown   INTEGER NOT NULL DEFAULT 0,
    -- the result that it shows, as far as annotations go
    shown     BLOB NOT NULL
);
CREATE TABLE heal_dependencies (
    dependency TEXT NOT NULL,
    run_id     TEXT NOT NULL,
    PRIMARY KEY (dependency, run_id)
);
CREATE INDEX heal_dependencies_run ON heal_dependencies (run_id);

-- +goose Down
DROP TABLE heal_dependencies;
DROP TABLE heals;
