-- The trace that a file's registration or upload was a part of, as a W3C traceparent, where it is recorded: for a day the nodes' downloads
-- of the file are parts of it, too.
CREATE TABLE filetransfer.file_traces (
    file_key     bytea PRIMARY KEY,
    traceparent  text NOT NULL,
    noted_at     timestamptz NOT NULL
);

CREATE INDEX file_traces_by_age ON filetransfer.file_traces (noted_at);

-- trace_id: of the request's W3C trace. once: what is told once and counted from then on, by who, why and when; null for what is told each time.
ALTER TABLE filetransfer.audit
    ADD COLUMN trace_id text,
    ADD COLUMN times integer NOT NULL DEFAULT 1,
    ADD COLUMN once text UNIQUE;
