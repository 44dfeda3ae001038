namespace FileTransfer.Bandwidth;

/// <summary>The limits that were set at this node at run time: kept, and in force until they are taken away.</summary>
public sealed class NodeLimits(Database database, TransferLimits limits, NodeId here) : IDisposable
{
    /// <summary>The limits of a node that is taken out of the cluster.</summary>
    public static Task ForgetNodeAsync(NpgsqlConnection connection, NodeId node, CancellationToken cancellationToken) =>
        connection.ExecuteAsync("DELETE FROM filetransfer.limits WHERE node_id = @node", new { node }, cancellationToken);

    private readonly SemaphoreSlim _one = new(1, 1);

    /// <summary>Keeps limits and lets them be in force.</summary>
    /// <param name="set">Without <see cref="LimitChecks.Faults"/>; null takes away what was set.</param>
    public async Task SetAsync(LimitSet? set, CancellationToken cancellationToken)
    {
        const string write = """
            INSERT INTO filetransfer.limits (node_id, limits) VALUES (@node, @limits::jsonb)
            ON CONFLICT (node_id) DO UPDATE SET limits = EXCLUDED.limits, set_at = EXCLUDED.set_at
            """;
        using var turn = await _one.EnterAsync(cancellationToken);
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        if (set is null)
        {
            await ForgetNodeAsync(connection, here, cancellationToken);
        }
        else
        {
            var json = JsonSerializer.Serialize(set, WireJson.Default.LimitSet);
            await connection.ExecuteAsync(write, new { node = here, limits = json }, cancellationToken);
        }

        limits.Set(set);
    }

    /// <summary>Lets what was set earlier be in force again.</summary>
    /// <returns>Why not, when it cannot; null when all is well.</returns>
    public async Task<string?> LoadAsync(CancellationToken cancellationToken)
    {
        using var turn = await _one.EnterAsync(cancellationToken);
        const string read = "SELECT limits::text FROM filetransfer.limits WHERE node_id = @node";
        var text = await database.QuerySingleOrDefaultAsync<string>(read, new { node = here }, cancellationToken);
        if (text is null)
        {
            return null;
        }

        var kept = Read(text);
        if (kept?.Faults().Select(fault => $"{fault.Member}: {fault.Text}").FirstOrDefault() is { } fault)
        {
            return fault;
        }

        limits.Set(kept);
        return kept is null ? $"'{text}' is not understood" : null;
    }

    public void Dispose() => _one.Dispose();

    private static LimitSet? Read(string text)
    {
        try
        {
            return JsonSerializer.Deserialize(text, WireJson.Default.LimitSet);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
