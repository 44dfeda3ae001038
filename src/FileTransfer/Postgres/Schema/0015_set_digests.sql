-- Whether the file was added before the mutation; null = from before this was kept.
ALTER TABLE filetransfer.mutations ADD COLUMN was_added boolean;

-- The states of the digests of each bin's added files, and of each bucket's among them, as of a sequence of the bin.
-- What was appended since is added where it is asked for.
CREATE TABLE filetransfer.digested_bins (
    bin       smallint PRIMARY KEY CHECK (bin BETWEEN 0 AND 15),
    sequence  bigint NOT NULL,
    state     bytea NOT NULL CHECK (length(state) = 2048)
);

CREATE TABLE filetransfer.bucket_digests (
    bin     smallint NOT NULL REFERENCES filetransfer.digested_bins,
    bucket  bytea NOT NULL,
    state   bytea NOT NULL CHECK (length(state) = 2048),
    PRIMARY KEY (bin, bucket)
);

-- The same of what an upstream has, by what has been applied of its bin.
ALTER TABLE filetransfer.upstream_bins ADD COLUMN digest bytea CHECK (length(digest) = 2048);

-- Of what was applied before, no digest was kept: it is compared once.
UPDATE filetransfer.upstream_bins SET sealed = 0, round = round + 1, compare_due = true;
