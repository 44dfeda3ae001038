using System.Net;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Serving;

/// <summary>A window of a large content goes to one node at a time while the uplink is full; nobody else is kept waiting for it.</summary>
public sealed class AdmissionTests : IAsyncLifetime
{
    private const int MiB = 1024 * 1024;

    private TestCluster? _cluster;
    private NodeProcess _node = null!;
    private string _key = "";

    public async ValueTask InitializeAsync()
    {
        _cluster = await TestCluster.CreateAsync();
        _node = await _cluster.StartLeaderAsync("a", ("FileTransfer__Limits__Upload", "2MiB/s"));
        await _cluster.AddNamesAsync("x", "y");
        _key = await _node.PutAsync(new byte[32 * MiB], "large");
    }

    public async ValueTask DisposeAsync() => await _cluster!.DisposeAsync();

    [Thorough]
    [Fact]
    public async Task While_one_node_is_given_a_content_another_is_told_to_come_again()
    {
        // A reader that a busy machine holds up for a second has left its turn.
        await Showing.UntilItHoldsAsync(async () =>
        {
            using var first = await AskAsync("x");
            first.StatusCode.ShouldBe(HttpStatusCode.OK);
            var reading = DrainAsync(first, 6 * MiB);

            while (!reading.IsCompleted)
            {
                using var second = await AskAsync("y");
                await second.ShouldBeProblemAsync(503, "source-busy", _key);
                second.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(1));
                await Task.WhenAny(reading, Task.Delay(200));
            }

            await reading;
        });
    }

    [Thorough]
    [Fact]
    public async Task The_node_that_has_the_turn_may_ask_for_more_and_a_person_needs_none()
    {
        using var first = await AskAsync("x");
        using var further = await AskAsync("x", "bytes=1000000-9000000");
        further.StatusCode.ShouldBe(HttpStatusCode.PartialContent);
        using var person = await AskAsync(null);
        person.StatusCode.ShouldBe(HttpStatusCode.OK);
        using var raw = await _node.Http.GetAsync($"/v1/files/{_key}/content", HttpCompletionOption.ResponseHeadersRead);
        raw.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Thorough]
    [Theory]
    [InlineData("bytes=0-1031", HttpStatusCode.PartialContent)]
    [InlineData("bytes=0-65535", HttpStatusCode.PartialContent)]
    [InlineData("bytes=0-65536", HttpStatusCode.ServiceUnavailable)]
    [InlineData("bytes=99999999-", HttpStatusCode.RequestedRangeNotSatisfiable)]
    public async Task A_small_part_needs_no_turn(string range, HttpStatusCode expected)
    {
        using var first = await AskAsync("x");
        using var part = await AskAsync("y", range);
        part.StatusCode.ShouldBe(expected);
    }

    [Thorough]
    [Fact]
    public async Task Nodes_that_ask_for_different_windows_are_all_served()
    {
        var path = $"/v1/files/{_key}/content";
        using var first = await AskAsync("x", $"bytes=0-{(4 * MiB) - 1}", path);
        first.StatusCode.ShouldBe(HttpStatusCode.PartialContent);
        using var other = await AskAsync("y", $"bytes={8 * MiB}-{(12 * MiB) - 1}", path);
        other.StatusCode.ShouldBe(HttpStatusCode.PartialContent);
        using var same = await AskAsync("y", $"bytes={2 * MiB}-{(6 * MiB) - 1}", path);
        await same.ShouldBeProblemAsync(503, "source-busy", _key);
    }

    [Thorough]
    [Fact]
    public async Task The_hashes_of_a_large_content_go_before_its_bytes_and_to_one_node_at_a_time()
    {
        using var first = await AskAsync("x", path: $"/v1/files/{_key}/hashes");
        first.StatusCode.ShouldBe(HttpStatusCode.OK);
        foreach (var what in new[] { "hashes", "content" })
        {
            using var refused = await AskAsync("y", path: $"/v1/files/{_key}/{what}");
            await refused.ShouldBeProblemAsync(503, "source-busy", _key);
            using var own = await AskAsync("x", path: $"/v1/files/{_key}/{what}");
            own.StatusCode.ShouldBe(HttpStatusCode.OK);
        }
    }

    [Fact]
    public async Task A_node_that_does_not_read_what_it_asked_for_keeps_no_other_waiting()
    {
        using var first = await AskAsync("x");
        first.StatusCode.ShouldBe(HttpStatusCode.OK);

        await Eventually.HoldsAsync(
            async () =>
            {
                using var second = await AskAsync("y");
                return second.StatusCode == HttpStatusCode.OK;
            },
            "y is served although x holds on to its answer",
            TimeSpan.FromSeconds(30)
        );
    }

    [Thorough]
    [Fact]
    public async Task A_node_that_goes_away_leaves_its_turn()
    {
        using (var first = await AskAsync("x"))
        {
            await DrainAsync(first, MiB);
        }

        await Eventually.HoldsAsync(
            async () =>
            {
                using var second = await AskAsync("y");
                return second.StatusCode == HttpStatusCode.OK;
            },
            "y has its turn",
            TimeSpan.FromSeconds(30)
        );
    }

    private async Task<HttpResponseMessage> AskAsync(string? node, string? range = null, string? path = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path ?? $"/download/{_key}");
        if (node is not null)
        {
            request.Headers.Add("FileTransfer-Node", node);
        }

        if (range is not null)
        {
            request.Headers.TryAddWithoutValidation("Range", range).ShouldBeTrue();
        }

        return await _node.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    private static async Task DrainAsync(HttpResponseMessage response, int bytes)
    {
        await using var body = await response.Content.ReadAsStreamAsync();
        var buffer = new byte[64 * 1024];
        for (var left = bytes; left > 0; )
        {
            var read = await body.ReadAsync(buffer);
            read.ShouldBeGreaterThan(0);
            left -= read;
        }
    }
}
