-- The files whose Add is not in the feed yet; few, and asked for by the leader every second.
CREATE INDEX files_registered ON filetransfer.files (file_key) WHERE state = 'registered';
