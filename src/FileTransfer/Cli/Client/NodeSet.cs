namespace FileTransfer.Cli.Client;

/// <summary>How patient the program is with nodes.</summary>
/// <param name="RetryFor">How long to try again without any progress.</param>
/// <param name="StallPeriod">How long a body may stand still.</param>
public sealed record NodeRetry(TimeSpan RetryFor, TimeSpan StallPeriod)
{
    private static readonly Backoff _backoff = new(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(3));

    /// <summary>Exponential with jitter, so that many programs do not come back at the same instant.</summary>
    public static TimeSpan Pause(int round, Random random) => _backoff.Bound(round) * (0.5 + (random.NextDouble() / 2));
}

/// <summary>Which files a listing shows; null where that does not matter.</summary>
/// <param name="Location">What the location begins with.</param>
/// <param name="State">The state of the replica at the node that is asked.</param>
public sealed record ListFilter(ByteString? Bucket, ByteString? Owner, string? Location, string? State)
{
    private const int FilesPerPage = 1000;

    public string PathOfPage(string? after)
    {
        var query = $"limit={FilesPerPage}";
        query += State is null ? "" : $"&state={State}";
        query += Bucket is { } bucket ? $"&bucket={bucket}" : "";
        query += Owner is { } owner ? $"&owner={owner}" : "";
        query += Location is { Length: > 0 } location ? $"&location={Uri.EscapeDataString(location)}" : "";
        return $"{Routes.Files}?{query}{(after is null ? "" : $"&after={after}")}";
    }
}

/// <summary>The nodes that the program knows: tries one after the other, follows a follower's word to its leader, and waits for one to come back.</summary>
public sealed class NodeSet(
    IReadOnlyList<Uri> urls,
    HttpClient http,
    NodeRetry retry,
    TimeProvider time,
    Action<string> say,
    CancellationToken cancellationToken
) : IDisposable
{
    private readonly Random _random = new();

    private Knowledge Known { get; init; } = new();

    public void Dispose() => http.Dispose();

    /// <summary>Each of the nodes for itself, over the same connections.</summary>
    public IEnumerable<NodeSet> Each() => urls.Select(At);

    /// <summary>Only one of the nodes, over the same connections.</summary>
    public NodeSet At(Uri node) => new([node], http, retry, time, say, cancellationToken);

    /// <summary>The same nodes, and what is known of them, until another token ends it.</summary>
    public NodeSet Until(CancellationToken token) => new(urls, http, retry, time, say, token) { Known = Known };

    /// <summary>Does <paramref name="work"/> at the leader, or at whichever node answers where none is needed.</summary>
    /// <remarks>
    /// <c>work</c> is called again from the start after a fault that can pass; it keeps for itself what it has achieved.
    /// <c>progress</c> is a number that grows as the work gets on: while it does, the patience starts anew.
    /// </remarks>
    public async Task<T> RunAsync<T>(Func<NodeClient, Task<T>> work, Func<long>? progress = null)
    {
        var started = time.GetTimestamp();
        var reached = progress?.Invoke() ?? 0;
        for (var round = 0; ; round++)
        {
            NodeException? passing = null;
            NodeException? lasting = null;
            foreach (var url in Candidates())
            {
                try
                {
                    return await AtLeaderAsync(url, work);
                }
                catch (NodeException fault) when (fault.Remedy == RetryAdvice.OtherNode)
                {
                    lasting = fault;
                    Say(fault, urls.Count > 1);
                }
                catch (NodeException fault) when (fault.Remedy == RetryAdvice.Later)
                {
                    passing = fault;
                    Interlocked.CompareExchange(ref Known.Leader, null, fault.Node);
                }
            }

            if (passing is null)
            {
                throw lasting!;
            }

            if (progress?.Invoke() is { } now && now > reached)
            {
                (reached, started, round) = (now, time.GetTimestamp(), 0);
            }

            var left = retry.RetryFor - time.GetElapsedTime(started);
            if (left <= TimeSpan.Zero)
            {
                throw lasting ?? passing;
            }

            Say(passing, retry.RetryFor > TimeSpan.Zero);
            var pause =
                (passing as NodeProblemException)?.RetryAfter is { } asked && asked > TimeSpan.Zero
                    ? asked
                    : NodeRetry.Pause(round, _random);
            await Task.Delay(pause < left ? pause : left, time, cancellationToken);
        }
    }

    /// <summary>The same for work that returns nothing.</summary>
    public Task RunAsync(Func<NodeClient, Task> work, Func<long>? progress = null) =>
        RunAsync(
            async node =>
            {
                await work(node);
                return true;
            },
            progress
        );

    /// <summary>The files of a listing, whose pages are asked for as they are read.</summary>
    public async IAsyncEnumerable<FileResource> ListAsync(ListFilter filter)
    {
        string? after = null;
        do
        {
            var page = await RunAsync(node => node.GetAsync<FileListing>(filter.PathOfPage(after)));
            foreach (var file in page.Files)
            {
                yield return file;
            }

            after = page.Next;
        } while (after is not null);
    }

    private async Task<T> AtLeaderAsync<T>(Uri url, Func<NodeClient, Task<T>> work)
    {
        try
        {
            return await work(Client(url));
        }
        catch (NodeProblemException problem) when (problem.LeaderUrl is { } leader && leader != url)
        {
            if (Volatile.Read(ref Known.Leader) != leader && !await IsNodeAsync(leader, url))
            {
                throw new ForeignLeaderException(url, leader);
            }

            if (Interlocked.Exchange(ref Known.Leader, leader) != leader)
            {
                say($"{url.Display()} is a follower; continuing at the leader, {leader.Display()}");
            }

            return await work(Client(leader));
        }
    }

    /// <summary>Whether a node may be sent what is meant for the nodes that were given: it is one of them, or they list it, and it is as private.</summary>
    private async Task<bool> IsNodeAsync(Uri leader, Uri askedAt) =>
        urls.Contains(leader)
        || (
            IsAsPrivate(leader, askedAt)
            && (await Client(askedAt).GetAsync<ClusterResource>(Routes.Nodes)).Nodes.Any(node =>
                NodeUrl.TryParse(node.Url.OriginalString, out var known) && known == leader
            )
        );

    /// <summary>Whether what a node was sent may be sent where it leads to: no less encrypted, and not to what this machine alone reaches.</summary>
    public static bool IsAsPrivate(Uri named, Uri by) =>
        (named.Scheme == Uri.UriSchemeHttps || by.Scheme == Uri.UriSchemeHttp)
        && (!named.IsLoopback || by.IsLoopback)
        && !ClientHandler.IsLocalLink(named);

    private List<Uri> Candidates()
    {
        var leader = Volatile.Read(ref Known.Leader);
        return leader is null ? [.. urls] : [leader, .. urls.Where(url => url != leader)];
    }

    private NodeClient Client(Uri url) => new(url, http, time, retry.StallPeriod, cancellationToken);

    // Lanes meet the same fault together, and again in every round.
    private void Say(NodeException fault, bool worthIt)
    {
        if (worthIt && Interlocked.Exchange(ref Known.Said, fault.Message) != fault.Message)
        {
            say(
                fault.Remedy == RetryAdvice.Later
                    ? $"{fault.Message.TrimEnd('.')}; trying again"
                    : $"{fault.Message.TrimEnd('.')}; asking the next node"
            );
        }
    }

    /// <summary>What was learned of the nodes, and said of them last.</summary>
    private sealed class Knowledge
    {
        public Uri? Leader;
        public string? Said;
    }
}
