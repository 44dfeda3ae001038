using System.Runtime.CompilerServices;
using FileTransfer.Contracts;
using FileTransfer.Identity;
using FileTransfer.Wants.Policies;

namespace FileTransfer.Cli.Client;

/// <content>What one node wants and lacks.</content>
public sealed partial class NodeClient
{
    /// <summary>A change of a policy is answered when it has taken effect, and so is the first line of what is missing: a million files take a while.</summary>
    private static readonly TimeSpan _reviewWithin = TimeSpan.FromMinutes(10);

    public Task<PolicyResource> GetPolicyAsync(ByteString bucket, CancellationToken cancellationToken) =>
        GetAsync(PathOf(bucket), SparseJson.Default.PolicyResource, cancellationToken);

    public async Task<PolicyChangeResource> SetPolicyAsync(
        ByteString bucket,
        Policy policy,
        bool prune,
        CancellationToken cancellationToken
    )
    {
        using var request = Request(HttpMethod.Put, PathOf(bucket) + (prune ? "?prune=true" : ""));
        request.Content = JsonContent.Create(policy.ToDefinition(), SparseJson.Default.PolicyDefinition);
        return await ReadAsync(request, SparseJson.Default.PolicyChangeResource, cancellationToken, _reviewWithin);
    }

    public async Task<PolicyChangeResource> DeletePolicyAsync(ByteString bucket, CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Delete, PathOf(bucket));
        return await ReadAsync(request, SparseJson.Default.PolicyChangeResource, cancellationToken, _reviewWithin);
    }

    /// <summary>The files that are missing at the node, in the order of their keys.</summary>
    public async IAsyncEnumerable<MissingFile> GetMissingAsync(
        ByteString bucket,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        using var lines = await OpenLinesAsync($"v1/buckets/{bucket}/missing", SparseJson.Default.MissingFile, cancellationToken);
        while (await lines.ReadAsync() is { } file)
        {
            yield return file;
        }
    }

    private static string PathOf(ByteString bucket) => $"v1/buckets/{bucket}/policy";
}
