using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Downloads.Progress;

/// <summary>The states here of the files that event streams follow, read for all streams at once.</summary>
public sealed class FollowedStates(ReplicaTable replicas, NodeId here, TimeProvider time)
{
    /// <summary>Less than a stream is quiet before it asks: what it has sent last is not newer than what it is told.</summary>
    private static readonly TimeSpan _age = EventStream.ReviewPeriod / 2;

    private readonly ConcurrentDictionary<object, FileKey> _streams = new(ReferenceEqualityComparer.Instance);
    private readonly RecentWork<NodeId, Dictionary<FileKey, ReplicaState?>> _reads = new(_age, time);

    /// <summary>The name of the file's state for a stream that follows it; null where the next look will have it.</summary>
    public async Task<string?> NameOfAsync(object stream, FileKey key, CancellationToken cancellationToken)
    {
        _streams.TryAdd(stream, key);
        var states = await _reads.RunAsync(here, ReadAsync, cancellationToken);
        return states.TryGetValue(key, out var state) ? NameOf(state) : null;
    }

    public void Leave(object stream) => _streams.TryRemove(stream, out _);

    internal static string NameOf(ReplicaState? state) =>
        state is { } here ? ReplicaTransitions.NameOf(here) : FileResource.Absent;

    private async Task<Dictionary<FileKey, ReplicaState?>> ReadAsync()
    {
        var keys = _streams.Values.ToHashSet();
        return (await replicas.StatesAsync(here, keys, CancellationToken.None)).ToDictionary(one => one.Key, one => one.State);
    }
}
