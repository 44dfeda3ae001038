[assembly: AssemblyFixture(typeof(FileTransfer.IntegrationTests.Postgres.TestRun))]

namespace FileTransfer.IntegrationTests.Postgres;

/// <summary>Stops what the tests share before the run is called finished.</summary>
public sealed class TestRun : IAsyncDisposable
{
    public async ValueTask DisposeAsync() => await PostgresCluster.StopAsync();
}
