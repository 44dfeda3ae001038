using System.Reflection;
using FileTransfer.Cluster;
using FileTransfer.Cluster.Gossip;
using FileTransfer.Downloads;
using FileTransfer.Feed;
using FileTransfer.Feed.Pull;
using FileTransfer.Hosting.Requests;
using FileTransfer.Operations;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace FileTransfer.Hosting.Metrics;

/// <summary>What is measured, for Prometheus at <see cref="Path"/>, and pushed by OTLP where <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> names a collector.</summary>
/// <remarks>
/// Each room counts for itself, in its class <c>…Metrics</c>. Nothing is told apart by file, location or fingerprint: what there is of series
/// does not grow with what a node stores.
/// </remarks>
internal static class MetricsSetup
{
    public const string Path = "/metrics";

    /// <summary>Of an instrument whose labels have a handful of values each: room for 2,000 series, as is usual, is 144 KiB whether they exist or not.</summary>
    private const int FewSeries = 100;

    private const string OtlpEndpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>Of the framework and the driver: what answers a question about a node. The others are left out.</summary>
    private static readonly string[] _meters =
    [
        "FileTransfer*",
        "Microsoft.AspNetCore.Hosting",
        "Microsoft.AspNetCore.Server.Kestrel",
        "Npgsql",
        "System.Runtime",
    ];

    private static readonly string[] _ofRequests = ["http.request.method", "http.response.status_code", "http.route"];

    public static void AddMetrics(this WebApplicationBuilder builder)
    {
        var node = builder.Configuration[$"{NodeOptions.Section}:{nameof(NodeOptions.NodeId)}"] ?? new NodeOptions().NodeId;
        var version = Assembly.GetExecutingAssembly().GetName().Version?.ToString(3);
        builder
            .Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("filetransfer", null, version, false, node))
            .WithMetrics(metrics =>
            {
                metrics
                    .AddMeter(_meters)
                    .AddView(ViewOf)
                    .AddPrometheusExporter(exporter => exporter.ScrapeResponseCacheDurationMilliseconds = 0);
                if (HasCollector(builder.Configuration))
                {
                    metrics.AddOtlpExporter();
                }
            });
    }

    /// <summary>Whether there is a collector to push to.</summary>
    public static bool HasCollector(IConfiguration settings) => settings[OtlpEndpoint] is { Length: > 0 };

    public static void MapMetrics(this WebApplication app)
    {
        var figures = app.Services.GetRequiredService<NodeFigures>();
        app.MapPrometheusScrapingEndpoint(
                Path,
                meterProvider: null,
                branch =>
                    branch.Use(
                        async (context, next) =>
                        {
                            await figures.ReadAsync(context.RequestAborted);
                            await next(context);
                        }
                    ),
                optionsName: null
            )
            .RequireAuthorization(AccessScopes.Read);
        // Counted from zero: what never happened is told as such. Only now does somebody listen.
        _ = app.Services.GetRequiredService<MeterProvider>();
        DatabaseMetrics.Begin();
        ClusterMetrics.Begin();
        GossipMetrics.Begin();
        SyncMetrics.Begin();
        DownloadMetrics.Begin();
        RequestMetrics.Begin();
        ProofMetrics.Begin();
    }

    /// <summary>Names that end as a sum of a histogram would, and labels that tell the whole connection string, are made anew.</summary>
    private static MetricStreamConfiguration? ViewOf(System.Diagnostics.Metrics.Instrument instrument) =>
        instrument.Name switch
        {
            "http.server.request.duration" => Histogram([0.01, 0.1, 1, 10], _ofRequests),
            "db.client.operation.duration" => Histogram([0.001, 0.01, 0.1, 1], []),
            "db.client.connection.count" => new() { Name = "db.client.connections", TagKeys = ["db.client.connection.state"] },
            "db.client.operation.failed" or "db.client.connection.timeouts" => new() { TagKeys = [] },
            "dotnet.assembly.count" or "dotnet.process.cpu.count" or "dotnet.timer.count" => MetricStreamConfiguration.Drop,
            var name when name.StartsWith("db.client.", StringComparison.Ordinal) => MetricStreamConfiguration.Drop,
            // Told apart by peers, which a configuration may have many of.
            _ when instrument is { IsObservable: true, Meter.Name: var meter }
                    && meter.StartsWith("FileTransfer", StringComparison.Ordinal) => null,
            _ => new() { CardinalityLimit = FewSeries },
        };

    private static ExplicitBucketHistogramConfiguration Histogram(double[] boundaries, string[] tags) =>
        new() { Boundaries = boundaries, TagKeys = tags };
}
