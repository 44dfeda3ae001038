using FileTransfer.Contracts;
using FileTransfer.Identity;

namespace FileTransfer.Cli.Client;

/// <summary>Which files a listing shows; null where that does not matter.</summary>
/// <param name="Location">What the location begins with.</param>
/// <param name="State">The state of the replica at the node that is asked.</param>
public sealed record ListFilter(ByteString? Bucket, ByteString? Owner, string? Location, string? State);

/// <content>What a node has.</content>
public sealed partial class NodeClient
{
    private const int FilesPerPage = 1000;

    /// <summary>A page of the files that are stored at the node, in the order of their keys.</summary>
    public Task<FileListing> ListStoredAsync(
        ByteString? bucket,
        string? location,
        string? after,
        CancellationToken cancellationToken
    ) => ListAsync(new ListFilter(bucket, null, location, "stored"), after, cancellationToken);

    /// <summary>A page of the files of the cluster, in the order of their keys.</summary>
    public Task<FileListing> ListAsync(ListFilter filter, string? after, CancellationToken cancellationToken)
    {
        var query = $"limit={FilesPerPage}";
        query += filter.State is { } state ? $"&state={state}" : "";
        query += filter.Bucket is { } bucket ? $"&bucket={bucket}" : "";
        query += filter.Owner is { } owner ? $"&owner={owner}" : "";
        query += filter.Location is { Length: > 0 } location ? $"&location={Uri.EscapeDataString(location)}" : "";
        query += after is null ? "" : $"&after={after}";
        return GetAsync($"v1/files?{query}", SparseJson.Default.FileListing, cancellationToken);
    }
}
