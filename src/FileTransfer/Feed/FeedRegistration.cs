using FileTransfer.Feed.Changes;
using FileTransfer.Feed.Pull;
using FileTransfer.Feed.Push;
using FileTransfer.Feed.Reconciliation;
using FileTransfer.Feed.Upstreams;

namespace FileTransfer.Feed;

public static class FeedRegistration
{
    public static void AddFeed(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<FileCommands>();
        builder.Services.AddSingleton<FeedLag>();
        builder.Services.AddSingleton<IFeedSource, SharedFeed>();
        builder.Services.AddSingleton<FeedApplier>();
        builder.Services.AddSingleton<FeedOffers>();
        builder.Services.AddSingleton<FeedReader>();
        builder.Services.AddHostedService(services => services.GetRequiredService<FeedReader>());
        builder.Services.AddSingleton<PendingAddPublisher>();
        builder.Services.AddHostedService(services => services.GetRequiredService<PendingAddPublisher>());
        builder.Services.AddHostedService<PolicyReviews>();
        builder.Services.AddHostedService<LedgerMaintenance>();
        builder.Services.AddHostedService<FeedCompactor>();
        builder.Services.AddSingleton<FeedChanges>();
        builder.Services.AddSingleton<ClusterEvents>();
        builder.Services.AddHostedService<Webhooks>();
        builder.Services.AddSingleton<FeedNews>();
        builder.Services.AddSingleton<FeedDigests>();
        builder.Services.AddSingleton<OfferedFeed>();
        builder.Services.AddSingleton<OfferedSet>();
        builder.Services.AddSingleton<SyncRequests>();
        builder.Services.AddSingleton<SyncWait>();
        builder.Services.AddSingleton<UpstreamSummary>();
        builder.Services.AddSingleton<UpstreamAddresses>();
        builder.Services.AddSingleton<UpstreamClients>();
        builder.Services.AddSingleton<UpstreamNodes>();
        builder.Services.AddHostedService(services => services.GetRequiredService<UpstreamNodes>());
        builder.Services.AddSingleton<UpstreamComparison>();
        builder.Services.AddSingleton<KeptFiles>();
        builder.Services.AddSingleton<UpstreamPuller>();
        builder.Services.AddHostedService(services => services.GetRequiredService<UpstreamPuller>());
        builder.Services.AddSingleton<ShipmentIntake>();
        builder.Services.AddSingleton<FollowerTable>();
        builder.Services.AddSingleton<ShippedFeed>();
        builder.Services.AddSingleton<FollowerList>();
        builder.Services.AddSingleton<Shipper>();
        builder.Services.AddHostedService(services => services.GetRequiredService<Shipper>());
        builder.Services.AddSingleton<FolderReading>();
        builder.Services.AddSingleton<CatalogReading>();
    }
}
