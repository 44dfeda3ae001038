using FileTransfer.Catalog.Providers;
using FileTransfer.Cluster.Gossip;
using FileTransfer.Downloads.Progress;
using FileTransfer.Downloads.Sources;
using FileTransfer.Feed.Upstreams;

namespace FileTransfer.Downloads;

public static class DownloadRegistration
{
    public static void AddDownloads(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<DownloadEventLog>();
        builder.Services.AddSingleton<DownloadEvents>();
        builder.Services.AddSingleton<FollowedStates>();
        builder.Services.AddSingleton<SourceAttemptHistory>();
        builder.Services.AddSingleton<LocalContents>();
        builder.Services.AddSingleton<DownloadLimits>();
        builder.Services.AddSingleton(services =>
            services.GetRequiredService<DownloadLimits>().ForSources(services.GetRequiredService<TimeProvider>())
        );
        builder.Services.AddSingleton<PeerFiles>();
        builder.Services.AddSingleton<SourceRegistry>();
        builder.Services.AddSingleton<OutsideMetadata>();
        builder.Services.AddSingleton(services => new OutsideSources(
            services.GetRequiredService<IOptions<SourceOptions>>().Value.Sources.Count > 0,
            services.GetRequiredService<IOptions<SyncOptions>>().Value.Names.Any(),
            () => services.GetRequiredService<LivePeers>().All.Count > 0
        ));
        builder.Services.AddSingleton<FailedFiles>();
        builder.Services.AddSingleton(services => ActivatorUtilities.CreateInstance<DownloadEngine>(services, new Random()));
        builder.Services.AddSingleton(services => new RetryPolicy(
            services.GetRequiredService<IOptions<DownloadOptions>>(),
            new Random()
        ));
        builder.Services.AddSingleton<PausedDownloads>();
        builder.Services.AddSingleton<DownloadPriorities>();
        builder.Services.AddSingleton<AttemptCompletion>();
        builder.Services.AddSingleton<DownloadPublisher>();
        builder.Services.AddSingleton<LaneAllowance>();
        builder.Services.AddSingleton<DownloadLane>();
        builder.Services.AddSingleton<RemovalLane>();
        builder.Services.AddSingleton<QueueMaintenance>();
        builder.Services.AddHostedService<ProcessFollowerDownloads>();
        builder.Services.AddHostedService<ReplicaEvents>();
    }
}
