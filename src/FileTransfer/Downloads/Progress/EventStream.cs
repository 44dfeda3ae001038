using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Downloads.Progress;

/// <summary>Where a stream begins, or begins again.</summary>
/// <param name="Name">What the reader knows once it has this.</param>
internal sealed record StreamState(byte[] Json, string Name);

/// <summary>Follows the log of events for one reader: the present state first, then every change.</summary>
/// <remarks>
/// <para>The position is taken before the state is read, so a change between the two is sent twice rather than never.</para>
/// <para>
/// A reader who comes back with the id of an event that is still kept goes on behind it. One who is slower than the log, or comes back
/// too late, gets the state again. Meanwhile a reader costs a position, and the buffer of its connection; one who reads nothing for
/// <c>Serving:PauseTimeout</c> is cut off, as every reader is. What an event is as text is made once, for all who read it.
/// </para>
/// <para>
/// Some changes are made by another process, and publish nothing here. So the state is looked at again when a while has passed without an event,
/// for all streams at once, and sent when it is another one.
/// </para>
/// </remarks>
/// <param name="file">Whose events; null: those of all files.</param>
/// <param name="readState">Reads the state; its argument says that events were missed.</param>
/// <param name="review">Tells the name of the state as it is now, or null where that is not known yet; null where the state is not looked at when nothing happens.</param>
internal sealed class EventStream(
    DownloadEventLog log,
    FileKey? file,
    Func<bool, CancellationToken, Task<StreamState>> readState,
    Func<CancellationToken, Task<string?>>? review,
    TimeProvider time
)
{
    internal static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);
    internal static readonly TimeSpan HeartbeatPeriod = TimeSpan.FromSeconds(10);
    internal static readonly TimeSpan ReviewPeriod = TimeSpan.FromSeconds(2);
    private const int BatchSize = 256;

    private readonly List<LoggedEvent> _batch = new(BatchSize);
    private long _position;
    private long _lastWritten = time.GetTimestamp();
    private long _lastReview = time.GetTimestamp();

    /// <summary>The names of states that the reader need not be sent, by what was sent last; null: whatever it is.</summary>
    private IReadOnlyList<string>? _sent;

    public async Task RunAsync(HttpContext context, CancellationToken cancellationToken)
    {
        StreamState? first = null;
        if (log.PositionOf(context.Request.Headers["Last-Event-ID"]) is { } known && log.TryRead(known, 0, _batch))
        {
            _position = known;
        }
        else
        {
            _position = log.Newest;
            first = await readState(false, cancellationToken);
        }

        var writer = await EventStreamWriter.StartAsync(context.Response, Retry, cancellationToken);
        if (HttpMethods.IsHead(context.Request.Method))
        {
            return;
        }

        if (first is not null)
        {
            Write(writer, first);
        }

        while (await writer.FlushAsync(cancellationToken))
        {
            _batch.Clear();
            if (!log.TryRead(_position, BatchSize, _batch))
            {
                _position = log.Newest;
                Write(writer, await readState(true, cancellationToken));
            }
            else if (_batch.Count > 0)
            {
                Write(writer);
            }
            else
            {
                await log.WaitAsync(_position, review is not null ? ReviewPeriod : HeartbeatPeriod, cancellationToken);
                if (log.Newest == _position)
                {
                    await OnQuietAsync(writer, cancellationToken);
                }
            }
        }
    }

    private void Write(EventStreamWriter writer)
    {
        foreach (var logged in _batch)
        {
            _position = logged.Position;
            if (file is null || logged.Event.File == file)
            {
                writer.Write(logged.FrameOf(FrameOf));
                _lastWritten = time.GetTimestamp();
                _sent = StatesAfter(logged.Event.Kind);
            }
        }
    }

    private byte[] FrameOf(LoggedEvent logged)
    {
        var resource = EventResource.Of(logged);
        var json = JsonSerializer.SerializeToUtf8Bytes(resource, SparseJson.Default.EventResource);
        return EventStreamWriter.FrameOf(log.IdOf(logged.Position), resource.Kind, json);
    }

    private void Write(EventStreamWriter writer, StreamState state)
    {
        writer.Write(EventStreamWriter.FrameOf(log.IdOf(_position), "state", state.Json));
        _sent = [state.Name];
        _lastWritten = time.GetTimestamp();
        _lastReview = _lastWritten;
    }

    private async Task OnQuietAsync(EventStreamWriter writer, CancellationToken cancellationToken)
    {
        if (review is not null && time.GetElapsedTime(_lastReview) >= ReviewPeriod)
        {
            _lastReview = time.GetTimestamp();
            try
            {
                var name = await review(cancellationToken);
                if (name is not null && _sent?.Contains(name) == false)
                {
                    Write(writer, await readState(false, cancellationToken));
                    return;
                }

                _sent ??= name is null ? null : [name];
            }
            catch (Exception e) when (DatabaseReach.IsFailure(e))
            {
                // What this process does is sent without the database; the rest is sent when it is back.
            }
        }

        if (time.GetElapsedTime(_lastWritten) >= HeartbeatPeriod)
        {
            writer.Heartbeat(log.IdOf(_position));
            _lastWritten = time.GetTimestamp();
        }
    }

    private static string[] StatesAfter(DownloadEventKind kind) =>
        kind switch
        {
            DownloadEventKind.Wanted => [NameOf(ReplicaState.Wanted)],
            DownloadEventKind.Deferred => [NameOf(ReplicaState.Wanted)],
            DownloadEventKind.Done => [NameOf(ReplicaState.Stored)],
            DownloadEventKind.Failed => [NameOf(ReplicaState.Wanted)],
            DownloadEventKind.Damaged => [NameOf(ReplicaState.Wanted), NameOf(ReplicaState.Removing)],
            DownloadEventKind.Withdrawn => [NameOf(ReplicaState.Removing), FileResource.Absent],
            _ => [NameOf(ReplicaState.Downloading)],
        };

    private static string NameOf(ReplicaState state) => ReplicaTransitions.NameOf(state);
}
