using FileTransfer.Bandwidth;
using FileTransfer.Catalog.Replicas;
using FileTransfer.Serving;
using FileTransfer.Wants.Intents;
using FileTransfer.Wants.Policies;
using Dapper;
using FileTransfer.Catalog.Repair;

namespace FileTransfer.Catalog;

public static class CatalogRegistration
{
    public static void AddCatalog(this IHostApplicationBuilder builder)
    {
        DefaultTypeMap.MatchNamesWithUnderscores = true;
        builder.Services.AddSingleton<FileCatalog>();
        builder.Services.AddSingleton<ReplicaTable>();
        builder.Services.AddSingleton<ReplicaTallies>();
        builder.Services.AddSingleton<IntentTable>();
        builder.Services.AddSingleton<ReplicaNews>();
        builder.Services.AddSingleton<ReplicaQueue>();
        builder.Services.AddSingleton<QueueSignal>();
        builder.Services.AddSingleton<DeferralSignal>();
        builder.Services.AddSingleton<StoreRepair>();
        builder.Services.AddSingleton<OrphanCollector>();
        builder.Services.AddSingleton<StoredContents>();
        builder.Services.AddSingleton<DamagedContents>();
        builder.Services.AddHostedService(services => services.GetRequiredService<DamagedContents>());
        builder.Services.AddSingleton<ScrubProof>();
        builder.Services.AddSingleton<ScrubPasses>();
        builder.Services.AddHostedService<Scrub>();
        builder.Services.AddSingleton<NamedScrub>();
        builder.Services.AddHostedService(services => services.GetRequiredService<NamedScrub>());
        builder.Services.AddSingleton<ContentDigests>();
        builder.Services.AddSingleton<ContentNames>();
        builder.Services.AddSingleton<ContentElsewhere>();
        builder.Services.AddSingleton(services =>
            ActivatorUtilities.CreateInstance<Uplink>(services, services.GetRequiredService<TransferLimits>().Upload)
        );
        builder.Services.AddSingleton<NodePolicies>();
        builder.Services.AddSingleton<PolicyReview>();
        builder.Services.AddSingleton<PolicyChanges>();
        builder.Services.AddSingleton<MissingFiles>();
        builder.Services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.TypeInfoResolverChain.Add(CatalogJson.Default);
            json.SerializerOptions.TypeInfoResolverChain.Add(PolicyJson.Default);
            json.SerializerOptions.TypeInfoResolverChain.Add(OrphanJson.Default);
        });
    }
}
