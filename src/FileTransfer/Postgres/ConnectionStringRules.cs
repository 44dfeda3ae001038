using System.Data.Common;

namespace FileTransfer.Postgres;

/// <summary>What a connection string may not say. The driver accepts more, and fails, or waits without an end, when it is used.</summary>
internal static class ConnectionStringRules
{
    private const int SmallestBuffer = 4096;
    private const int LargestBuffer = 16 * 1024 * 1024;
    private const int LongestSeconds = 300;

    /// <returns>What is wrong and what to write instead; null = nothing is.</returns>
    /// <exception cref="ArgumentException">The driver does not understand it.</exception>
    public static string? FaultOf(string connectionString)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        return string.IsNullOrEmpty(settings.Host)
            ? "it names no host."
            : OutOfRange("Port", settings.Port, 1, ushort.MaxValue, "the server's port")
                ?? OutOfRange("Timeout", settings.Timeout, 1, LongestSeconds, "seconds to connect; 5 when it is left out")
                ?? OutOfRange(
                    "Command Timeout",
                    settings.CommandTimeout,
                    1,
                    LongestSeconds,
                    "seconds that a statement may take; 15 when it is left out"
                )
                ?? OutOfRange("Read Buffer Size", settings.ReadBufferSize, SmallestBuffer, LargestBuffer, "bytes")
                ?? OutOfRange("Write Buffer Size", settings.WriteBufferSize, SmallestBuffer, LargestBuffer, "bytes")
                ?? OutOfRange("Socket Receive Buffer Size", settings.SocketReceiveBufferSize, 0, LargestBuffer, "bytes")
                ?? OutOfRange("Socket Send Buffer Size", settings.SocketSendBufferSize, 0, LargestBuffer, "bytes")
                ?? Replication(connectionString);
    }

    private static string? OutOfRange(string name, int value, int least, int most, string what) =>
        value < least || value > most ? $"'{name}={value}' is none; write {what}, from {least} to {most}." : null;

    private static string? Replication(string connectionString) =>
        new DbConnectionStringBuilder { ConnectionString = connectionString }.ContainsKey("Replication Mode")
            ? "'Replication Mode' makes connections that take no statements; leave it out."
            : null;
}
