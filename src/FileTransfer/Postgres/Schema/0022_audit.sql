-- Who changed something, or was refused it, at any node: kept even where the node is gone.
-- action: method and route; target: the path that was asked for; who: the token's name, null where none was known.
CREATE TABLE filetransfer.audit (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL,
    node_id    text NOT NULL,
    who        text,
    address    text,
    action     text NOT NULL,
    target     text NOT NULL,
    status     integer NOT NULL,
    problem    text,
    request_id text NOT NULL
);
CREATE INDEX audit_by_action ON filetransfer.audit (action, id);
