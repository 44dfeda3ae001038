using System.Data.Common;
using Npgsql;

namespace FileTransfer.Postgres;

/// <summary>What is added to the operator's connection string. Whatever he wrote himself stays, except where correctness needs another value.</summary>
internal static class ConnectionSettings
{
    public static NpgsqlDataSource Pool(string connectionString, ILoggerFactory loggers)
    {
        var settings = Common(connectionString);
        return Build(settings, loggers);
    }

    /// <summary>Connections of their own, for locks: never pooled, so that closing one ends its backend, and only to a server that takes writes.</summary>
    public static NpgsqlDataSource Sessions(string connectionString, ILoggerFactory loggers)
    {
        var settings = Common(connectionString);
        settings.Pooling = false;
        settings.KeepAlive = 5;
        settings.TargetSessionAttributes = "read-write";
        if (!IsUnixSocket(settings))
        {
            settings.TcpKeepAlive = true;
            settings.TcpKeepAliveTime = 5;
            settings.TcpKeepAliveInterval = 2;
        }

        return Build(settings, loggers);
    }

    private static NpgsqlConnectionStringBuilder Common(string connectionString)
    {
        var written = new DbConnectionStringBuilder { ConnectionString = connectionString };
        var settings = new NpgsqlConnectionStringBuilder(connectionString) { Enlist = false, Multiplexing = false };
        Unless(written, ["Application Name", "ApplicationName"], () => settings.ApplicationName = "filetransfer");
        Unless(written, ["Timeout"], () => settings.Timeout = 5);
        Unless(written, ["Command Timeout", "CommandTimeout"], () => settings.CommandTimeout = 15);
        Unless(written, ["Maximum Pool Size", "MaxPoolSize", "Max Pool Size"], () => settings.MaxPoolSize = 20);
        Unless(written, ["Max Auto Prepare", "MaxAutoPrepare"], () => settings.MaxAutoPrepare = 64);
        Unless(written, ["Auto Prepare Min Usages", "AutoPrepareMinUsages"], () => settings.AutoPrepareMinUsages = 2);
        if (HasManyHosts(settings))
        {
            Unless(
                written,
                ["Target Session Attributes", "TargetSessionAttributes"],
                () => settings.TargetSessionAttributes = "read-write"
            );
            Unless(written, ["Host Recheck Seconds", "HostRecheckSeconds"], () => settings.HostRecheckSeconds = 1);
        }

        return settings;
    }

    private static NpgsqlDataSource Build(NpgsqlConnectionStringBuilder settings, ILoggerFactory loggers)
    {
        // Which server takes writes is asked only by the many-hosts kind of source; it takes a single host as well.
        var builder = new NpgsqlDataSourceBuilder(settings.ConnectionString).UseLoggerFactory(loggers);
        return settings.TargetSessionAttributes is null ? builder.Build() : builder.BuildMultiHost();
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
