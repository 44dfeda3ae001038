using System.Diagnostics;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Downloads.Planning;
using FileTransfer.Feed;

namespace FileTransfer.Downloads;

/// <summary>What a download consists of, for whoever follows its trace: its claim, what its sources are asked for, its publication.</summary>
/// <remarks>
/// Lanes, planner and batches work for many files in turn, so that what is current when a part of a download begins is somebody else's: each
/// part names the download that it belongs to.
/// </remarks>
internal static class DownloadTraces
{
    private static readonly ActivitySource _source = new("FileTransfer.Downloads");

    /// <summary>Whether somebody listens.</summary>
    public static bool AreTold => _source.HasListeners();

    /// <summary>The traces that files which are claimed came with; null where nobody listens.</summary>
    public static async Task<IReadOnlyDictionary<FileKey, ActivityContext>?> OfAsync(
        LockConnection session,
        IReadOnlyList<ClaimedReplica> claims,
        CancellationToken cancellationToken
    ) =>
        AreTold && claims.Count > 0
            ? await session.UseAsync(
                (connection, token) => FeedTraces.OfAsync(connection, [.. claims.Select(claim => claim.Key)], token),
                cancellationToken
            )
            : null;

    /// <summary>A download, which its claim has begun; null where nobody listens. It does not become the current activity.</summary>
    /// <param name="trace">That its file came with; where there is none, it begins one.</param>
    /// <param name="asked">When it began to be claimed.</param>
    public static Activity? Begin(ClaimedReplica claim, ActivityContext trace, DateTimeOffset asked)
    {
        if (!AreTold)
        {
            return null;
        }

        var current = Activity.Current;
        Activity.Current = null;
        var download = _source.StartActivity("download", ActivityKind.Internal, trace, startTime: asked);
        if (download is not null)
        {
            download
                .SetTag("file.key", claim.Key.ToString())
                .SetTag("file.size", claim.Size)
                .SetTag("replica.epoch", claim.Epoch);
            _source.StartActivity("claim", ActivityKind.Internal, download.Context, startTime: asked)?.Dispose();
        }

        Activity.Current = current;
        return download;
    }

    /// <summary>A request to a source, in the activity of its download.</summary>
    public static Activity? Fetch(PlannerAction.Fetch fetch) =>
        _source
            .StartActivity("fetch")
            ?.SetTag("source", fetch.Source.Value)
            .SetTag("part", fetch.Part.GetType().Name)
            .SetTag("chunk.count", (fetch.Part as FetchPart.Window)?.Chunks.Count);

    /// <summary>Something that is done for several downloads at once: a part of the first, which has links to the others.</summary>
    /// <param name="name">What is done.</param>
    /// <param name="parts">Of these downloads.</param>
    /// <param name="traceOf">Null for one that nobody follows.</param>
    public static Activity? Together<T>(string name, IReadOnlyList<T> parts, Func<T, Activity?> traceOf) =>
        AreTold && parts.Select(traceOf).OfType<Activity>().Select(trace => trace.Context).ToList() is [var first, .. var others]
            ? _source.StartActivity(name, ActivityKind.Internal, first, links: others.Select(other => new ActivityLink(other)))
            : null;
}
