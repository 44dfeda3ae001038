using System.Net;
using System.Text.Json.Nodes;
using FileTransfer.IntegrationTests.Testbed.Nodes;
using Npgsql;

namespace FileTransfer.IntegrationTests.Catalog;

/// <summary>What others do to the catalog at the same moment delays a request at most for a while, and never changes what it means.</summary>
public sealed class ContendedCatalogTests(SourceCluster cluster) : IClassFixture<SourceCluster>
{
    [Thorough]
    [Theory]
    [InlineData("DELETE")]
    [InlineData("PUT")]
    [InlineData("POST")]
    public async Task Somebody_s_open_transaction_ends_a_request_with_who_he_is(string method)
    {
        var file = PlainFile.Random(2000);
        if (method == "PUT")
        {
            await cluster.Leader.RegisterAsync(file);
        }
        else
        {
            await cluster.Leader.StoreAsync(file);
        }

        await using var somebody = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(cluster.Database.ConnectionString)
            {
                ApplicationName = "somebody's notebook",
                Pooling = false,
            }.ConnectionString
        );
        await somebody.OpenAsync();
        await using var transaction = await somebody.BeginTransactionAsync();
        await using (
            var hold = new NpgsqlCommand("SELECT FROM filetransfer.files WHERE file_key = $1 FOR UPDATE", somebody)
            {
                Parameters = { new() { Value = Convert.FromHexString(file.Key[2..]) } },
            }
        )
        {
            await hold.ExecuteNonQueryAsync();
        }

        // Another session of the service waits before the request, as one that reads the feed may.
        var waiting = cluster.Database.ScalarAsync<object>(
            $"SELECT FROM filetransfer.files WHERE file_key = '\\x{file.Key[2..]}' FOR SHARE"
        );
        using var refused = await AskAsync();
        var problem = await refused.ShouldBeProblemAsync(503, "database-locked", "somebody's notebook", $"{somebody.ProcessID}");
        refused.Headers.RetryAfter!.Delta!.Value.ShouldBeGreaterThan(TimeSpan.Zero);
        problem.GetProperty("pid").GetInt32().ShouldBe(somebody.ProcessID);
        problem.GetProperty("applicationName").GetString().ShouldBe("somebody's notebook");
        problem.GetProperty("since").GetDateTimeOffset().ShouldBe(DateTimeOffset.UtcNow, TimeSpan.FromMinutes(1));
        problem.ToString().ShouldNotContain("SELECT");

        await transaction.RollbackAsync();
        await waiting;
        using var answered = await AskAsync();
        answered.IsSuccessStatusCode.ShouldBeTrue(await answered.Content.ReadAsStringAsync());

