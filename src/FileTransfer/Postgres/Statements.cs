namespace FileTransfer.Postgres;

/// <summary>Dapper's calls with a token: by themselves they take one only as part of a <see cref="CommandDefinition"/>.</summary>
internal static class Statements
{
    extension(NpgsqlConnection connection)
    {
        public Task<int> ExecuteAsync(string sql, object? parameters, CancellationToken cancellationToken) =>
            connection.ExecuteAsync(Command(sql, parameters, cancellationToken));

        public Task<IEnumerable<T>> QueryAsync<T>(string sql, object? parameters, CancellationToken cancellationToken) =>
            connection.QueryAsync<T>(Command(sql, parameters, cancellationToken));

        public Task<T> QuerySingleAsync<T>(string sql, object? parameters, CancellationToken cancellationToken) =>
            connection.QuerySingleAsync<T>(Command(sql, parameters, cancellationToken));

        public Task<T?> QuerySingleOrDefaultAsync<T>(string sql, object? parameters, CancellationToken cancellationToken) =>
            connection.QuerySingleOrDefaultAsync<T>(Command(sql, parameters, cancellationToken));
    }

    /// <summary>One statement on a connection of the pool.</summary>
    extension(Database database)
    {
        public Task<int> ExecuteAsync(string sql, object? parameters, CancellationToken cancellationToken) =>
            database.WithConnectionAsync(one => one.ExecuteAsync(sql, parameters, cancellationToken), cancellationToken);

        public Task<IReadOnlyList<T>> QueryAsync<T>(string sql, object? parameters, CancellationToken cancellationToken) =>
            database.WithConnectionAsync<IReadOnlyList<T>>(
                async one => (await one.QueryAsync<T>(sql, parameters, cancellationToken)).AsList(),
                cancellationToken
            );

        public Task<T> QuerySingleAsync<T>(string sql, object? parameters, CancellationToken cancellationToken) =>
            database.WithConnectionAsync(one => one.QuerySingleAsync<T>(sql, parameters, cancellationToken), cancellationToken);

        public Task<T?> QuerySingleOrDefaultAsync<T>(string sql, object? parameters, CancellationToken cancellationToken) =>
            database.WithConnectionAsync(
                one => one.QuerySingleOrDefaultAsync<T>(sql, parameters, cancellationToken),
                cancellationToken
            );

        public async Task<T> WithConnectionAsync<T>(Func<NpgsqlConnection, Task<T>> work, CancellationToken cancellationToken)
        {
            await using var connection = await database.Pool.OpenConnectionAsync(cancellationToken);
            return await work(connection);
        }
    }

    private static CommandDefinition Command(string sql, object? parameters, CancellationToken cancellationToken) =>
        new(sql, parameters, cancellationToken: cancellationToken);
}
