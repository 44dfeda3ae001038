namespace FileTransfer.Catalog.Providers;

/// <summary>Which names are those of the cluster's nodes, for requests whose sender says who it is and cannot prove it.</summary>
/// <remarks>The database is asked when somebody comes with a name that is not among them, once a second at most; what is known counts while it is away.</remarks>
public sealed class KnownNodes(Database database, TimeProvider time)
{
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private volatile HashSet<string> _names = [];
    private Task _look = Task.CompletedTask;
    private long? _lookedAt;

    public ValueTask<bool> HasAsync(NodeId node) => _names.Contains(node.Value) ? new(true) : LookAsync(node);

    private async ValueTask<bool> LookAsync(NodeId node)
    {
        Task look;
        lock (_gate)
        {
            if (_look.IsCompleted && database.IsReady && !(_lookedAt is { } at && time.GetElapsedTime(at) < _period))
            {
                (_look, _lookedAt) = (ReadAsync(), time.GetTimestamp());
            }

            look = _look;
        }

        await look.WaitAsync(_period, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return _names.Contains(node.Value);
    }

    private async Task ReadAsync() =>
        _names = [.. await database.QueryAsync<string>("SELECT node_id FROM filetransfer.nodes", null, CancellationToken.None)];
}
