namespace FileTransfer.Wants.Loads;

/// <summary>
/// Follows a load for one reader: <c>state</c> first, <c>progress</c> with every change but without what is missing, and how it ended, with all labels.
/// </summary>
/// <remarks>A newer load under the name goes on in the same stream, and begins with its <c>state</c>.</remarks>
internal static class LoadEventStream
{
    private static readonly TimeSpan _retry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _heartbeat = TimeSpan.FromSeconds(10);

    /// <param name="name" example="state-17">The load.</param>
    public static async Task<IResult> FollowAsync(
        string name,
        FollowedLoads loads,
        IHostApplicationLifetime lifetime,
        TimeProvider time,
        HttpContext context
    )
    {
        if (await loads.FindAsync(name, context.RequestAborted) is not { } load)
        {
            return LoadRoutes.Unknown(name);
        }

        using var ends = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        try
        {
            var writer = await EventStreamWriter.StartAsync(context.Response, _retry, ends.Token);
            if (!HttpMethods.IsHead(context.Request.Method))
            {
                await RunAsync(writer, load, loads, time, ends.Token);
            }
        }
        catch (OperationCanceledException) when (ends.IsCancellationRequested && context.Response.HasStarted)
        {
            // The node stops: the answer ends as a whole one.
        }

        return Results.Empty;
    }

    private static async Task RunAsync(
        EventStreamWriter writer,
        LoadRow first,
        FollowedLoads loads,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        LoadResource? sent = null;
        var writtenAt = time.GetTimestamp();
        for (LoadRow? load = first; load is not null; )
        {
            var began = time.GetTimestamp();
            if (sent is not { State: not LoadResource.Running } || sent.Id != load.LoadId)
            {
                var isNews = sent?.Id != load.LoadId || load.EndedAt is not null;
                var now = await (
                    isNews ? loads.DescribeAsync(load, cancellationToken) : loads.ProgressAsync(load, cancellationToken)
                );
                if (NameOf(sent, now) is { } name)
                {
                    var json = JsonSerializer.SerializeToUtf8Bytes(now, WireJson.Default.LoadResource);
                    writer.Write(EventStreamWriter.FrameOf($"{load.LoadId}-{now.Stored}", name, json));
                    (sent, writtenAt) = (now, began);
                }
            }

            if (time.GetElapsedTime(writtenAt) >= _heartbeat)
            {
                writer.Heartbeat($"{load.LoadId}-{sent?.Stored}");
                writtenAt = began;
            }

            if (!await writer.FlushAsync(cancellationToken))
            {
                return;
            }

            // A large load takes a while to be counted.
            var took = time.GetElapsedTime(began);
            await Task.Delay(FollowedLoads.Pace + (4 * took), time, cancellationToken);
            load = await loads.FindAsync(first.Name, cancellationToken);
        }
    }

    /// <summary>Null where nothing has changed that a reader would see.</summary>
    private static string? NameOf(LoadResource? sent, LoadResource now) =>
        now.State != LoadResource.Running ? now.State
        : sent?.Id != now.Id ? "state"
        : (sent.Stored, sent.Unknown, sent.InVain, sent.Round, sent.BytesProven)
        != (now.Stored, now.Unknown, now.InVain, now.Round, now.BytesProven)
            ? "progress"
        : null;
}
