using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Operations;

/// <summary>A row that somebody wrote past the program spoils itself: no route fails of it, at any node.</summary>
public sealed class FaultyRowTests
{
    /// <summary>What an operator's hand, or whoever stole the connection string, may write.</summary>
    private static readonly string[] _rows =
    [
        "INSERT INTO filetransfer.nodes (node_id, configured_role, url, instance, started_at, seen_at) VALUES ('no url', 'auto', 'http://x', gen_random_uuid(), now(), now())",
        "INSERT INTO filetransfer.nodes (node_id, configured_role, url, instance, started_at, seen_at) VALUES ('x', 'auto', 'nowhere', gen_random_uuid(), now(), now())",
        "INSERT INTO filetransfer.nodes (node_id, configured_role, url, instance, started_at, seen_at) VALUES ('y', 'follower', 'http://[::bad', gen_random_uuid(), '-infinity', 'infinity')",
        "INSERT INTO filetransfer.nodes (node_id, configured_role, url, instance, started_at, seen_at) VALUES ('', 'follower', '', gen_random_uuid(), now(), now())",
        "INSERT INTO filetransfer.replicas (node_id, file_key, state) SELECT n.node_id, f.file_key, 'stored' FROM filetransfer.files f, filetransfer.nodes n WHERE n.node_id IN ('no url', 'x', 'y', '')",
        "INSERT INTO filetransfer.feed_positions (node_id, bin, sequence) SELECT node_id, 3, -5 FROM filetransfer.nodes WHERE node_id IN ('no url', 'x', 'y', '')",
        "INSERT INTO filetransfer.policies (node_id, bucket, kind, prefixes, exacts, review_due) VALUES ('a', '\\x0b', 'nothing-except', ARRAY[NULL, '\\x61']::bytea[], ARRAY['']::bytea[], true)",
        "INSERT INTO filetransfer.policies (node_id, bucket, kind, prefixes, exacts, review_due) VALUES ('a', '', 'everything-except', '{}', ARRAY[NULL]::bytea[], true)",
        "INSERT INTO filetransfer.followers (name, url, buckets) VALUES ('nowhere', 'nope', ''), ('nothing', 'http://127.0.0.1:1', 'zz,0x')",
        "INSERT INTO filetransfer.upstreams (name, cluster_id, feed_epoch, urls) VALUES ('up', '', gen_random_uuid(), ARRAY['not a url', NULL])",
        "INSERT INTO filetransfer.loads (node_id, name, digest, files, sequence, priority, rank, pause, allowed, deadline, ended_at, outcome, report, settled) VALUES ('a', 'odd', '', -1, -1, 0, 0, '1000000 years', '1 month', 'infinity', 'infinity', 'failed', 'no json', true)",
        "INSERT INTO filetransfer.webhooks (url, position) VALUES ('', 'nowhere')",
        "INSERT INTO filetransfer.limits (node_id, limits) VALUES ('a', '[1]') ON CONFLICT (node_id) DO UPDATE SET limits = EXCLUDED.limits",
        "INSERT INTO filetransfer.tokens (name, sha256, scopes, buckets, created_by) VALUES (E'odd\\n', sha256('x'), '{root}', '{zz}', '')",
        "INSERT INTO filetransfer.pauses (node_id, bucket, until) VALUES ('a', '', '-infinity'), ('a', '\\x0c', 'infinity')",
        "INSERT INTO filetransfer.node_history (node_id, hour, lag, lacking, disk_free) VALUES ('x', 'infinity', '{}', '{NULL}', '{1}'), ('a', now(), array_fill(NULL::integer, ARRAY[60]), '{NULL}', '{}')",
        "INSERT INTO filetransfer.audit (node_id, at, action, target, status, request_id) VALUES ('', 'infinity', E'\\n', '', -1, '')",
        "INSERT INTO filetransfer.ingested (ingest, name, node_id, seen) VALUES ('', E'\\n', '', 'whenever')",
        "INSERT INTO filetransfer.ingested (ingest, name, node_id, seen, series, number, ingested_at) SELECT '', n::text, '', '', 's', n, now() FROM (VALUES (-9223372036854775808), (9223372036854775807)) AS ends (n)",
        "INSERT INTO filetransfer.feed_epochs (feed_epoch, began_at, heads) VALUES (gen_random_uuid(), 'infinity', ARRAY[NULL]::bigint[])",
        "INSERT INTO filetransfer.intents (intent_id, node_id, file_key, ended_at, outcome) SELECT gen_random_uuid(), 'a', file_key, 'infinity', 'failed' FROM filetransfer.files",
        "INSERT INTO filetransfer.bucket_priorities (node_id, bucket, priority) VALUES ('a', '', 30000)",
        "INSERT INTO filetransfer.bucket_copies (bucket, copies) VALUES ('', 2000000000)",
        "INSERT INTO filetransfer.files (file_key, owner, bucket, location, size, fingerprint, state, generation, registered_at) VALUES (sha256('q1'), '', '', '', 1, sha256('x'), 'added', -5, '-infinity'), (sha256('q2'), '\\xff00', '\\x0b', '\\xff00fe0a', 9223372036854775807, sha256('x'), 'added', 1, 'infinity')",
        "INSERT INTO filetransfer.pauses (node_id, file_key, until) VALUES ('a', '\\x00', 'infinity'), ('b', '\\x00', 'infinity')",
        "INSERT INTO filetransfer.trust (node_id, cluster_id, public_key, changed_by, changed_at) VALUES ('x', '', 'no key', '', 'infinity'), ('', '', '', '', '-infinity'), (E'x\\ny', 'c/d', 'MFkw', '', now())",
        "INSERT INTO filetransfer.key_rotations (node_id, cluster_id, former_key, public_key, signature) VALUES ('a', 'default', 'x', 'y', ''), ('', '', '', '', '\\x00')",
        "INSERT INTO filetransfer.file_traces (file_key, traceparent, noted_at) VALUES ('\\x00', 'nothing', 'infinity')",
        """
            WITH one AS (
                INSERT INTO filetransfer.loads (node_id, name, digest, files, sequence, priority, rank, pause, allowed, deadline)
                VALUES ('a', 'open', '', 2, 0, 0, 0, '1 s', '1 hour', 'infinity') RETURNING load_id
            )
            INSERT INTO filetransfer.load_files (load_id, label, file_key, metadata)
            SELECT load_id, label, sha256(label::bytea), metadata FROM one, (VALUES ('p', 'no json'), ('q', 'null')) AS given (label, metadata)
            """,
        "INSERT INTO filetransfer.quotas (bucket, bytes, used_bytes, used_files) VALUES ('', 0, -1e30, -5), ('\\x0d', 5, 1e30, 5)",
    ];