        async Task<HttpResponseMessage> AskAsync() =>
            method switch
            {
                "DELETE" => await cluster.Leader.Http.DeleteAsync($"/v1/files/{file.Key}"),
                "PUT" => await cluster.Leader.RegisterAsync(file.Key, file.Metadata()),
                _ => await PostAsync(file, another: true),
            };
    }

    [Fact]
    public async Task An_upload_with_all_its_metadata_is_never_refused_because_the_file_is_being_removed()
    {
        var file = PlainFile.Random(3000);
        var until = DateTime.UtcNow + Showing.Of(TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(60));
        var removing = Task.Run(async () =>
        {
            while (DateTime.UtcNow < until)
            {
                using var removed = await cluster.Leader.Http.DeleteAsync($"/v1/files/{file.Key}");
                removed.StatusCode.ShouldBeOneOf(HttpStatusCode.NoContent, HttpStatusCode.NotFound);
            }
        });
        var uploading = Enumerable
            .Range(0, 3)
            .Select(_ =>
                Task.Run(async () =>
                {
                    while (DateTime.UtcNow < until)
                    {
                        using var answer = await PostAsync(file);
                        answer.StatusCode.ShouldBeOneOf(HttpStatusCode.Created, HttpStatusCode.OK);
                    }
                })
            );
        await Task.WhenAll([removing, .. uploading]);

        using var last = await PostAsync(file);
        last.StatusCode.ShouldBeOneOf(HttpStatusCode.Created, HttpStatusCode.OK);
        await file.ShouldBeStoredAsync(cluster.Leader);
        await TestCluster.StoredAsync(cluster.Follower, file.Key);
    }

    [Fact]
    public async Task A_second_key_of_a_content_that_is_here_is_stored_and_added_by_its_registration()
    {
        var first = PlainFile.Random(200_000);
        await cluster.Leader.StoreAsync(first);
        var second = new PlainFile(first.Content);

        using var answer = await cluster.Leader.RegisterAsync(second.Key, second.Metadata());

        answer.StatusCode.ShouldBe(HttpStatusCode.Created);
        var resource = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        resource["state"]!.GetValue<string>().ShouldBe("stored");
        resource["fileState"]!.GetValue<string>().ShouldBe("added");
        await second.ShouldBeStoredAsync(cluster.Leader);
        await TestCluster.StoredAsync(cluster.Follower, second.Key);
    }

    [Thorough]
    [Fact]
    public async Task A_retry_that_a_clock_put_a_year_ahead_is_made_within_its_cap()
    {
        var file = PlainFile.Random(5000);
        await cluster.Leader.StoreAsync(file);
        await TestCluster.StoredAsync(cluster.Follower, file.Key);
        await cluster.Database.ExecuteAsync(
            $"""
            UPDATE filetransfer.replicas
            SET state = 'wanted', next_attempt_at = now() + interval '365 days', waits_for = NULL, attempts = 1, reason = 'it failed once',
                wanted_at = now() + interval '365 days', changed_at = now() + interval '365 days'
            WHERE node_id = 'b' AND file_key = '\x{file.Key[2..]}'
            """
        );

        await TestCluster.StoredAsync(cluster.Follower, file.Key, TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task A_removal_that_a_clock_put_a_year_ahead_is_made_now()
    {
        var file = PlainFile.Random(5000);
        await cluster.Leader.StoreAsync(file);
        await TestCluster.StoredAsync(cluster.Follower, file.Key);
        await cluster.Database.ExecuteAsync(
            $"""
            UPDATE filetransfer.replicas
            SET state = 'removing', epoch = epoch + 1, next_attempt_at = now() + interval '365 days', changed_at = now() + interval '365 days'
            WHERE node_id = 'b' AND file_key = '\x{file.Key[2..]}'
            """
        );

        await Eventually.HoldsAsync(
            async () => await cluster.Follower.StateOfAsync(file.Key) == "absent",
            "its bytes are deleted",
            TimeSpan.FromSeconds(30)
        );
    }

    [Fact]
    public async Task A_node_that_was_heard_of_in_the_future_is_not_alive()
    {
        await new ForgedNode("ahead") { HeardOfBefore = TimeSpan.FromDays(-365) }.AddAsync(cluster.Database);

        var nodes = (await cluster.Leader.GetJsonAsync("/v1/nodes")).GetProperty("nodes").EnumerateArray().ToList();

        nodes.Single(node => node.GetProperty("node").GetString() == "ahead").GetProperty("alive").GetBoolean().ShouldBeFalse();
        await Eventually.HoldsAsync(
            async () =>
                (await cluster.Leader.GetJsonAsync("/v1/nodes"))
                    .GetProperty("nodes")
                    .EnumerateArray()
                    .Count(node => node.GetProperty("alive").GetBoolean()) == 2,
            "the two that run are"
        );
        await cluster.Database.ExecuteAsync("DELETE FROM filetransfer.nodes WHERE node_id = 'ahead'");
    }

    [Thorough]
    [Fact]
    public async Task What_another_node_has_costs_neither_the_page_of_the_nodes_nor_a_listing_nor_a_scrape()
    {
        var files = Showing.Of(small: 50_000, full: 1_000_000);
        await new ForgedNode("large") { HeardOfBefore = TimeSpan.FromDays(1) }.AddAsync(cluster.Database);
        await Backlog.AddAsync(cluster.Database, "large", files, "stored");
        await cluster.Database.ExecuteAsync("ANALYZE filetransfer.files, filetransfer.replicas");
        var mine = new PlainFile(PlainFile.RandomBytes(100), owner: [0xee, 0xee]);
        await cluster.Leader.StoreAsync(mine);
        await cluster.Leader.GetJsonAsync("/v1/nodes");

        await Showing.UntilItHoldsAsync(async () =>
        {
            foreach (
                var (path, atMost) in ((string, int)[])
                    [("/metrics", 10), ("/v1/nodes", 30), ("/v1/files?owner=0xeeee", 30), ("/v1/files?state=failed", 30)]
            )
            {
                var took = await MedianAsync(path);
                Showing.Tell($"{path} beside {files} files of another node", took.TotalMilliseconds, atMost, "ms");
                took.ShouldBeLessThan(TimeSpan.FromMilliseconds(Showing.Of(small: 200, full: atMost)));
            }
        });
        var page = (await cluster.Leader.GetJsonAsync("/v1/nodes")).GetProperty("nodes").EnumerateArray();
        page.Single(node => node.GetProperty("node").GetString() == "large").GetProperty("stored").GetInt64().ShouldBe(files);
        var listing = (await cluster.Leader.GetJsonAsync("/v1/files?owner=0xeeee")).GetProperty("files").EnumerateArray();
        listing.ShouldHaveSingleItem().GetProperty("key").GetString().ShouldBe(mine.Key);
    }

    private async Task<TimeSpan> MedianAsync(string path)
    {
        var times = new List<TimeSpan>();
        for (var i = 0; i < 9; i++)
        {
            var clock = System.Diagnostics.Stopwatch.StartNew();
            await cluster.Leader.Http.GetByteArrayAsync(path);
            times.Add(clock.Elapsed);
        }

        return times.Order().ElementAt(times.Count / 2);
    }

    /// <summary>Sends the content with all its metadata.</summary>
    private async Task<HttpResponseMessage> PostAsync(PlainFile file, bool another = false)
    {
        using var content = new ByteArrayContent(file.Content);
        var owner = PlainFile.Hex(file.Owner);
        var bucket = PlainFile.Hex(file.Bucket);

        // The state of a file that is stored is read without a lock; one that is to be stored is not.
        if (another)
        {
            using var removed = await cluster.Leader.Http.DeleteAsync($"/v1/files/{file.Key}");
        }

        return await cluster.Leader.Http.PostAsync(
            $"/v1/files?owner={owner}&bucket={bucket}&locationHex={PlainFile.Hex(file.Location)}",
            content
        );
    }
}
