using System.Runtime.CompilerServices;
using FileTransfer.Identity;
using FileTransfer.Wants.Policies;

namespace FileTransfer.Cli.Client;

/// <content>What one node wants and lacks.</content>
public sealed partial class NodeClient
{
    /// <summary>A change of a policy is answered when it has taken effect, and so is the first line of what is missing: a million files take a while.</summary>
    private static readonly TimeSpan _reviewWithin = TimeSpan.FromMinutes(10);

    public Task<PolicyAnswer> GetPolicyAsync(ByteString bucket, CancellationToken cancellationToken) =>
        GetAsync(PathOf(bucket), NodeJson.Default.PolicyAnswer, cancellationToken);

    public async Task<PolicyChangeAnswer> SetPolicyAsync(
        ByteString bucket,
        Policy policy,
        bool prune,
        CancellationToken cancellationToken
    )
    {
        using var request = Request(HttpMethod.Put, PathOf(bucket) + (prune ? "?prune=true" : ""));
        request.Content = JsonContent.Create(PolicyBody.Of(policy), NodeJson.Default.PolicyBody);
        return await ReadAsync(request, NodeJson.Default.PolicyChangeAnswer, cancellationToken, _reviewWithin);
    }

    public async Task<PolicyChangeAnswer> DeletePolicyAsync(ByteString bucket, CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Delete, PathOf(bucket));
        return await ReadAsync(request, NodeJson.Default.PolicyChangeAnswer, cancellationToken, _reviewWithin);
    }

    /// <summary>The files that are missing at the node, in the order of their keys.</summary>
    public async IAsyncEnumerable<MissingAnswer> GetMissingAsync(
        ByteString bucket,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        using var lines = await OpenLinesAsync($"v1/buckets/{bucket}/missing", NodeJson.Default.MissingAnswer, cancellationToken);
        while (await lines.ReadAsync() is { } file)
        {
            yield return file;
        }
    }

    private static string PathOf(ByteString bucket) => $"v1/buckets/{bucket}/policy";
}
