namespace FileTransfer.Chunks;

/// <summary>Writes a stored content as it is.</summary>
public static class RawContent
{
    private const int PieceLength = 512 * 1024;

    /// <summary>Writes the bytes <c>[offset, offset + count)</c> of the content.</summary>
    /// <exception cref="ContentDamagedException">The content is not right; the answer must be aborted.</exception>
    /// <exception cref="OperationCanceledException">The reader went away.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public static async ValueTask WriteAsync(
        OpenContent content,
        PipeWriter output,
        long offset,
        long count,
        CancellationToken cancellationToken
    )
    {
        PipeReach.RequireInside(offset, count, content.Size);
        while (count > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var length = (int)Math.Min(PieceLength, count);

            // An asynchronous read of a file is the same call on another thread of the same pool.
            content.Read(offset, output.GetSpan(length)[..length]);
            output.Advance(length);
            offset += length;
            count -= length;
            (await output.FlushAsync(cancellationToken)).ThrowIfGone(cancellationToken);
        }
    }
}

internal static class PipeReach
{
    public static void RequireInside(long offset, long count, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, length - count);
    }

    /// <summary>A reader that is gone ends the writing.</summary>
    public static void ThrowIfGone(this FlushResult flushed, CancellationToken cancellationToken)
    {
        if (flushed.IsCompleted || flushed.IsCanceled)
        {
            throw new OperationCanceledException("The reader of the content went away.", cancellationToken);
        }
    }
}
