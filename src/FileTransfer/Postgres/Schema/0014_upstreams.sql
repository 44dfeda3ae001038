-- Whether this cluster itself wants the file to exist; beside it, upstreams may.
ALTER TABLE filetransfer.files ADD COLUMN own boolean NOT NULL DEFAULT true;

-- The place that a mutation had in the feed it was appended to first; null = this one.
ALTER TABLE filetransfer.mutations
    ADD COLUMN origin_cluster text,
    ADD COLUMN origin_epoch uuid,
    ADD COLUMN origin_sequence bigint;

-- The clusters that this one pulls from, by the names that its configuration has for them, and which history of their feeds was read last.
CREATE TABLE filetransfer.upstreams (
    name        text PRIMARY KEY,
    cluster_id  text NOT NULL,
    feed_epoch  uuid NOT NULL
);

-- sealed: every sequence of that history up to it has been applied. round counts comparisons; while one is due, nothing is sealed.
CREATE TABLE filetransfer.upstream_bins (
    upstream     text NOT NULL REFERENCES filetransfer.upstreams,
    bin          smallint NOT NULL CHECK (bin BETWEEN 0 AND 15),
    sealed       bigint NOT NULL DEFAULT 0,
    round        integer NOT NULL DEFAULT 1,
    compare_due  boolean NOT NULL DEFAULT false,
    PRIMARY KEY (upstream, bin)
);

-- The files of an upstream, with the origin of its newest Add. claims: it is a reason for the file to be here, too; the Add did not come from here.
-- round: the comparison that found it last; one that is behind its bin's was not found again.
CREATE TABLE filetransfer.upstream_files (
    upstream         text NOT NULL REFERENCES filetransfer.upstreams,
    file_key         bytea NOT NULL CHECK (length(file_key) = 32),
    bin              smallint NOT NULL,
    bucket           bytea NOT NULL,
    origin_cluster   text NOT NULL,
    origin_epoch     uuid NOT NULL,
    origin_sequence  bigint NOT NULL,
    claims           boolean NOT NULL,
    round            integer NOT NULL,
    PRIMARY KEY (upstream, file_key)
);

CREATE INDEX upstream_files_by_key ON filetransfer.upstream_files (file_key);

CREATE INDEX upstream_files_by_round ON filetransfer.upstream_files (upstream, bin, round);
