using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Bandwidth;

/// <summary>What a node may use is kept to by every byte it serves, and can be changed while it runs.</summary>
public sealed class LimitTests : IAsyncLifetime
{
    private const int MiB = 1024 * 1024;

    private TestCluster? _cluster;

    private TestCluster Cluster => _cluster!;

    public async ValueTask InitializeAsync() => _cluster = await TestCluster.CreateAsync();

    public async ValueTask DisposeAsync() => await _cluster!.DisposeAsync();

    [Thorough]
    [Fact]
    public async Task No_more_is_served_than_the_upload_limit_lets_pass()
    {
        var node = await Cluster.StartLeaderAsync("a", ("FileTransfer__Limits__Upload", "4MiB/s"));
        var key = await node.PutAsync(Bytes(12 * MiB), "twelve");

        var clock = Stopwatch.StartNew();
        var bodies = await Task.WhenAll(
            node.Http.GetByteArrayAsync($"/download/{key}"),
            node.Http.GetByteArrayAsync($"/v1/files/{key}/content")
        );
        var rate = bodies.Sum(body => body.Length) / clock.Elapsed.TotalSeconds;

        bodies[1].Length.ShouldBe(12 * MiB);
        rate.ShouldBeInRange(Showing.Of(small: 0.5, full: 2.0) * MiB, 4.15 * MiB);
    }

