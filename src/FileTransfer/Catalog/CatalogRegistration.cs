using FileTransfer.Catalog.Providers;
using FileTransfer.Catalog.Repair;
using FileTransfer.Catalog.Replicas;

namespace FileTransfer.Catalog;

public static class CatalogRegistration
{
    public static void AddCatalog(this IHostApplicationBuilder builder)
    {
        CatalogTypes.Map();
        builder.Services.AddSingleton<KnownNodes>();
        builder.Services.AddSingleton<FileCatalog>();
        builder.Services.AddSingleton<BucketCopies>();
        builder.Services.AddSingleton<BucketQuotas>();
        builder.Services.AddSingleton<ReplicaTable>();
        builder.Services.AddSingleton<ReplicaTransitions>();
        builder.Services.AddSingleton<ReplicaChanges>();
        builder.Services.AddSingleton<ReplicaQueue>();
        builder.Services.AddSingleton<QueueSignal>();
        builder.Services.AddSingleton<DeferralSignal>();
        builder.Services.AddSingleton<StartupReconciler>();
        builder.Services.AddSingleton<OrphanCollector>();
        builder.Services.AddSingleton<UnusedContents>();
        builder.Services.AddSingleton<DamagedContents>();
        builder.Services.AddHostedService(services => services.GetRequiredService<DamagedContents>());
        builder.Services.AddSingleton<ScrubProof>();
        builder.Services.AddSingleton<ScrubPasses>();
        builder.Services.AddHostedService<Scrub>();
        builder.Services.AddSingleton<NamedScrub>();
        builder.Services.AddHostedService(services => services.GetRequiredService<NamedScrub>());
    }
}
