namespace FileTransfer.Catalog.Providers;

/// <summary>Whether sources outside the cluster are configured here: what they have is known when they are asked.</summary>
/// <param name="Shares">Some that may have any file.</param>
/// <param name="Upstreams">Clusters that this one follows.</param>
public sealed record OutsideSources(bool Shares, bool Upstreams = false)
{
    public bool AreConfigured => Shares || Upstreams;
}
