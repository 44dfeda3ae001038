using System.Net.Http.Headers;
using System.Text.Json;
using FileTransfer.Contracts;
using FileTransfer.Identity;

namespace FileTransfer.Cli.Client;

/// <content>What is asked of one node about its own copy of a file.</content>
public sealed partial class NodeClient
{
    /// <summary>Makes an intent: the node is to have the file. The same id twice is one intent.</summary>
    public async Task<IntentResource> AskForAsync(FileKey key, Guid id, CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Post, $"v1/files/{key}/fetch?id={id}");
        return await ReadAsync(request, SparseJson.Default.IntentResource, cancellationToken);
    }

    public Task<IntentResource> GetIntentAsync(FileKey key, Guid id, CancellationToken cancellationToken) =>
        GetAsync($"v1/files/{key}/fetch/{id}", SparseJson.Default.IntentResource, cancellationToken);

    public async Task<IntentResource> WithdrawAsync(FileKey key, Guid id, CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Delete, $"v1/files/{key}/fetch/{id}");
        return await ReadAsync(request, SparseJson.Default.IntentResource, cancellationToken);
    }

    /// <summary>Why the file is not at the node, as the node says it.</summary>
    public Task<JsonElement> ExplainAsync(FileKey key, CancellationToken cancellationToken) =>
        GetAsync($"v1/files/{key}/explain", SparseJson.Default.JsonElement, cancellationToken);

    /// <summary>Reads the node's events until <paramref name="take"/> returns false.</summary>
    /// <exception cref="NodeUnreachableException">The stream ended before; it can be opened again.</exception>
    public async Task FollowAsync(
        NodeEvents events,
        Func<NodeEvent, CancellationToken, Task<bool>> take,
        CancellationToken cancellationToken
    )
    {
        using var request = Request(HttpMethod.Get, events.Path);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        if (events.LastId is { } last)
        {
            request.Headers.Add("Last-Event-ID", last);
        }

        using var response = await SendAsync(request, _answerWithin, cancellationToken);
        using var stall = new IdleTimeout(time, NodeEvents.Silence, cancellationToken);
        try
        {
            await using var stream = await response.Content.ReadAsStreamAsync(stall.Token);
            if (!await events.ReadAsync(stream, take, stall, cancellationToken))
            {
                throw new NodeUnreachableException(node, "ended the stream of its events.");
            }
        }
        catch (JsonException fault)
        {
            throw new CliException(
                ExitCode.Failed,
                $"An event of {request.RequestUri} is not what a FileTransfer node says: {fault.Message} Check --url.",
                fault
            );
        }
        catch (Exception fault) when (NodeUnreachableReason.Of(fault, cancellationToken) is { } reason)
        {
            throw new NodeUnreachableException(node, reason, fault);
        }
    }
}
