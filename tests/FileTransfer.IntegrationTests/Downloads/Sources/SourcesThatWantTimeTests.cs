using System.Diagnostics;
using System.Globalization;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Downloads.Sources;

/// <summary>A source that says "later", or is slow to begin, is given the time it wants and costs no attempts.</summary>
public sealed class SourcesThatWantTimeTests(SourceCluster cluster) : IClassFixture<SourceCluster>
{
    [Thorough]
    [Theory]
    [InlineData(429, false)]
    [InlineData(503, true)]
    public async Task A_source_that_says_when_to_come_back_is_not_asked_before(int status, bool asDate)
    {
        await using var source = await cluster.StartSourceAsync();
        source.Status = status;
        var clock = Stopwatch.StartNew();
        source.RetryAfter = asDate ? DateTimeOffset.UtcNow.AddSeconds(4).ToString("r", CultureInfo.InvariantCulture) : "4";
        TestFile[] files = [await source.OfferAsync(TestFile.Of(60_000)), await source.OfferAsync(TestFile.Of(1_000_000))];
        foreach (var file in files)
        {
            await file.WantAtAsync(cluster.Follower);
        }

        await cluster.ReplicaIsAsync(files[0], "wanted", $"answered {status}");
        await cluster.ReplicaIsAsync(files[1], "wanted", $"answered {status}");
        (await cluster.ReplicaAsync(files[0]))!.Value.GetProperty("attempts").GetInt32().ShouldBe(0);
        var rounds = 1 + (int)(clock.Elapsed.TotalSeconds / 4);
        source.Refused.ShouldBeLessThanOrEqualTo(6 * rounds, "probes and what was under way, each time that it said");
        source.Status = null;

        foreach (var file in files)
        {
            await cluster.StoredAsync(file);
        }
    }

    [Thorough]
    [Fact]
    public async Task A_source_that_takes_seconds_to_its_first_byte_is_waited_for()
    {
        await using var source = await cluster.StartSourceAsync();
        source.FirstByteAfter = TimeSpan.FromSeconds(2.5);
        TestFile[] files = [await source.OfferAsync(TestFile.Of(60_000)), await source.OfferAsync(TestFile.Of(100_000))];
        foreach (var file in files)
        {
            await file.WantAtAsync(cluster.Follower);
            await cluster.StoredAsync(file);
            (await cluster.ReplicaAsync(file))!.Value.GetProperty("attempts").GetInt32().ShouldBe(0);
        }
    }
}
