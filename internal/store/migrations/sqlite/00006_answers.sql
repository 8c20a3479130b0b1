-- +goose Up
-- What models answered, by repository and content.
CREATE TABLE answers (
    repo_id INTEGER NOT NULL,
    key     TEXT NOT NULL,
    at      INTEGER NOT NULL,
    body    BLOB NOT NULL,
    PRIMARY KEY (repo_id, key)
);
CREATE INDEX answers_at ON answers (at);

-- +goose Down
DROP TABLE answers;
