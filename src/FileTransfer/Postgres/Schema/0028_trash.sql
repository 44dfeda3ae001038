-- The content of a removed file is kept for a while, so that the file can be restored: its replica waits for the end of that.
-- purged: removed for good, whatever nodes would keep.
ALTER TABLE filetransfer.files ADD COLUMN purged boolean NOT NULL DEFAULT false;

ALTER TABLE filetransfer.replicas
    DROP CONSTRAINT replicas_waits_for_check,
    ADD CONSTRAINT replicas_waits_for_check CHECK (waits_for IN ('upload', 'provider', 'source', 'permit', 'trash', 'emptied'));

DROP INDEX filetransfer.replicas_removing;
CREATE INDEX replicas_removing ON filetransfer.replicas (node_id, changed_at)
    WHERE state = 'removing' AND waits_for IS DISTINCT FROM 'trash';
CREATE INDEX replicas_in_trash ON filetransfer.replicas (node_id, next_attempt_at)
    WHERE state = 'removing' AND waits_for = 'trash';
