-- Files of upstreams that a node which does not lead has claimed for the cluster: the leader has yet to append the Adds.
CREATE TABLE filetransfer.due_claims (file_key bytea PRIMARY KEY CHECK (length(file_key) = 32));
