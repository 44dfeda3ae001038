-- The sequence of the file's newest mutation in its bin; null while it has none.
ALTER TABLE filetransfer.files ADD COLUMN sequence bigint;

UPDATE filetransfer.files f SET sequence = newest.sequence
FROM (SELECT file_key, max(sequence) AS sequence FROM filetransfer.mutations GROUP BY file_key) newest
WHERE newest.file_key = f.file_key;

-- The histories of the feed, and which server's data on which timeline each began on. A history ends where it can no longer be trusted to
-- go on: after a promotion, or in a copy of the database. heads: the newest sequence of each bin at its begin; what is above is its own.
CREATE TABLE filetransfer.feed_epochs (
    feed_epoch         uuid PRIMARY KEY,
    began_at           timestamptz NOT NULL,
    system_identifier  text,
    timeline           bigint,
    heads              bigint[] NOT NULL
);

INSERT INTO filetransfer.feed_epochs (feed_epoch, began_at, heads)
SELECT feed_epoch, clock_timestamp(), array_fill(0::bigint, ARRAY[16]) FROM filetransfer.cluster;
