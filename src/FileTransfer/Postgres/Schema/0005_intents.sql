-- A caller's wish that a node has a file. Many wishes, one download: the replica. A wish ends with the file stored, failed or removed,
-- or when it is withdrawn; its row stays a while to say so.
CREATE TABLE filetransfer.intents (
    intent_id  uuid PRIMARY KEY,
    node_id    text NOT NULL,
    file_key   bytea NOT NULL REFERENCES filetransfer.files,
    caller     text,
    asked_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at   timestamptz,
    outcome    text CHECK (outcome IN ('stored', 'failed', 'removed', 'withdrawn')),
    reason     text,
    CHECK ((ended_at IS NULL) = (outcome IS NULL))
);

CREATE INDEX intents_open ON filetransfer.intents (node_id, file_key) WHERE ended_at IS NULL;

CREATE INDEX intents_ended ON filetransfer.intents (node_id, ended_at) WHERE ended_at IS NOT NULL;
