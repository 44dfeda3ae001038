-- What no node has waits for one that has it, outside the queue and apart from what comes due: however many wait, nobody reads past them.
ALTER TABLE filetransfer.replicas
    DROP CONSTRAINT replicas_waits_for_check,
    ADD CONSTRAINT replicas_waits_for_check CHECK (waits_for IN ('upload', 'provider', 'source', 'turn'));

DROP INDEX filetransfer.replicas_waiting;

CREATE INDEX replicas_waiting ON filetransfer.replicas (node_id, next_attempt_at)
    WHERE state = 'wanted' AND next_attempt_at IS NOT NULL AND waits_for IS DISTINCT FROM 'provider';

CREATE INDEX replicas_unprovided ON filetransfer.replicas (node_id, next_attempt_at)
    WHERE state = 'wanted' AND next_attempt_at IS NOT NULL AND waits_for = 'provider';

CREATE INDEX files_by_owner ON filetransfer.files (owner, file_key);

-- The key of the advisory lock that a node holds while it is alive: what no clock can pretend.
ALTER TABLE filetransfer.nodes ADD COLUMN presence_lock bigint;
