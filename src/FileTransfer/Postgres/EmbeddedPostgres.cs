namespace FileTransfer.Postgres;

public sealed class EmbeddedPostgres : IAsyncDisposable
{
    public Task Ended => throw new NotSupportedException();

    public static string ConnectionStringOf(string folder) => throw new NotSupportedException();

    public static Task<EmbeddedPostgres> StartAsync(string folder, int? p, ILogger l, CancellationToken ct) =>
        throw new NotSupportedException();

    public ValueTask DisposeAsync() => default;
}
