using FileTransfer.IntegrationTests.Testbed.Servers;

namespace FileTransfer.IntegrationTests.Testbed.Nodes;

/// <summary>A node that is nothing but its row in the catalog, heard of just now or when a test says.</summary>
internal sealed record ForgedNode(string Id)
{
    public string Role { get; init; } = "auto";

    public string Url { get; init; } = $"http://{Id}:7070";

    /// <summary>How long ago it was heard of; less than zero is a time that is yet to come.</summary>
    public TimeSpan HeardOfBefore { get; init; }

    /// <summary>One statement. A node of this name becomes this one, as after a restart.</summary>
    public string Sql =>
        $"""
            INSERT INTO filetransfer.nodes (node_id, configured_role, url, instance, started_at, seen_at)
            VALUES ('{Id}', '{Role}', '{Url}', gen_random_uuid(), now(), now() - make_interval(secs => {HeardOfBefore.TotalSeconds:0}))
            ON CONFLICT (node_id) DO UPDATE SET url = EXCLUDED.url, instance = EXCLUDED.instance, seen_at = EXCLUDED.seen_at
            """;

    public Task AddAsync(TestDatabase database) => database.ExecuteAsync(Sql);
}
