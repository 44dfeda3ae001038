-- The role that one node connects as, with what a node needs and nothing else: it may connect to this database, and works as DATABASE_nodes, which
-- owns the schema. The program runs this (filetransfer database create-role), and psql: in one transaction, by a role that may make roles
-- and give away what is in the schema. :"role" is the name, :'verifier' the password's SCRAM verifier, :connections the limit.

SELECT pg_advisory_xact_lock(hashtext('filetransfer/roles'));

SELECT set_config('filetransfer.role', :'role', true);

DO $do$
DECLARE
    node     text := current_setting('filetransfer.role');
    nodes    text := current_database() || '_nodes';
    -- From version 16 on, to be a member and to be allowed to act as one are two things.
    acting   text := CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN 'SET' ELSE 'MEMBER' END;
    stranger boolean;
    object   record;
BEGIN
    IF to_regrole(quote_ident(nodes)) IS NULL THEN
        EXECUTE format('CREATE ROLE %I', nodes);
    END IF;
    IF to_regrole(quote_ident(node)) IS NULL THEN
        EXECUTE format('CREATE ROLE %I', node);
    ELSIF NOT EXISTS (
        SELECT FROM pg_auth_members
        WHERE member = to_regrole(quote_ident(node))::oid AND roleid = to_regrole(quote_ident(nodes))::oid
    ) THEN
        RAISE EXCEPTION 'there is a role "%" already, and it is no node''s of this database; choose another name', node;
    END IF;
    stranger := NOT pg_has_role(nodes, acting);
    IF stranger THEN
        EXECUTE format('GRANT %I TO CURRENT_USER', nodes);
    END IF;

    EXECUTE format('GRANT %I TO %I', nodes, node);
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), nodes);
    -- Whichever node migrates the schema, what it makes belongs to all of them.
    EXECUTE format('ALTER ROLE %I IN DATABASE %I SET role = %L', node, current_database(), nodes);

    EXECUTE format('GRANT CREATE ON DATABASE %I TO %I', current_database(), nodes);
    IF to_regnamespace('filetransfer') IS NULL THEN
        EXECUTE format('CREATE SCHEMA filetransfer AUTHORIZATION %I', nodes);
    ELSE
        EXECUTE format('ALTER SCHEMA filetransfer OWNER TO %I', nodes);
    END IF;
    EXECUTE format('REVOKE CREATE ON DATABASE %I FROM %I', current_database(), nodes);

    -- What was made by another role before, as by a superuser. Indexes, and sequences of columns, go with their tables.
    FOR object IN
        SELECT 'TABLE' AS kind, format('%I.%I', n.nspname, c.relname) AS name
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'filetransfer' AND c.relkind IN ('r', 'p', 'v', 'm') AND c.relowner <> to_regrole(quote_ident(nodes))::oid
        UNION ALL
        SELECT 'ROUTINE', p.oid::regprocedure::text
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = 'filetransfer' AND p.proowner <> to_regrole(quote_ident(nodes))::oid
    LOOP
        EXECUTE format('ALTER %s %s OWNER TO %I', object.kind, object.name, nodes);
    END LOOP;

    IF stranger THEN
        EXECUTE format('REVOKE %I FROM CURRENT_USER', nodes);
    END IF;
END
$do$;

ALTER ROLE :"role" LOGIN PASSWORD :'verifier' CONNECTION LIMIT :connections;
