using FileTransfer.Catalog;
using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Downloads.Progress;

/// <summary>What happens to this node's downloads, as server-sent events.</summary>
public static class EventRoutes
{
    public static void MapEvents(this IEndpointRouteBuilder routes)
    {
        var events = routes.MapGroup("").RequireAuthorization(AccessScopes.Read).ServesEvents();
        events
            .MapGet(Routes.Events, FollowNodeAsync)
            .WithTags("Cluster")
            .WithSummary("The downloads of this node as server-sent events: those under way first, then every change");
        events
            .MapGet(Routes.FileEvents, FollowFileAsync)
            .WithTags("Files")
            .WithSummary("One file at this node as server-sent events: its present state first, then every change")
            .ProducesProblems(ProblemTypes.FileUnknown, ProblemTypes.FileRemoved, ProblemTypes.DatabaseUnavailable);
    }

    private static async Task<IResult> FollowNodeAsync(
        DownloadEvents events,
        NodeId here,
        IHostApplicationLifetime lifetime,
        TimeProvider time,
        HttpContext context
    )
    {
        Task<StreamState> ReadAsync(bool missed, CancellationToken cancellationToken)
        {
            var state = new NodeStateResource(here.Value, [.. events.UnderWay().Select(DownloadResource.Of)], missed);
            var json = JsonSerializer.SerializeToUtf8Bytes(state, SparseJson.Default.NodeStateResource);
            return Task.FromResult(new StreamState(json, ""));
        }

        return await RunAsync(new EventStream(events.Log, file: null, ReadAsync, review: null, time), context, lifetime);
    }

    private static async Task<IResult> FollowFileAsync(
        FileKey key,
        DownloadEvents events,
        FollowedStates followed,
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

        async Task<StreamState> ReadAsync(bool missed, CancellationToken cancellationToken)
        {
            var file = await catalog.FindAsync(key, cancellationToken) ?? found;
            var replica = await replicas.FindAsync(here, key, cancellationToken);
            var state = FileStateResource.Of(file, replica, here, events.Of(key), missed);
            var json = JsonSerializer.SerializeToUtf8Bytes(state, SparseJson.Default.FileStateResource);
            return new StreamState(json, state.State);
        }

        Task<string?> ReviewAsync(CancellationToken cancellationToken) => followed.NameOfAsync(context, key, cancellationToken);
        try
        {
            return await RunAsync(new EventStream(events.Log, key, ReadAsync, ReviewAsync, time), context, lifetime);
        }
        finally
        {
            followed.Leave(context);
        }
    }

    /// <summary>Runs a stream until its reader goes away or the node stops; for the latter the answer ends as a whole one.</summary>
    private static async Task<IResult> RunAsync(EventStream stream, HttpContext context, IHostApplicationLifetime lifetime)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        try
        {
            await stream.RunAsync(context, ends.Token);
        }
        catch (OperationCanceledException) when (ends.IsCancellationRequested && context.Response.HasStarted)
        {
            // The node stops.
        }

        return Results.Empty;
    }
}
