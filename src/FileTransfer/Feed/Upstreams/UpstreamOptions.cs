namespace FileTransfer.Feed.Upstreams;

/// <summary>One cluster that this one follows.</summary>
public sealed class UpstreamOptions : OtherClusterOptions
{
    /// <summary>Only files of these buckets, in hex.</summary>
    /// <remarks>Default none: all buckets.</remarks>
    public IList<string> Buckets { get; } = [];

    /// <summary>Whose token is shown, to its hosts, where that is not this one's own.</summary>
    internal OtherClusterOptions? Shipper { get; init; }

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
