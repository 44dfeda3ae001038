namespace FileTransfer.Catalog.Providers;

/// <summary>Whether sources outside the cluster are configured here, which may have any file: what they have is known when they are asked.</summary>
public sealed record OutsideSources(bool AreConfigured);
