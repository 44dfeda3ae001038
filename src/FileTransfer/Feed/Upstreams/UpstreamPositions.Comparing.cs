namespace FileTransfer.Feed.Upstreams;

/// <content>Bins whose feed cannot be read from where this cluster is: their files are compared.</content>
public static partial class UpstreamPositions
{
    /// <summary>Locks a bin where nothing was applied of it that is beyond a cursor of the same history.</summary>
    public static Task<bool> LockUpToAsync(
        NpgsqlConnection connection,
        string upstream,
        ComparedBin at,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            SELECT true FROM filetransfer.upstream_bins b JOIN filetransfer.upstreams u ON u.name = b.upstream
            WHERE b.upstream = @upstream AND b.bin = @bin AND u.feed_epoch = @epoch AND coalesce(upper(b.intervals) - 1, 0) <= @cursor FOR UPDATE OF b
            """;
        var parameters = new
        {
            upstream,
            at.Bin,
            at.Epoch,
            at.Cursor,
        };
        return connection.QuerySingleOrDefaultAsync<bool>(sql, parameters, cancellationToken);
    }

    /// <summary>Makes the digest of a bin anew, from the files that the upstream is known to have.</summary>
    public static async Task CountAgainAsync(
        NpgsqlConnection connection,
        string upstream,
        short bin,
        CancellationToken cancellationToken
    )
    {
        const string clear = "UPDATE filetransfer.upstream_bins SET digest = NULL WHERE upstream = @upstream AND bin = @bin";
        var range = KeyPrefix.OfBin(bin);
        await connection.ExecuteAsync(clear, new { upstream, bin }, cancellationToken);
        var known = await UpstreamFiles.KnownAsync(connection, upstream, range, cancellationToken);
        await CountAsync(connection, upstream, known, [], cancellationToken);
    }

    /// <summary>Seals a bin up to the cursor it had when its comparison began, which has ended now.</summary>
    public static Task EndComparisonAsync(
        NpgsqlConnection connection,
        string upstream,
        ComparedBin compared,
        CancellationToken cancellationToken
    )
    {
        const string sql = """
            UPDATE filetransfer.upstream_bins b
            SET intervals = int8multirange(int8range(1, @cursor + 1)), compare_due = false
            FROM filetransfer.upstreams u
            WHERE u.name = b.upstream AND b.upstream = @upstream AND b.bin = @bin AND u.feed_epoch = @epoch AND b.compare_due
            """;
        var parameters = new
        {
            upstream,
            compared.Bin,
            compared.Epoch,
            compared.Cursor,
        };
        return connection.ExecuteAsync(sql, parameters, cancellationToken);
    }

    /// <summary>The upstream's feed does not go back to where this bin is: it is compared.</summary>
    public static Task RequireComparisonAsync(
        NpgsqlConnection connection,
        string upstream,
        short bin,
        CancellationToken cancellationToken
    )
    {
        const string sql = $"""
            UPDATE filetransfer.upstream_bins {RestartSql} AND bin = @bin AND NOT compare_due;
            DELETE FROM filetransfer.upstream_removals WHERE upstream = @upstream AND bin = @bin
            """;
        return connection.ExecuteAsync(sql, new { upstream, bin }, cancellationToken);
    }
}

/// <summary>A bin whose files are compared, and where it was when they were read.</summary>
/// <param name="LeaderEpoch">In which this cluster's leader compares it: what a former one has read says nothing any more.</param>
public sealed record ComparedBin(Guid Epoch, short Bin, long Cursor, long LeaderEpoch);

/// <summary>The files that an upstream has between two keys of a bin, each as the Add it came by.</summary>
/// <param name="After">What comes before them.</param>
/// <param name="Last">The last key that might be among them.</param>
public sealed record ComparedPart(byte[] After, byte[] Last, IReadOnlyList<Mutation> Files);

/// <param name="Missing">The upstream was not known to have them.</param>
/// <param name="Extra">It was known to have them, and has not.</param>
public sealed record ComparedFiles(IReadOnlyList<FileKey> Missing, IReadOnlyList<FileKey> Extra);

/// <summary>An upstream does what it must not; nothing of it was taken.</summary>
/// <param name="isOfAll">It cannot be asked for anything, whatever it was asked for.</param>
/// <param name="hasNoRoom">Its disk is full.</param>
public sealed class UpstreamFaultException(string message, bool isOfAll = false, bool hasNoRoom = false) : Exception(message)
{
    public bool IsOfAll => isOfAll;

    public bool HasNoRoom => hasNoRoom;
}
