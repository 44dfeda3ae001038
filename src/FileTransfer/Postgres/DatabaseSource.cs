using FileTransfer.Postgres.Embedded;
using Microsoft.Extensions.Logging.Abstractions;

namespace FileTransfer.Postgres;

/// <summary>Where the database is: the configured one, or a private cluster under the data folder.</summary>
/// <param name="ConnectionString">For Npgsql. Of a private cluster it is known before the cluster runs.</param>
/// <param name="EmbeddedFolder">The folder of the private cluster; null = the database is somebody else's to run.</param>
public sealed record DatabaseSource(string ConnectionString, string? EmbeddedFolder)
{
    /// <summary><c>ConnectionStrings:Postgres</c>, or when it is empty a private cluster under <paramref name="dataDirectory"/>.</summary>
    public static DatabaseSource Of(string? connectionString, string dataDirectory)
    {
        if (string.IsNullOrWhiteSpace(connectionString))
        {
            var folder = Path.Combine(Path.GetFullPath(dataDirectory), "postgres");
            return new DatabaseSource(EmbeddedPostgres.ConnectionStringOf(folder), folder);
        }

        try
        {
            if (ConnectionStringRules.FaultOf(connectionString) is { } fault)
            {
                throw Malformed(fault, null);
            }

            // Some settings do not go together, which the driver says when it makes what they are for.
            ConnectionSettings.Pool(connectionString, new JoinedServer(), NullLoggerFactory.Instance).Dispose();
            return new DatabaseSource(connectionString, null);
        }
        catch (Exception e)
            when (e
                    is ArgumentException
                        or FormatException
                        or KeyNotFoundException
                        or OverflowException
                        or NotSupportedException
                        or InvalidOperationException
            )
        {
            throw Malformed(e.Message.EndsWith('.') ? e.Message : e.Message + ".", e);
        }
    }

    // The value itself may hold a password, so it is not repeated.
    private static FatalStartException Malformed(string why, Exception? cause) =>
        new(
            $"ConnectionStrings:Postgres cannot be used: {why} "
                + "Write it as Host=db.example;Port=5432;Database=filetransfer;Username=filetransfer;Password=…, "
                + "or leave it out to run a private PostgreSQL under the data folder.",
            cause
        );
}
