using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Chunks.Frames;

/// <summary>A client written from the definition of identity and wire alone: names, frames and JSON are made and read here.</summary>
[Collection(SharedNodes.Name)]
public sealed class WireTests(RunningCluster nodes)
{
    [Theory]
    [InlineData(1)]
    [InlineData(1024)]
    [InlineData(70 * 1024)]
    [InlineData((200 * 1024) + 11)]
    public async Task A_client_that_knows_only_the_wire_registers_uploads_replicates_and_downloads(int size)
    {
        var file = PlainFile.Random(size);
        var body =
            $$"""{"owner":"{{PlainFile.Hex(file.Owner)}}","bucket":"{{PlainFile.Hex(file.Bucket)}}","location":"{{Encoding.UTF8.GetString(file.Location)}}","size":{{size}},"fingerprint":"{{file.Fingerprint}}"}""";

        using (var registered = await nodes.Leader.RegisterAsync(file.Key, body))
        {
            ((int)registered.StatusCode).ShouldBe(201, await registered.Content.ReadAsStringAsync());
        }

        using (var uploaded = await nodes.Leader.UploadAsync(file.Key, file.FramesOf(file.ShuffledIds())))
        {
            await uploaded.ShouldBeEmptyOkAsync();
        }

        await Eventually.HoldsAsync(
            async () => ReplicasOf(await nodes.Leader.GetJsonAsync($"/v1/files/{file.Key}")) == "a stored 1, b stored 1",
            "every node has it stored"
        );
        foreach (var node in new[] { nodes.Leader, nodes.Follower })
        {
            TakeApart(await node.Http.GetByteArrayAsync($"/download/{file.Key}"), size).ShouldBe(file.Content);
        }
    }

    private static string ReplicasOf(JsonElement resource) =>
        string.Join(
            ", ",
            resource
                .GetProperty("replicas")
                .EnumerateArray()
                .Select(replica =>
                    $"{replica.GetProperty("node")} {replica.GetProperty("state")} {replica.GetProperty("progress")}"
                )
        );

    /// <summary>Frames back to back, of which only the final one is shorter.</summary>
    private static byte[] TakeApart(byte[] body, int size)
    {
        var content = new byte[size];
        foreach (var frame in body.Chunk(8 + 1024))
        {
            var id = BinaryPrimitives.ReadUInt64LittleEndian(frame);
            frame.AsSpan(8).CopyTo(content.AsSpan((int)id * 1024));
        }

        body.Length.ShouldBe(size + (8 * ((size + 1023) / 1024)));
        return content;
    }
}
