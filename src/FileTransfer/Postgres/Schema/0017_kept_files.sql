-- Since when a comparison has not found the file at the upstream: it is kept, and no part of what the upstream has, until somebody decides.
ALTER TABLE filetransfer.upstream_files ADD COLUMN kept_since timestamptz;

DELETE FROM filetransfer.upstream_files f USING filetransfer.upstream_bins b
WHERE b.upstream = f.upstream AND b.bin = f.bin AND f.round < b.round AND NOT f.claims;

UPDATE filetransfer.upstream_files f SET kept_since = now() FROM filetransfer.upstream_bins b
WHERE b.upstream = f.upstream AND b.bin = f.bin AND f.round < b.round;

CREATE INDEX upstream_files_kept ON filetransfer.upstream_files (upstream, file_key) WHERE kept_since IS NOT NULL;

DROP INDEX filetransfer.upstream_files_by_round;
