using FileTransfer.Bandwidth;

namespace FileTransfer.Hosting.Configuration;

internal static class ConfigurationRoute
{
    public static void MapConfiguration(this IEndpointRouteBuilder routes) =>
        routes
            .MapGet(Routes.Configuration, Read)
            .RequireAuthorization(AccessScopes.Read)
            .WithTags("Cluster")
            .WithSummary("Every setting of this node in force, and where it came from; secrets are masked")
            .Produces<ConfigurationResource>();

    private static JsonHttpResult<ConfigurationResource> Read(
        IConfiguration configuration,
        TransferLimits limits,
        NodeId here,
        TimeProvider time
    )
    {
        var settings = new SortedDictionary<string, SettingResource>(StringComparer.OrdinalIgnoreCase);
        foreach (var setting in EffectiveSettings.Of((IConfigurationRoot)configuration))
        {
            settings[setting.Key] = setting;
        }

        if (limits.Read().Describe(here, time).Set is { } atRunTime)
        {
            foreach (var (key, value) in EffectiveSettings.Of(atRunTime))
            {
                settings[key] = new SettingResource(key, value, "run time");
            }
        }

        return TypedResults.Json(
            new ConfigurationResource(here.Value, [.. settings.Values]),
            WireJson.Default.ConfigurationResource
        );
    }
}
