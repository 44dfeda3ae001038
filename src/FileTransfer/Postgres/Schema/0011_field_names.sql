-- The words of the program, and of those who know queues and rate limiters.
ALTER TABLE filetransfer.files RENAME COLUMN incarnation TO generation;

ALTER TABLE filetransfer.replicas RENAME COLUMN asked TO pinned;

ALTER TABLE filetransfer.replicas DROP CONSTRAINT replicas_waits_for_check;

UPDATE filetransfer.replicas SET waits_for = 'permit' WHERE waits_for = 'turn';

ALTER TABLE filetransfer.replicas
    ADD CONSTRAINT replicas_waits_for_check CHECK (waits_for IN ('upload', 'provider', 'source', 'permit'));
