using System.Net;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Downloads;

/// <summary>Nothing is served or counted as stored before it is proven, whatever a source sends.</summary>
public sealed class ProvenBeforeVisibleTests(SourceCluster cluster) : IClassFixture<SourceCluster>
{
    private const int ManyWindows = 1_000_000;

    public static TheoryData<string, int, string, string> Faults() =>
        new()
        {
            { "lies", ManyWindows, "failed", "sent chunk 500 with other bytes than the file has" },
            { "lies", 60_000, "failed", "sent a content with another fingerprint" },
            { "closes", ManyWindows, "failed", "closed the connection in the middle" },
            { "closes", 60_000, "failed", "closed the connection in the middle" },
            { "500", ManyWindows, "failed", "answered 500" },
            { "500", 60_000, "failed", "answered 500" },
            { "other hashes", ManyWindows, "failed", "sent chunk hashes that do not make up the fingerprint" },
            // These say nothing against the file: it waits.
            { "silent", ManyWindows, "wanted", "sent less than 16384 bytes per second" },
            { "silent", 60_000, "wanted", "sent less than 16384 bytes per second" },
            { "404", ManyWindows, "wanted", "does not have the file" },
        };

    [Thorough]
    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_source_at_fault_is_named_and_nothing_it_sent_is_visible_and_another_source_ends_it(
        string fault,
        int size,
        string state,
        string reason
    )
    {
        await using var source = await cluster.StartSourceAsync();
        var file = await source.OfferAsync(TestFile.Of(size));
        Spoil(source, fault, size);

        await file.WantAtAsync(cluster.Follower);
        await cluster.ReplicaIsAsync(file, state, reason);

        var replica = (await cluster.ReplicaAsync(file))!.Value;
        replica.GetProperty("reason").GetString().ShouldNotBeNull().ShouldContain($"'{source.Id}'");
        replica.GetProperty("attempts").GetInt32().ShouldBe(state == "failed" ? 3 : 0);
        (await cluster.Follower.Http.GetAsync($"/download/{file.Key}")).StatusCode.ShouldBeOneOf(
            HttpStatusCode.Conflict,
            HttpStatusCode.ServiceUnavailable
        );
        cluster.HasContentOf(file).ShouldBeFalse();

        await using var other = await cluster.StartSourceAsync();
        await other.OfferAsync(file);
        await cluster.AppearsAsync(file, other);
        await cluster.StoredAsync(file);
    }

    [Fact]
    public async Task What_was_proven_before_a_fault_is_kept_and_not_fetched_again()
    {
        await using var liar = await cluster.StartSourceAsync();
        var file = await liar.OfferAsync(TestFile.Of(ManyWindows));
        liar.LiesAtChunk = 900;
        await file.WantAtAsync(cluster.Follower);
        await cluster.ReplicaIsAsync(file, "failed", "chunk 900");
        var proven = (await cluster.ReplicaAsync(file))!.Value.GetProperty("bytesProven").GetInt64();
        // What is before the lie in its window is kept, and what the request beside it had brought.
        proven.ShouldBeInRange(800 * 1024, 900 * 1024 + (2 * 64 * 1024));
        cluster.HasPartialOf(file).ShouldBeTrue();

        await using var other = await cluster.StartSourceAsync();
        await other.OfferAsync(file);
        await cluster.AppearsAsync(file, other);
        await cluster.StoredAsync(file);

        other.BytesSent.ShouldBeLessThanOrEqualTo((ManyWindows - proven) * 1032 / 1024 + (4 * 1032));
        cluster.HasPartialOf(file).ShouldBeFalse();
    }

    [Fact]
    public async Task While_a_content_comes_no_answer_with_it_is_completed_and_it_does_not_count_as_stored()
    {
        await using var source = await cluster.StartSourceAsync();
        var file = await source.OfferAsync(TestFile.Of(ManyWindows));
        source.SilentAfter = 950_000;
        source.BytesPerSecond = 2_000_000;
        await file.WantAtAsync(cluster.Follower);

        await Eventually.HoldsAsync(() => Task.FromResult(source.BytesSent >= 500_000), "half of it came");
        await Should.ThrowAsync<HttpRequestException>(cluster.Follower.Http.GetAsync($"/v1/files/{file.Key}/content"));
        cluster.HasContentOf(file).ShouldBeFalse();

        source.SilentAfter = null;
        await cluster.StoredAsync(file);
    }

    private static void Spoil(FakeSource source, string fault, int size)
    {
        switch (fault)
        {
            case "lies":
                source.LiesAtChunk = size > 64 * 1024 ? 500 : 7;
                break;
            case "silent":
                source.SilentAfter = 30_000;
                break;
            case "closes":
                source.ClosesAfter = 30_000;
                break;
            case "other hashes":
                source.SendsOtherHashes = true;
                break;
            default:
                source.Status = int.Parse(fault, System.Globalization.CultureInfo.InvariantCulture);
                break;
        }
    }
}
