using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json.Serialization.Metadata;
using FileTransfer.Cluster;

namespace FileTransfer.Feed.Changes;

/// <summary>Tells webhooks what happens in the cluster, at the leader, each from a position that lasts: owner of <c>filetransfer.webhooks</c>.</summary>
/// <remarks>
/// In pages, the changes of a file in their order, and beside them other events in theirs, each page until it is answered 2xx; so one may come twice. Nothing waits for them, and they not for each other.
/// A new one is told what comes from now on; so is one that was away for longer than the feed is kept.
/// </remarks>
public sealed partial class Webhooks(
    FeedChanges changes,
    ClusterEvents events,
    Database database,
    Leadership leadership,
    ClusterMembership membership,
    IOptions<WebhookOptions> options,
    WorkerRegistry workers,
    TimeProvider time,
    ILogger<Webhooks> logger
) : BackgroundService
{
    private const int Most = 20;
    private static readonly TimeSpan _look = TimeSpan.FromSeconds(30);

    /// <summary>From one look whether this node leads, or what happened besides changes, to the next.</summary>
    private static readonly TimeSpan _pause = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(15);
    private static readonly Backoff _backoff = new(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5));

    private readonly HttpMessageInvoker _http = new(ClientHandler.Create().WithoutTraces());

    public override void Dispose()
    {
        _http.Dispose();
        base.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(
            options
                .Value.Webhooks.SelectMany(Tellers)
                .Select(tellAsync => membership.RunWhileJoinedAsync(tellAsync, stoppingToken))
        );

    /// <summary>Each goes on whatever becomes of the others.</summary>
    private IEnumerable<Func<CancellationToken, Task>> Tellers(WebhookEntry hook)
    {
        var name = $"{hook.Url!.Authority}{hook.Url.AbsolutePath}";
        if (WebhookOptions.Changes.Any(hook.Tells))
        {
            var worker = workers.Add($"webhook {name}", "tells a webhook what changes in the cluster, at the leader");
            yield return token => RepeatAsync(hook, () => TellChangesAsync(hook, worker, token), token);
        }

        if (WebhookOptions.Others.Any(hook.Tells))
        {
            var worker = workers.Add($"webhook events {name}", "tells a webhook what else happens in the cluster, at the leader");
            yield return token => RepeatAsync(hook, () => TellEventsAsync(hook, worker, token), token);
        }
    }

    private async Task RepeatAsync(WebhookEntry hook, Func<Task> tellAsync, CancellationToken cancellationToken)
    {
        await RenameAsync(hook.Url!, cancellationToken);
        for (var failures = 0; ; )
        {
            if (!leadership.IsLeading)
            {
                await Task.Delay(_pause, time, cancellationToken);
                continue;
            }

            try
            {
                await tellAsync();
                failures = 0;
            }
            catch (NotLeadingException)
            {
                await Task.Delay(_pause, time, cancellationToken); // Another one goes on.
            }
            catch (Exception e)
                when (!cancellationToken.IsCancellationRequested
                    && e is HttpRequestException or IOException or OperationCanceledException
                )
            {
                if (failures++ == 0)
                {
                    Log.Failed(logger, Shown(hook.Url!), e.Message);
                }

                await Task.Delay(_backoff.Bound(failures - 1), time, cancellationToken);
            }
        }
    }

    private async Task TellChangesAsync(WebhookEntry hook, Worker worker, CancellationToken cancellationToken)
    {
        var after = await PositionAsync(hook, cancellationToken);
        var page = await changes.ReadAsync(after, Most, _look, CancellationToken.None, cancellationToken);
        if (page.IsGone)
        {
            Log.Gone(logger, Shown(hook.Url!));
            page = page with { Position = await changes.NowAsync(cancellationToken) };
        }

        var told = page.Changes.Where(change => hook.Tells(change.Kind)).ToList();
        if (told.Count > 0)
        {
            var body = changes.Describe(page with { Changes = told });
            await worker.RunAsync(
                () => PostAsync(hook, body, WireJson.Default.ChangesResource, cancellationToken),
                cancellationToken
            );
        }

        await KeepAsync(PlaceOf(hook.Url!), page.Position.ToString(), cancellationToken);
    }

    private async Task TellEventsAsync(WebhookEntry hook, Worker worker, CancellationToken cancellationToken)
    {
        var place = $"{PlaceOf(hook.Url!)} events";
        var kept = await KeptAsync(place, cancellationToken);
        var before = kept is null ? null : Read(kept, place);
        var (all, told) = await events.ReadAsync(before, cancellationToken);
        var due = all.Where(one => hook.Tells(one.Kind)).ToList();
        if (due.Count > 0)
        {
            var body = events.Describe(due);
            await worker.RunAsync(
                () => PostAsync(hook, body, WireJson.Default.ClusterEventsResource, cancellationToken),
                cancellationToken
            );
        }

        await KeepAsync(place, JsonSerializer.Serialize(told, ToldEventsJson.Default.ToldEvents), cancellationToken);
        if (all.Count < ClusterEvents.Most)
        {
            await Task.Delay(_pause, time, cancellationToken);
        }
    }

    private async Task PostAsync<T>(WebhookEntry hook, T told, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(told, type);
        var at = time.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        using var request = new HttpRequestMessage(HttpMethod.Post, hook.Url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.Add(WebhookHeaders.Time, at);
        request.Headers.Add(WebhookHeaders.Signature, SignatureOf(hook.Secret, at, body));
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(_patience);
        using var answer = await _http.SendAsync(request, patience.Token);
        if (!answer.IsSuccessStatusCode)
        {
            throw new HttpRequestException($"it {ClientHandler.StatusOf(answer)}");
        }
    }

    private static string SignatureOf(string secret, string at, byte[] body)
    {
        byte[] signed = [.. Encoding.ASCII.GetBytes($"{at}."), .. body];
        return "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), signed));
    }

    private async Task<ChangePosition> PositionAsync(WebhookEntry hook, CancellationToken cancellationToken)
    {
        var place = PlaceOf(hook.Url!);
        if (await KeptAsync(place, cancellationToken) is { } kept && ChangePosition.Parse(kept) is { } position)
        {
            return position;
        }

        var now = await changes.NowAsync(cancellationToken);
        await KeepAsync(place, now.ToString(), cancellationToken);
        return now;
    }

    /// <summary>Earlier programs kept it under all of its URL.</summary>
    private Task<int> RenameAsync(Uri url, CancellationToken cancellationToken)
    {
        const string sql = """
            WITH former AS (
                DELETE FROM filetransfer.webhooks WHERE @former <> @place AND url IN (@former, @former || ' events') RETURNING url, position
            )
            INSERT INTO filetransfer.webhooks (url, position) SELECT @place || substr(url, length(@former) + 1), position FROM former
            ON CONFLICT DO NOTHING
            """;
        return database.ExecuteAsync(sql, new { former = url.AbsoluteUri, place = PlaceOf(url) }, cancellationToken);
    }

    private Task<string?> KeptAsync(string place, CancellationToken cancellationToken)
    {
        const string sql = "SELECT position FROM filetransfer.webhooks WHERE url = @place";
        return database.QuerySingleOrDefaultAsync<string>(sql, new { place }, cancellationToken);
    }

    private Task<int> KeepAsync(string place, string position, CancellationToken cancellationToken)
    {
        const string sql = """
            INSERT INTO filetransfer.webhooks AS w (url, position) VALUES (@place, @position)
            ON CONFLICT (url) DO UPDATE SET position = EXCLUDED.position, changed_at = clock_timestamp() WHERE w.position <> EXCLUDED.position
            """;
        return database.ExecuteAsync(sql, new { place, position }, cancellationToken);
    }

    /// <summary>Null, as for a new one, where somebody has written something else there.</summary>
    private ToldEvents? Read(string kept, string place)
    {
        try
        {
            return JsonSerializer.Deserialize(kept, ToldEventsJson.Default.ToldEvents);
        }
        catch (JsonException)
        {
            database.FaultyRows.Tell("webhooks", place, "its position is none; it is told what comes from now on");
            return null;
        }
    }

    /// <summary>What a webhook's position is kept under: whoever reads the database is not told what may be a secret of it.</summary>
    internal static string PlaceOf(Uri url) =>
        url.UserInfo.Length + url.Query.Length == 0
            ? url.AbsoluteUri
            : $"{Shown(url)} {Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(url.AbsoluteUri)))}";

    /// <summary>Where a webhook is, without what may be a secret of it.</summary>
    private static string Shown(Uri url) =>
        url.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);

    private static partial class Log
    {
        [LoggerMessage(1790, LogLevel.Warning, "The webhook {Url} was not told of changes, which is tried again: {Reason}")]
        public static partial void Failed(ILogger logger, string url, string reason);

        [LoggerMessage(
            1791,
            LogLevel.Warning,
            "The webhook {Url} was behind what is kept of the feed; it is told what changes from now on"
        )]
        public static partial void Gone(ILogger logger, string url);
    }
}
