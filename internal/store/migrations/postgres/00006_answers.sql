-- +goose Up
-- What models answered, by repository and content.
CREATE TABLE answers (
    repo_id BIGINT NOT NULL,
    key     TEXT NOT NULL,
    at      BIGINT NOT NULL,
    body    BYTEA NOT NULL,
    PRIMARY KEY (repo_id, key)
);
CREATE INDEX answers_at ON answers (at);

-- +goose Down
DROP TABLE answers;
