using System.Net.Http.Headers;
using System.Security.Cryptography;
using FileTransfer.Cluster;

namespace FileTransfer.Feed.Changes;

/// <summary>Tells webhooks what changes in the cluster, at the leader, each from a position that lasts: owner of <c>filetransfer.webhooks</c>.</summary>
/// <remarks>
/// In pages, the changes of a file in their order, each page until it is answered 2xx; so one may come twice. Nothing waits for them, and they not for each other.
/// A new one is told what comes from now on; so is one that was away for longer than the feed is kept.
/// </remarks>
public sealed partial class Webhooks(
    FeedChanges changes,
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
    private static readonly TimeSpan _whileFollowing = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(15);
    private static readonly Backoff _backoff = new(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5));

    private readonly HttpMessageInvoker _http = new(ClientHandler.Create());

    public override void Dispose()
    {
        _http.Dispose();
        base.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        options.Value.Webhooks.Count == 0
            ? Task.CompletedTask
            : membership.RunWhileJoinedAsync(
                joined => Task.WhenAll(options.Value.Webhooks.Select(hook => TellAsync(hook, joined))),
                stoppingToken
            );

    private async Task TellAsync(WebhookEntry hook, CancellationToken cancellationToken)
    {
        var worker = workers.Add(
            $"webhook {hook.Url!.Authority}{hook.Url.AbsolutePath}",
            "tells a webhook what changes in the cluster, at the leader"
        );
        for (var failures = 0; ; )
        {
            if (!leadership.IsLeading)
            {
                await Task.Delay(_whileFollowing, time, cancellationToken);
                continue;
            }

            var after = await PositionAsync(hook, cancellationToken);
            var page = await changes.ReadAsync(after, Most, _look, CancellationToken.None, cancellationToken);
            if (page.IsGone)
            {
                Log.Gone(logger, Shown(hook.Url));
                page = page with { Position = await changes.NowAsync(cancellationToken) };
            }

            try
            {
                await worker.RunAsync(() => PostAsync(hook, page, cancellationToken), cancellationToken);
                await KeepAsync(hook, page.Position, cancellationToken);
                failures = 0;
            }
            catch (Exception e)
                when (!cancellationToken.IsCancellationRequested
                    && e is HttpRequestException or IOException or OperationCanceledException
                )
            {
                if (failures++ == 0)
                {
                    Log.Failed(logger, Shown(hook.Url), e.Message);
                }

                await Task.Delay(_backoff.Bound(failures - 1), time, cancellationToken);
            }
        }
    }

    private async Task PostAsync(WebhookEntry hook, ChangesPage page, CancellationToken cancellationToken)
    {
        var told = page.Changes.Where(change => hook.Events.Count == 0 || hook.Events.Contains(change.Kind)).ToList();
        if (told.Count == 0)
        {
            return;
        }

        var body = JsonSerializer.SerializeToUtf8Bytes(
            changes.Describe(page with { Changes = told }),
            WireJson.Default.ChangesResource
        );
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
            throw new HttpRequestException($"it answered {(int)answer.StatusCode}");
        }
    }

    private static string SignatureOf(string secret, string at, byte[] body)
    {
        byte[] signed = [.. Encoding.ASCII.GetBytes($"{at}."), .. body];
        return "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), signed));
    }

    private async Task<ChangePosition> PositionAsync(WebhookEntry hook, CancellationToken cancellationToken)
    {
        const string sql = "SELECT position FROM filetransfer.webhooks WHERE url = @url";
        var kept = await database.QuerySingleOrDefaultAsync<string>(sql, new { url = hook.Url!.AbsoluteUri }, cancellationToken);
        if (kept is not null && ChangePosition.Parse(kept) is { } position)
        {
            return position;
        }

        var now = await changes.NowAsync(cancellationToken);
        await KeepAsync(hook, now, cancellationToken);
        return now;
    }

    private Task<int> KeepAsync(WebhookEntry hook, ChangePosition position, CancellationToken cancellationToken)
    {
        const string sql = """
            INSERT INTO filetransfer.webhooks AS w (url, position) VALUES (@url, @position)
            ON CONFLICT (url) DO UPDATE SET position = EXCLUDED.position, changed_at = clock_timestamp() WHERE w.position <> EXCLUDED.position
            """;
        return database.ExecuteAsync(sql, new { url = hook.Url!.AbsoluteUri, position = position.ToString() }, cancellationToken);
    }

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
