namespace FileTransfer.Wants.Policies;

/// <summary>What the policy of a bucket wants and this node lacks, asked of the catalog at the moment it is read.</summary>
/// <remarks>
/// However many files the bucket has, a page of them is held at a time: of at most <see cref="PageSize"/> files and about
/// <see cref="PageBytes"/> of lines, and no connection to the database while a slow reader takes it.
/// </remarks>
public sealed class MissingFiles(Database database, NodeId node)
{
    private const int PageSize = 2000;
    private const int PageBytes = 256 * 1024;

    /// <summary>A registered file whose content nobody has is missing only where it is wanted, by its replica.</summary>
    private const string Sql = """
        SELECT p.file_key, m.state IS NOT NULL, m.location, p.size, m.state, m.bytes_proven, m.reason, m.next_attempt_at, m.sources
        FROM (
            SELECT file_key, bucket, size, state FROM filetransfer.files
            WHERE bucket = @bucket AND file_key > @after
            ORDER BY file_key LIMIT @limit
        ) p
        LEFT JOIN LATERAL (SELECT * FROM filetransfer.replicas WHERE node_id = @node AND file_key = p.file_key OFFSET 0) r ON true
        LEFT JOIN LATERAL (
            SELECT f.location, coalesce(r.state, 'absent') AS state, coalesce(r.bytes_proven, 0) AS bytes_proven, r.reason, r.next_attempt_at, (
                SELECT count(*)::int FROM filetransfer.replicas s
                WHERE s.file_key = p.file_key AND s.node_id <> @node AND s.state = 'stored'
            ) AS sources
            FROM filetransfer.files f
            WHERE f.file_key = p.file_key AND (p.state = 'added' OR (p.state = 'registered' AND r.state IS NOT NULL))
              AND r.state IS DISTINCT FROM 'stored' AND filetransfer.policy_wants(@node, p.bucket, f.location)
            OFFSET 0
        ) m ON true
        ORDER BY p.file_key
        """;

    /// <summary>Lines of <see cref="MissingFile"/>, a page at a time, empty where nothing of it is missing. A page is valid until the next is asked for.</summary>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> PagesOf(
        ByteString bucket,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var lines = new ArrayBufferWriter<byte>(PageBytes);
        byte[]? after = [];
        while (after is not null)
        {
            lines.ResetWrittenCount();
            after = await ReadPageAsync(bucket, after, lines, cancellationToken);
            yield return lines.WrittenMemory;
        }
    }

    /// <returns>The key to go on after; null when there is no more.</returns>
    private async Task<byte[]?> ReadPageAsync(
        ByteString bucket,
        byte[] after,
        ArrayBufferWriter<byte> lines,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.Pool.CreateCommand(Sql);
        command.Parameters.AddWithValue("node", node.Value);
        command.Parameters.AddWithValue("bucket", bucket.ToArray());
        command.Parameters.AddWithValue("after", after);
        command.Parameters.AddWithValue("limit", PageSize);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var files = 0;
        while (await reader.ReadAsync(cancellationToken))
        {
            files++;
            after = reader.GetFieldValue<byte[]>(0);
            if (reader.GetBoolean(1))
            {
                Write(reader, after, lines);
                if (lines.WrittenCount >= PageBytes)
                {
                    return after;
                }
            }
        }

        return files < PageSize ? null : after;
    }

    private static void Write(NpgsqlDataReader reader, byte[] key, ArrayBufferWriter<byte> lines)
    {
        var location = new ByteString(reader.GetFieldValue<byte[]>(2));
        var text = location.AsUtf8();
        var next = reader.IsDBNull(7) ? (DateTime?)null : reader.GetDateTime(7);
        var line = new MissingFile(
            new FileKey(key).ToString(),
            text,
            text is null ? location.ToString() : null,
            reader.GetInt64(3),
            reader.GetString(4),
            reader.GetInt64(5),
            reader.IsDBNull(6) ? null : reader.GetString(6),
            // Npgsql reads infinity as the largest DateTime: it waits for what its reason says, not for a time.
            next == DateTime.MaxValue
                ? null
                : next,
            reader.GetInt32(8)
        );
        using (var json = new Utf8JsonWriter(lines))
        {
            JsonSerializer.Serialize(json, line, WireJson.Default.MissingFile);
        }

        lines.Write("\n"u8);
    }
}
