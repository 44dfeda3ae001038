-- A change of a policy is applied in steps, in the background: whether it prunes, and up to which file it has come.
ALTER TABLE filetransfer.policies
    ADD COLUMN prunes boolean NOT NULL DEFAULT false,
    ADD COLUMN reviewed_to bytea NOT NULL DEFAULT '';
