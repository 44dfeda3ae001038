-- What each node was like, minute by minute: a row for an hour of a node, and in it for each figure an array by the minute.
-- lag: mutations not brought into its queue; lacking: files that are to be there and are not; disk_free: MiB.
CREATE TABLE filetransfer.node_history (
    node_id    text NOT NULL REFERENCES filetransfer.nodes ON DELETE CASCADE,
    hour       timestamptz NOT NULL,
    lag        integer[] NOT NULL,
    lacking    integer[] NOT NULL,
    disk_free  integer[] NOT NULL,
    PRIMARY KEY (node_id, hour)
) WITH (fillfactor = 70);
