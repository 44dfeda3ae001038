using System.Buffers.Binary;
using System.Text.Json;
using FileTransfer.Downloads.Planning;
using FileTransfer.Downloads.Sources;
using FileTransfer.Feed.Pull;
using FileTransfer.Feed.Upstreams;
using FileTransfer.Identity;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using Microsoft.AspNetCore.Http;

namespace FileTransfer.IntegrationTests.Feed.Pull;

/// <summary>A delivery that ends early is worth the contents that it has whole.</summary>
public sealed class CutDeliveryTests
{
    [Fact]
    public async Task Of_a_delivery_that_is_cut_at_any_place_the_contents_before_it_are_taken_and_no_other()
    {
        await using var fake = await FakeUpstream.StartAsync();
        var files = ((int[])[1, 1024, 1025, 3000]).Select(size => PlainFile.Random(size)).ToList();
        var body = BodyOf(files);
        var (cut, isAborted) = (0, false);
        var (arrived, hold) = (new TaskCompletionSource(), new TaskCompletionSource());
        fake.Deliver = async context =>
        {
            var asked = await JsonDocument.ParseAsync(context.Request.Body);
            if (asked.RootElement.GetProperty("want").GetArrayLength() == 1)
            {
                // While one is under way, the others gather for the next.
                arrived.SetResult();
                await hold.Task;
                await context.Response.Body.WriteAsync(BodyOf(files[..1]));
                return;
            }

            await context.Response.Body.WriteAsync(body.AsMemory(0, cut));
            await context.Response.Body.FlushAsync();
            if (isAborted)
            {
                context.Abort();
            }
        };
        using var client = new UpstreamClient(new UpstreamOptions { Name = "up", Url = $"{fake.Url}" }, TimeProvider.System);
        var node = new UpstreamNode("up", new PeerName("up", new NodeId("a")), fake.Url, "1", client);
        var patience = TimeSpan.FromSeconds(30);
        var source = new NodeSource(
            node,
            new SourceClientOptions(0, patience, () => patience, (_, _, _) => default, TimeProvider.System)
        );

        var ends = files.Select((_, i) => BodyOf(files[..(i + 1)]).Length).ToList();
        var places = ends.SelectMany(end => (int[])[end - 1, end, end + 1, end + 8, end + 9])
            .Concat(Enumerable.Range(0, 12).Select(i => i * 450));
        foreach (var place in places.Append(0).Where(place => place <= body.Length).Distinct().Order())
        {
            (cut, isAborted) = (place, place % 2 == 1);
            var whole = await FetchAsync();
            var before = ends.Count(end => end <= place);
            whole.ShouldBe(files[..(isAborted ? whole.Count : before)], $"cut at {place} of {body.Length}");
            whole.Count.ShouldBeLessThanOrEqualTo(before);
        }

        async Task<List<PlainFile>> FetchAsync()
        {
            (arrived, hold) = (new TaskCompletionSource(), new TaskCompletionSource());
            var first = FetchOneAsync(files[0]);
            await arrived.Task;
            var others = files.ConvertAll(FetchOneAsync);
            hold.SetResult();
            (await first).ShouldBeTrue();
            var came = await Task.WhenAll(others);
            return [.. files.Where((_, i) => came[i])];
        }

        async Task<bool> FetchOneAsync(PlainFile file)
        {
            FileKey.TryParse(file.Key, out var key).ShouldBeTrue();
            try
            {
                using var bytes = await source.FetchBytesAsync(
                    key,
                    new Fingerprint(Convert.FromHexString(file.Fingerprint[2..])),
                    file.Content.Length,
                    new FetchProgress(() => { }, _ => { }, TimeProvider.System),
                    CancellationToken.None
                );
                return bytes.Bytes.Span.SequenceEqual(file.Content);
            }
            catch (SourceException)
            {
                return false;
            }
        }
    }

    private static byte[] BodyOf(List<PlainFile> files)
    {
        var body = new MemoryStream();
        foreach (var file in files)
        {
            var size = new byte[sizeof(long)];
            BinaryPrimitives.WriteInt64LittleEndian(size, file.Content.Length);
            body.Write(size);
            body.Write(file.Content);
        }

        return body.ToArray();
    }
}
