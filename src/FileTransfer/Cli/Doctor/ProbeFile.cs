using System.Security.Cryptography;
using FileTransfer.Chunks;
using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Cli.Doctor;

/// <summary>A file that takes the way of all files: put at the leader, followed to the other nodes, read, and removed for good.</summary>
internal sealed class ProbeFile
{
    /// <summary>Large enough to be no small content, which goes another way.</summary>
    private const int Size = 4 * 1024 * 1024;

    private const string Stored = "stored";

    private static readonly TimeSpan _putWithin = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(50);

    private readonly NodeSet _nodes;
    private readonly TimeProvider _time;
    private readonly CancellationToken _cancellationToken;
    private readonly byte[] _content = RandomNumberGenerator.GetBytes(Size);
    private readonly FileMetadata _metadata;
    private readonly FileKey _key;
    private HashSet<string> _storedAt = [];

    public ProbeFile(NodeSet nodes, TimeProvider time, CancellationToken cancellationToken)
    {
        (_nodes, _time, _cancellationToken) = (nodes, time, cancellationToken);
        var location = ByteString.FromUtf8($"probe/{Guid.NewGuid():N}");
        _metadata = new FileMetadata(Bucket, Bucket, location, Size, ContentFingerprint.Of(_content));
        _key = _metadata.ComputeKey();
    }

    /// <summary>Of its own, so that nobody's policy, quota or listing is about it by accident; the owner is called the same.</summary>
    public static ByteString Bucket { get; } = ByteString.FromUtf8("filetransfer-doctor");

    private string Path => Routes.Of(Routes.File, _key);

    /// <summary>Whether a token lets its holder put it.</summary>
    public static bool IsOf(CallerResource caller) => IsIn(caller.Buckets) && IsIn(caller.Owners);

    public bool IsAt(string node) => _storedAt.Contains(node);

    public async Task<Finding> PutAsync()
    {
        var began = _time.GetTimestamp();
        var route = $"{Routes.Files}?owner={Bucket}&bucket={Bucket}&location={_metadata.Location.AsUtf8()}";
        var leader = await _nodes.RunAsync(async node =>
        {
            await node.AskAsync<FileResource>(HttpMethod.Post, route, new ByteArrayContent(_content), _putWithin);
            return node.Node;
        });
        return Timed($"{SizeText.Of(Size)} at {leader.Display()}", began, isRate: true);
    }

    /// <summary>Until every node that lives, and that wants it, has it.</summary>
    public async Task<Finding> FollowAsync()
    {
        var began = _time.GetTimestamp();
        while (true)
        {
            var (file, alive) = await LookAsync(_nodes);
            _storedAt = [.. file.Replicas!.Where(one => one.State == Stored).Select(one => one.Node)];
            var lacking = alive.Except(_storedAt).Except(file.NotWantedAt ?? []).ToList();
            if (lacking.Count == 0)
            {
                return Timed($"at {string.Join(", ", _storedAt.Order(StringComparer.Ordinal))}", began, isRate: false);
            }

            if (_time.GetElapsedTime(began) > _patience)
            {
                var why = lacking.Select(node =>
                    $"{node}: {file.Replicas!.FirstOrDefault(one => one.Node == node)?.Reason ?? "no reason is given"}"
                );
                return Finding.Critical(
                    $"after {_patience.TotalSeconds:0} s it is not at {string.Join("; ", why)}",
                    "The log of that node, and its /health/ready, say more"
                );
            }

            await Task.Delay(_pause, _time, _cancellationToken);
        }
    }

    public async Task<Finding> ReadAsync(NodeSet at)
    {
        var began = _time.GetTimestamp();
        try
        {
            await FetchAsync(at);
        }
        catch (NodeProblemException problem) when (problem.Code is ExitCode.NotComplete or ExitCode.NotFound)
        {
            return Finding.Skipped($"the node does not have it: {problem.Message}");
        }

        return Timed("proven", began, isRate: true);
    }

    /// <returns>Megabytes a second.</returns>
    public async Task<double> RateAsync(NodeSet at)
    {
        var began = _time.GetTimestamp();
        await FetchAsync(at);
        return RateOf(_time.GetElapsedTime(began));
    }

    /// <summary>With patience and a time of its own: whoever ends the program wants nothing left behind.</summary>
    public async Task<Finding> RemoveAsync()
    {
        var began = _time.GetTimestamp();
        using var end = new CancellationTokenSource(_patience, _time);
        var nodes = _nodes.Until(end.Token);
        var (isRemoved, last) = (false, "no answer came");
        while (true)
        {
            try
            {
                if (!isRemoved)
                {
                    await nodes.RunAsync(node => node.FindAsync<KeptFile>(HttpMethod.Delete, $"{Path}?now=true"));
                    isRemoved = true;
                }

                var (file, alive) = await LookAsync(nodes);
                if (!file.Replicas!.Any(one => alive.Contains(one.Node)))
                {
                    return Timed("gone from every node that lives", began, isRate: false);
                }
            }
            catch (NodeProblemException problem) when (problem.Code == ExitCode.NotFound)
            {
                return isRemoved ? Timed("gone", began, isRate: false) : Finding.Skipped("there is nothing to remove");
            }
            catch (NodeException fault) when (fault.Remedy == RetryAdvice.Later && !end.IsCancellationRequested)
            {
                last = fault.Message;
            }
            catch (OperationCanceledException) when (end.IsCancellationRequested)
            {
                return isRemoved
                    ? Finding.Warning("it is removed, and not all nodes have deleted it yet", "They do when they can")
                    : Finding.Critical($"it could not be removed: {last}", $"'filetransfer remove {_key} --now' does it");
            }

            await Task.Delay(_pause, _time, end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<(FileResource File, HashSet<string> Alive)> LookAsync(NodeSet nodes) =>
        await nodes.RunAsync(async node =>
        {
            var cluster = await node.GetAsync<ClusterResource>(Routes.Nodes);
            var alive = cluster.Nodes.Where(one => one.Alive && one.Fault is null).Select(one => one.Node);
            return (await node.GetAsync<FileResource>(Path), alive.ToHashSet());
        });

    private async Task FetchAsync(NodeSet at)
    {
        using var target = new DownloadTarget(null, _key, _metadata);
        await new FileGet(at, _key).FetchAsync(target, new Progress<long>(), _cancellationToken);
    }

    private Finding Timed(string seen, long began, bool isRate)
    {
        var took = _time.GetElapsedTime(began);
        var figures = new Dictionary<string, double> { ["milliseconds"] = Math.Round(took.TotalMilliseconds, 1) };
        var words = string.Create(CultureInfo.InvariantCulture, $"{seen} after {took.TotalMilliseconds:0} ms");
        if (isRate)
        {
            figures["megabytesPerSecond"] = RateOf(took);
            words += string.Create(CultureInfo.InvariantCulture, $", {RateOf(took)} MB/s");
        }

        return Finding.Ok(words) with
        {
            Figures = figures,
        };
    }

    private static double RateOf(TimeSpan took) => Math.Round(Size / 1e6 / took.TotalSeconds, 1);

    private static bool IsIn(IReadOnlyList<string> ids) => ids.Count == 0 || ids.Contains(Bucket.ToString());
}
