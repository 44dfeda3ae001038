-- Which files of a bucket a node wants. No row: all of them.
-- review_due: the node's replicas may not follow the policy yet; whoever made them follow it clears it.
CREATE TABLE filetransfer.policies (
    node_id     text NOT NULL,
    bucket      bytea NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('nothing-except', 'everything-except')),
    prefixes    bytea[] NOT NULL,
    exacts      bytea[] NOT NULL,
    review_due  boolean NOT NULL DEFAULT true,
    changed_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (node_id, bucket)
);

-- Whether the node's policy of the bucket wants a file at this location.
CREATE FUNCTION filetransfer.policy_wants(for_node text, of_bucket bytea, at_location bytea) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    policy filetransfer.policies%ROWTYPE;
BEGIN
    SELECT * INTO policy FROM filetransfer.policies p WHERE p.node_id = for_node AND p.bucket = of_bucket;
    IF NOT FOUND THEN
        RETURN true;
    END IF;
    RETURN (policy.kind = 'nothing-except') = (
        at_location = ANY (policy.exacts)
        OR EXISTS (
            SELECT FROM unnest(policy.prefixes) AS one(prefix)
            WHERE substring(at_location FROM 1 FOR length(one.prefix)) = one.prefix
        )
    );
END
$$;

-- Somebody named this file at this node, by registering or uploading it here; a policy has no say in that.
ALTER TABLE filetransfer.replicas ADD COLUMN asked boolean NOT NULL DEFAULT false;

UPDATE filetransfer.replicas r SET asked = true
FROM filetransfer.files f
WHERE f.file_key = r.file_key AND f.state = 'registered';
