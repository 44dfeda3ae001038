namespace FileTransfer.Postgres;

/// <summary>One statement on a connection of the pool.</summary>
internal static class PooledStatements
{
    public static Task<int> ExecuteAsync(
        this Database database,
        string sql,
        object? parameters,
        CancellationToken cancellationToken
    ) =>
        database.WithConnectionAsync(
            connection => connection.ExecuteAsync(sql, parameters, cancellationToken),
            cancellationToken
        );

    public static async Task<IReadOnlyList<T>> QueryAsync<T>(
        this Database database,
        string sql,
        object? parameters,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<T>(sql, parameters, cancellationToken)).AsList();
    }

    public static Task<T> QuerySingleAsync<T>(
        this Database database,
        string sql,
        object? parameters,
        CancellationToken cancellationToken
    ) =>
        database.WithConnectionAsync(
            connection => connection.QuerySingleAsync<T>(sql, parameters, cancellationToken),
            cancellationToken
        );

    public static Task<T?> QuerySingleOrDefaultAsync<T>(
        this Database database,
        string sql,
        object? parameters,
        CancellationToken cancellationToken
    ) =>
        database.WithConnectionAsync(
            connection => connection.QuerySingleOrDefaultAsync<T>(sql, parameters, cancellationToken),
            cancellationToken
        );

    public static async Task<T> WithConnectionAsync<T>(
        this Database database,
        Func<NpgsqlConnection, Task<T>> work,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
        return await work(connection);
    }
}