    [Thorough]
    [Fact]
    public async Task Readers_share_the_limit_evenly_however_many_answers_each_has_and_names_it_makes_up()
    {
        var node = await Cluster.StartLeaderAsync("a", ("FileTransfer__Limits__Upload", "8MiB/s"));
        await Cluster.AddNamesAsync("x");
        var key = await node.PutAsync(Bytes(2 * MiB), "two");
        await Showing.UntilItHoldsAsync(async () =>
        {
            using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(5));

            var one = ReadOnAsync(node, key, "x", stop.Token);
            var many = Task.WhenAll(Enumerable.Range(0, 30).Select(i => ReadOnAsync(node, key, $"y{i}", stop.Token)));

            var ofMany = (await many).Sum();
            ((double)await one / ofMany).ShouldBeInRange(0.6, 1.6);
        });
    }

    [Fact]
    public async Task A_limit_that_changes_counts_for_a_transfer_under_way()
    {
        var node = await Cluster.StartLeaderAsync("a", ("FileTransfer__Limits__Upload", "100KiB/s"));
        var key = await node.PutAsync(Bytes(32 * MiB), "slow at first");
        await using var body = await node.Http.GetStreamAsync($"/v1/files/{key}/content");
        await body.ReadExactlyAsync(new byte[50 * 1024]);

        var set = await PutAsync(node, """{"upload":"unlimited"}""");
        set.GetProperty("now").GetProperty("upload").GetProperty("rate").GetString().ShouldBe("unlimited");
        using var rest = new MemoryStream();
        await body.CopyToAsync(rest).WaitAsync(TimeSpan.FromSeconds(60));

        rest.Length.ShouldBe((32 * MiB) - (50 * 1024));
    }

    [Thorough]
    [Fact]
    public async Task What_is_set_is_in_force_at_once_and_after_a_restart_until_it_is_taken_away()
    {
        var node = await Cluster.StartLeaderAsync(
            "a",
            ("FileTransfer__Limits__Download", "50MiB/s"),
            ("FileTransfer__Limits__Requests", "7")
        );
        var set = await PutAsync(
            node,
            """{"download":"20MB/s; 00:00-24:00 10MiB/s","connections":3,"perSource":{"node b":"5MB/s"}}"""
        );

        ShouldBeInForce(set);
        await node.StopAsync();
        node = await Cluster.StartLeaderAsync(
            "a",
            ("FileTransfer__Limits__Download", "50MiB/s"),
            ("FileTransfer__Limits__Requests", "7")
        );
        await Eventually.HoldsAsync(
            async () => (await node.GetJsonAsync("/v1/limits")).GetProperty("set").ValueKind == JsonValueKind.Object,
            "what was set is there again"
        );
        ShouldBeInForce(await node.GetJsonAsync("/v1/limits"));

        using var deleted = await node.Http.DeleteAsync("/v1/limits");
        var left = await deleted.Content.ReadFromJsonAsync<JsonElement>();
        left.GetProperty("set").ValueKind.ShouldBe(JsonValueKind.Null);
        left.GetProperty("inForce").GetProperty("download").GetString().ShouldBe("50MiB/s");
        left.GetProperty("now").GetProperty("download").GetProperty("bytesPerSecond").GetInt64().ShouldBe(50 * MiB);

        static void ShouldBeInForce(JsonElement limits)
        {
            var inForce = limits.GetProperty("inForce");
            inForce.GetProperty("requests").GetInt32().ShouldBe(7);
            inForce.GetProperty("connections").GetInt32().ShouldBe(3);
            limits.GetProperty("configured").GetProperty("connections").GetInt32().ShouldBe(25);
            limits.GetProperty("set").TryGetProperty("requests", out _).ShouldBeFalse();
            var now = limits.GetProperty("now").GetProperty("download");
            now.GetProperty("rate").GetString().ShouldBe("10MiB/s");
            now.GetProperty("until").ValueKind.ShouldBe(JsonValueKind.Null, "the window is the whole day, every day");
            limits
                .GetProperty("now")
                .GetProperty("perSource")
                .GetProperty("node b")
                .GetProperty("rate")
                .GetString()
                .ShouldBe("5MB/s");
        }
    }

    [Fact]
    public async Task A_timetable_shows_the_rate_of_now_and_until_when()
    {
        var node = await Cluster.StartLeaderAsync("a");
        var now = DateTime.Now;

        // A window that is open now and stays open for an hour at least, whenever this runs.
        var (from, to) = (now.AddHours(-1), now.AddHours(2));
        var limits = await PutAsync(node, $$"""{"upload":"50MiB/s; {{from:HH:00}}-{{to:HH:00}} 10MiB/s"}""");

        var upload = limits.GetProperty("now").GetProperty("upload");
        upload.GetProperty("rate").GetString().ShouldBe("10MiB/s");
        upload.GetProperty("then").GetString().ShouldBe("50MiB/s");
        upload.GetProperty("until").GetDateTimeOffset().ShouldBe(new DateTimeOffset(to.Date.AddHours(to.Hour)));
    }

    [Fact]
    public async Task Limits_that_cannot_be_are_refused_and_change_nothing()
    {
        var node = await Cluster.StartLeaderAsync("a");
        (string Body, int Status, string Slug, string Named)[] all =
        [
            ("""{"download":"fast"}""", 422, "limits-invalid", "fast"),
            ("""{"requests":0}""", 422, "limits-invalid", "0"),
            ("""{"perSource":{"node b":"10Mb/s"}}""", 422, "limits-invalid", "10Mb/s"),
            ("""{"downlaod":"10MB/s"}""", 400, "bad-request", "downlaod"),
        ];
        foreach (var (body, status, slug, named) in all)
        {
            using var content = new StringContent(body, Encoding.UTF8, "application/json");
            using var response = await node.Http.PutAsync("/v1/limits", content);
            await response.ShouldBeProblemAsync(status, slug, named);
        }

        (await node.GetJsonAsync("/v1/limits")).GetProperty("set").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Thorough]
    [Fact]
    public async Task A_change_of_the_settings_file_counts_at_once_and_a_faulty_one_not()
    {
        var settings = Path.Combine(Directory.CreateDirectory(Cluster.FolderOf("a")).FullName, "appsettings.json");
        await File.WriteAllTextAsync(settings, """{"FileTransfer":{"Limits":{"Upload":"3MiB/s"}}}""");
        var node = await Cluster.StartLeaderAsync("a");
        await HasUploadAsync("3MiB/s");

        await File.WriteAllTextAsync(settings, """{"FileTransfer":{"Limits":{"Upload":"5MiB/s","PerSource":{"*":"1MiB/s"}}}}""");
        await HasUploadAsync("5MiB/s");
        (await node.GetJsonAsync("/v1/limits"))
            .GetProperty("now")
            .GetProperty("perSource")
            .GetProperty("*")
            .GetProperty("rate")
            .GetString()
            .ShouldBe("1MiB/s");

        await File.WriteAllTextAsync(settings, """{"FileTransfer":{"Limits":{"Upload":"soon"}}}""");
        await node.SaysAsync("'soon' is not understood");
        await HasUploadAsync("5MiB/s");

        Task HasUploadAsync(string rate) =>
            Eventually.HoldsAsync(
                async () =>
                    (await node.GetJsonAsync("/v1/limits"))
                        .GetProperty("now")
                        .GetProperty("upload")
                        .GetProperty("rate")
                        .GetString() == rate,
                $"the upload limit is {rate}"
            );
    }

    private static byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    private static async Task<JsonElement> PutAsync(NodeProcess node, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await node.Http.PutAsync("/v1/limits", content);
        response.StatusCode.ShouldBe(HttpStatusCode.OK, await response.Content.ReadAsStringAsync());
        return await response.Content.ReadFromJsonAsync<JsonElement>();
    }

    private static async Task<long> ReadOnAsync(NodeProcess node, string key, string reader, CancellationToken cancellationToken)
    {
        var read = 0L;
        var buffer = new byte[64 * 1024];
        try
        {
            while (true)
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, $"/download/{key}")
                {
                    Headers = { { "FileTransfer-Node", reader } },
                };
                using var response = await node.Http.SendAsync(
                    request,
                    HttpCompletionOption.ResponseHeadersRead,
                    cancellationToken
                );
                await using var body = await response.EnsureSuccessStatusCode().Content.ReadAsStreamAsync(cancellationToken);
                while (await body.ReadAsync(buffer, cancellationToken) is > 0 and var length)
                {
                    read += length;
                }
            }
        }
        catch (OperationCanceledException)
        {
            return read;
        }
    }
}
