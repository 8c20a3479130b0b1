-- +goose Up
-- Results of other tools that CI has sent for a head.
CREATE TABLE sarif_uploads (
    repo_id     BIGINT NOT NULL,
    head_sha    TEXT NOT NULL,
    category    TEXT NOT NULL,
    results     BYTEA NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (repo_id, head_sha, category)
);
CREATE INDEX sarif_uploads_received ON sarif_uploads (received_at);

-- +goose Down
DROP TABLE sarif_uploads;
