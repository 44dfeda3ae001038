-- Tokens that were made while the cluster runs, beside those of the nodes' configuration. The token itself is known to its holder alone.
CREATE TABLE filetransfer.tokens (
    name          text PRIMARY KEY,
    sha256        bytea NOT NULL UNIQUE CHECK (length(sha256) = 32),
    scopes        text[] NOT NULL CHECK (cardinality(scopes) > 0),
    -- Hex, as everywhere in text; none = all.
    buckets       text[] NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    created_by    text NOT NULL,
    not_after     timestamptz,
    last_used_at  timestamptz
);
