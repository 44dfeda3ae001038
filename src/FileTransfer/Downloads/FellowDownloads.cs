using FileTransfer.Catalog.Providers;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks.Frames;
using FileTransfer.Downloads.Planning;
using FileTransfer.Downloads.Sources;

namespace FileTransfer.Downloads;

/// <summary>Follows other nodes that download the same file: the planner hears what they have of it, as long as this one downloads it.</summary>
/// <param name="claim">The file, and the generation that is meant.</param>
/// <param name="find">The source that a node is.</param>
/// <param name="tell">Tells the planner.</param>
/// <param name="windowChunks">Chunks of a window, as the planner asks for them.</param>
/// <param name="time">For the pauses between two tries.</param>
/// <param name="ended">Ends it with the download.</param>
internal sealed class FellowDownloads(
    ClaimedReplica claim,
    Func<SourceId, NodeSource?> find,
    Action<IReadOnlyList<PlannerEvent>> tell,
    int windowChunks,
    TimeProvider time,
    CancellationToken ended
) : IAsyncDisposable
{
    /// <summary>A node that has only just claimed the file, or was cut off, is asked again after so long.</summary>
    private static readonly TimeSpan _again = TimeSpan.FromMilliseconds(500);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(ended);
    private readonly Dictionary<SourceId, (Task Following, CancellationTokenSource Leave)> _followed = [];
    private HashSet<SourceId> _fellows = [];
    private bool _isOver;

    /// <summary>These download the file now: whoever is not followed yet is from now on, and nobody else is asked again.</summary>
    public void Follow(IReadOnlyList<ContentProvider> fellows)
    {
        lock (_gate)
        {
            if (_isOver)
            {
                return;
            }

            _fellows = [.. fellows.Select(fellow => NodeSource.IdOf(fellow.Node))];
            foreach (var id in _fellows.Where(id => !_followed.TryGetValue(id, out var one) || one.Following.IsCompleted))
            {
                _followed.GetValueOrDefault(id).Leave?.Dispose();
                var leave = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
                _followed[id] = (Task.Run(() => FollowAsync(id, leave.Token)), leave);
            }
        }
    }

    /// <summary>This one must not be listened to any more.</summary>
    public void Leave(SourceId id)
    {
        lock (_gate)
        {
            _fellows.Remove(id);
            if (!_isOver && _followed.TryGetValue(id, out var one))
            {
                one.Leave.Cancel();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _isOver = true;
        }

        await _stop.CancelAsync();
        foreach (var (following, leave) in _followed.Values)
        {
            await following;
            leave.Dispose();
        }

        _stop.Dispose();
    }

    private async Task FollowAsync(SourceId id, CancellationToken token)
    {
        while (!token.IsCancellationRequested && IsFellow(id) && find(id) is { } node)
        {
            var parts = new FellowParts(id, claim.Key, ChunkFrame.ChunkCount(claim.Size), windowChunks);
            try
            {
                await node.FollowPartsAsync(claim.Key, claim.Generation, line => tell(parts.Hear(line)), token);
            }
            catch (SourceException)
            {
                // It has not begun, or does not get the file any more. Who has the whole is known from the catalog.
            }
            catch (OperationCanceledException) when (token.IsCancellationRequested)
            {
                return;
            }

            if (parts.IsStored)
            {
                return;
            }

            tell([new PlannerEvent.PartsEnded(id, claim.Key)]);
            await Task.Delay(_again, time, token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private bool IsFellow(SourceId id)
    {
        lock (_gate)
        {
            return _fellows.Contains(id);
        }
    }
}
