using FileTransfer.Contracts;
using FileTransfer.Identity;

namespace FileTransfer.Cli.Client;

/// <content>Files that are tried again.</content>
public sealed partial class NodeClient
{
    /// <returns>The state of the file at the node.</returns>
    public async Task<string> RetryAsync(FileKey key, CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Post, $"v1/files/{key}/retry");
        return (await ReadAsync(request, SparseJson.Default.FileResource, cancellationToken)).State ?? "unknown";
    }

    /// <summary>Those that failed for a cause, or all.</summary>
    internal async Task<RetriedResource> RetryAllAsync(string? cause, CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Post, cause is null ? "v1/retry" : $"v1/retry?cause={cause}");
        return await ReadAsync(request, SparseJson.Default.RetriedResource, cancellationToken);
    }
}
