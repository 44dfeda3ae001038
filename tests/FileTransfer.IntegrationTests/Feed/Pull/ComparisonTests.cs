using System.Text;
using FileTransfer.Identity;
using FileTransfer.Identity.Hashing;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using FileTransfer.IntegrationTests.Testbed.Servers;
using FileTransfer.IntegrationTests.Testbed.Wires;

namespace FileTransfer.IntegrationTests.Feed.Pull;

/// <summary>Sets of files that should be the same and are not are led back to the files in which they differ.</summary>
public sealed class ComparisonTests
{
    [Thorough]
    [Fact]
    public async Task One_file_among_very_many_that_is_missing_here_is_found_in_five_requests_and_wanted()
    {
        await using var clusters = new TwoClusters();
        await using var wire = new RequestWire();
        var upCluster = await clusters.CreateAsync();
        var up = await TwoClusters.StartIn(upCluster, "up");
        wire.LeadTo(up.Url);
        var downCluster = await clusters.CreateAsync();
        await (await TwoClusters.StartIn(downCluster, "down")).StopAsync();
        var files = ManyFiles(Showing.Of(small: 20_000, full: 1_000_000));
        await AddAsync(upCluster.Database, files, isOwn: true);
        await AddAsync(downCluster.Database, files[..^1], isOwn: false);
        var missing = files[^1].ComputeKey();
        var epoch = (await up.GetJsonAsync("/v1/sync/cursors")).GetProperty("epoch").GetGuid();
        await KnowAsync(downCluster.Database, epoch, [.. files[..^1].Select(file => file.ComputeKey())]);

        var down = await TwoClusters.StartIn(downCluster, "down", TwoClusters.PullingFrom(("up", wire.Address)));

        await down.InStepWithAsync("up", within: TimeSpan.FromMinutes(2));
        var said = await down.UpstreamAsync("up");
        said.GetProperty("files").GetInt32().ShouldBe(files.Count);
        said.GetProperty("found").GetProperty("keys")[0].GetString().ShouldBe(missing.ToString());
        said.GetProperty("lacking").GetInt32().ShouldBe(1, "in step, and one content is on its way");
        var asked = wire.Asked.Where(line => line.Contains("/v1/sync/", StringComparison.Ordinal)).ToList();
        var answered = asked.IndexOf(asked.Last(line => line.Contains("/files?", StringComparison.Ordinal))) + 1;
        Showing.Tell("requests to find one file among many", answered, 5, "requests");
        answered.ShouldBeLessThanOrEqualTo(5, string.Join('\n', asked));
    }

    [Thorough]
    [Fact]
    public async Task What_differs_is_repaired_by_a_comparison_and_everything_is_taken_anew_by_a_resync()
    {
        await using var clusters = new TwoClusters();
        var up = await clusters.StartAsync("up");
        var files = Enumerable.Range(0, 20).Select(i => PlainFile.Random(1000 + i)).ToList();
        foreach (var file in files)
        {
            await up.StoreAsync(file);
        }

        var down = await clusters.StartAsync("down", TwoClusters.PullingFrom(("up", up.Url)));
        await down.InStepWithAsync("up", files: 20, kept: 0);
        (await FoundAsync(down, "compare")).ShouldBe((0, 0));
        (await FoundAsync(down, "resync")).ShouldBe((0, 0));

        // The rows are forgotten behind the back of the digests, which still say that they are there.
        await clusters.Last.Database.ExecuteAsync(
            $"DELETE FROM filetransfer.upstream_files WHERE file_key IN ({Sql(files[3])}, {Sql(files[4])})"
        );
        (await FoundAsync(down, "compare")).ShouldBe((2, 0));
        await down.InStepWithAsync("up", files: 20, kept: 0);

        using var unknown = await down.Http.PostAsync("/v1/sync/nobody/compare", null);
        await unknown.ShouldBeProblemAsync(404, "upstream-unknown", "there are up");
        await up.StopAsync();
        using var failed = await down.Http.PostAsync("/v1/sync/up/compare", null);
        await failed.ShouldBeProblemAsync(502, "upstream-failed", $"{up.Url}");
    }

    private static string Sql(PlainFile file) => $"'\\x{file.Key[2..]}'";

    private static async Task<(int Missing, int Extra)> FoundAsync(NodeProcess down, string what)
    {
        var found = await down.AskAboutAsync("up", what);
        return (found.GetProperty("missing").GetInt32(), found.GetProperty("extra").GetInt32());
    }

    private static List<FileMetadata> ManyFiles(int count)
    {
        var owner = new ByteString([1]);
        return
        [
            .. Enumerable
                .Range(0, count)
                .Select(i => new FileMetadata(
                    owner,
                    owner,
                    new ByteString(Encoding.UTF8.GetBytes($"{i}")),
                    1,
                    new Fingerprint(Blake2b.Hash256(BitConverter.GetBytes(i)))
                )),
        ];
    }

    /// <summary>Files that are there as if their mutations had been compacted.</summary>
    private static async Task AddAsync(TestDatabase database, IReadOnlyList<FileMetadata> files, bool isOwn)
    {
        foreach (var part in files.Chunk(50_000))
        {
            await ExecuteAsync(
                database,
                """
                INSERT INTO filetransfer.files (file_key, owner, bucket, location, size, fingerprint, state, own)
                SELECT key, '\x01', '\x01', location, 1, fingerprint, 'added', @isOwn
                FROM unnest(@keys, @locations, @fingerprints) AS f (key, location, fingerprint)
                """,
                ("keys", part.Select(file => file.ComputeKey().ToArray()).ToArray()),
                ("locations", part.Select(file => file.Location.ToArray()).ToArray()),
                ("fingerprints", part.Select(file => file.Fingerprint.ToArray()).ToArray()),
                ("isOwn", isOwn)
            );
        }
    }

    /// <summary>What a cluster knows of an upstream that it has pulled to its end.</summary>
    private static async Task KnowAsync(TestDatabase database, Guid epoch, IReadOnlyList<FileKey> keys)
    {
        var digests = Enumerable.Range(0, 16).Select(_ => new SetDigest()).ToList();
        foreach (var key in keys)
        {
            digests[key.Bin].Add(key);
        }

        await ExecuteAsync(
            database,
            """
            INSERT INTO filetransfer.upstreams (name, cluster_id, feed_epoch) VALUES ('up', 'up', @epoch);
            INSERT INTO filetransfer.upstream_bins (upstream, bin, digest)
            SELECT 'up', bin - 1, digest FROM unnest(@digests) WITH ORDINALITY AS d (digest, bin)
            """,
            ("epoch", epoch),
            ("digests", digests.Select(digest => digest.ToArray()).ToArray())
        );
        foreach (var part in keys.Chunk(50_000))
        {
            await ExecuteAsync(
                database,
                """
                INSERT INTO filetransfer.upstream_files
                    (upstream, file_key, bin, bucket, origin_cluster, origin_epoch, origin_sequence, claims, round)
                SELECT 'up', key, get_byte(key, 0) >> 4, '\x01', 'up', @epoch, 0, true, 1 FROM unnest(@keys) AS k (key)
                """,
                ("epoch", epoch),
                ("keys", part.Select(key => key.ToArray()).ToArray())
            );
        }
    }

    private static async Task ExecuteAsync(TestDatabase database, string sql, params (string Name, object Value)[] parameters)
    {
        await using var command = database.Pool.CreateCommand(sql);
        foreach (var (name, value) in parameters)
        {
            command.Parameters.AddWithValue(name, value);
        }

        await command.ExecuteNonQueryAsync();
    }
}
