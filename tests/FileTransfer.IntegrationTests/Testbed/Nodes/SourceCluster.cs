using System.Text.Json;
using FileTransfer.Catalog.Replicas;
using FileTransfer.IntegrationTests.Testbed.Disks;
using FileTransfer.IntegrationTests.Testbed.Servers;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>A leader and an impatient follower, whose sources the test plays.</summary>
public class SourceCluster : IAsyncLifetime
{
    public static readonly (string, string)[] Impatient =
    [
        ("FileTransfer__Downloads__MaxAttempts", "3"),
        ("FileTransfer__Downloads__BackoffBase", "00:00:00.010"),
        ("FileTransfer__Downloads__BackoffCap", "00:00:00.100"),
        ("FileTransfer__Downloads__PollInterval", "00:00:00.100"),
        ("FileTransfer__Downloads__WindowBytes", "65536"),
        ("FileTransfer__Downloads__StallPeriod", "00:00:01"),
    ];

    private TestCluster _cluster = null!;
    private int _sources;

    protected virtual (string, string)[] FollowerSettings => Impatient;

    protected virtual (string, string)[] LeaderSettings => [];

    public NodeProcess Leader { get; private set; } = null!;

    public NodeProcess Follower { get; private set; } = null!;

    public TestDatabase Database => _cluster.Database;

    internal Task<FakeSource> StartSourceAsync() =>
        FakeSource.StartAsync(Database, $"source-{Interlocked.Increment(ref _sources)}");

    /// <summary>What the follower says of its replica of a file; null where it has none.</summary>
    internal async Task<JsonElement?> ReplicaAsync(TestFile file)
    {
        var resource = await Follower.GetJsonAsync($"/v1/files/{file.Key}");
        var found = resource
            .GetProperty("replicas")
            .EnumerateArray()
            .Where(r => r.GetProperty("node").GetString() == Follower.Id);
        return found.Select(r => (JsonElement?)r).FirstOrDefault();
    }

    internal async Task ReplicaIsAsync(TestFile file, string state, string? reason = null)
    {
        JsonElement? last = null;
        try
        {
            await Eventually.HoldsAsync(
                async () =>
                    (last = await ReplicaAsync(file)) is { } replica
                    && replica.GetProperty("state").GetString() == state
                    && (
                        reason is null
                        || replica.GetProperty("reason").GetString()?.Contains(reason, StringComparison.Ordinal) == true
                    ),
                // A source that fails rests longer each time, and an attempt is spent after three failures.
                $"{file.Key} is {state} at {Follower.Id}{(reason is null ? "" : $" because '{reason}'")}",
                TimeSpan.FromSeconds(90)
            );
        }
        catch (ShouldAssertException e)
        {
            throw new ShouldAssertException($"{e.Message} It is {last}", e);
        }
    }

    internal async Task StoredAsync(TestFile file)
    {
        await ReplicaIsAsync(file, "stored");
        (await Follower.Http.GetByteArrayAsync($"/v1/files/{file.Key}/content")).ShouldBe(file.Content);
    }

    /// <summary>What the publication of another node does for those that wait.</summary>
    internal Task AppearsAsync(TestFile file, FakeSource source) =>
        Database.ExecuteAsync(
            ReplicaTransitions
                .WakeSql.Replace("@keys", $"ARRAY[{file.KeySql}]", StringComparison.Ordinal)
                .Replace("@node", $"'{source.Id}'", StringComparison.Ordinal)
        );

    internal bool HasPartialOf(TestFile file) =>
        Directory.EnumerateDirectories(Path.Combine(Follower.DataDirectory, "partial"), $"{file.Key.ToHex()}.*").Any();

    internal bool HasContentOf(TestFile file) => StoredOnDisk.Holds(Follower.DataDirectory, file.Fingerprint.ToHex());

    public virtual async ValueTask InitializeAsync()
    {
        _cluster = await TestCluster.CreateAsync();
        Leader = await _cluster.StartLeaderAsync("a", LeaderSettings);
        Follower = await _cluster.StartFollowerAsync("b", FollowerSettings);
    }

    /// <summary>The follower again, over its own folder.</summary>
    internal async Task RestartFollowerAsync() => Follower = await _cluster.StartFollowerAsync("b", FollowerSettings);

    public virtual async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}

/// <summary>The same, where a source may be silent for long.</summary>
public sealed class PatientSourceCluster : SourceCluster
{
    protected override (string, string)[] FollowerSettings =>
        [.. Impatient.SkipLast(1), ("FileTransfer__Downloads__StallPeriod", "00:01:00")];
}

/// <summary>The same, whose leader pulls a feed, and shows a certificate that expires soon.</summary>
public sealed class PullingSourceCluster : SourceCluster
{
    private readonly TempFolder _folder = new();
    private FakeUpstream? _upstream;

    protected override (string, string)[] LeaderSettings =>
        [
            ("FileTransfer__Sync__Upstreams__0__Name", "up"),
            ("FileTransfer__Sync__Upstreams__0__Url", $"{_upstream!.Url}"),
            ("FileTransfer__ClientCertificate__Path", _folder.At("a.pem")),
        ];

    public override async ValueTask InitializeAsync()
    {
        using (var authority = new TestAuthority("Nodes"))
        {
            authority.Write(_folder.At("a.pem"), "a");
        }

        _upstream = await FakeUpstream.StartAsync();
        await base.InitializeAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await (_upstream?.DisposeAsync() ?? default);
        _folder.Dispose();
    }
}
