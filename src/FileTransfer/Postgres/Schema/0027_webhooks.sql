-- How far each configured webhook has been told of the cluster's changes.
CREATE TABLE filetransfer.webhooks (
    url         text PRIMARY KEY,
    position    text NOT NULL,
    changed_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
