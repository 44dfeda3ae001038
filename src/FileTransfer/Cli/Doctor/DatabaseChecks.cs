using Microsoft.Extensions.Logging.Abstractions;

namespace FileTransfer.Cli.Doctor;

/// <summary>Whether the database that is configured here can carry a node, as a start of it finds out, and without changing anything there.</summary>
internal sealed class DatabaseChecks(Findings findings, Clocks clocks, TimeProvider time, CancellationToken cancellationToken)
{
    private const int RoundTrips = 5;

    public async Task RunAsync(string? connectionString, string dataDirectory)
    {
        NpgsqlMultiHostDataSource? source = null;
        var isThere = await findings.CheckAsync(
            "database",
            async () =>
            {
                var where = DatabaseSource.Of(connectionString, dataDirectory);
                if (where.EmbeddedFolder is { } folder && !Directory.Exists(folder))
                {
                    return Finding.Skipped(
                        $"ConnectionStrings:Postgres is not set here, and there is no private database in {folder}; run it where the node runs, with its settings"
                    );
                }

                source = ConnectionSettings.Plain(where.ConnectionString, NullLoggerFactory.Instance);
                return await ReachAsync(source);
            }
        );
        await using var opened = source;
        if (!isThere)
        {
            findings.Skip("there is no database to ask", "schema", "proxy");
            return;
        }

        await findings.CheckAsync("schema", () => LookAtSchemaAsync(source!));
        await findings.CheckAsync("proxy", () => LookForProxyAsync(source!));
    }

    private async Task<Finding> ReachAsync(NpgsqlMultiHostDataSource source)
    {
        await using var connection = await DatabaseCompatibility.OpenAsync(source, cancellationToken);
        DatabaseCompatibility.RefuseOldServer(connection.PostgreSqlVersion);
        var fastest = TimeSpan.MaxValue;
        for (var i = 0; i < RoundTrips; i++)
        {
            var (asked, began) = (time.GetUtcNow(), time.GetTimestamp());
            var there = await connection.QuerySingleAsync<DateTime>("SELECT clock_timestamp()", null, cancellationToken);
            fastest = time.GetElapsedTime(began) is var took && took < fastest ? took : fastest;
            if (i == RoundTrips - 1)
            {
                clocks.Add("database", there, asked);
            }
        }

        var seen = string.Create(
            CultureInfo.InvariantCulture,
            $"PostgreSQL {connection.PostgreSqlVersion} at {connection.Host}:{connection.Port}, database {connection.Database} as {connection.UserName}, {fastest.TotalMilliseconds:0.0} ms a round trip"
        );
        var durability = await ServerDurability.ReadAsync(source, cancellationToken);
        var found =
            await DatabaseCompatibility.ReadOnlyReasonAsync(connection, cancellationToken) is { } reason
                ? Finding.Critical($"{seen}; {reason}")
            : (durability.Fault ?? durability.Warning) is { } risk ? new Finding(FindingLevel.Warning, $"{seen}; {risk}")
            : Finding.Ok(seen);
        return found with { Figures = new() { ["milliseconds"] = Math.Round(fastest.TotalMilliseconds, 2) } };
    }

    private async Task<Finding> LookAtSchemaAsync(NpgsqlDataSource source)
    {
        var (applied, known) = await new SchemaMigrator(source, NullLogger<SchemaMigrator>.Instance).LookAsync(cancellationToken);
        return (applied - known) switch
        {
            _ when applied == 0 => Finding.Warning("there is none yet", "A node makes it when it starts"),
            < 0 => Finding.Warning(
                $"version {applied}; this program has {known}",
                "A node of this program migrates it when it starts"
            ),
            0 => Finding.Ok($"version {applied}, the one of this program"),
            > 0 => Finding.Ok($"version {applied}; this program has {known}, and what is newer only adds to it"),
        };
    }

    private async Task<Finding> LookForProxyAsync(NpgsqlMultiHostDataSource source)
    {
        await using var connection = await DatabaseCompatibility.OpenAsync(source, cancellationToken);
        await DatabaseCompatibility.RefuseSharedBackendsAsync(source, connection, cancellationToken);
        return Finding.Ok("sessions stay with their backends: there is no proxy in between, or one that keeps them");
    }
}
