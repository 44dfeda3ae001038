using System.Diagnostics;
using OpenTelemetry.Trace;

namespace FileTransfer.Hosting.Metrics;

/// <summary>What requests and downloads consist of, pushed by OTLP to the collector that metrics are pushed to; where there is none, nothing listens.</summary>
/// <remarks>
/// Each room tells its own, in its class <c>…Traces</c>. What a node does over and over without being asked (it reads the feed, claims, asks
/// others how they are) begins no trace: such requests and statements are told within one alone.
/// </remarks>
internal static class TracesSetup
{
    private static readonly string[] _sources = ["FileTransfer*", "Npgsql"];

    public static void AddTraces(this WebApplicationBuilder builder)
    {
        if (MetricsSetup.HasCollector(builder.Configuration))
        {
            builder
                .Services.AddOpenTelemetry()
                .WithTracing(traces =>
                    traces
                        .AddSource(_sources)
                        .AddAspNetCoreInstrumentation(requests => requests.Filter = IsTold)
                        .AddHttpClientInstrumentation(requests =>
                            requests.FilterHttpRequestMessage = _ => Activity.Current?.Parent is { Recorded: true }
                        )
                        .AddOtlpExporter()
                );
        }
    }

    private static bool IsTold(HttpContext context)
    {
        var (path, headers) = (context.Request.Path, context.Request.Headers);
        return headers.TraceParent.Count > 0
            || !(
                HealthPaths.Contain(path)
                || path == MetricsSetup.Path
                || headers.ContainsKey(NodeHeader.Name)
                || headers.ContainsKey(PageHeader.Name)
            );
    }
}
