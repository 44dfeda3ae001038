-- What a person has paused at a node: everything, a bucket, or a file. until: infinity = until somebody resumes it.
CREATE TABLE filetransfer.pauses (
    node_id    text NOT NULL,
    bucket     bytea,
    file_key   bytea,
    until      timestamptz NOT NULL,
    paused_by  text,
    paused_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (bucket IS NULL OR file_key IS NULL),
    UNIQUE NULLS NOT DISTINCT (node_id, bucket, file_key)
);
