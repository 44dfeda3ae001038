-- From which sequence on a bin's mutations are kept: what is missing from there on is a gap.
ALTER TABLE filetransfer.bins ADD COLUMN retained_from bigint NOT NULL DEFAULT 1;
