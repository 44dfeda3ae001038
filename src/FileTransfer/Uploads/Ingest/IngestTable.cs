namespace FileTransfer.Uploads.Ingest;

/// <summary>What is known of a name in a watched folder.</summary>
internal sealed class IngestedName
{
    public required string Name { get; init; }
    public required string Seen { get; init; }
    public long? Size { get; init; }
    public Fingerprint? Fingerprint { get; init; }
    public required bool IsIngested { get; init; }
    public required bool IsDeleted { get; init; }
    public string? Reason { get; init; }
}

/// <summary>What watched folders gave: owner of <c>filetransfer.ingested</c>.</summary>
/// <remarks>
/// A name is written down with its content before that is published, and as ingested afterwards. Where a node dies in between, the catalog
/// says whether it was: so no name is taken twice with two contents.
/// </remarks>
internal sealed class IngestTable(Database database, NodeId node)
{
    public Task<IReadOnlyList<IngestedName>> ReadAsync(
        string ingest,
        IReadOnlyCollection<string> names,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            SELECT name, seen, size, fingerprint, reason, ingested_at IS NOT NULL AS is_ingested, deleted_at IS NOT NULL AS is_deleted
            FROM filetransfer.ingested WHERE ingest = @ingest AND name = ANY(@names)
            """;
        return database.QueryAsync<IngestedName>(sql, new { ingest, names = names.ToArray() }, cancellationToken);
    }

    /// <summary>What was being published when a node died has been published where its Add is there; else it is taken anew.</summary>
    public Task SettleAsync(string ingest, CancellationToken cancellationToken)
    {
        const string sql = """
            UPDATE filetransfer.ingested i SET ingested_at = now() FROM filetransfer.files f
            WHERE i.ingest = @ingest AND i.ingested_at IS NULL AND f.file_key = i.file_key
              AND (f.state = 'added' OR (f.state = 'removed' AND f.removed_at > i.taken_at));
            DELETE FROM filetransfer.ingested
            WHERE ingest = @ingest AND ingested_at IS NULL AND file_key IS NOT NULL AND node_id = @node;
            """;
        return database.ExecuteAsync(sql, new { ingest, node }, cancellationToken);
    }

    /// <summary>What is about to be published.</summary>
    public Task BeginAsync(string ingest, IReadOnlyList<FolderFile> files, CancellationToken cancellationToken)
    {
        const string sql = """
            INSERT INTO filetransfer.ingested AS i
                (ingest, name, node_id, seen, size, fingerprint, file_key, series, number, is_padded, reason)
            SELECT @ingest, given.name, @node, given.seen, given.size, given.fingerprint, given.file_key, given.series, given.number,
                given.is_padded, given.reason
            FROM unnest(@names::text[], @seen::text[], @sizes::bigint[], @fingerprints::bytea[], @keys::bytea[], @series::text[],
                @numbers::bigint[], @padded::boolean[], @reasons::text[])
                AS given (name, seen, size, fingerprint, file_key, series, number, is_padded, reason)
            ON CONFLICT (ingest, name) DO UPDATE
                SET node_id = EXCLUDED.node_id, seen = EXCLUDED.seen, size = EXCLUDED.size, fingerprint = EXCLUDED.fingerprint,
                    file_key = EXCLUDED.file_key, series = EXCLUDED.series, number = EXCLUDED.number, is_padded = EXCLUDED.is_padded,
                    reason = EXCLUDED.reason, taken_at = now(), ingested_at = NULL
                WHERE i.ingested_at IS NULL OR i.size = 0
            """;
        var numbered = files.Select(file => NumberedName.Of(file.Name)).ToList();
        var parameters = new
        {
            ingest,
            node,
            names = files.Select(file => file.Name).ToArray(),
            seen = files.Select(file => file.Entry.Stamp).ToArray(),
            sizes = files.Select(file => file.Entry.Size).ToArray(),
            fingerprints = files.Select(file => file.Upload?.Metadata.Fingerprint.ToArray()).ToArray(),
            keys = files.Select(file => file.Upload?.Key.ToArray()).ToArray(),
            series = numbered.Select(name => name?.Series).ToArray(),
            numbers = numbered.Select(name => name?.Number).ToArray(),
            padded = numbered.Select(name => name?.IsPadded).ToArray(),
            reasons = files.Select(file => file.Reason).ToArray(),
        };
        return database.ExecuteAsync(sql, parameters, cancellationToken);
    }

    /// <summary>They have been published.</summary>
    /// <returns>Those with a number in a fixed width that does not follow the one before.</returns>
    public Task<IReadOnlyList<string>> EndAsync(
        string ingest,
        IReadOnlyCollection<string> names,
        CancellationToken cancellationToken
    )
    {
        // Two looks, each at the end of an index: one at both tables together reads the whole series for each name.
        const string earlier = "ingest = @ingest AND ingested_at IS NOT NULL AND i.series = e.series";
        const string sql = $"""
            WITH ended AS (
                UPDATE filetransfer.ingested SET ingested_at = now()
                WHERE ingest = @ingest AND name = ANY(@names) AND ingested_at IS NULL
                RETURNING name, series, number, is_padded
            )
            SELECT e.name FROM ended e
            WHERE greatest(
                (SELECT max(o.number) FROM ended o WHERE o.series = e.series AND o.number < e.number),
                (SELECT i.number FROM filetransfer.ingested i WHERE {earlier} AND i.number < e.number ORDER BY i.number DESC LIMIT 1)
            ) < e.number - 1 AND (e.is_padded OR (
                SELECT first.is_padded FROM (
                    (SELECT o.number, o.is_padded FROM ended o WHERE o.series = e.series ORDER BY o.number LIMIT 1)
                    UNION ALL
                    (SELECT i.number, i.is_padded FROM filetransfer.ingested i WHERE {earlier} ORDER BY i.number LIMIT 1)
                ) first ORDER BY first.number LIMIT 1
            ))
            ORDER BY e.name
            """;
        return database.QueryAsync<string>(sql, new { ingest, names = names.ToArray() }, cancellationToken);
    }

    /// <summary>It cannot be taken as it is now.</summary>
    public Task RefuseAsync(string ingest, string name, string seen, string reason, CancellationToken cancellationToken)
    {
        const string sql = """
            INSERT INTO filetransfer.ingested AS i (ingest, name, node_id, seen, reason) VALUES (@ingest, @name, @node, @seen, @reason)
            ON CONFLICT (ingest, name) DO UPDATE SET seen = EXCLUDED.seen, reason = EXCLUDED.reason
            """;
        var parameters = new
        {
            ingest,
            name,
            node,
            seen,
            reason,
        };
        return database.ExecuteAsync(sql, parameters, cancellationToken);
    }

    /// <summary>What was ingested is there as it was.</summary>
    public Task ConfirmAsync(string ingest, string name, string seen, CancellationToken cancellationToken) =>
        database.ExecuteAsync(
            """
            UPDATE filetransfer.ingested SET seen = @seen, reason = NULL, deleted_at = NULL
            WHERE ingest = @ingest AND name = @name AND ingested_at IS NOT NULL
            """,
            new
            {
                ingest,
                name,
                seen,
            },
            cancellationToken
        );

    /// <summary>Forgets what could not be taken and is not there any more; between two names, where these are there.</summary>
    /// <param name="last">Null = to the end.</param>
    public Task ForgetGoneAsync(
        string ingest,
        string after,
        string? last,
        IReadOnlyCollection<string> there,
        CancellationToken cancellationToken
    ) =>
        database.ExecuteAsync(
            """
            DELETE FROM filetransfer.ingested
            WHERE ingest = @ingest AND ingested_at IS NULL AND node_id = @node AND name > @after AND (@last::text IS NULL OR name <= @last)
              AND name <> ALL(@there)
            """,
            new
            {
                ingest,
                node,
                after,
                last,
                there = there.ToArray(),
            },
            cancellationToken
        );

    /// <summary>Ingested files that all have, and that are not known to be deleted from the folder yet; the first of them, with how they were seen.</summary>
    public Task<IReadOnlyList<(string Name, string Seen)>> AcknowledgedAsync(
        string ingest,
        int limit,
        CancellationToken cancellationToken
    ) =>
        database.QueryAsync<(string, string)>(
            $"""
            SELECT i.name, i.seen FROM filetransfer.ingested i JOIN filetransfer.files f USING (file_key)
            WHERE i.ingest = @ingest AND i.ingested_at IS NOT NULL AND i.deleted_at IS NULL AND i.reason IS NULL AND i.node_id = @node
              AND f.state = 'added' AND NOT EXISTS (SELECT FROM ({Acknowledgements.Due}) due)
            ORDER BY i.name LIMIT @limit
            """,
            new
            {
                ingest,
                node,
                limit,
            },
            cancellationToken
        );

    public Task DeletedAsync(string ingest, string name, CancellationToken cancellationToken) =>
        database.ExecuteAsync(
            "UPDATE filetransfer.ingested SET deleted_at = now() WHERE ingest = @ingest AND name = @name",
            new { ingest, name },
            cancellationToken
        );
}
