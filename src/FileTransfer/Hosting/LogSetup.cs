using FileTransfer.Cluster;
using FileTransfer.Hosting.Configuration;
using Serilog;
using Serilog.Events;
using Serilog.Extensions.Hosting;
using Serilog.Sinks.SystemConsole.Themes;

namespace FileTransfer.Hosting;

/// <summary>Log lines go to the console through a buffer of their own; levels and further sinks come from section <c>Serilog</c>.</summary>
internal static class LogSetup
{
    private const string Template =
        "{Timestamp:yyyy-MM-dd HH:mm:ss.fff} {Level:u3} {SourceContext:l}: {Message:lj}{NewLine}{Exception}";

    /// <summary>Logs to standard error until <see cref="AddLog"/> knows the settings: standard output may have to be JSON.</summary>
    public static void StartBootstrap() =>
        Log.Logger = new LoggerConfiguration()
            .WriteTo.Console(outputTemplate: Template, standardErrorFromLevel: LogEventLevel.Verbose)
            .CreateBootstrapLogger();

    public static void AddLog(this WebApplicationBuilder builder)
    {
        var format = builder.Configuration.GetSection(ServerOptions.Section).Get<ServerOptions>()?.LogFormat ?? LogFormat.Text;
        var node = builder.Configuration.GetSection(NodeOptions.Section).Get<NodeOptions>() ?? new NodeOptions();
        builder.Host.UseSerilog(
            (context, logger) => Configure(logger, context.Configuration, format, node),
            // Whoever has not started a log of the whole process may have several services in it.
            preserveStaticLogger: Log.Logger is not ReloadableLogger
        );
    }

    private static void Configure(LoggerConfiguration logger, IConfiguration configuration, LogFormat format, NodeOptions node)
    {
        try
        {
            logger
                .MinimumLevel.Override("Microsoft", LogEventLevel.Warning)
                .MinimumLevel.Override("Microsoft.Hosting.Lifetime", LogEventLevel.Information)
                .MinimumLevel.Override("Npgsql", LogEventLevel.Warning)
                // What breaks a connection breaks somebody's command, and is told once, with the server's name, by DatabaseReach.
                .MinimumLevel.Override("Npgsql.Connection", LogEventLevel.Fatal)
                .ReadFrom.Configuration(configuration)
                .Enrich.FromLogContext()
                .Enrich.WithProperty("Node", node.NodeId)
                .Enrich.WithProperty("Cluster", node.ClusterId)
                .Enrich.With<PrintedValues>()
                .Filter.ByExcluding(IsToldElsewhere)
                .Filter.ByExcluding(IsProbe)
                .WriteTo.Async(sinks => AddConsole(sinks, format));
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or FormatException)
        {
            throw new FatalStartException(
                $"Section Serilog cannot be used: {e.Message} Write levels as Verbose, Debug, Information, Warning, Error or Fatal."
            );
        }
    }

    private static void AddConsole(Serilog.Configuration.LoggerSinkConfiguration sinks, LogFormat format)
    {
        if (format == LogFormat.Json)
        {
            sinks.Console(new CompactJson());
        }
        else
        {
            sinks.Console(outputTemplate: Template, theme: AnsiConsoleTheme.Literate);
        }
    }

    /// <summary>The answer of a health check, which whoever probed has got: how often somebody probes is no news.</summary>
    private static bool IsProbe(LogEvent entry) =>
        entry.Exception is null
        && entry.Properties.TryGetValue("SourceContext", out var source)
        && source is ScalarValue { Value: string name }
        && name.StartsWith("Microsoft.Extensions.Diagnostics.HealthChecks", StringComparison.Ordinal);

    /// <summary>What the program itself says in one line on the error stream when it ends.</summary>
    private static bool IsToldElsewhere(LogEvent entry) =>
        entry.Exception is not null
        && entry.Properties.TryGetValue("SourceContext", out var source)
        && source is ScalarValue { Value: "Microsoft.Extensions.Hosting.Internal.Host" }
        && (
            entry.Exception is FatalStartException
            // A service that was told to end because another part of the start failed.
            || entry.Exception is OperationCanceledException { CancellationToken.IsCancellationRequested: true }
            || entry.MessageTemplate.Text.StartsWith("Hosting failed", StringComparison.Ordinal)
        );
}
