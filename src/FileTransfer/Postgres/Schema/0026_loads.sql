-- Named sets of files that a node is to have by a deadline; of one name the newest counts. Every pause and deadline is by the database's clock.
-- rank: the priority of its replicas. round_at: when the present round begins or began; begun_round: the last one whose files were made ready.
-- settled: it has ended, and nothing is wanted because of it any more. report: which files are missing, and why, as it was when it ended.
CREATE TABLE filetransfer.loads (
    load_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    node_id      text NOT NULL,
    name         text NOT NULL,
    digest       bytea NOT NULL,
    files        integer NOT NULL,
    sequence     bigint NOT NULL,
    priority     smallint NOT NULL,
    rank         smallint NOT NULL,
    rounds       integer,
    pause        interval NOT NULL,
    allowed      interval NOT NULL,
    begun_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    deadline     timestamptz NOT NULL,
    round        integer NOT NULL DEFAULT 1,
    begun_round  integer NOT NULL DEFAULT 0,
    round_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at     timestamptz,
    outcome      text CHECK (outcome IN ('stored', 'failed', 'withdrawn', 'replaced')),
    reason       text,
    report       text,
    settled      boolean NOT NULL DEFAULT false,
    CHECK ((ended_at IS NULL) = (outcome IS NULL))
);

CREATE UNIQUE INDEX loads_open ON filetransfer.loads (node_id, name) WHERE ended_at IS NULL;

CREATE INDEX loads_by_name ON filetransfer.loads (node_id, name, load_id);

-- metadata: JSON, until the file is known. readd: it was removed when the load began. round: the last one in which it could not be had.
CREATE TABLE filetransfer.load_files (
    load_id   bigint NOT NULL REFERENCES filetransfer.loads ON DELETE CASCADE,
    label     text NOT NULL,
    file_key  bytea NOT NULL CHECK (length(file_key) = 32),
    metadata  text,
    readd     boolean NOT NULL DEFAULT false,
    round     integer NOT NULL DEFAULT 0,
    reason    text,
    PRIMARY KEY (load_id, label)
);

CREATE INDEX load_files_by_key ON filetransfer.load_files (file_key);

-- What went wrong with the sources of a load's files: how often, how often their bytes were wrong, and what came of them for nothing.
CREATE TABLE filetransfer.load_sources (
    load_id       bigint NOT NULL REFERENCES filetransfer.loads ON DELETE CASCADE,
    source        text NOT NULL,
    faults        integer NOT NULL,
    corrupt       integer NOT NULL,
    wasted_bytes  bigint NOT NULL,
    file_key      bytea NOT NULL,
    reason        text NOT NULL,
    PRIMARY KEY (load_id, source)
);
