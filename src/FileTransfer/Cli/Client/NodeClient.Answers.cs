using System.Net.Http.Headers;

namespace FileTransfer.Cli.Client;

/// <content>What takes more than a request and its answer: the leader, health, lines, events.</content>
public sealed partial class NodeClient
{
    /// <exception cref="CliException">It was removed.</exception>
    public async Task<FileResource> GetFileAsync(FileKey key)
    {
        var file = await GetAsync<FileResource>(Routes.Of(Routes.File, key));
        return file.IsRemoved
            ? throw new CliException(ExitCode.NotFound, $"{key} was removed{(file.RemovedAt is { } at ? $" at {at:u}" : "")}.")
            : file;
    }

    /// <summary>The leader, or null while there is none.</summary>
    public async Task<LeaderResource?> FindLeaderAsync()
    {
        try
        {
            return await GetAsync<LeaderResource>(Routes.Leader);
        }
        catch (NodeProblemException problem) when (problem.Status == HttpStatusCode.ServiceUnavailable)
        {
            return null;
        }
    }

    /// <summary>The health route's status code, what it says, and the node's clock; a node that is not ready answers 503.</summary>
    public Task<(HttpStatusCode Status, HealthAnswer? Health, DateTimeOffset? Date)> GetHealthAsync(
        string route,
        TimeSpan within
    ) =>
        TranslateFaultsAsync(async () =>
        {
            using var request = Request(HttpMethod.Get, route);
            using var stall = new IdleTimeout(time, within, cancellationToken);
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseContentRead, stall.Token);
            var body = await response.Content.ReadAsByteArrayAsync(stall.Token);
            return (response.StatusCode, TryRead<HealthAnswer>(body), response.Headers.Date);
        });

    /// <summary>What a route answers, as it is; also a health route that answers 503, and a problem.</summary>
    public Task<string> GetTextAsync(string path) =>
        TranslateFaultsAsync(async () =>
        {
            using var request = Request(HttpMethod.Get, path);
            using var stall = new IdleTimeout(time, _answerWithin, cancellationToken);
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseContentRead, stall.Token);
            return await response.Content.ReadAsStringAsync(stall.Token);
        });

    /// <summary>Asks for what a route answers in lines.</summary>
    public async Task<NdjsonAnswer<T>> OpenLinesAsync<T>(string path)
        where T : class
    {
        var request = Request(HttpMethod.Get, path);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(Ndjson.MediaType));
        return await ReadLinesAsync<T>(await SendAsync(request, LongWithin), LongWithin);
    }

    /// <summary>Reads the node's events until <paramref name="take"/> returns false.</summary>
    /// <exception cref="NodeUnreachableException">The stream ended before; it can be opened again.</exception>
    public async Task FollowAsync(NodeEvents events, Func<NodeEvent, Task<bool>> take)
    {
        var request = Request(HttpMethod.Get, events.Path);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(EventStreamWriter.ContentType));
        if (events.LastId is { } last)
        {
            request.Headers.Add("Last-Event-ID", last);
        }

        using var response = await SendAsync(request);
        using var stall = new IdleTimeout(time, NodeEvents.Silence, cancellationToken);
        try
        {
            var isEnd = await TranslateFaultsAsync(async () =>
            {
                await using var stream = await response.Content.ReadAsStreamAsync(stall.Token);
                return !await events.ReadAsync(stream, take, stall);
            });
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

    private async Task<NdjsonAnswer<T>> ReadLinesAsync<T>(HttpResponseMessage response, TimeSpan patience)
        where T : class
    {
        var stall = new IdleTimeout(time, patience, cancellationToken);
        var reader = new StreamReader(await response.Content.ReadAsStreamAsync(stall.Token));
        return new NdjsonAnswer<T>(node, response, reader, stall, cancellationToken);
    }
}
