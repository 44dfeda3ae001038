using System.ComponentModel.DataAnnotations;

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
    /// <remarks>Default none. <see cref="UpstreamOptions.Name"/> is the cluster's id; its token is shown to the hosts of this Url alone, whatever the cluster says where it is.</remarks>
    public IList<UpstreamOptions> Shippers { get; } = [];

    /// <summary>Whose files this cluster has, by the names that these are kept under; a cluster that ships has its id.</summary>
    internal IEnumerable<string> Names => [.. Upstreams.Select(upstream => upstream.Name), .. AcceptFrom];

    /// <summary>What is wrong with these values together, and what to write instead.</summary>
    public IEnumerable<string> Faults()
    {
        foreach (var (key, upstream, earlier) in Listed("Upstreams", Upstreams).Concat(Listed("Shippers", Shippers)))
        {
            if (earlier.Any(other => string.Equals(other.Name, upstream.Name, StringComparison.OrdinalIgnoreCase)))
            {
                yield return $"{key}:Name is '{upstream.Name}' again; write another name.";
            }

            if (Routes.OfSync.Contains(upstream.Name, StringComparer.OrdinalIgnoreCase))
            {
                yield return $"{key}:Name is '{upstream.Name}', which is a part of this service's own routes under {Routes.Sync}; write another name.";
            }

            foreach (var url in upstream.Url.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                if (!Uri.TryCreate(url, UriKind.Absolute, out var parsed) || !WrittenUrl.IsPlain(parsed))
                {
                    var shown = url.AsSpan().ContainsAny('@', '?') ? "***" : url;
                    yield return $"{key}:Url has '{shown}'; write absolute URLs such as http://node.example:7070, separated by spaces, and what is secret as {key}:Token.";
                }
            }

            foreach (var bucket in upstream.Buckets.Where(bucket => !BucketId.TryParse(bucket, out _)))
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

    private static IEnumerable<(string Key, UpstreamOptions Options, IEnumerable<UpstreamOptions> Earlier)> Listed(
        string name,
        IList<UpstreamOptions> list
    ) => list.Select((upstream, i) => ($"{Section}:{name}:{i}", upstream, list.Take(i)));
}

/// <summary>One cluster that this one follows.</summary>
public sealed class UpstreamOptions
{
    private const string NameHint = "1 to 64 letters, digits, '.', '_' or '-'";

    /// <summary>What this cluster calls it. What was pulled is kept under this name.</summary>
    [Required(ErrorMessage = NameHint)]
    [RegularExpression("^[A-Za-z0-9._-]{1,64}$", ErrorMessage = NameHint)]
    public string Name { get; set; } = "";

    /// <summary>Where any of its nodes answers: one absolute http(s) URL, or several separated by spaces, which are tried in turn.</summary>
    [Required(ErrorMessage = "an absolute URL such as http://node.example:7070, or several separated by spaces")]
    public string Url { get; set; } = "";

    /// <summary>A token that it knows, with scope <c>node</c>. It is shown to the hosts of <see cref="Url"/> and to no other.</summary>
    /// <remarks>Default none. A secret: give it by environment (<c>FileTransfer__Sync__Upstreams__0__Token</c>) rather than by a file.</remarks>
    [RegularExpression("^[A-Za-z0-9._~+/=-]+$", ErrorMessage = "letters, digits and any of . _ ~ + / - =, nothing else")]
    public string? Token { get; set; }

    /// <summary>Only files of these buckets, in hex.</summary>
    /// <remarks>Default none: all buckets.</remarks>
    public IList<string> Buckets { get; } = [];

    /// <summary>Whose token is shown, to its hosts, where that is not this one's own.</summary>
    internal UpstreamOptions? Shipper { get; init; }

    /// <summary>The token, where the host may see it.</summary>
    internal string? TokenFor(Uri asked) =>
        UrlsOf((Shipper ?? this).Url).Any(url => url.Scheme == asked.Scheme && url.Host == asked.Host)
            ? (Shipper ?? this).Token
            : null;

    private static IEnumerable<Uri> UrlsOf(string urls) =>
        urls.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(url => new Uri(url));

    internal IReadOnlyList<Uri> Urls => [.. UrlsOf(Url)];

    /// <summary>Whether files of the bucket are followed.</summary>
    internal bool Follows(ByteString bucket) =>
        Buckets.Count == 0 || Buckets.Any(one => BucketId.TryParse(one, out var id) && id.Value == bucket);
}
