-- Why the last attempt failed, by a name of a fixed list, so that those that failed for one cause can be tried again together.
-- Means something only while attempts is above 0.
ALTER TABLE filetransfer.replicas ADD COLUMN cause text;
