using System.Text.Json;
using FileTransfer.Contracts;
using FileTransfer.Feed.Pull;
using FileTransfer.Feed.Upstreams;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Feed.Pull;

/// <summary>An answer that ends early is none.</summary>
public sealed class CutOfferTests
{
    [Fact]
    public async Task An_offer_that_is_cut_at_any_place_is_a_fault_of_the_upstream_and_the_whole_one_is_read()
    {
        await using var fake = await FakeUpstream.StartAsync();
        for (var i = 0; i < 3; i++)
        {
            fake.Add(FakeUpstream.FileIn(9));
        }

        var whole = JsonSerializer.SerializeToUtf8Bytes(fake.PageOf(9, 1, 3));
        var cut = 0;
        fake.Answer = async (_, context) =>
        {
            context.Response.ContentType = "application/json";
            context.Response.ContentLength = whole.Length;
            await context.Response.Body.WriteAsync(whole.AsMemory(0, cut));
            await context.Response.Body.FlushAsync();
            context.Abort();
            throw new OperationCanceledException();
        };
        var options = new UpstreamOptions { Name = "up", Url = fake.Url.ToString() };
        using var client = new UpstreamClient(options, TimeProvider.System);
        var ends = whole.Index().Where(at => at.Item is (byte)'}' or (byte)']' or (byte)',').Select(at => at.Index + 1);
        var places = ends.Concat(Enumerable.Range(0, whole.Length / 13).Select(i => i * 13)).Where(place => place < whole.Length);
        foreach (var place in places.Distinct())
        {
            cut = place;
            await Should.ThrowAsync<UpstreamFaultException>(AskAsync, $"cut at {place} of {whole.Length}");
        }

        fake.Answer = (_, _) => Task.FromResult<object?>(null);
        OfferReading.Read((await AskAsync())!, new FeedGap(9, 0, 3), fake.Epoch).Last.ShouldBe(3);

        Task<SyncPage?> AskAsync() =>
            client.GetAsync("v1/sync/bins/9?from=1&to=3", TimeSpan.Zero, WireJson.Default.SyncPage, CancellationToken.None);
    }
}
