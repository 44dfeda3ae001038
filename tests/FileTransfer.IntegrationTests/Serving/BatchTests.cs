using System.Buffers.Binary;
using System.Net.Http.Json;
using FileTransfer.IntegrationTests.Downloads;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Serving;

/// <summary>Small contents that are asked for together, by a client that knows only the wire.</summary>
[Collection(SharedNodes.Name)]
public sealed class BatchTests(RunningCluster nodes)
{
    private static readonly string _unknown = new('7', 64);

    [Fact]
    public async Task Contents_come_in_the_order_of_their_keys_and_what_is_not_here_or_large_is_left_out()
    {
        int[] sizes = [11, 700 * 1024, 4 * 1024 * 1024, (4 * 1024 * 1024) + 1];
        var contents = sizes.Select(size => ReplicationTests.Content(size, size)).ToArray();
        var keys = new List<string>();
        foreach (var content in contents)
        {
            keys.Add(await nodes.Leader.PutAsync(content, $"delivered {content.Length}"));
        }

        var body = await DeliverAsync(keys[1], _unknown, keys[0], keys[3], keys[0], keys[2]);

        Take(ref body).AsSpan().SequenceEqual(contents[1]).ShouldBeTrue();
        Take(ref body).ShouldBeNull();
        Take(ref body).AsSpan().SequenceEqual(contents[0]).ShouldBeTrue();
        Take(ref body).ShouldBeNull();
        Take(ref body).AsSpan().SequenceEqual(contents[0]).ShouldBeTrue();
        Take(ref body).AsSpan().SequenceEqual(contents[2]).ShouldBeTrue();
        body.Length.ShouldBe(0);
    }

    [Theory]
    [InlineData("""{"want":["xyz"]}""", "file-key-malformed", "'xyz'")]
    [InlineData("""{"want":[null]}""", "file-key-malformed", "''")]
    [InlineData("""{"want":[]}""", "bad-request", "0 files")]
    [InlineData("""{"want":null}""", "bad-request", "0 files")]
    [InlineData("""{}""", "bad-request", "want")]
    public async Task An_order_that_makes_no_sense_is_refused_by_name(string order, string problem, string named)
    {
        using var content = new StringContent(order, null, "application/json");
        using var answer = await nodes.Leader.Http.PostAsync("/v1/sync/deliveries", content);

        var said = await answer.ShouldBeProblemAsync(400, problem);
        said.GetProperty("detail").GetString()!.ShouldContain(named);
    }

    [Fact]
    public async Task More_than_64_files_are_refused()
    {
        using var answer = await nodes.Leader.Http.PostAsJsonAsync(
            "/v1/sync/deliveries",
            new { want = Enumerable.Repeat(_unknown, 65) }
        );

        var said = await answer.ShouldBeProblemAsync(400, "bad-request");
        said.GetProperty("detail").GetString()!.ShouldContain("65 files");
    }

    private async Task<ReadOnlyMemory<byte>> DeliverAsync(params string[] keys)
    {
        using var answer = await nodes.Leader.Http.PostAsJsonAsync("/v1/sync/deliveries", new { want = keys });
        answer.EnsureSuccessStatusCode();
        answer.Content.Headers.ContentType!.MediaType.ShouldBe("application/octet-stream");
        return await answer.Content.ReadAsByteArrayAsync();
    }

    private static byte[]? Take(ref ReadOnlyMemory<byte> body)
    {
        var size = BinaryPrimitives.ReadInt64LittleEndian(body.Span);
        body = body[8..];
        if (size == -1)
        {
            return null;
        }

        var content = body[..(int)size].ToArray();
        body = body[(int)size..];
        return content;
    }
}
