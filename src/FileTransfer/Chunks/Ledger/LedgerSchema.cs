namespace FileTransfer.Chunks.Ledger;

/// <summary>The tables of a folder's ledger. Times are milliseconds since 1970, ids and names bytes.</summary>
internal static class LedgerSchema
{
    public const string Sql = """
        CREATE TABLE files (
            file_key     BLOB PRIMARY KEY,
            owner        BLOB NOT NULL,
            bucket       BLOB NOT NULL,
            location     BLOB NOT NULL,
            size         INTEGER NOT NULL,
            fingerprint  BLOB NOT NULL,
            generation   INTEGER NOT NULL,
            pinned       INTEGER NOT NULL,
            epoch        BLOB,
            sequence     INTEGER,
            stored_at    INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE INDEX files_by_fingerprint ON files (fingerprint);
        CREATE TABLE removals (
            file_key    BLOB PRIMARY KEY,
            epoch       BLOB NOT NULL,
            sequence    INTEGER NOT NULL,
            applied_at  INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE INDEX removals_by_age ON removals (applied_at);
        CREATE TABLE policies (
            bucket    BLOB PRIMARY KEY,
            kind      TEXT NOT NULL,
            prefixes  TEXT NOT NULL,
            exacts    TEXT NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE epochs (
            epoch     BLOB PRIMARY KEY,
            began_at  INTEGER NOT NULL,
            heads     TEXT NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE cursors (
            bin       INTEGER PRIMARY KEY,
            epoch     BLOB NOT NULL,
            sequence  INTEGER NOT NULL
        );
        CREATE TABLE unreferenced (
            fingerprint  BLOB PRIMARY KEY,
            first_seen   INTEGER NOT NULL,
            seen_for     INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE state (
            name   TEXT PRIMARY KEY,
            value  TEXT NOT NULL
        ) WITHOUT ROWID
        """;
}
