using FileTransfer.Cluster.Gossip;

namespace FileTransfer.Cli.Simulation;

/// <content>What is so everywhere.</content>
internal sealed partial class GossipNetwork
{
    /// <summary>All that run know the same.</summary>
    public bool AllAgree() => Up.Select(node => node.Machine.Digest).Distinct().Count() == 1;

    /// <summary>All that run, and have run since then, have the newest announcement of a node.</summary>
    public bool AllKnow(GossipNode node, TimeSpan since = default) =>
        Up.Where(other => other.Begun <= since)
            .All(other => other.Machine.Find(node.Name) is { } words && !node.Words.IsNewerThan(words));

    /// <summary>All that run see all other nodes that way.</summary>
    public bool AllSee(PeerStatus status) =>
        Up.All(node => node.Machine.Count == Nodes.Length - 1 && node.Machine.Peers().All(peer => peer.Status == status));

    /// <summary>All that run see a node that way.</summary>
    public bool AllSee(PeerStatus status, GossipNode node) =>
        Up.All(other => other == node || other.Machine.StatusOf(node.Name) == status);
}
