namespace FileTransfer.Cli;

/// <content>What a node has.</content>
public sealed partial class NodeClient
{
    private const int FilesPerPage = 1000;

    /// <summary>A page of the files that are stored at the node, in the order of their keys.</summary>
    public Task<ListingAnswer> ListStoredAsync(ExportFilter filter, string? after, CancellationToken cancellationToken)
    {
        var query = $"state=stored&limit={FilesPerPage}";
        query += filter.Bucket is { } bucket ? $"&bucket={bucket}" : "";
        query += filter.Location is { Length: > 0 } location ? $"&location={Uri.EscapeDataString(location)}" : "";
        query += after is null ? "" : $"&after={after}";
        return GetAsync($"v1/files?{query}", NodeJson.Default.ListingAnswer, cancellationToken);
    }
}
