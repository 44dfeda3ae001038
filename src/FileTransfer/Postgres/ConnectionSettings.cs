using System.Data.Common;
using System.Diagnostics;

namespace FileTransfer.Postgres;

/// <summary>What is added to the operator's connection string. Whatever he wrote himself stays, except where correctness needs another value.</summary>
internal static class ConnectionSettings
{
    public static NpgsqlDataSource Pool(string connectionString, JoinedServer joined, ILoggerFactory loggers)
    {
        var settings = Common(connectionString);
        if (HasManyHosts(settings))
        {
            settings.TargetSessionAttributes = "read-write";
        }

        return new NpgsqlDataSourceBuilder(settings.ConnectionString)
            .UseLoggerFactory(loggers)
            .WithinTraces()
            .WithSessionDefaults(joined)
            .Build();
    }

    /// <summary>
    /// Connections of their own, for locks: never pooled, so that closing one ends its backend. This kind of source asks each server, also
    /// a single one, whether it takes writes: open with <see cref="TargetSessionAttributes.ReadWrite"/>.
    /// </summary>
    public static NpgsqlMultiHostDataSource Sessions(string connectionString, JoinedServer joined, ILoggerFactory loggers)
    {
        var settings = Common(connectionString);
        settings.Pooling = false;
        settings.KeepAlive = 5;
        if (!IsUnixSocket(settings))
        {
            settings.TcpKeepAlive = true;
            settings.TcpKeepAliveTime = 5;
            settings.TcpKeepAliveInterval = 2;
        }

        return new NpgsqlDataSourceBuilder(settings.ConnectionString)
            .UseLoggerFactory(loggers)
            .WithinTraces()
            .WithSessionDefaults(joined)
            .BuildMultiHost();
    }

    /// <summary>Connections of their own that leave nothing behind on the server, for a first look at it through whatever is in between.</summary>
    public static NpgsqlMultiHostDataSource Plain(string connectionString, ILoggerFactory loggers)
    {
        var settings = Common(connectionString);
        settings.Pooling = false;
        settings.MaxAutoPrepare = 0;
        return new NpgsqlDataSourceBuilder(settings.ConnectionString).UseLoggerFactory(loggers).WithinTraces().BuildMultiHost();
    }

    /// <summary>Statements are told to traces as parts of something: those by which an idle node looks what there is to do begin none.</summary>
    private static NpgsqlDataSourceBuilder WithinTraces(this NpgsqlDataSourceBuilder source) =>
        source.ConfigureTracing(static tracing =>
            tracing
                .ConfigureCommandFilter(static _ => Activity.Current is { Recorded: true })
                .ConfigureBatchFilter(static _ => Activity.Current is { Recorded: true })
                .EnablePhysicalOpenTracing(false)
                .EnableFirstResponseEvent(false)
        );

    private static NpgsqlConnectionStringBuilder Common(string connectionString)
    {
        var written = new DbConnectionStringBuilder { ConnectionString = connectionString };
        var settings = new NpgsqlConnectionStringBuilder(connectionString)
        {
            // What this service relies on, whatever was written. A cancelled command that waited for its answer without an end would hang.
            Enlist = false,
            Multiplexing = false,
            Pooling = true,
            ClientEncoding = "UTF8",
            Encoding = "UTF8",
            Timezone = null,
            CancellationTimeout = 2000,
        };
        settings.Remove("Server Compatibility Mode");
        Unless(written, ["Application Name", "ApplicationName"], () => settings.ApplicationName = "filetransfer");
        Unless(written, ["Timeout"], () => settings.Timeout = 5);
        Unless(written, ["Command Timeout", "CommandTimeout"], () => settings.CommandTimeout = 15);
        Unless(written, ["Maximum Pool Size", "MaxPoolSize", "Max Pool Size"], () => settings.MaxPoolSize = 20);
        // What a burst opened is closed soon after it: all nodes share the connections of one server. Npgsql wants the two to fit each other.
        Unless(
            written,
            ["Connection Idle Lifetime", "ConnectionIdleLifetime", "Connection Pruning Interval", "ConnectionPruningInterval"],
            () => (settings.ConnectionIdleLifetime, settings.ConnectionPruningInterval) = (10, 5)
        );
        // One stays: an idle node would close and open it again and again.
        Unless(written, ["Minimum Pool Size", "MinPoolSize", "Min Pool Size"], () => settings.MinPoolSize = 1);
        Unless(written, ["Max Auto Prepare", "MaxAutoPrepare"], () => settings.MaxAutoPrepare = 64);
        Unless(written, ["Auto Prepare Min Usages", "AutoPrepareMinUsages"], () => settings.AutoPrepareMinUsages = 2);

        // Pooled connections are left with no setting, lock or cursor beyond the transaction. So nothing is undone, by seven statements,
        // each time one goes back; and what a session has set for itself (SessionDefaults) must not be.
        settings.NoResetOnClose = true;

        // One ended backend makes Npgsql call its host offline, and the only host would be refused until it is asked again.
        settings.HostRecheckSeconds = 0;

        // Writes are needed, whatever was written; Npgsql refuses the setting for a single host.
        settings.TargetSessionAttributes = null;
        return settings;
    }

    private static void Unless(DbConnectionStringBuilder written, string[] names, Action set)
    {
        if (!names.Any(written.ContainsKey))
        {
            set();
        }
    }

    private static bool HasManyHosts(NpgsqlConnectionStringBuilder settings) =>
        settings.Host!.Contains(',', StringComparison.Ordinal);

    private static bool IsUnixSocket(NpgsqlConnectionStringBuilder settings) =>
        settings.Host!.StartsWith('/') || settings.Host.StartsWith('@');
}
