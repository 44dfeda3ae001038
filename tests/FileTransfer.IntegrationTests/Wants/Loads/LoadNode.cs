using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Wants.Loads;

/// <summary>What is asked of loads at a node.</summary>
internal static class LoadNode
{
    public static object Order(IEnumerable<TestFile> files, double seconds, int? rounds = null, object? metadata = null) =>
        new
        {
            files = files
                .Select((file, index) => (file, index))
                .ToDictionary(one => $"label {one.index}", one => $"{one.file.Key}"),
            deadline = TimeSpan.FromSeconds(seconds).ToString(),
            rounds,
            pause = "00:00:00.2",
            metadata,
        };

    public static async Task<(HttpStatusCode Status, JsonElement Answer)> LoadAsync(
        this NodeProcess node,
        string name,
        object order
    )
    {
        (HttpStatusCode, JsonElement) answer = default;
        await Eventually.HoldsAsync(
            async () =>
            {
                using var response = await node.Http.PutAsJsonAsync($"/v1/loads/{name}", order);
                answer = (response.StatusCode, await response.Content.ReadFromJsonAsync<JsonElement>());
                return response.StatusCode != HttpStatusCode.ServiceUnavailable;
            },
            $"{node.Id} has joined its cluster"
        );
        return answer;
    }

    public static Task<JsonElement> LoadOfAsync(this NodeProcess node, string name) =>
        node.GetJsonAsync($"/v1/loads/{name}?labels=true");

    public static async Task<JsonElement> EndOfLoadAsync(this NodeProcess node, string name, TimeSpan? within = null)
    {
        JsonElement load = default;
        await Eventually.HoldsAsync(
            async () => (load = await node.LoadOfAsync(name)).GetProperty("state").GetString() != "running",
            $"the load {name} has ended",
            within
        );
        return load;
    }

    public static string Text(this JsonElement load, string member) => load.GetProperty(member).GetString()!;

    /// <summary>How long it took to its end, beyond its deadline where positive.</summary>
    public static TimeSpan Overdue(this JsonElement load) =>
        load.GetProperty("endedAt").GetDateTimeOffset() - load.GetProperty("deadline").GetDateTimeOffset();
}