    private const string Webhook = "http://127.0.0.1:1/hook";

    private static readonly (string, string)[] _settings =
    [
        ("FileTransfer__Sync__AcceptFrom__0", "up"),
        ("FileTransfer__Webhooks__0__Url", Webhook),
        ("FileTransfer__Webhooks__0__Secret", "sixteen characters"),
        ("FileTransfer__Webhooks__0__Events__0", "leaderChanged"),
    ];

    [Thorough]
    [Fact]
    public async Task Faulty_rows_are_left_out_and_named_and_every_route_answers()
    {
        await using var cluster = await TestCluster.CreateAsync();
        var node = await cluster.StartLeaderAsync("a", _settings);
        var key = await node.PutAsync("content"u8.ToArray(), "location");
        var wrong = new List<string>();
        foreach (var row in _rows)
        {
            try
            {
                await cluster.Database.ExecuteAsync(row);
            }
            catch (Npgsql.PostgresException e)
            {
                wrong.Add($"the row cannot be written any more: {e.MessageText}: {row}");
            }
        }

        var other = await cluster.StartAsync("b", _settings);
        await TestCluster.StoredAsync(other, key);
        var document = JsonDocument.Parse(await node.Http.GetByteArrayAsync("/swagger/v1/swagger.json"));
        foreach (var path in document.RootElement.GetProperty("paths").EnumerateObject())
        {
            if (path.Value.TryGetProperty("get", out _))
            {
                foreach (var asked in (NodeProcess[])[node, other])
                {
                    var target = Filled(path.Name, key);
                    using var answer = await asked.Http.GetAsync(target, HttpCompletionOption.ResponseHeadersRead);
                    if ((int)answer.StatusCode is 500 or 502)
                    {
                        wrong.Add($"{asked.Id} {target}: {(int)answer.StatusCode}");
                    }
                }
            }
        }

        wrong.ShouldBeEmpty($"{node.Log}\n{other.Log}");
        var nodes = (await other.GetJsonAsync("/v1/nodes")).GetProperty("nodes").EnumerateArray().ToList();
        nodes.Count.ShouldBe(6);
        FaultsOf(nodes, "'no url' is no node id").ShouldBe(1);
        FaultsOf(nodes, "'nowhere' is no address").ShouldBe(1);
        nodes.Count(one => one.GetProperty("fault").ValueKind == JsonValueKind.Null).ShouldBe(2);
        node.Log.ShouldContain("A row of filetransfer.followers is faulty");
        node.Log.ShouldContain("'nowhere' is no address");
        (await node.GetJsonAsync("/v1/buckets/0x0b/policy")).GetProperty("filters").GetArrayLength().ShouldBe(1);
        (await TestedProgram.RunAsync("status", "--url", $"{node.Url}")).Out.ShouldContain("nowhere");

        // The node may just have written its own.
        await Eventually.HoldsAsync(
            async () =>
            {
                await cluster.Database.ExecuteAsync(
                    $"INSERT INTO filetransfer.webhooks (url, position) VALUES ('{Webhook} events', 'no json') ON CONFLICT (url) DO UPDATE SET position = EXCLUDED.position"
                );
                return node.Log.Contains("A row of filetransfer.webhooks is faulty", StringComparison.Ordinal);
            },
            "the leader names the position of its webhook"
        );
        node.Log.ShouldContain("A row of filetransfer.load_files is faulty");

        // All the same, files come and go.
        var later = await node.PutAsync("more"u8.ToArray(), "later");
        await TestCluster.StoredAsync(other, later);
        using var removed = await node.Http.DeleteAsync($"/v1/files/{later}");
        removed.IsSuccessStatusCode.ShouldBeTrue(await removed.Content.ReadAsStringAsync());
    }

    private static int FaultsOf(IEnumerable<JsonElement> nodes, string fault) =>
        nodes.Count(node => node.GetProperty("fault").GetString() == fault);

    private static string Filled(string path, string key) =>
        path.Replace("{key}", key, StringComparison.Ordinal)
            .Replace("{file_key}", key, StringComparison.Ordinal)
            .Replace("{bucket}", "0x0b", StringComparison.Ordinal)
            .Replace("{bin}", "3", StringComparison.Ordinal)
            .Replace("{name}", "odd", StringComparison.Ordinal)
            .Replace("{node}", "x", StringComparison.Ordinal)
            .Replace("{upstream}", "up", StringComparison.Ordinal)
            .Replace("{id}", $"{Guid.Empty}", StringComparison.Ordinal);
}
