namespace FileTransfer.Wants.Loads;

public static class LoadRegistration
{
    public static void AddLoads(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<LoadTable>();
        builder.Services.AddSingleton<LoadMetadata>();
        builder.Services.AddSingleton<LoadReports>();
        builder.Services.AddSingleton<FollowedLoads>();
        builder.Services.AddSingleton<Adoption>();
        builder.Services.AddSingleton<TroubleCollector>();
        builder.Services.AddSingleton<LoadMaintenance>();
        builder.Services.AddHostedService(services => services.GetRequiredService<LoadMaintenance>());
    }
}
