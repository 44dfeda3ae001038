namespace FileTransfer.Feed.Upstreams;

/// <summary>Which clusters this one follows. Section <c>FileTransfer:Sync</c>.</summary>
public sealed class SyncOptions
{
    public const string Section = "FileTransfer:Sync";

    /// <summary>Clusters with a database of their own, whose files this cluster has too.</summary>
    /// <remarks>Default none. The same at every node of the cluster: its leader pulls their feeds, and each node fetches contents.</remarks>
    public IList<UpstreamOptions> Upstreams { get; } = [];

    /// <summary>The ids of clusters that may ship their feeds here.</summary>
    /// <remarks>Default none: what is shipped here is refused. The same at every node of the cluster.</remarks>
    public IList<string> AcceptFrom { get; } = [];

    /// <summary>Tokens for what is fetched from clusters that ship here, which is what is too large for a shipment.</summary>
    /// <remarks>Default none. <see cref="OtherClusterOptions.Name"/> is the cluster's id; its token is shown to the hosts of this Url alone, whatever the cluster says where it is.</remarks>
    public IList<OtherClusterOptions> Shippers { get; } = [];

    /// <summary>Whose files this cluster has, by the names that these are kept under; a cluster that ships has its id.</summary>
    internal IEnumerable<string> Names => [.. Upstreams.Select(upstream => upstream.Name), .. AcceptFrom];

    /// <summary>What is wrong with these values together, and what to write instead.</summary>
    public IEnumerable<string> Faults()
    {
        foreach (var (key, other, earlier) in Listed("Upstreams", Upstreams).Concat(Listed("Shippers", Shippers)))
        {
            if (earlier.Any(one => string.Equals(one.Name, other.Name, StringComparison.OrdinalIgnoreCase)))
            {
                yield return $"{key}:Name is '{other.Name}' again; write another name.";
            }

            if (Routes.OfSync.Contains(other.Name, StringComparer.OrdinalIgnoreCase))
            {
                yield return $"{key}:Name is '{other.Name}', which is a part of this service's own routes under {Routes.Sync}; write another name.";
            }

            foreach (var url in other.Url.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                if (!Uri.TryCreate(url, UriKind.Absolute, out var parsed) || !WrittenUrl.IsPlain(parsed))
                {
                    var shown = url.AsSpan().ContainsAny('@', '?') ? "***" : url;
                    yield return $"{key}:Url has '{shown}'; write absolute URLs such as http://node.example:7070, separated by spaces, and what is secret as {key}:Token.";
                }
            }

            foreach (var bucket in (other as UpstreamOptions)?.Buckets.Where(bucket => !BucketId.TryParse(bucket, out _)) ?? [])
            {
                yield return $"{key}:Buckets has '{bucket}'; write each bucket in hex.";
            }
        }

        foreach (var (key, shipper, _) in Listed("Shippers", Shippers).Where(one => !AcceptFrom.Contains(one.Options.Name)))
        {
            yield return $"{key}:Name is '{shipper.Name}', which {Section}:AcceptFrom does not name; write it there, too.";
        }

        for (var i = 0; i < AcceptFrom.Count; i++)
        {
            var (key, cluster) = ($"{Section}:AcceptFrom:{i}", AcceptFrom[i]);
            if (NodeId.FromText(cluster) is null)
            {
                yield return $"{key} is '{cluster}'; write the id of a cluster.";
            }
            else if (Names.Count(name => string.Equals(name, cluster, StringComparison.OrdinalIgnoreCase)) > 1)
            {
                yield return $"{key} is '{cluster}' again, or the Name of an upstream; a cluster is pulled, or it ships.";
            }
        }
    }

    private static IEnumerable<(string Key, OtherClusterOptions Options, IEnumerable<OtherClusterOptions> Earlier)> Listed(
        string name,
        IEnumerable<OtherClusterOptions> list
    ) => list.Select((other, i) => ($"{Section}:{name}:{i}", other, list.Take(i)));
}
