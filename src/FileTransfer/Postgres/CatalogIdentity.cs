namespace FileTransfer.Postgres;

/// <summary>Which database this is, and which catalog it holds: what tells one from another, and from an older copy of itself.</summary>
/// <param name="SystemIdentifier">Of the server's data, the same for a primary and its standbys, another for every <c>initdb</c>.</param>
/// <param name="Timeline">Goes up by one with each promotion, and with each restore to a point in time.</param>
/// <param name="Flushed">The position up to which the server's log is on its disk; on one timeline it never goes back.</param>
/// <param name="SchemaVersion">The newest step of the schema; null = the database has none of it.</param>
/// <param name="FeedEpoch">The history its feed belongs to; null = none yet.</param>
/// <param name="LeaderEpoch">How many leaders took office; null without a schema.</param>
/// <param name="BinHeads">The newest sequence of each bin of the feed, by bin; null without a schema.</param>
public sealed record CatalogIdentity(
    string SystemIdentifier,
    long Timeline,
    string Database,
    ulong Flushed,
    int? SchemaVersion,
    string? ClusterId,
    Guid? FeedEpoch,
    long? LeaderEpoch,
    IReadOnlyList<long>? BinHeads
)
{
    /// <remarks>
    /// The name of the log's file that is written now begins with the timeline. The control file has it from the last checkpoint, which
    /// a server that was promoted a moment ago has not made yet; for a standby, which writes none, that is the best there is.
    /// </remarks>
    private const string Server = """
        (SELECT system_identifier::text FROM pg_control_system()),
        CASE WHEN pg_is_in_recovery() THEN (SELECT timeline_id::bigint FROM pg_control_checkpoint())
             ELSE ('x' || substring(pg_walfile_name(pg_current_wal_flush_lsn()) FROM 1 FOR 8))::bit(32)::bigint END,
        current_database()::text,
        CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_flush_lsn() END
        """;

    internal const int ColumnCount = 9;

    /// <summary>What <see cref="Read"/> reads, where there is a schema.</summary>
    internal const string Columns = $"""
        {Server},
            (SELECT max(version) FROM filetransfer.schema_versions),
            (SELECT cluster_id FROM filetransfer.cluster),
            (SELECT feed_epoch FROM filetransfer.cluster),
            (SELECT epoch FROM filetransfer.leader),
            (SELECT array_agg(head ORDER BY bin) FROM filetransfer.bins)
        """;

    private const string WithoutCatalog = $"{Server}, NULL::integer, NULL::text, NULL::uuid, NULL::bigint, NULL::bigint[]";

    /// <summary>Whether it holds a catalog; one that a cluster has never joined is as good as none.</summary>
    public bool HasCatalog => FeedEpoch is not null;

    /// <summary>Reads it in one round trip, two where there is no schema yet. Writes nothing. Not inside a transaction.</summary>
    public static async Task<CatalogIdentity> ReadAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            return await ReadAsync(connection, Columns, cancellationToken);
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName)
        {
            return await ReadAsync(connection, WithoutCatalog, cancellationToken);
        }
    }

    /// <inheritdoc cref="ReadAsync(NpgsqlConnection, CancellationToken)"/>
    public static async Task<CatalogIdentity> ReadAsync(NpgsqlDataSource pool, CancellationToken cancellationToken)
    {
        await using var connection = await pool.OpenConnectionAsync(cancellationToken);
        return await ReadAsync(connection, cancellationToken);
    }

    /// <summary>
    /// A mark of the mutation at one sequence of each bin (<c>@heads</c>); null where there is none. A diverged copy of the catalog has others.
    /// </summary>
    internal const string Marks = """
        SELECT array_agg(
            CASE WHEN m.bin IS NOT NULL THEN md5(concat_ws(' ', m.kind, m.file_key, extract(epoch FROM m.appended_at))) END ORDER BY at.bin
        )
        FROM unnest(@heads) WITH ORDINALITY AS at (sequence, bin)
        LEFT JOIN filetransfer.mutations m ON m.bin = at.bin - 1 AND m.sequence = at.sequence
        """;

    /// <inheritdoc cref="Marks"/>
    public static async Task<IReadOnlyList<string?>> MarksAsync(
        NpgsqlConnection connection,
        IReadOnlyList<long> sequences,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(Marks, connection) { Parameters = { new("heads", sequences.ToArray()) } };
        return await command.ExecuteScalarAsync(cancellationToken) as string?[] ?? [];
    }

    private static async Task<CatalogIdentity> ReadAsync(
        NpgsqlConnection connection,
        string columns,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand($"SELECT {columns}", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return Read(reader);
    }

    /// <summary>Reads <see cref="Columns"/>, the first of the row.</summary>
    internal static CatalogIdentity Read(NpgsqlDataReader reader) =>
        new(
            reader.GetString(0),
            reader.GetInt64(1),
            reader.GetString(2),
            reader.IsDBNull(3) ? 0 : (ulong)reader.GetFieldValue<NpgsqlTypes.NpgsqlLogSequenceNumber>(3),
            reader.IsDBNull(4) ? null : reader.GetInt32(4),
            reader.IsDBNull(5) ? null : reader.GetString(5),
            reader.IsDBNull(6) ? null : reader.GetGuid(6),
            reader.IsDBNull(7) ? null : reader.GetInt64(7),
            reader.IsDBNull(8) ? null : reader.GetFieldValue<long[]>(8)
        );
}
