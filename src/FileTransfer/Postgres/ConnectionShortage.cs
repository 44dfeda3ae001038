namespace FileTransfer.Postgres;

/// <summary>Tells that no connection is to be had, at the server or in this node's pool, from that the database is away.</summary>
public static class ConnectionShortage
{
    /// <returns>What is short, in words; null when it is something else.</returns>
    public static string? ReasonOf(Exception fault)
    {
        for (Exception? e = fault; e is not null; e = e.InnerException)
        {
            if (e is PostgresException { SqlState: PostgresErrorCodes.TooManyConnections } refused)
            {
                return $"PostgreSQL has no connection left for this node ({refused.MessageText})";
            }

            // The driver has no code for it; the words are of its one sentence about it.
            if (e is NpgsqlException && e.Message.Contains("connection pool has been exhausted", StringComparison.Ordinal))
            {
                return "all connections of this node's pool are in use (Maximum Pool Size in the connection string)";
            }
        }

        return null;
    }
}
