namespace FileTransfer.Catalog;

/// <summary>What became of a registration.</summary>
public enum RegisterOutcome
{
    New,
    NewAfterRemoval,
    Known,
}

/// <content>Makes files known, and changes their states, in a transaction of the caller's.</content>
public sealed partial class FileCatalog
{
    private const string LockSql =
        $"SELECT {FileRow.Columns} FROM filetransfer.files f WHERE f.file_key = ANY(@keys) ORDER BY f.file_key FOR UPDATE";

    /// <summary>
    /// Gives each file of <c>appended</c>, whose row the transaction has locked, the state <c>@state</c> and the sequence of the mutation that
    /// is appended with it.
    /// </summary>
    internal const string MutateSql = """
        UPDATE filetransfer.files f
        SET state = @state, removed_at = CASE WHEN @state = 'removed' THEN now() END, sequence = appended.sequence
        FROM appended WHERE f.file_key = appended.file_key
        """;

    /// <summary>Makes a file known, and locks its row as <see cref="LockAsync(NpgsqlConnection, FileKey, CancellationToken)"/> does.</summary>
    public static async Task<(RegisterOutcome Outcome, FileRecord File)> RegisterAsync(
        NpgsqlConnection connection,
        FileKey key,
        FileMetadata metadata,
        CancellationToken cancellationToken,
        bool isBounded = true
    ) => (await RegisterAsync(connection, [(key, metadata)], isOwn: true, isBounded, cancellationToken))[0];

    /// <summary>Makes files known, each once, and locks their rows; those that were removed become registered again.</summary>
    /// <param name="isOwn">Whether this cluster itself wants those to exist that it did not know, or not any more.</param>
    /// <param name="isBounded">Whether the quotas of their buckets keep files out; they count them in any case.</param>
    /// <returns>In the order of their keys.</returns>
    /// <exception cref="QuotaExceededException">There is no room for some of them: the transaction is to be undone.</exception>
    public static async Task<IReadOnlyList<(RegisterOutcome Outcome, FileRecord File)>> RegisterAsync(
        NpgsqlConnection connection,
        IReadOnlyCollection<(FileKey Key, FileMetadata Metadata)> files,
        bool isOwn,
        bool isBounded,
        CancellationToken cancellationToken
    )
    {
        const string sql = $"""
            WITH registered AS (
                INSERT INTO filetransfer.files AS f (file_key, owner, bucket, location, size, fingerprint, state, own)
                SELECT file_key, owner, bucket, location, size, fingerprint, 'registered', @isOwn
                FROM unnest(@keys::bytea[], @owners::bytea[], @buckets::bytea[], @locations::bytea[], @sizes::bigint[], @fingerprints::bytea[])
                    AS given (file_key, owner, bucket, location, size, fingerprint)
                ORDER BY file_key
                ON CONFLICT (file_key) DO UPDATE
                    SET state = 'registered', generation = f.generation + 1, registered_at = now(), removed_at = NULL, purged = false, own = @isOwn
                    WHERE f.state = 'removed'
                RETURNING f.file_key, f.generation, f.bucket, f.size
            ), {BucketQuotas.CountSql}
            SELECT file_key, generation FROM registered;
            {LockSql};
            {BucketQuotas.ExceededSql}
            """;
        if (files.Count == 0)
        {
            return [];
        }

        var parameters = new
        {
            keys = files.Select(file => file.Key).ToParameter(),
            owners = files.Select(file => file.Metadata.Owner.ToArray()).ToArray(),
            buckets = files.Select(file => file.Metadata.Bucket.ToArray()).ToArray(),
            locations = files.Select(file => file.Metadata.Location.ToArray()).ToArray(),
            sizes = files.Select(file => (long)file.Metadata.Size).ToArray(),
            fingerprints = files.Select(file => file.Metadata.Fingerprint.ToArray()).ToArray(),
            isOwn,
        };
        await using var answers = await connection.QueryMultipleAsync(
            new CommandDefinition(sql, parameters, cancellationToken: cancellationToken)
        );
        var registered = (await answers.ReadAsync<(FileKey Key, int Generation)>()).ToDictionary(
            file => file.Key,
            file => file.Generation
        );
        var rows = (await answers.ReadAsync<FileRow>()).AsList();
        var exceeded = (await answers.ReadAsync<BucketQuota>()).AsList();
        if (isBounded && exceeded.Count > 0)
        {
            var tooMuch = BucketQuotas.TooMuchOf(files.Where(file => registered.ContainsKey(file.Key)), exceeded);
            if (tooMuch.Count > 0)
            {
                throw new QuotaExceededException(tooMuch);
            }
        }

        return
        [
            .. rows.Select(row =>
                (
                    registered.GetValueOrDefault(row.FileKey) switch
                    {
                        0 => RegisterOutcome.Known,
                        1 => RegisterOutcome.New,
                        _ => RegisterOutcome.NewAfterRemoval,
                    },
                    row.ToRecord()
                )
            ),
        ];
    }

    /// <summary>This cluster itself wants files to exist, whose rows the transaction has locked, or does not any more.</summary>
    public static Task SetOwnAsync(
        NpgsqlConnection connection,
        IReadOnlyCollection<FileKey> keys,
        bool isOwn,
        CancellationToken cancellationToken
    ) =>
        connection.ExecuteAsync(
            "UPDATE filetransfer.files SET own = @isOwn WHERE file_key = ANY(@keys)",
            new { keys = keys.ToParameter(), isOwn },
            cancellationToken
        );

    /// <summary>Nothing of a removed file is kept, whose row the transaction has locked.</summary>
    public static Task PurgeAsync(NpgsqlConnection connection, FileKey key, CancellationToken cancellationToken) =>
        connection.ExecuteAsync(
            "UPDATE filetransfer.files SET purged = true WHERE file_key = @key AND state = 'removed'",
            new { key },
            cancellationToken
        );

    /// <summary>Locks the file's row against removal and registration until the transaction ends.</summary>
    public static async Task<FileRecord?> LockAsync(
        NpgsqlConnection connection,
        FileKey key,
        CancellationToken cancellationToken
    ) => (await LockAsync(connection, [key], cancellationToken)) is [var file] ? file : null;

    /// <summary>The same of several files; those that the cluster knows, in the order of their keys.</summary>
    public static async Task<IReadOnlyList<FileRecord>> LockAsync(
        NpgsqlConnection connection,
        IReadOnlyCollection<FileKey> keys,
        CancellationToken cancellationToken
    )
    {
        if (keys.Count == 0)
        {
            return [];
        }

        var rows = await connection.QueryAsync<FileRow>(LockSql, new { keys = keys.ToParameter() }, cancellationToken);
        return [.. rows.Select(row => row.ToRecord())];
    }
}
