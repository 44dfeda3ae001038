-- Pages of files by location. A location may be longer than an index takes: its first 128 bytes are in it.
CREATE INDEX files_by_location ON filetransfer.files (bucket, substring(location FROM 1 FOR 128), file_key);

CREATE INDEX files_by_location_of_all ON filetransfer.files (substring(location FROM 1 FOR 128), file_key);
