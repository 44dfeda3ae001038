using FileTransfer.Cluster.Gossip;
using FileTransfer.Cluster.Peers;
using FileTransfer.Cluster.Trust;

namespace FileTransfer.Cluster;

public static class ClusterRegistration
{
    public static void AddCluster(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<ThisNode>();
        builder.Services.AddSingleton(services => services.GetRequiredService<ThisNode>().Id);
        builder.Services.AddSingleton<CatalogGate>();
        builder.Services.AddSingleton<AdmitCatalog>(services => services.GetRequiredService<CatalogGate>().AdmitAsync);
        builder.Services.AddSingleton<Leadership>();
        builder.Services.AddSingleton<LivePeers>();
        builder.Services.AddSingleton<TrustStore>();
        builder.Services.AddSingleton<TrustedKeys>();
        builder.Services.AddSingleton<PeerAddresses>();
        builder.Services.AddSingleton<PeerDirectory>();
        builder.Services.AddSingleton<GossipRates>();
        builder.Services.AddSingleton<GossipSeeds>();
        builder.Services.AddSingleton<GossipTransport>();
        builder.Services.AddSingleton<OwnAnnouncement>();
        builder.Services.AddSingleton<GossipService>();
        builder.Services.AddHostedService(services => services.GetRequiredService<GossipService>());
        builder.Services.AddSingleton<RequestSigner>();
        builder.Services.AddSingleton<RequestSignatures>();
        builder.Services.AddSingleton<PeerClient>();
        builder.Services.AddSingleton<WriteForwarder>();
        builder.Services.AddSingleton<NodeDirectory>();
        builder.Services.AddSingleton<NodePulse>();
        builder.Services.AddSingleton<ClusterMembership>();
        builder.Services.AddHostedService(services => services.GetRequiredService<ClusterMembership>());
        builder.Services.AddHostedService(services => services.GetRequiredService<TrustedKeys>());
        builder.Services.AddSingleton<RivalWatch>();
        builder.Services.AddHostedService(services => services.GetRequiredService<RivalWatch>());
        builder.Services.AddHostedService<LeaderElection>();
    }
}
