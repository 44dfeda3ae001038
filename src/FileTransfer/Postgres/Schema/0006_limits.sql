-- Limits that were set at run time, over the configuration of their node. What a member leaves out is as configured.
CREATE TABLE filetransfer.limits (
    node_id  text PRIMARY KEY,
    limits   jsonb NOT NULL,
    set_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);
