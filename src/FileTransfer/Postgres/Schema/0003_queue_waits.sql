-- What ends the wait of a wanted replica sooner than its next_attempt_at: its upload, a source that answers, its turn at a source.
-- Means something only while state is wanted and next_attempt_at is set.
ALTER TABLE filetransfer.replicas ADD COLUMN waits_for text CHECK (waits_for IN ('upload', 'source', 'turn'));

UPDATE filetransfer.replicas SET waits_for = 'upload' WHERE state = 'wanted' AND next_attempt_at = 'infinity';
