using FileTransfer.Chunks;

namespace FileTransfer.Serving;

/// <summary>
/// Contents that this node still downloads, sent as they come: to readers in order, whose place the download then prefers, and in parts to
/// nodes that name the file's generation. No answer is completed of which anything did not come.
/// </summary>
public sealed class ArrivingContents(ChunkStore store, IHostApplicationLifetime lifetime, TimeProvider time)
{
    /// <summary>How long a node is let wait for a chunk that is about to come: then it asks elsewhere.</summary>
    public static readonly TimeSpan PatienceOfNodes = TimeSpan.FromSeconds(10);

    /// <summary>So much is read and proven before the first byte goes out.</summary>
    private const int FirstPiece = 32 * 1024;

    /// <summary>A reader asks for his place again when he waits this many chunks further on.</summary>
    private const int PlaceChunks = 1024;

    /// <summary>The content under way, or why this node does not get it; null where it is to be looked for among the stored ones.</summary>
    public (OpenContent? Content, ProblemHttpResult? Problem)? Open(HttpContext context, FileKey key, bool proven)
    {
        // One that an upload has stored meanwhile is read from the store: its download is about to end.
        if (store.FindArriving(key) is not { } arriving || store.Shows(key))
        {
            return null;
        }

        // A node that names no generation does not know of parts: it takes what it gets for the whole.
        if (NodeHeader.Of(context) is not null)
        {
            if (NodeHeader.GenerationOf(context) is not { } generation)
            {
                return null;
            }

            if (generation != arriving.Generation)
            {
                return (null, Differs(key, generation, arriving.Generation));
            }
        }

        return store.TryOpen(arriving, proven) is { } content ? (content, null) : null;
    }

    public static ProblemHttpResult Differs(FileKey key, int asked, int here) =>
        Problem.Of(
            ProblemTypes.GenerationDiffers,
            $"Generation {asked} of the file {key} was asked for; this node knows generation {here}. Ask for parts of a file in its newest generation.",
            ("key", key.ToString()),
            ("generation", here)
        );

    /// <summary>Whether a node would get anything within its patience.</summary>
    public static bool IsWorthAsking(HttpContext context, OpenContent content, int chunkLength, ConditionalAnswer answer) =>
        content.Arriving is not { } arriving
        || chunkLength == 0
        || answer.Range.Count == 0
        || NodeHeader.Of(context) is null
        || arriving.IsHereOrComing(answer.Range.Offset / chunkLength);

    /// <summary>How long a reader prefers to wait for a file that is not here, and may come; null where he does not.</summary>
    public static TimeSpan? PatienceOf(HttpContext context, ProblemHttpResult problem) =>
        MayCome(problem) ? PreferredWait.Of(context.Request) : null;

    /// <summary>Tries again whenever it may have become readable, until it has, or there is nothing to wait for any more.</summary>
    public async Task<(OpenContent? Content, ProblemHttpResult? Problem)> WaitAsync(
        HttpContext context,
        FileKey key,
        TimeSpan patience,
        Func<Task<(OpenContent? Content, ProblemHttpResult? Problem)>> open
    )
    {
        PreferredWait.Applied(context.Response, patience);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        using var readable = store.Readable.Await(key);
        var began = time.GetTimestamp();
        while (true)
        {
            var opened = await open();
            var left = patience - time.GetElapsedTime(began);
            if (opened.Problem is not { } problem || !MayCome(problem) || left <= TimeSpan.Zero)
            {
                return opened;
            }

            await readable.WaitAsync(left, time, ends.Token);
        }
    }

    /// <summary>Writes a part of a content as it comes, each run of chunks as soon as it is here.</summary>
    /// <exception cref="OperationCanceledException">It does not come, or not in time, or the reader went away.</exception>
    public async ValueTask WriteAsync<T>(
        HttpContext context,
        ArrivingContent content,
        ContentForm<T> form,
        ThrottledResponse sending,
        PipeWriter output,
        long offset,
        long count,
        CancellationToken cancellationToken
    )
    {
        var isNode = NodeHeader.Of(context) is not null;
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(
            cancellationToken,
            content.Failed,
            lifetime.ApplicationStopping
        );

        // The head goes out before the first chunk is here.
        (await output.FlushAsync(ends.Token)).ThrowIfGone(ends.Token);
        var most = (long)FirstPiece;
        for (var (end, asksFrom) = (offset + count, 0L); offset < end; most = long.MaxValue)
        {
            var chunk = offset / form.ChunkLength;
            var asks = !isNode && chunk >= asksFrom;
            var here = await content.WaitAsync(
                chunk,
                asks,
                isNode ? PatienceOfNodes : Timeout.InfiniteTimeSpan,
                time,
                ends.Token
            );
            asksFrom = asks ? chunk + PlaceChunks : asksFrom;
            var length = Math.Min(most, Math.Min(end, here * form.ChunkLength) - offset);
            await sending.WriteAsync(form.Write, form.From, output, offset, length, ends.Token);
            offset += length;
        }
    }

    private static bool MayCome(ProblemHttpResult problem) =>
        problem.ProblemDetails.Type is var type
        && (type == ProblemTypes.FileNotStored.Urn || type == ProblemTypes.FileUnknown.Urn);
}
