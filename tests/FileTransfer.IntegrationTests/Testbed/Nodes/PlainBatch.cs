using System.Buffers.Binary;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>Batches as a script has them that knows their format and nothing of the product.</summary>
internal static class PlainBatch
{
    public const string Route = "/v1/files/batch";
    public const string MediaType = "application/vnd.filetransfer.batch";

    public static byte[] Of(IEnumerable<PlainFile> files) => [.. files.SelectMany(file => Entry(file))];

    /// <param name="change">Makes the metadata wrong, or leaves something out.</param>
    public static byte[] Entry(PlainFile file, Action<JsonObject>? change = null)
    {
        var metadata = file.Metadata();
        change?.Invoke(metadata);
        return Entry(Encoding.UTF8.GetBytes(metadata.ToJsonString()), file.Content);
    }

    public static byte[] Entry(byte[] metadata, byte[] content)
    {
        var (length, size) = (new byte[4], new byte[8]);
        BinaryPrimitives.WriteUInt32LittleEndian(length, (uint)metadata.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(size, (ulong)content.Length);
        return [.. length, .. metadata, .. size, .. content];
    }

    public static async Task<HttpResponseMessage> PostAsync(this NodeProcess node, byte[] batch)
    {
        using var body = new ByteArrayContent(batch);
        body.Headers.ContentType = new MediaTypeHeaderValue(MediaType);
        return await node.Http.PostAsync(Route, body);
    }

    /// <summary>Sends a batch that is taken; its lines.</summary>
    public static async Task<IReadOnlyList<JsonElement>> PutAsync(this NodeProcess node, byte[] batch)
    {
        using var response = await node.PostAsync(batch);
        var text = await response.Content.ReadAsStringAsync();
        response.IsSuccessStatusCode.ShouldBeTrue(text);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/x-ndjson");
        var lines = LinesOf(text);
        lines.Select(line => line.GetProperty("index").GetInt32()).ShouldBe(Enumerable.Range(0, lines.Count));
        return lines;
    }

    public static IReadOnlyList<JsonElement> LinesOf(string text) =>
        [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement.Clone())];

    public static int Status(this JsonElement line) => line.GetProperty("status").GetInt32();

    public static string? Key(this JsonElement line) => line.TryGetProperty("key", out var key) ? key.GetString() : null;

    public static string Problem(this JsonElement line) =>
        line.GetProperty("problem").GetProperty("type").GetString()!["urn:filetransfer:problem:".Length..];
}
