namespace FileTransfer.Postgres;

public static class PostgresRegistration
{
    /// <summary>Adds <see cref="Database"/> and what makes it ready. Call it before adding hosted services that use it, and add an <see cref="AdmitCatalog"/>.</summary>
    /// <exception cref="FatalStartException">The connection string cannot be used.</exception>
    public static IServiceCollection AddPostgres(this IServiceCollection services, string? connectionString, string dataDirectory)
    {
        var source = DatabaseSource.Of(connectionString, dataDirectory);
        services.AddSingleton(provider => new Database(
            source,
            provider.GetRequiredService<ILoggerFactory>(),
            provider.GetService<TimeProvider>() ?? TimeProvider.System
        ));
        services.AddSingleton(provider => new SchemaMigrator(
            provider.GetRequiredService<Database>().Pool,
            provider.GetRequiredService<ILogger<SchemaMigrator>>()
        ));
        services.AddHostedService(provider => new DatabaseStartup(
            provider.GetRequiredService<Database>(),
            provider.GetRequiredService<SchemaMigrator>(),
            provider.GetRequiredService<ILoggerFactory>(),
            provider.GetService<TimeProvider>() ?? TimeProvider.System,
            provider.GetRequiredService<IHostApplicationLifetime>(),
            provider.GetRequiredService<AdmitCatalog>()
        ));
        return services;
    }
}
