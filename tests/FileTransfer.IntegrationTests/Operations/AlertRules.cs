using System.Globalization;
using System.Text.RegularExpressions;
using FileTransfer.IntegrationTests.Testbed.Disks;
using FileTransfer.IntegrationTests.Testbed.Nodes;

namespace FileTransfer.IntegrationTests.Operations;

/// <summary>What Prometheus would have of nodes at one moment: series, and their values.</summary>
internal sealed class Scrape : Dictionary<string, double>
{
    private Scrape() { }

    public double Of(string metric) =>
        this.Where(series => series.Key.StartsWith(metric + "{", StringComparison.Ordinal)).Sum(series => series.Value);

    public static async Task<Scrape> OfAsync(params NodeProcess[] nodes)
    {
        var scrape = new Scrape();
        foreach (var node in nodes)
        {
            var labels = $"job=\"filetransfer\",instance=\"{node.Url.Authority}\"";
            scrape[$"up{{{labels}}}"] = node.HasExited ? 0 : 1;
            var page = node.HasExited ? "" : await node.Http.GetStringAsync("/metrics");
            foreach (var line in page.Split('\n').Where(line => line.StartsWith("filetransfer_", StringComparison.Ordinal)))
            {
                var (series, value) = (line[..line.LastIndexOf(' ')], line[(line.LastIndexOf(' ') + 1)..]);
                var at = series.IndexOf('{', StringComparison.Ordinal);
                var named = at < 0 ? $"{series}{{{labels}}}" : $"{series[..at]}{{{labels},{series[(at + 1)..]}";
                scrape[named] = double.Parse(value, CultureInfo.InvariantCulture);
            }
        }

        return scrape;
    }
}

/// <summary>The alerts that an operator loads, evaluated by promtool on what was scraped of real nodes, as if it had lasted.</summary>
internal static partial class AlertRules
{
    private const int MinutesBefore = 5;
    private const int MinutesAfter = 120;

    private static readonly string Path = System.IO.Path.Combine(
        System.IO.Path.GetFullPath(System.IO.Path.Combine(Recipe.Document(), "../..")),
        "deploy/prometheus/filetransfer.rules.yml"
    );

    /// <summary>Each of these fires on what came after, and not on what was before.</summary>
    /// <param name="minutes">For so long it changed, and goes on as it did; null where it stays so.</param>
    public static async Task FireAsync(Scrape before, Scrape after, string[] alerts, double? minutes = null)
    {
        using var folder = new TempFolder();
        var series = before.Keys.Union(after.Keys).Select(Replayed);
        var facts = alerts.SelectMany(alert => new[] { Fact(alert, MinutesBefore, null), Fact(alert, MinutesAfter, 1) });
        var tests = folder.At("rules.test.yml");
        await File.WriteAllTextAsync(
            tests,
            $"""
            rule_files: ['{Path}']
            tests:
              - interval: 1m
                input_series:
            {string.Join('\n', series)}
                promql_expr_test:
            {string.Join('\n', facts)}

            """
        );
        await Promtool.RunAsync(null, "test", "rules", tests);

        string Replayed(string name)
        {
            var (was, now) = (Text(before, name, "_"), Text(after, name, "stale"));
            var replayed =
                minutes is { } lasted && before.TryGetValue(name, out var from) && after.TryGetValue(name, out var to)
                    ? $"{was}x{MinutesBefore} {was}{(to - from) / lasted:+0.####;-0.####;+0}x{MinutesAfter}"
                : now == "stale" ? $"{was}x{MinutesBefore} stale"
                : $"{was}x{MinutesBefore} {now}x{MinutesAfter}";
            return $"      - {{ series: '{name.Replace("'", "''", StringComparison.Ordinal)}', values: '{replayed}' }}";
        }

        static string Text(Scrape scrape, string name, string missing) =>
            scrape.TryGetValue(name, out var value) ? value.ToString("0.######", CultureInfo.InvariantCulture) : missing;

        static string Fact(string alert, int minutes, int? value) =>
            $$"""
                      - expr: max(max_over_time(ALERTS{alertname="{{alert}}",alertstate="firing"}[3h]))
                        eval_time: {{minutes}}m
                        exp_samples: [{{(value is { } found ? $"{{ labels: '{{}}', value: {found} }}" : "")}}]
                """;
    }

    public static IReadOnlyList<string> Names() => [.. Alert().Matches(File.ReadAllText(Path)).Select(alert => alert.Value)];

    [GeneratedRegex("(?<=- alert: )\\w+", RegexOptions.None, 1_000)]
    private static partial Regex Alert();
}
