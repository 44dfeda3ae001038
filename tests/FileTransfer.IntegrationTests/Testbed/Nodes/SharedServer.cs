namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>One server for all facts of a class: they ask, and leave it as it was.</summary>
public abstract class SharedServer : IAsyncLifetime
{
    private RunningServer? _server;

    internal RunningServer Server => _server ?? throw new InvalidOperationException("It has not started.");

    public async ValueTask InitializeAsync() => _server = await StartAsync();

    public ValueTask DisposeAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;

    internal abstract Task<RunningServer> StartAsync();
}
