using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>The requests that say what a node wants of a bucket, and what it lacks.</summary>
internal static class PolicyRequests
{
    public const string Bucket = "0x02";

    /// <summary>Sets the policy and returns what the node says has come of it.</summary>
    public static async Task<JsonElement> SetPolicyAsync(this NodeProcess node, string kind, string[] filters, bool prune = false)
    {
        using var response = await node.Http.PutAsJsonAsync(
            $"/v1/buckets/{Bucket}/policy?wait=60{(prune ? "&prune=true" : "")}",
            new { kind, filters }
        );
        return await response.OkJsonAsync();
    }

    public static async Task<JsonElement> DeletePolicyAsync(this NodeProcess node)
    {
        using var response = await node.Http.DeleteAsync($"/v1/buckets/{Bucket}/policy?wait=60");
        return await response.OkJsonAsync();
    }

    public static async Task<HttpResponseMessage> PutPolicyAsync(this NodeProcess node, string bucket, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        return await node.Http.PutAsync($"/v1/buckets/{bucket}/policy?wait=60", content);
    }

    /// <summary>Every line of what is missing at the node.</summary>
    public static async Task<List<JsonElement>> MissingAsync(this NodeProcess node, string bucket = Bucket)
    {
        using var response = await node.Http.GetAsync($"/v1/buckets/{bucket}/missing");
        var body = await response.Content.ReadAsStringAsync();
        response.StatusCode.ShouldBe(HttpStatusCode.OK, body);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/x-ndjson");
        return [.. body.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
    }

    public static async Task<List<string>> MissingKeysAsync(this NodeProcess node) =>
        [.. (await node.MissingAsync()).Select(line => line.GetProperty("key").GetString()!)];

    public static long Count(this JsonElement change, string name) => change.GetProperty(name).GetInt64();

    private static async Task<JsonElement> OkJsonAsync(this HttpResponseMessage response)
    {
        response.StatusCode.ShouldBe(HttpStatusCode.OK, await response.Content.ReadAsStringAsync());
        return await response.Content.ReadFromJsonAsync<JsonElement>();
    }
}
