-- One database holds one cluster.

CREATE TABLE filetransfer.cluster (
    only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    cluster_id  text NOT NULL,
    feed_epoch  uuid NOT NULL DEFAULT gen_random_uuid()
);

CREATE TABLE filetransfer.nodes (
    node_id          text PRIMARY KEY,
    configured_role  text NOT NULL CHECK (configured_role IN ('auto', 'follower', 'standalone')),
    url              text NOT NULL,
    instance         uuid NOT NULL,
    started_at       timestamptz NOT NULL,
    seen_at          timestamptz NOT NULL
);

-- Who leads. The row is written only in a transaction that proves the leader's advisory lock;
-- epoch is the fencing token of everything a leader writes.
CREATE TABLE filetransfer.leader (
    only_row  boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    node_id   text,
    url       text,
    epoch     bigint NOT NULL DEFAULT 0,
    since     timestamptz
);

INSERT INTO filetransfer.leader DEFAULT VALUES;

-- What exists in the cluster. A removed file keeps its row: it says why the key answers 404.
-- incarnation counts registrations after a removal, so that an upload of the former one cannot end in the latter.
CREATE TABLE filetransfer.files (
    file_key       bytea PRIMARY KEY CHECK (length(file_key) = 32),
    owner          bytea NOT NULL,
    bucket         bytea NOT NULL,
    location       bytea NOT NULL,
    size           bigint NOT NULL CHECK (size > 0),
    fingerprint    bytea NOT NULL CHECK (length(fingerprint) = 32),
    state          text NOT NULL CHECK (state IN ('registered', 'added', 'removed')),
    incarnation    integer NOT NULL DEFAULT 1,
    registered_at  timestamptz NOT NULL DEFAULT now(),
    removed_at     timestamptz
);

CREATE INDEX files_by_bucket ON filetransfer.files (bucket, file_key);

CREATE INDEX files_by_fingerprint ON filetransfer.files (fingerprint);

-- The feed. A bin's head is its newest sequence; appending holds the bin's row until commit,
-- which makes sequences dense and their order the order of commits.
CREATE TABLE filetransfer.bins (
    bin   smallint PRIMARY KEY CHECK (bin BETWEEN 0 AND 15),
    head  bigint NOT NULL DEFAULT 0
);

INSERT INTO filetransfer.bins (bin) SELECT generate_series(0, 15);

CREATE TABLE filetransfer.mutations (
    bin           smallint NOT NULL REFERENCES filetransfer.bins,
    sequence      bigint NOT NULL CHECK (sequence > 0),
    kind          text NOT NULL CHECK (kind IN ('add', 'remove')),
    file_key      bytea NOT NULL REFERENCES filetransfer.files,
    leader_epoch  bigint NOT NULL,
    appended_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (bin, sequence)
);

-- How far each node has brought each bin of the feed into its queue.
CREATE TABLE filetransfer.feed_positions (
    node_id   text NOT NULL,
    bin       smallint NOT NULL REFERENCES filetransfer.bins,
    sequence  bigint NOT NULL,
    PRIMARY KEY (node_id, bin)
);

-- One node's copy of one file, and the queue. next_attempt_at: null = ready now, a time = backing off,
-- infinity = waits for the thing that reason names.
CREATE TABLE filetransfer.replicas (
    node_id          text NOT NULL,
    file_key         bytea NOT NULL REFERENCES filetransfer.files,
    state            text NOT NULL CHECK (state IN ('wanted', 'downloading', 'stored', 'removing', 'failed', 'paused')),
    epoch            bigint NOT NULL DEFAULT 1,
    priority         smallint NOT NULL DEFAULT 0,
    attempts         integer NOT NULL DEFAULT 0,
    wanted_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    next_attempt_at  timestamptz,
    holder           text,
    holder_pid       integer,
    bytes_proven     bigint NOT NULL DEFAULT 0,
    reason           text,
    changed_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    lock_key         bigint NOT NULL GENERATED ALWAYS AS (
        ('x' || encode(substring(file_key FROM 1 FOR 8), 'hex'))::bit(64)::bigint # hashtextextended(node_id, 0)
    ) STORED,
    PRIMARY KEY (node_id, file_key)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

CREATE INDEX replicas_of_file ON filetransfer.replicas (file_key);

-- The claim reads the first entry of this index and nothing else.
CREATE INDEX replicas_ready ON filetransfer.replicas (node_id, priority DESC, wanted_at)
    WHERE state = 'wanted' AND next_attempt_at IS NULL;

CREATE INDEX replicas_waiting ON filetransfer.replicas (node_id, next_attempt_at)
    WHERE state = 'wanted' AND next_attempt_at IS NOT NULL;

CREATE INDEX replicas_downloading ON filetransfer.replicas (node_id) WHERE state = 'downloading';

CREATE INDEX replicas_removing ON filetransfer.replicas (node_id, changed_at) WHERE state = 'removing';

CREATE INDEX replicas_failed ON filetransfer.replicas (node_id, changed_at) WHERE state IN ('failed', 'paused');
