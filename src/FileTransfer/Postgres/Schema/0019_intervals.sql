-- Which sequences of the history have been applied: the newest are read beside what came before them. sealed follows: every sequence up to it.
ALTER TABLE filetransfer.upstream_bins ADD COLUMN intervals int8multirange NOT NULL DEFAULT '{}';

UPDATE filetransfer.upstream_bins SET intervals = int8multirange(int8range(1, sealed, '[]')) WHERE sealed > 0;

ALTER TABLE filetransfer.upstream_bins DROP COLUMN sealed;

ALTER TABLE filetransfer.upstream_bins
    ADD COLUMN sealed bigint NOT NULL GENERATED ALWAYS AS (lower('{[1,)}'::int8multirange - intervals) - 1) STORED;

-- The place of the newest Add in the upstream's own bin; it says nothing once the file's round is behind.
ALTER TABLE filetransfer.upstream_files ADD COLUMN sequence bigint NOT NULL DEFAULT 0;

-- Removes of an upstream that were applied before all that came before them: an older Add changes nothing any more.
-- One goes when every sequence up to it is sealed.
CREATE TABLE filetransfer.upstream_removals (
    upstream  text NOT NULL REFERENCES filetransfer.upstreams,
    file_key  bytea NOT NULL CHECK (length(file_key) = 32),
    bin       smallint NOT NULL,
    sequence  bigint NOT NULL,
    PRIMARY KEY (upstream, file_key)
);
