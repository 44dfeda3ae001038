using System.Text.Json;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>What a leader says of the clusters that it pulls from.</summary>
internal static class UpstreamFacts
{
    public static async Task<JsonElement> UpstreamAsync(this NodeProcess down, string upstream) =>
        (await down.GetJsonAsync("/v1/sync/status"))
            .GetProperty("upstreams")
            .EnumerateArray()
            .Single(one => one.GetProperty("name").GetString() == upstream);

    public static Task InStepWithAsync(this NodeProcess down, string upstream, TimeSpan? within = null) =>
        Eventually.HoldsAsync(
            async () => (await down.UpstreamAsync(upstream)).GetProperty("inStep").GetBoolean(),
            $"{upstream} is in step",
            within
        );

    /// <summary>In step, with all files of the upstream and no more.</summary>
    public static Task InStepWithAsync(this NodeProcess down, string upstream, int files, int kept) =>
        Eventually.HoldsAsync(
            async () =>
            {
                var said = await down.UpstreamAsync(upstream);
                return said.GetProperty("inStep").GetBoolean()
                    && said.GetProperty("files").GetInt32() == files
                    && said.GetProperty("kept").GetInt32() == kept;
            },
            $"{upstream} is in step with {files} files, and {kept} are kept"
        );

    /// <summary>Waits until the cluster has applied all that the upstream has now.</summary>
    public static async Task SealedAsync(this NodeProcess down, string upstream, NodeProcess up)
    {
        var cursors = (await up.GetJsonAsync("/v1/sync/cursors")).GetProperty("bins").EnumerateArray();
        var all = cursors.Select(bin => bin.GetProperty("cursor").GetInt64()).ToList();
        await Eventually.HoldsAsync(
            async () =>
                (await down.UpstreamAsync(upstream))
                    .GetProperty("bins")
                    .EnumerateArray()
                    .Select(bin => bin.GetProperty("sealed").GetInt64())
                    .SequenceEqual(all),
            $"{upstream} is pulled"
        );
    }

    /// <summary>Lets its operator do something about an upstream.</summary>
    public static async Task<JsonElement> AskAboutAsync(this NodeProcess down, string upstream, string what)
    {
        using var answer = await down.Http.PostAsync($"/v1/sync/{upstream}/{what}", null);
        var text = await answer.Content.ReadAsStringAsync();
        answer.IsSuccessStatusCode.ShouldBeTrue(text);
        return JsonDocument.Parse(text).RootElement.Clone();
    }

    /// <summary>The keys of the files that an upstream does not have any more.</summary>
    public static async Task<IReadOnlyList<string>> KeptAsync(this NodeProcess down, string upstream) =>
        [
            .. (await down.Http.GetStringAsync($"/v1/sync/{upstream}/kept"))
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("key").GetString()!),
        ];

    public static int BinOf(PlainFile file) => Convert.ToInt32(file.Key[2..3], 16);
}
