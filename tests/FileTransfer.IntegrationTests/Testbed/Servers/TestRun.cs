[assembly: AssemblyFixture(typeof(FileTransfer.IntegrationTests.Testbed.Servers.TestRun))]

namespace FileTransfer.IntegrationTests.Testbed.Servers;

/// <summary>Stops what the tests share before the run is called finished.</summary>
public sealed class TestRun : IAsyncDisposable
{
    public async ValueTask DisposeAsync() => await PostgresCluster.StopAsync();
}
