using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Catalog.Repair;

/// <summary>A file at two nodes, one copy of which is damaged.</summary>
internal static class DamageScene
{
    /// <summary>More than one window, and a chunk that is not full.</summary>
    public const int Large = (6 * 1024 * 1024) + 100;

    public static async Task<PlainFile> StoredAtBothAsync(this RunningCluster nodes, int size)
    {
        var file = PlainFile.Random(size);
        await nodes.Leader.StoreAsync(file);
        await TestCluster.StoredAsync(nodes.Follower, file.Key);
        return file;
    }

    public static Task<byte[]> ReadAsync(this NodeProcess node, PlainFile file) =>
        node.Http.GetByteArrayAsync($"/v1/files/{file.Key}/content");

    public static async Task<JsonElement> ComplainAsync(this NodeProcess node, string key)
    {
        using var answer = await node.Http.PostAsJsonAsync(
            $"/v1/files/{key}/damage",
            new { chunk = 2, reason = "sent chunk 2 with other bytes than the file has" }
        );
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }
}
