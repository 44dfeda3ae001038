using System.Text.Json;
using FileTransfer.Catalog.Replicas;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using Npgsql;

namespace FileTransfer.IntegrationTests.Downloads;

/// <summary>Where the database has fewer connections than the lanes want, fewer lanes run, and it is said.</summary>
public sealed class FewConnectionsTests : IAsyncLifetime
{
    private TestCluster _cluster = null!;
    private NodeProcess _leader = null!;
    private string _role = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await TestCluster.CreateAsync();
        _leader = await _cluster.StartLeaderAsync("a");
        _role = $"few_{Guid.NewGuid():n}";
        await _cluster.Database.ExecuteAsync(
            $"DO $$ BEGIN EXECUTE format('CREATE ROLE {_role} LOGIN PASSWORD ''few'' CONNECTION LIMIT 6 IN ROLE %I, pg_monitor', current_user); END $$"
        );
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
    }

    [Thorough]
    [Fact]
    public async Task A_node_with_too_few_connections_downloads_with_fewer_lanes_says_so_and_recovers()
    {
        _cluster.ConnectionString = new NpgsqlConnectionStringBuilder(_cluster.Database.ConnectionString)
        {
            Username = _role,
            Password = "few",
        }.ConnectionString;
        var follower = await _cluster.StartFollowerAsync("b");
        var files = Enumerable.Range(0, 5).Select(_ => PlainFile.Random(50_000)).ToList();
        foreach (var file in files)
        {
            await _leader.StoreAsync(file);
        }

        foreach (var file in files)
        {
            try
            {
                await Eventually.HoldsAsync(
                    () => IsStoredAsync(file, "b"),
                    $"{file.Key} is stored at b",
                    TimeSpan.FromSeconds(60)
                );
            }
            catch (ShouldAssertException e)
            {
                throw new ShouldAssertException($"{e.Message}\n{follower.Log}", e);
            }
        }

        var check = await CheckAsync(follower, "degraded");
        check.GetProperty("detail").GetString()!.ShouldContain("of 4 lanes run: PostgreSQL has no connection left");
        check.GetProperty("detail").GetString()!.ShouldContain("max_connections");
        var waiting = TestFile.Of(10);
        await waiting.KnowAsync(_cluster.Database);
        var deferred = new ForgedReplica("b", ReplicaState.Wanted) { NextAttemptAt = "now() + interval '1 min'" };
        await deferred.AddAsync(_cluster.Database, waiting);
        await Eventually.HoldsAsync(
            async () =>
                (await follower.GetJsonAsync($"/v1/files/{waiting.Key}/explain"))
                    .ToString()
                    .Contains("of 4 lanes run here since", StringComparison.Ordinal),
            "explain says so"
        );

        await _cluster.Database.ExecuteAsync($"ALTER ROLE {_role} CONNECTION LIMIT -1");

        await CheckAsync(follower, "healthy");
        await follower.SaysAsync("All 4 lanes run again");
    }

    [Thorough]
    [Fact]
    public async Task A_pool_of_one_connection_is_enough_to_follow()
    {
        _cluster.ConnectionString = new NpgsqlConnectionStringBuilder(_cluster.Database.ConnectionString)
        {
            MaxPoolSize = 1,
        }.ConnectionString;
        var follower = await _cluster.StartFollowerAsync("c");
        var file = PlainFile.Random(50_000);

        await _leader.StoreAsync(file);

        await TestCluster.StoredAsync(follower, file.Key, TimeSpan.FromSeconds(60));
    }

    private Task<bool> IsStoredAsync(PlainFile file, string node) =>
        _cluster.Database.ScalarAsync<bool>(
            $"SELECT EXISTS (SELECT FROM filetransfer.replicas WHERE node_id = '{node}' AND state = 'stored' AND file_key = '\\x{file.Key[2..]}')"
        );

    private static async Task<JsonElement> CheckAsync(NodeProcess node, string status)
    {
        JsonElement check = default;
        await Eventually.HoldsAsync(
            async () =>
            {
                using var answer = await node.Http.GetAsync("/health/ready");
                using var document = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
                check = document.RootElement.GetProperty("checks").GetProperty("connections").Clone();
                return check.GetProperty("status").GetString() == status;
            },
            $"its connections are {status}",
            TimeSpan.FromMinutes(2)
        );
        return check;
    }
}
