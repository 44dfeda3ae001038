using FileTransfer.IntegrationTests.Testbed.Servers;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>Lets a node that the test plays be heard of all the time.</summary>
internal sealed class Heartbeat : IAsyncDisposable
{
    private readonly CancellationTokenSource _end = new();
    private readonly Task _beating;

    public Heartbeat(TestDatabase database, string node)
    {
        _beating = BeatAsync(database, node, _end.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _beating;
        _end.Dispose();
    }

    private static async Task BeatAsync(TestDatabase database, string node, CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            await database.ExecuteAsync($"UPDATE filetransfer.nodes SET seen_at = now() WHERE node_id = '{node}'");
            await Task.WhenAny(Task.Delay(TimeSpan.FromSeconds(1), end));
        }
    }
}
