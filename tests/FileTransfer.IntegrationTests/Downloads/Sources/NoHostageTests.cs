using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using FileTransfer.Catalog.Replicas;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Downloads.Sources;

/// <summary>A slow, dead or lying source delays nobody but itself.</summary>
public sealed class NoHostageTests(SourceCluster cluster) : IClassFixture<SourceCluster>
{
    [Thorough]
    [Fact]
    public async Task A_slow_source_that_keeps_above_the_floor_is_not_called_stalled()
    {
        // A follower with a stall period that a loaded machine does not freeze for, and windows that take longer still.
        await using var own = await TestCluster.CreateAsync();
        var follower = await own.StartFollowerAsync(
            "b",
            ("FileTransfer__Downloads__WindowBytes", "262144"),
            ("FileTransfer__Downloads__StallPeriod", "00:00:05"),
            ("FileTransfer__Downloads__StallFloorBytesPerSecond", "1024")
        );
        await follower.CheckSaysAsync("membership", "healthy");
        await using var source = await FakeSource.StartAsync(own.Database, "slow");
        var file = await source.OfferAsync(TestFile.Of(700_000));
        source.BytesPerSecond = 35_000;

        await file.WantAtAsync(follower);
        await TestCluster.StoredAsync(follower, file.Key.ToString(), TimeSpan.FromMinutes(3));

        source.BytesSent.ShouldBeLessThan(720_000, "nothing was fetched twice");
        follower.Log.ShouldNotContain("bytes per second for");
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

    [Thorough]
    [Fact]
    public async Task Of_two_thousand_files_fifty_whose_only_source_never_answers_do_not_hold_up_the_others()
    {
        using var deaf = new DeafListener();
        await FakeSource.RegisterNodeAsync(cluster.Database, "mute", deaf.Url);
        await using var silent = await cluster.StartSourceAsync();
        await using var good = await cluster.StartSourceAsync();
        silent.SilentAfter = 0;
        var alone = await OfferAsync(good, 975);
        var beside = await OfferAsync(good, 975);
        var hostages = await OfferAsync(silent, 40);
        foreach (var file in Enumerable.Range(0, 10).Select(_ => TestFile.Of(5_000)))
        {
            await file.AddAsync(cluster.Database, "mute");
            hostages.Add(file);
        }

        var withoutHostages = await TimeOfAsync(alone, alone);
        // The fifty are first in the queue.
        var withHostages = await TimeOfAsync([.. hostages, .. beside], beside);

        // Four lanes look at fifty files for a moment each.
        withHostages.ShouldBeLessThan((2 * withoutHostages) + TimeSpan.FromSeconds(Showing.Of(small: 8, full: 5)));
        (await CountAsync(hostages, "state IN ('wanted', 'downloading') AND attempts = 0")).ShouldBe(50);

        silent.SilentAfter = null;
        await Eventually.HoldsAsync(
            async () => await CountAsync(hostages.Take(40), "state = 'stored'") == 40,
            "those whose source answers again are stored"
        );
    }

    /// <summary>Wants files and waits until some of them are stored.</summary>
    private async Task<TimeSpan> TimeOfAsync(List<TestFile> wanted, List<TestFile> awaited)
    {
        var clock = Stopwatch.StartNew();
        await WantAsync(wanted);
        await Eventually.HoldsAsync(
            async () => await CountAsync(awaited, "state = 'stored'") == awaited.Count,
            "they are stored",
            TimeSpan.FromMinutes(3)
        );
        return clock.Elapsed;
    }

    private Task<long> CountAsync(IEnumerable<TestFile> files, string condition) =>
        cluster.Database.ScalarAsync<long>(
            $"""
            SELECT count(*) FROM filetransfer.replicas
            WHERE node_id = 'b' AND {condition} AND file_key IN ({string.Join(',', files.Select(file => file.KeySql))})
            """
        );

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
        new ForgedReplica("b", ReplicaState.Wanted).AddAsync(cluster.Database, files);

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
