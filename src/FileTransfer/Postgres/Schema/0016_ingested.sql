-- What watch folders gave, by the folder's name in the configuration and the file's own: each name once.
-- seen: size and time of change when it was looked at last. size: null where it cannot become a file, 0 where it is empty, so that no file has it.
-- taken_at without ingested_at: it is being published, or reason says why it is not. deleted_at: from the folder, since all have it.
-- series and number: of a name with a number in it.
CREATE TABLE filetransfer.ingested (
    ingest       text NOT NULL,
    name         text COLLATE "C" NOT NULL,
    node_id      text NOT NULL,
    seen         text NOT NULL,
    size         bigint,
    fingerprint  bytea CHECK (length(fingerprint) = 32),
    file_key     bytea CHECK (length(file_key) = 32),
    series       text,
    number       bigint,
    is_padded    boolean,
    taken_at     timestamptz NOT NULL DEFAULT now(),
    ingested_at  timestamptz,
    deleted_at   timestamptz,
    reason       text,
    PRIMARY KEY (ingest, name)
);

CREATE INDEX ingested_in_series ON filetransfer.ingested (ingest, series, number) WHERE ingested_at IS NOT NULL;

CREATE INDEX ingested_not_yet ON filetransfer.ingested (ingest, name) WHERE ingested_at IS NULL;

CREATE INDEX ingested_and_there ON filetransfer.ingested (ingest, name) WHERE ingested_at IS NOT NULL AND deleted_at IS NULL;

CREATE INDEX ingested_with_reason ON filetransfer.ingested (ingest, name) WHERE reason IS NOT NULL;
