namespace FileTransfer.Catalog.Providers;

/// <summary>Whether there are sources outside the cluster for this node: what they have is known when they are asked.</summary>
/// <param name="Shares">Some are configured that may have any file.</param>
/// <param name="Upstreams">Clusters that this one follows are configured.</param>
/// <param name="HasPeers">Whether nodes of other clusters are there that are trusted; they come and go.</param>
public sealed record OutsideSources(bool Shares, bool Upstreams = false, Func<bool>? HasPeers = null)
{
    /// <summary>Some may have files that nobody has said they have.</summary>
    public bool MayHaveAny => Shares || HasPeers?.Invoke() == true;

    public bool AreThere => MayHaveAny || Upstreams;
}
