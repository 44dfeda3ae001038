-- Whose keys count, as a person said while the cluster runs: this goes before the nodes' configuration, and before the keys of this cluster's own nodes.
CREATE TABLE filetransfer.trust (
    node_id     text NOT NULL,
    -- Empty = of any cluster.
    cluster_id  text NOT NULL,
    -- Base64 of a SubjectPublicKeyInfo; null = revoked.
    public_key  text,
    changed_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_by  text NOT NULL,
    PRIMARY KEY (node_id, cluster_id)
);

-- Keys that a trusted key has handed over to; each proves itself.
CREATE TABLE filetransfer.key_rotations (
    node_id     text NOT NULL,
    cluster_id  text NOT NULL,
    former_key  text NOT NULL,
    public_key  text NOT NULL,
    -- By the former key, over the SubjectPublicKeyInfo of the other one.
    signature   bytea NOT NULL,
    seen_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (cluster_id, node_id, former_key)
);

-- As in the folder of the node: the key that signs, and the one that did before.
ALTER TABLE filetransfer.nodes ADD COLUMN public_keys text[] NOT NULL DEFAULT '{}';
