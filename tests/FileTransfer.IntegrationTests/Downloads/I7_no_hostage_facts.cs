using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using FileTransfer.Catalog;
using FileTransfer.Chunks;
using FileTransfer.Downloads;
using FileTransfer.Downloads.Sources;
using FileTransfer.Identity;
using FileTransfer.IntegrationTests.Nodes;

namespace FileTransfer.IntegrationTests.Downloads;

/// <summary>A slow, dead or lying source delays nobody but itself.</summary>
public sealed class I7_no_hostage_facts(SourceCluster cluster) : IClassFixture<SourceCluster>
{
    [Fact]
    public async Task A_slow_source_that_keeps_above_the_floor_is_not_called_stalled()
    {
        await using var source = await cluster.StartSourceAsync();
        var file = await source.OfferAsync(TestFile.Of(300_000));
        // A window takes longer than the stall period; the next one is under way meanwhile.
        source.BytesPerSecond = 50_000;

        await file.WantAtAsync(cluster.Follower);
        await cluster.StoredAsync(file);

        source.BytesSent.ShouldBeLessThan(320_000, "nothing was fetched twice");
    }

    [Fact]
    public async Task A_source_that_does_not_even_accept_a_connection_is_named_and_another_one_is_used()
    {
        using var deaf = new DeafListener();
        await FakeSource.RegisterNodeAsync(cluster.Database, "deaf", deaf.Url);
        await using var source = await cluster.StartSourceAsync();
        var file = TestFile.Of(100_000);
        await file.AddAsync(cluster.Database, "deaf");
        await source.OfferAsync(file);

        await file.WantAtAsync(cluster.Follower);
        await cluster.StoredAsync(file);
    }

    [Fact]
    public async Task The_clients_own_limit_for_connecting_is_a_fault_of_the_source()
    {
        using var deaf = new DeafListener();
        using var http = new HttpClient(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromMilliseconds(200) });
        var source = new NodeSource(
            http,
            new Holding(new NodeId("deaf"), new Uri(deaf.Url)),
            TestFile.Of(10).Key,
            new DownloadOptions(),
            TimeProvider.System
        );

        using var request = source.Request(new ChunkRange(0, 1), 10, default);

        var fault = await Should.ThrowAsync<SourceException>(() => request.Response);
        fault.Kind.ShouldBe(SourceFaultKind.Unreachable);
        fault.Message.ShouldContain("node 'deaf'");
        fault.Message.ShouldContain("did not accept a connection");
    }

    [Fact]
    public async Task Fifty_files_whose_only_source_never_answers_do_not_hold_up_the_others()
    {
        await using var silent = await cluster.StartSourceAsync();
        await using var good = await cluster.StartSourceAsync();
        silent.SilentAfter = 0;
        var hostages = await OfferAsync(silent, 50);
        var others = await OfferAsync(good, 200);

        // The fifty are first in the queue.
        await WantAsync(hostages);
        await WantAsync(others);
        var clock = Stopwatch.StartNew();
        await Eventually.HoldsAsync(
            async () =>
                await cluster.Database.ScalarAsync<long>(
                    $"""
                    SELECT count(*) FROM filetransfer.replicas r
                    JOIN filetransfer.replicas s ON s.file_key = r.file_key AND s.node_id = '{good.Id}'
                    WHERE r.node_id = 'b' AND r.state <> 'stored'
                    """
                ) == 0,
            "the others are stored"
        );

        // One stall period of the four that were first, and what 200 files take.
        clock.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(8));

        silent.SilentAfter = null;
        await Eventually.HoldsAsync(
            async () =>
                await cluster.Database.ScalarAsync<long>(
                    $"""
                    SELECT count(*) FROM filetransfer.replicas r
                    JOIN filetransfer.replicas s ON s.file_key = r.file_key AND s.node_id = '{silent.Id}'
                    WHERE r.node_id = 'b' AND r.state NOT IN ('stored', 'failed')
                    """
                ) == 0,
            "the fifty end as well"
        );
    }

    private static async Task<List<TestFile>> OfferAsync(FakeSource source, int count)
    {
        var files = new List<TestFile>();
        for (var i = 0; i < count; i++)
        {
            files.Add(await source.OfferAsync(TestFile.Of(5_000)));
        }

        return files;
    }

    private Task WantAsync(IEnumerable<TestFile> files) =>
        cluster.Database.ExecuteAsync(
            $"""
            INSERT INTO filetransfer.replicas (node_id, file_key, state)
            SELECT 'b', key, 'wanted' FROM unnest(ARRAY[{string.Join(',', files.Select(file => file.KeySql))}]) AS key
            """
        );

    /// <summary>An address that answers nothing: its queue of connections is full.</summary>
    private sealed class DeafListener : IDisposable
    {
        private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        private readonly List<Socket> _fill = [];

        public DeafListener()
        {
            _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            _listener.Listen(1);
            for (var i = 0; i < 8; i++)
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
                _fill.Add(socket);
                try
                {
                    socket.Connect(_listener.LocalEndPoint!);
                }
                catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress) { }
            }
        }

        public string Url => $"http://{_listener.LocalEndPoint}/";

        public void Dispose()
        {
            _fill.ForEach(socket => socket.Dispose());
            _listener.Dispose();
        }
    }
}
