-- How many copies of a bucket's files are kept at least: nothing that is dropped leaves fewer.
CREATE TABLE filetransfer.bucket_copies (
    bucket  bytea PRIMARY KEY,
    copies  integer NOT NULL CHECK (copies > 0)
);

-- What a bucket's files come before, or after, at a node.
CREATE TABLE filetransfer.bucket_priorities (
    node_id   text NOT NULL,
    bucket    bytea NOT NULL,
    priority  smallint NOT NULL,
    PRIMARY KEY (node_id, bucket)
);

-- Since when a node is to be emptied: nobody asks it for what another has.
ALTER TABLE filetransfer.nodes ADD COLUMN evacuating_since timestamptz;
