using System.Text.Json;
using FileTransfer.Catalog;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Contracts;
using FileTransfer.Http;
using FileTransfer.Identity;

namespace FileTransfer.Downloads.Progress;

/// <summary>What happens to this node's downloads, as server-sent events.</summary>
public static class EventRoutes
{
    public static void MapEvents(this IEndpointRouteBuilder routes)
    {
        var events = routes.MapGroup("/v1").RequireAuthorization(AccessScopes.Read).ServesEvents();
        events
            .MapGet("/events", FollowNodeAsync)
            .WithTags("Cluster")
            .WithSummary("The downloads of this node as server-sent events: those under way first, then every change");
        events
            .MapGet("/files/{key}/events", FollowFileAsync)
            .WithTags("Files")
            .WithSummary("One file at this node as server-sent events: its present state first, then every change")
            .ProducesProblems(
                ProblemTypes.FileKeyMalformed,
                ProblemTypes.FileUnknown,
                ProblemTypes.FileRemoved,
                ProblemTypes.DatabaseUnavailable
            );
    }

    private static async Task<IResult> FollowNodeAsync(
        DownloadEvents events,
        NodeId here,
        IHostApplicationLifetime lifetime,
        TimeProvider time,
        HttpContext context
    )
    {
        await RunAsync(
            new EventStream(events.Log, file: null, time),
            context,
            (missed, _) =>
            {
                var state = new NodeStateResource(here.Value, [.. events.UnderWay().Select(DownloadResource.Of)], missed);
                var json = JsonSerializer.SerializeToUtf8Bytes(state, SparseJson.Default.NodeStateResource);
                return Task.FromResult(new StreamState(json, ""));
            },
            reviews: false,
            lifetime
        );
        return Results.Empty;
    }

    private static async Task<IResult> FollowFileAsync(
        FileKey key,
        DownloadEvents events,
        FileCatalog catalog,
        ReplicaTable replicas,
        NodeId here,
        IHostApplicationLifetime lifetime,
        TimeProvider time,
        HttpContext context
    )
    {
        if (await catalog.FindAsync(key, context.RequestAborted) is not { } found)
        {
            return FileProblems.Unknown(key);
        }

        if (found.State == FileState.Removed)
        {
            return FileProblems.Removed(key);
        }

        await RunAsync(
            new EventStream(events.Log, key, time),
            context,
            async (missed, token) =>
            {
                var file = await catalog.FindAsync(key, token) ?? found;
                var replica = await replicas.FindAsync(here, key, token);
                var state = FileStateResource.Of(file, replica, here, events.Of(key), missed);
                var json = JsonSerializer.SerializeToUtf8Bytes(state, SparseJson.Default.FileStateResource);
                return new StreamState(json, state.State);
            },
            reviews: true,
            lifetime
        );
        return Results.Empty;
    }

    /// <summary>Runs a stream until its reader goes away or the node stops; a reader is told the latter by the end of the answer.</summary>
    private static async Task RunAsync(
        EventStream stream,
        HttpContext context,
        Func<bool, CancellationToken, Task<StreamState>> readState,
        bool reviews,
        IHostApplicationLifetime lifetime
    )
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        try
        {
            await stream.RunAsync(context, readState, reviews, ends.Token);
        }
        catch (OperationCanceledException) when (ends.IsCancellationRequested && context.Response.HasStarted)
        {
            // The answer ends here, as a whole one.
        }
    }
}
