namespace FileTransfer.Chunks.Small;

/// <summary>The tables of <c>small.db</c>: small contents, and the folder's ledger. Times are milliseconds since 1970, ids and names bytes.</summary>
internal static class SmallSchema
{
    public const int Version = 2;

    /// <summary>
    /// The bytes lie apart from what is known of them, so that lists and look-ups read none, and so that a content whose bytes are damaged
    /// can be taken out without touching their pages.
    /// </summary>
    private const string Contents = """
        CREATE TABLE contents (
            fingerprint  BLOB PRIMARY KEY,
            place        INTEGER NOT NULL,
            size         INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE bytes (
            place  INTEGER PRIMARY KEY,
            bytes  BLOB NOT NULL
        );
        """;

    private const string Ledger = """
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
            stored_at    INTEGER NOT NULL,
            hidden       INTEGER NOT NULL DEFAULT 0
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
        ) WITHOUT ROWID;
        """;

    /// <summary>Without the state <c>full</c> the ledger is gathered once more: of larger files it had forgotten what a kill took.</summary>
    private const string FromVersion1 = """
        ALTER TABLE files ADD COLUMN hidden INTEGER NOT NULL DEFAULT 0;
        DELETE FROM state WHERE name = 'full';
        """;

    /// <summary>What makes the tables of this version from those of another; 0 has none.</summary>
    public static string From(int version) =>
        $"{(version == 0 ? Ledger : FromVersion1)}{Contents}PRAGMA user_version = {Version}";
}
