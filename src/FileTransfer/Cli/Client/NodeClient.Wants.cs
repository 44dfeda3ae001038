using System.Net.Http.Headers;
using FileTransfer.Contracts;
using FileTransfer.Wants.Policies;

namespace FileTransfer.Cli.Client;

/// <content>What one node wants, and why: intents, policies, what is missing, events.</content>
public sealed partial class NodeClient
{
    /// <summary>Makes an intent: the node is to have the file. The same id twice is one intent.</summary>
    public Task<IntentResource> AskForAsync(FileKey key, Guid id, CancellationToken cancellationToken) =>
        AskAsync(
            HttpMethod.Post,
            $"{Routes.Of(Routes.Intents, key)}?id={id}",
            SparseJson.Default.IntentResource,
            cancellationToken
        );

    public Task<IntentResource> GetIntentAsync(FileKey key, Guid id, CancellationToken cancellationToken) =>
        GetAsync($"{Routes.Of(Routes.Intents, key)}/{id}", SparseJson.Default.IntentResource, cancellationToken);

    public Task<IntentResource> WithdrawAsync(FileKey key, Guid id, CancellationToken cancellationToken) =>
        AskAsync(
            HttpMethod.Delete,
            $"{Routes.Of(Routes.Intents, key)}/{id}",
            SparseJson.Default.IntentResource,
            cancellationToken
        );

    /// <summary>Why the file is not at the node, as the node says it.</summary>
    public Task<JsonElement> ExplainAsync(FileKey key, CancellationToken cancellationToken) =>
        GetAsync(Routes.Of(Routes.Explain, key), SparseJson.Default.JsonElement, cancellationToken);

    public Task<PolicyResource> GetPolicyAsync(ByteString bucket, CancellationToken cancellationToken) =>
        GetAsync(PolicyPathOf(bucket), SparseJson.Default.PolicyResource, cancellationToken);

    public Task<PolicyResource> SetPolicyAsync(
        ByteString bucket,
        Policy policy,
        bool prune,
        CancellationToken cancellationToken
    ) =>
        AskAsync(
            HttpMethod.Put,
            PolicyPathOf(bucket) + (prune ? "?prune=true" : ""),
            SparseJson.Default.PolicyResource,
            cancellationToken,
            JsonContent.Create(policy.ToDefinition(), SparseJson.Default.PolicyDefinition)
        );

    public Task<PolicyResource> DeletePolicyAsync(ByteString bucket, CancellationToken cancellationToken) =>
        AskAsync(HttpMethod.Delete, PolicyPathOf(bucket), SparseJson.Default.PolicyResource, cancellationToken);

    /// <summary>The files that are missing at the node, in the order of their keys.</summary>
    public async IAsyncEnumerable<MissingFile> GetMissingAsync(
        ByteString bucket,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        using var lines = await OpenLinesAsync(
            Routes.Of(Routes.Missing, bucket),
            SparseJson.Default.MissingFile,
            cancellationToken
        );
        while (await lines.ReadAsync() is { } file)
        {
            yield return file;
        }
    }

    /// <summary>Reads the node's events until <paramref name="take"/> returns false.</summary>
    /// <exception cref="NodeUnreachableException">The stream ended before; it can be opened again.</exception>
    public async Task FollowAsync(
        NodeEvents events,
        Func<NodeEvent, CancellationToken, Task<bool>> take,
        CancellationToken cancellationToken
    )
    {
        var request = Request(HttpMethod.Get, events.Path);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        if (events.LastId is { } last)
        {
            request.Headers.Add("Last-Event-ID", last);
        }

        using var response = await SendAsync(request, cancellationToken);
        using var stall = new IdleTimeout(time, NodeEvents.Silence, cancellationToken);
        try
        {
            var isEnd = await TranslateFaultsAsync(
                async () =>
                {
                    await using var stream = await response.Content.ReadAsStreamAsync(stall.Token);
                    return !await events.ReadAsync(stream, take, stall, cancellationToken);
                },
                cancellationToken
            );
            if (isEnd)
            {
                throw new NodeUnreachableException(node, "ended the stream of its events.");
            }
        }
        catch (JsonException fault)
        {
            throw InvalidAnswer(response.RequestMessage?.RequestUri ?? node, fault);
        }
    }

    private static string PolicyPathOf(ByteString bucket) => Routes.Of(Routes.Policy, bucket);
}
