using FileTransfer.Catalog;
using FileTransfer.Chunks;

namespace FileTransfer.Serving;

/// <summary>Tells nodes which chunks of a content under way are here, and which are about to come, line by line until it has ended.</summary>
public sealed class PartDelivery(
    ChunkStore store,
    StoredContents stored,
    FileCatalog catalog,
    IHostApplicationLifetime lifetime,
    TimeProvider time
)
{
    /// <summary>Answers under way at most: a node with more askers tells the next ones to come again.</summary>
    public const int MostFollowers = 256;

    /// <summary>Between two lines, at least.</summary>
    public static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(100);

    /// <summary>Between two lines, at most: who hears nothing for much longer knows that this node is gone.</summary>
    public static readonly TimeSpan SignOfLife = TimeSpan.FromSeconds(5);

    private int _followers;

    public async Task<IResult> AnswerAsync(HttpContext context, FileKey key)
    {
        if (NodeHeader.GenerationOf(context) is not { } generation)
        {
            return Problem.Of(
                ProblemTypes.BadRequest,
                $"{NodeHeader.Generation} is missing: name the generation of the file that you ask for parts of."
            );
        }

        if (store.FindArriving(key) is not { } arriving)
        {
            return await AnswerStoredAsync(context, key, generation);
        }

        if (arriving.Generation != generation)
        {
            return ArrivingContents.Differs(key, generation, arriving.Generation);
        }

        try
        {
            if (Interlocked.Increment(ref _followers) > MostFollowers)
            {
                context.Response.Headers.RetryAfter = "1";
                return Problem.Of(
                    ProblemTypes.SourceBusy,
                    $"{MostFollowers} nodes are being told what is here already; ask this one again in a second."
                );
            }

            context.Response.ContentType = Ndjson.MediaType;
            await ContentResponse.StreamAsync(context, (output, gone) => FollowAsync(arriving, output, gone));
            return Results.Empty;
        }
        finally
        {
            Interlocked.Decrement(ref _followers);
        }
    }

    private async Task<IResult> AnswerStoredAsync(HttpContext context, FileKey key, int generation)
    {
        var (content, problem) = await stored.OpenAsync(key, proven: false, context.RequestAborted);
        if (content is null)
        {
            return problem!;
        }

        content.Dispose();
        if (await catalog.FindAsync(key, context.RequestAborted) is not { State: not FileState.Removed } file)
        {
            return FileProblems.Removed(key);
        }

        if (file.Generation != generation)
        {
            return ArrivingContents.Differs(key, generation, file.Generation);
        }

        context.Response.ContentType = Ndjson.MediaType;
        Write(
            context.Response.BodyWriter,
            new PartsLine(generation, file.Fingerprint.ToString(), file.Size, End: PartsLine.Stored)
        );
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
        return Results.Empty;
    }

    private async ValueTask FollowAsync(ArrivingContent content, PipeWriter output, CancellationToken gone)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(gone, lifetime.ApplicationStopping);
        using var feed = content.Follow();
        PartsLine? head = new(content.Generation, content.Fingerprint.ToString(), content.Size);
        bool? isStored;
        do
        {
            var news = feed.Take();
            isStored = news.IsStored;
            var isHead = head is not null && content.IsReadable;
            Write(output, LineOf(isHead ? head! : new PartsLine(), news));
            head = isHead ? null : head;
            (await output.FlushAsync(ends.Token)).ThrowIfGone(ends.Token);
            if (isStored is null)
            {
                await Task.Delay(Pace, time, ends.Token);
                await feed.WaitAsync(SignOfLife, time, ends.Token);
            }
        } while (isStored is null);
    }

    private static PartsLine LineOf(PartsLine line, ArrivalNews news) =>
        line with
        {
            Have = news.Here.Count == 0 ? null : news.Here.Select(run => new[] { run.First, run.End - 1 }).ToList(),
            Coming = news.Coming?.Select(range => new[] { range.First, range.End - 1 }).ToList(),
            End = news.IsStored switch
            {
                null => null,
                true => PartsLine.Stored,
                false => PartsLine.Failed,
            },
        };

    private static void Write(PipeWriter output, PartsLine line) => Ndjson.WriteLine(output, line, SparseJson.Default.PartsLine);
}
