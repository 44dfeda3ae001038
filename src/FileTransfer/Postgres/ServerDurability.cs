namespace FileTransfer.Postgres;

/// <summary>What the server does with what it has committed: settings that no session can change.</summary>
/// <param name="Flushes"><c>fsync</c>: whether it waits for its disk at all.</param>
/// <param name="WritesFullPages"><c>full_page_writes</c>: whether a page that was half written is made whole again.</param>
public sealed record ServerDurability(bool Flushes, bool WritesFullPages)
{
    /// <summary>Why nothing that is acknowledged is safe, and what to do; null when it is.</summary>
    public string? Fault =>
        Flushes
            ? null
            : "fsync is off at the database server, so whatever it commits, and all of the database, can be lost with its machine; set fsync = on and reload it";

    /// <summary>What should be looked at, and is safe on some disks; null when there is nothing.</summary>
    public string? Warning =>
        WritesFullPages
            ? null
            : "full_page_writes is off at the database server, which is safe only on a file system that never leaves half a page; set full_page_writes = on unless yours is one";

    /// <summary>Asks the server; throws what Npgsql throws when it is away.</summary>
    public static async Task<ServerDurability> ReadAsync(NpgsqlDataSource pool, CancellationToken cancellationToken)
    {
        await using var command = pool.CreateCommand(
            "SELECT current_setting('fsync')::boolean, current_setting('full_page_writes')::boolean"
        );
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new ServerDurability(reader.GetBoolean(0), reader.GetBoolean(1));
    }
}
