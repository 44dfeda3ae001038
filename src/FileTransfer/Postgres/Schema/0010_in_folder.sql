-- Whether the node's own folder holds the content of a wanted file that no node is known to have: a folder from elsewhere, or a catalog
-- that came after it. Null: not looked yet.
ALTER TABLE filetransfer.replicas ADD COLUMN in_folder boolean;

CREATE INDEX replicas_to_look_for_here ON filetransfer.replicas (node_id)
    WHERE state = 'wanted' AND waits_for = 'provider' AND in_folder IS NULL;
