namespace FileTransfer.Postgres;

/// <summary>Dapper's calls with a token: by themselves they take one only as part of a <see cref="CommandDefinition"/>.</summary>
internal static class Statements
{
    public static Task<int> ExecuteAsync(
        this NpgsqlConnection connection,
        string sql,
        object? parameters,
        CancellationToken cancellationToken
    ) => connection.ExecuteAsync(new CommandDefinition(sql, parameters, cancellationToken: cancellationToken));

    public static Task<IEnumerable<T>> QueryAsync<T>(
        this NpgsqlConnection connection,
        string sql,
        object? parameters,
        CancellationToken cancellationToken
    ) => connection.QueryAsync<T>(new CommandDefinition(sql, parameters, cancellationToken: cancellationToken));

    public static Task<T> QuerySingleAsync<T>(
        this NpgsqlConnection connection,
        string sql,
        object? parameters,
        CancellationToken cancellationToken
    ) => connection.QuerySingleAsync<T>(new CommandDefinition(sql, parameters, cancellationToken: cancellationToken));

    public static Task<T?> QuerySingleOrDefaultAsync<T>(
        this NpgsqlConnection connection,
        string sql,
        object? parameters,
        CancellationToken cancellationToken
    ) => connection.QuerySingleOrDefaultAsync<T>(new CommandDefinition(sql, parameters, cancellationToken: cancellationToken));
}
