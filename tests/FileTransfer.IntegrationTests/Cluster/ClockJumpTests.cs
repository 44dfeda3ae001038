using System.Runtime.CompilerServices;
using FileTransfer.Contracts;
using FileTransfer.IntegrationTests.Operations;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;
using FileTransfer.IntegrationTests.Wants.Loads;

namespace FileTransfer.IntegrationTests.Cluster;

/// <summary>A fact about clocks that are set; skipped, and says why, where PostgreSQL cannot be given one of its own.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class OtherClockFactAttribute : FactAttribute
{
    public OtherClockFactAttribute([CallerFilePath] string? file = null, [CallerLineNumber] int line = -1)
        : base(file, line) =>
        Skip = PostgresServer.OtherClock is null ? "libfaketime gives PostgreSQL another clock; install faketime." : null;
}

/// <summary>The clock of a real server is set while nodes wait and work.</summary>
public sealed class ClockJumpTests
{
    [Thorough]
    [OtherClockFact]
    public async Task A_database_clock_that_is_set_a_day_ahead_and_back_is_told_of_loses_nothing_and_lengthens_no_wait()
    {
        await using var server = await PostgresServer.StartNewWithClockAsync();
        await using var cluster = TestCluster.OverServer(server.ConnectionString);
        var leader = await cluster.StartLeaderAsync("a");
        var follower = await cluster.StartFollowerAsync("b", SourceCluster.Impatient);
        var files = new List<TestFile>();
        var nowhere = TestFile.Of(1000);
        var described = new Dictionary<string, FileRegistration> { ["label 0"] = FileRegistration.Of(nowhere.Metadata) };
        await leader.LoadAsync("far", LoadNode.Order([nowhere], 3600, rounds: null, described));
        var calm = await Scrape.OfAsync(leader, follower);
        foreach (var (offset, direction) in ((string, string)[])[("+1d", "ahead"), ("+0", "back")])
        {
            // Nobody has it: its next look is put down by the clock as it is.
            var waiting = TestFile.Of(50_000);
            await waiting.WantAtAsync(follower);
            await Eventually.HoldsAsync(
                async () =>
                    await server.ScalarAsync<long>(
                        $"SELECT count(next_attempt_at) FROM filetransfer.replicas WHERE file_key = {waiting.KeySql}"
                    ) == 1,
                "it waits for somebody who has it"
            );

            await server.SetClockAsync(offset);

            foreach (var node in (NodeProcess[])[leader, follower])
            {
                await Eventually.HoldsAsync(
                    async () =>
                        (await node.GetJsonAsync("/health/ready"))
                            .GetProperty("checks")
                            .GetProperty("clock")
                            .GetProperty("detail")
                            .GetString()!
                            .Contains($"jumped {direction} by", StringComparison.Ordinal),
                    $"{node.Id} tells that the clock jumped {direction}"
                );
            }

            await AlertRules.FireAsync(calm, await Scrape.OfAsync(leader, follower), ["FileTransferClockJumped"]);
            await Eventually.HoldsAsync(
                async () =>
                    await server.ScalarAsync<bool>(
                        """
                        SELECT count(*) = 0 FROM filetransfer.replicas
                        WHERE next_attempt_at > clock_timestamp() + interval '45 minutes' AND next_attempt_at < 'infinity'
                        """
                    ),
                "no wait is longer than its cap"
            );
            await Eventually.HoldsAsync(
                async () =>
                    await server.ScalarAsync<bool>(
                        """
                        SELECT ended_at IS NULL AND deadline - clock_timestamp() BETWEEN interval '30 minutes' AND interval '61 minutes'
                        FROM filetransfer.loads
                        """
                    ),
                "the deadline of a load is as far away as before"
            );
            var next = TestFile.Of(100_000);
            files.AddRange([next, waiting]);
            foreach (var file in files[^2..])
            {
                await leader.PutAsync(file.Content, file.Location);
                await TestCluster.StoredAsync(follower, file.Key.ToString());
            }
        }

        foreach (var node in (NodeProcess[])[leader, follower])
        {
            foreach (var file in files)
            {
                (await node.Http.GetByteArrayAsync($"/v1/files/{file.Key}/content")).ShouldBe(file.Content);
            }
        }
    }
}
