using FileTransfer.Postgres.Embedded;

namespace FileTransfer.Postgres;

/// <summary>Starts the private cluster if there is one, reaches the database, checks it and migrates it. Keeps trying while it is away.</summary>
/// <remarks>Register it before whatever uses the database: hosted services stop in reverse order, and the private cluster stops last.</remarks>
public sealed partial class DatabaseStartup(
    Database database,
    SchemaMigrator migrator,
    ILoggerFactory loggers,
    TimeProvider time,
    IHostApplicationLifetime lifetime,
    AdmitCatalog admit
) : BackgroundService
{
    private static readonly Backoff _backoff = new(TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(5));

    private readonly ILogger _logger = loggers.CreateLogger<DatabaseStartup>();
    private EmbeddedPostgres? _embedded;

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (_embedded is not null)
        {
            // Its own end of each connection first: a server that goes away under them is a fault to the driver.
            database.Pool.Clear();
            await _embedded.DisposeAsync();
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var failures = 0;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (await TryOnceAsync(stoppingToken) is not { } reason)
                {
                    failures = 0;
                    await WhileHealthyAsync(stoppingToken);
                    continue;
                }

                Wait(reason);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (FatalOf(e) is { } fatal)
            {
                Log.Fatal(_logger, fatal.Message);
                database.SetFault(fatal);
                lifetime.StopApplication();
                return;
            }
            catch (Exception e) when (DatabaseReach.IsFailure(e) || e is IOException)
            {
                Wait(e is PostgresException ? DatabaseReach.CauseOf(e) : $"no connection: {DatabaseReach.CauseOf(e)}");
            }

            await Task.Delay(_backoff.Bound(failures++), time, stoppingToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private FatalStartException? FatalOf(Exception fault) =>
        fault switch
        {
            FatalStartException fatal => fatal,
            ArgumentException or NotSupportedException when !database.IsReady => new FatalStartException(
                $"ConnectionStrings:Postgres cannot be used: {fault.Message}",
                fault
            ),
            _ => null,
        };

    /// <returns>Null = ready; else what is waited for.</returns>
    private async Task<string?> TryOnceAsync(CancellationToken cancellationToken)
    {
        if (database.Source.EmbeddedFolder is { } folder && _embedded is null)
        {
            _embedded = await EmbeddedPostgres.StartAsync(
                folder,
                null,
                loggers.CreateLogger<EmbeddedPostgres>(),
                cancellationToken
            );
        }

        if (database.IsReady)
        {
            return null;
        }

        if (await DatabaseCompatibility.CheckAsync(database.Source.ConnectionString, loggers, cancellationToken) is { } reason)
        {
            return reason;
        }

        await using (var connection = await database.Pool.OpenConnectionAsync(cancellationToken))
        {
            await admit(connection, cancellationToken);
        }

        await migrator.MigrateAsync(cancellationToken);
        var durability = await database.PingAsync(cancellationToken);
        if ((durability.Fault ?? durability.Warning) is { } risk)
        {
            Log.Risk(_logger, risk);
        }

        database.SetReady();
        Log.Ready(_logger);
        return null;
    }

    /// <summary>Nothing is left to do for a database that others run; a private cluster that ends by itself is started again.</summary>
    private async Task WhileHealthyAsync(CancellationToken cancellationToken)
    {
        var ended = _embedded?.Ended ?? Task.Delay(Timeout.InfiniteTimeSpan, time, cancellationToken);
        await ended.WaitAsync(cancellationToken);
        Log.EmbeddedEnded(_logger);
        await _embedded!.DisposeAsync();
        _embedded = null;
    }

    private void Wait(string reason)
    {
        if (!database.IsReady)
        {
            database.WaitingFor = $"{database.Reach.Server}: {reason}";
        }

        database.Reach.Lost(reason);
    }

    private static partial class Log
    {
        [LoggerMessage(2020, LogLevel.Information, "The database is ready")]
        public static partial void Ready(ILogger logger);

        [LoggerMessage(2021, LogLevel.Critical, "{Message}")]
        public static partial void Fatal(ILogger logger, string message);

        [LoggerMessage(2022, LogLevel.Warning, "Acknowledged writes are at risk: {Reason}")]
        public static partial void Risk(ILogger logger, string reason);

        [LoggerMessage(2023, LogLevel.Warning, "The private PostgreSQL exited unexpectedly; restarting it")]
        public static partial void EmbeddedEnded(ILogger logger);
    }
}
