using System.Net.Sockets;
using System.Text.RegularExpressions;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Wires;

namespace FileTransfer.IntegrationTests.Uploads;

/// <summary>Batches during which the leader dies, or leads no more.</summary>
public sealed partial class BatchUploadFaultTests
{
    private static readonly (string Name, string Value)[] _chunked =
    [
        ("Content-Type", PlainBatch.MediaType),
        ("Transfer-Encoding", "chunked"),
    ];

    [Thorough]
    [Fact]
    public async Task A_kill_in_mid_batch_loses_nothing_that_was_answered_and_the_same_again_stores_the_rest()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var leader = await cluster.StartLeaderAsync("a");
        PlainFile[] files = [.. Enumerable.Range(0, Showing.Of(small: 600, full: 5000)).Select(_ => PlainFile.Random(2000))];
        var batch = PlainBatch.Of(files);
        string lines;
        using (var client = await RawConnection.OpenAsync(leader))
        {
            await client.SendHeadAsync("POST", PlainBatch.Route, _chunked);
            var sending = client.SendChunkAsync(batch);
            lines = await client.ReadUntilAsync("\"index\":200,");
            await leader.KillAsync();
            await Task.WhenAny(sending);
            if (sending.IsFaulted)
            {
                sending.Exception.InnerException.ShouldBeOfType<SocketException>();
            }
        }

        leader = await cluster.StartLeaderAsync("a");
        var answered = Stored().Matches(lines).Select(match => match.Groups["key"].Value).ToList();
        answered.Count.ShouldBeGreaterThan(100);
        foreach (var key in answered)
        {
            (await leader.StateOfAsync(key)).ShouldBe("stored");
        }

        var again = await leader.PutAsync(batch);

        again.Count.ShouldBe(files.Length);
        again.Select(line => line.Status()).ShouldAllBe(status => status == 200 || status == 201);
        var known = again.Where(line => line.Status() == 200).Select(line => line.Key()!);
        answered.ShouldBeSubsetOf(known);
        foreach (var file in files)
        {
            await file.ShouldBeStoredAsync(leader);
        }
    }

    [Thorough]
    [Fact]
    public async Task A_leader_that_leads_no_more_says_so_of_the_file_at_hand_and_ends_the_answer()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var first = await cluster.StartLeaderAsync("a");
        var second = await cluster.StartAsync("b");
        var (before, after) = (PlainFile.Random(2000), PlainFile.Random(2000));
        using var client = await RawConnection.OpenAsync(first);
        await client.SendHeadAsync("POST", PlainBatch.Route, _chunked);
        await client.SendChunkAsync(PlainBatch.Entry(before));
        await client.ReadUntilAsync(before.Key);
        await TestCluster.StoredAsync(second, before.Key);

        await Eventually.HoldsAsync(
            async () =>
            {
                await cluster.Database.ExecuteAsync(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'a/leader' AND datname = current_database()"
                );
                return (await second.GetJsonAsync("/v1/leader")).GetProperty("node").GetString() == "b";
            },
            "b leads"
        );
        await client.SendChunkAsync(PlainBatch.Entry(after));
        var lines = await client.ReadUntilAsync("\r\n0\r\n\r\n");

        lines.ShouldContain("\"index\":1,\"status\":421,\"problem\":{\"type\":\"urn:filetransfer:problem:not-leader\"");
        lines.ShouldContain($"\"leaderUrl\":\"{second.Url.ToString().TrimEnd('/')}");
        await before.ShouldBeStoredAsync(second);
        (await second.StateOfAsync(after.Key)).ShouldBeNull();
        (await second.PutAsync(PlainBatch.Of([before, after]))).Select(line => line.Status()).ShouldBe([200, 201]);
    }

    [GeneratedRegex("\"key\":\"(?<key>0x[0-9a-f]{64})\",\"status\":201}", RegexOptions.NonBacktracking)]
    private static partial Regex Stored();
}
