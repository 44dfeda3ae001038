using FileTransfer.IntegrationTests.Testbed.Wires;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>
/// A leader that waits for bodies for two seconds, a follower that waits for readers for one and passes writes on, and one that downloads
/// almost nothing. Whatever takes seconds goes on for all facts at once.
/// </summary>
public sealed class PatientNodes : IAsyncLifetime
{
    /// <summary>Longer than a server waits that wants 240 bytes a second after five seconds.</summary>
    private static readonly TimeSpan _pause = TimeSpan.FromSeconds(8);

    private TestCluster? _cluster;

    public NodeProcess Leader { get; private set; } = null!;

    public NodeProcess Follower { get; private set; } = null!;

    public NodeProcess SlowFollower { get; private set; } = null!;

    /// <summary>Larger than all buffers between a node and its reader.</summary>
    public PlainFile Large { get; } = PlainFile.Random(24 * 1024 * 1024);

    public PlainFile Small { get; } = PlainFile.Random(5000);

    /// <summary>What a reader got in the end that paused in the middle.</summary>
    public Task<byte[]> Paused { get; private set; } = null!;

    /// <summary>The same of curl behind a pipe whose other end slept.</summary>
    public Task<(int ExitCode, string Output)> PausedPipe { get; private set; } = null!;

    /// <summary>The same of a curl that was stopped and let go on.</summary>
    public Task<(int ExitCode, string Output)> StoppedCurl { get; private set; } = null!;

    /// <summary>What a reader got that paused for longer than the follower waits.</summary>
    public Task<Exception?> PausedTooLong { get; private set; } = null!;

    /// <summary>The answers to clients that wrote for seconds after the answer was sent, before they read it.</summary>
    internal Task<RawAnswer[]> WrittenBeforeRead { get; private set; } = null!;

    public string Folder => _cluster!.Folder;

    public async ValueTask InitializeAsync()
    {
        _cluster = await TestCluster.CreateAsync();
        Leader = await _cluster.StartLeaderAsync("a", ("FileTransfer__Uploads__IdleTimeout", "00:00:02"));
        Follower = await _cluster.StartFollowerAsync(
            "b",
            ("FileTransfer__Serving__PauseTimeout", "00:00:01"),
            ("FileTransfer__ForwardWrites", "true")
        );
        SlowFollower = await _cluster.StartFollowerAsync("c", ("FileTransfer__Limits__Download", "1KiB/s"));
        await Leader.StoreAsync(Small);
        await Leader.StoreAsync(Large);
        await TestCluster.StoredAsync(Follower, Large.Key);

        await File.WriteAllBytesAsync(Path.Combine(Folder, "large"), Large.Content);
        var url = $"{Leader.Url}v1/files/{Large.Key}/content";
        Paused = Task.Run(PauseAsync);
        PausedPipe = RealClient.RunAsync(Folder, $"curl -sS '{url}' | (head -c 100000; sleep 8; cat) | cmp - large");
        StoppedCurl = RealClient.RunAsync(
            Folder,
            $"curl -sS --limit-rate 2M -o stopped '{url}' & sleep 1; kill -STOP $!; sleep 8; kill -CONT $!; "
                + "kill $!; wait $!; curl -sS -C - -o stopped '"
                + url
                + "'; cmp stopped large"
        );
        PausedTooLong = Task.Run(PauseTooLongAsync);
        string[] answeredEarly = [$"/upload/{Small.Key}", $"/upload/{PlainFile.Random(10).Key}", "/v1/nothing"];
        WrittenBeforeRead = Task.WhenAll(answeredEarly.Select(path => Task.Run(() => WriteBeforeReadAsync(path))));
    }

    public async ValueTask DisposeAsync() => await _cluster!.DisposeAsync();

    private async Task<byte[]> PauseAsync()
    {
        using var response = await Leader.Http.GetAsync(
            $"/v1/files/{Large.Key}/content",
            HttpCompletionOption.ResponseHeadersRead
        );
        await using var body = await response.Content.ReadAsStreamAsync();
        var content = new byte[Large.Content.Length];
        await body.ReadExactlyAsync(content.AsMemory(0, 100_000));
        await Task.Delay(_pause);
        await body.ReadExactlyAsync(content.AsMemory(100_000));
        return content;
    }

    private async Task<Exception?> PauseTooLongAsync()
    {
        using var reader = await RawConnection.OpenAsync(Follower);
        await reader.SendHeadAsync("GET", $"/v1/files/{Large.Key}/content");
        await reader.ReceiveSomeAsync(100_000);
        await Follower.SaysAsync("disconnected the reader");
        return await Record.ExceptionAsync(reader.ReadAnswerAsync);
    }

    /// <summary>Sends 8 MiB in as many seconds, reads the answer, and asks something else on the same connection.</summary>
    private async Task<RawAnswer> WriteBeforeReadAsync(string path)
    {
        const int piece = 256 * 1024;
        const int pieces = 32;
        using var client = await RawConnection.OpenAsync(Leader);
        await client.SendHeadAsync("POST", path, ("Content-Length", $"{pieces * piece}"));
        for (var i = 0; i < pieces; i++)
        {
            await client.SendAsync(new byte[piece]);
            await Task.Delay(_pause / pieces);
        }

        var answer = await client.ReadAnswerAsync();
        await client.SendHeadAsync("GET", "/health/live");
        (await client.ReadAnswerAsync()).Status.ShouldBe(200, "the connection serves the next request");
        return answer;
    }
}
