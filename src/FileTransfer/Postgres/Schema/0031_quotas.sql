-- How much the files of a bucket may be at most, and how much they are: whatever adds or removes a file counts it in its transaction, where there
-- is a quota. bytes, files: null = no bound. used_bytes: sizes that nobody has bytes for can add up to more than a bigint holds.
CREATE TABLE filetransfer.quotas (
    bucket      bytea PRIMARY KEY,
    bytes       bigint CHECK (bytes >= 0),
    files       bigint CHECK (files >= 0),
    used_bytes  numeric NOT NULL,
    used_files  bigint NOT NULL,
    CHECK (bytes IS NOT NULL OR files IS NOT NULL)
);

-- A token may be for the files of some owners alone: hex; none = all.
ALTER TABLE filetransfer.tokens ADD COLUMN owners text[] NOT NULL DEFAULT '{}';

-- How many intents a caller has.
CREATE INDEX intents_of_caller ON filetransfer.intents (node_id, caller) WHERE ended_at IS NULL;
