using System.Globalization;
using System.Text.RegularExpressions;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Operations;

/// <summary>A node tells Prometheus what there is, in its form, from the first look on.</summary>
public sealed partial class MetricsTests(PullingSourceCluster cluster) : IClassFixture<PullingSourceCluster>
{
    private const int MostSeries = 1_500;

    private static readonly string Deploy = Path.Combine(Path.GetFullPath(Path.Combine(Recipe.Document(), "../..")), "deploy");

    [Fact]
    public async Task All_that_the_documents_list_is_there_and_nothing_else_of_our_own()
    {
        var text = await File.ReadAllTextAsync(Recipe.Document());
        var section = text[text.IndexOf("### Metrics", StringComparison.Ordinal)..][3..];
        var documented = Name()
            .Matches(section[..section.IndexOf("### ", StringComparison.Ordinal)])
            .Select(name => name.Value)
            .ToHashSet();
        await using var source = await cluster.StartSourceAsync();
        var file = await source.OfferAsync(TestFile.Of(10_000));
        await file.WantAtAsync(cluster.Follower);
        await cluster.StoredAsync(file);

        var names = await NamesAsync();

        var told = names.Select(name => OfHistogram().Replace(name, "")).Where(name => Name().IsMatch(name)).ToHashSet();
        told.Order().ShouldBe(documented.Order());
    }

    [Fact]
    public async Task What_was_downloaded_is_counted_with_who_sent_it()
    {
        var before = await ScrapeAsync();
        await using var source = await cluster.StartSourceAsync();
        var file = await source.OfferAsync(TestFile.Of(300_000));
        await file.WantAtAsync(cluster.Follower);
        await cluster.StoredAsync(file);

        var after = await ScrapeAsync();

        Grown("filetransfer_downloads_stored_total").ShouldBeGreaterThanOrEqualTo(1);
        Grown("filetransfer_downloads_stored_size_bytes_total").ShouldBeGreaterThanOrEqualTo(300_000);
        Grown("filetransfer_downloads_chunks_proven_total{source=\"node\"}").ShouldBeGreaterThanOrEqualTo(293);
        Grown("filetransfer_downloads_publish_seconds_count").ShouldBeGreaterThanOrEqualTo(1);

        double Grown(string series) => after[series] - before.GetValueOrDefault(series);
    }

    [Fact]
    public async Task Who_sends_wrong_bytes_is_counted_by_its_kind()
    {
        const string failures = "filetransfer_downloads_proof_failures_total{source=\"node\"}";
        var before = (await ScrapeAsync())[failures];
        await using var source = await cluster.StartSourceAsync();
        var file = await source.OfferAsync(TestFile.Of(3_000_000));
        source.SendsOtherHashes = true;
        await file.WantAtAsync(cluster.Follower);
        await cluster.ReplicaIsAsync(file, "failed");

        (await ScrapeAsync())[failures].ShouldBeGreaterThan(before);
    }

    [Fact]
    public async Task Every_metric_that_an_alert_or_a_panel_asks_for_is_there()
    {
        await using var source = await cluster.StartSourceAsync();
        var file = await source.OfferAsync(TestFile.Of(10_000));
        await file.WantAtAsync(cluster.Follower);
        await cluster.StoredAsync(file);
        var told = await NamesAsync();

        string[] files =
        [
            Path.Combine(Deploy, "prometheus", "filetransfer.rules.yml"),
            Path.Combine(Deploy, "grafana", "filetransfer.json"),
        ];
        foreach (var path in files)
        {
            var asked = Asked().Matches(await File.ReadAllTextAsync(path)).Select(name => name.Value).ToHashSet();
            asked.Count.ShouldBeGreaterThan(10);
            asked.ShouldBeSubsetOf(told);
        }
    }

    [Fact]
    public async Task Each_alert_fires_when_it_is_meant_to_and_is_explained()
    {
        var tests = await File.ReadAllTextAsync(Path.Combine(Deploy, "prometheus", "filetransfer.rules.test.yml"));
        var documents = await File.ReadAllTextAsync(Recipe.Document());
        var alerts = AlertRules.Names();
        alerts.Count.ShouldBeGreaterThan(10);
        alerts.ShouldAllBe(alert => tests.Contains($"alertname: {alert}\n") && documents.Contains($"| `{alert}` |"));

        await Promtool.RunAsync(null, "test", "rules", Path.Combine(Deploy, "prometheus", "filetransfer.rules.test.yml"));
    }

    [Fact]
    public async Task Promtool_has_nothing_to_say_against_it()
    {
        var page = await cluster.Leader.Http.GetStringAsync("/metrics");
        page.ShouldNotContain("Host=", Case.Sensitive, "no label tells the connection string");
        page.Split('\n').Count(line => line.Length > 0 && !line.StartsWith('#')).ShouldBeLessThan(MostSeries);

        await Promtool.RunAsync(page, "check", "metrics");
    }

    /// <summary>What a node tells that downloads, or one that leads and ships.</summary>
    private async Task<HashSet<string>> NamesAsync()
    {
        await cluster.Leader.ShipToAsync("archive", new Uri("http://127.0.0.1:9"));
        var (here, leader) = (await ScrapeAsync(), new Dictionary<string, double>());
        await Eventually.HoldsAsync(
            async () =>
            {
                leader = await ScrapeAsync(cluster.Leader);
                return Tells("filetransfer_sync_last_received") && Tells("filetransfer_shipping_lag_age_seconds");
            },
            "the leader has read the feed of its upstream, and tells of its follower"
        );
        return [.. here.Concat(leader).Select(series => series.Key.Split('{')[0])];

        bool Tells(string name) => leader.Keys.Any(series => series.StartsWith(name, StringComparison.Ordinal));
    }

    private Task<Dictionary<string, double>> ScrapeAsync() => ScrapeAsync(cluster.Follower);

    /// <summary>Series without the labels of the library, and their values.</summary>
    private static async Task<Dictionary<string, double>> ScrapeAsync(NodeProcess node)
    {
        var page = await node.Http.GetStringAsync("/metrics");
        return page.Split('\n')
            .Where(line => line.Length > 0 && !line.StartsWith('#'))
            .Select(line => Scope().Replace(line, ""))
            .Select(line => (Series: line[..line.LastIndexOf(' ')].Replace("{}", ""), Value: line[(line.LastIndexOf(' ') + 1)..]))
            .ToDictionary(line => line.Series, line => double.Parse(line.Value, CultureInfo.InvariantCulture));
    }

    [GeneratedRegex("filetransfer_[a-z_]+", RegexOptions.None, 1_000)]
    private static partial Regex Name();

    [GeneratedRegex("(?:filetransfer|http_server|db_client|dotnet)_[a-z_]+", RegexOptions.None, 1_000)]
    private static partial Regex Asked();

    [GeneratedRegex("_(?:bucket|sum|count)$", RegexOptions.None, 1_000)]
    private static partial Regex OfHistogram();

    [GeneratedRegex("otel_scope_(?:name|version)=\"[^\"]*\",?", RegexOptions.None, 1_000)]
    private static partial Regex Scope();
}
