using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;

namespace FileTransfer.Cli.Doctor;

/// <summary>The nodes as whoever calls them finds them.</summary>
internal sealed class NodeChecks(
    NodeSet nodes,
    Findings findings,
    Clocks clocks,
    TimeProvider time,
    CancellationToken cancellationToken
)
{
    private const string All = "all";
    private const int Tries = 3;

    private static readonly TimeSpan _answersWithin = TimeSpan.FromSeconds(5);
    private static readonly string[] _phases = ["probe put", "probe followed", "probe read", "probe removed"];

    private CallerResource? _caller;
    private ClusterResource? _cluster;
    private Uri? _asked;

    public async Task RunAsync(IReadOnlyList<string> peers, bool probes)
    {
        foreach (var node in nodes.Each())
        {
            await findings.CheckAsync("node", () => LookAtAsync(node, isAsked: true));
        }

        if (_asked is null)
        {
            findings.Skip("no node answered", ["token", "cluster", .. _phases, .. peers.Select(peer => $"peer {peer}")]);
            return;
        }

        await findings.CheckAsync("token", LookAtTokenAsync);
        await findings.CheckAsync("cluster", LookAtClusterAsync);
        if ((probes ? HindranceOfProbe() : "--no-probe was given") is { } hindrance)
        {
            findings.Skip(hindrance, _phases);
            await LookAtPeersAsync(peers, probe: null);
            return;
        }

        var probe = new ProbeFile(nodes, time, cancellationToken);
        try
        {
            var isPut = await findings.CheckAsync("probe put", probe.PutAsync);
            if (isPut)
            {
                await findings.CheckAsync("probe followed", probe.FollowAsync);
                await findings.CheckAsync("probe read", () => probe.ReadAsync(nodes.At(_asked)));
            }
            else
            {
                findings.Skip("the probe was not put", "probe followed", "probe read");
            }

            await LookAtPeersAsync(peers, isPut ? probe : null);
        }
        finally
        {
            // Also where a phase failed, or somebody does not want to wait for the others.
            await findings.CheckAsync("probe removed", probe.RemoveAsync);
        }
    }

    private Task<Finding> LookAtAsync(NodeSet at, bool isAsked) =>
        at.RunAsync(async node =>
        {
            var fastest = TimeSpan.MaxValue;
            for (var i = 0; i < Tries; i++)
            {
                var began = time.GetTimestamp();
                await node.GetHealthAsync($"{Routes.Health}/live", _answersWithin);
                fastest = time.GetElapsedTime(began) is var took && took < fastest ? took : fastest;
            }

            var asked = time.GetUtcNow();
            var (status, health, date) = await node.GetHealthAsync($"{Routes.Health}/ready", _answersWithin);
            clocks.AddDate(node.Node.Display(), date, asked);
            _asked ??= isAsked ? node.Node : null;
            var seen = string.Create(
                CultureInfo.InvariantCulture,
                $"{node.Node.Display()} {health?.Status ?? $"answered {(int)status}"}, {fastest.TotalMilliseconds:0.0} ms{HealthText.IllsOf(health)}"
            );
            var found =
                status != HttpStatusCode.OK ? Finding.Critical(seen, "The log of the node says more")
                : health?.Status == "healthy" ? Finding.Ok(seen)
                : Finding.Warning(seen, "docs/operations.md says what each check means");
            return found with { Figures = new() { ["milliseconds"] = Math.Round(fastest.TotalMilliseconds, 2) } };
        });

    private async Task<Finding> LookAtTokenAsync()
    {
        try
        {
            _caller = await nodes.RunAsync(node => node.GetAsync<CallerResource>(Routes.Caller));
        }
        catch (NodeProblemException problem) when (problem.Status == HttpStatusCode.NotFound)
        {
            return Finding.Unknown("the node is of an earlier program, which does not say", "Upgrade the node");
        }
        catch (NodeProblemException problem) when (problem.Code == ExitCode.Refused)
        {
            return Finding.Critical(problem.Message, "Give it as FILETRANSFER_TOKEN or --token");
        }

        if (_caller.Name == AccessScopes.Anonymous)
        {
            return Finding.Skipped("the node asks for none: whoever reaches it from here may do everything");
        }

        var only = string.Join(' ', _caller.Buckets.Concat(_caller.Owners));
        return Finding.Ok(
            $"'{_caller.Name}' has {string.Join(", ", _caller.Scopes)}{(only.Length > 0 ? $", for {only} alone" : "")}"
        );
    }

    private async Task<Finding> LookAtClusterAsync()
    {
        _cluster = await nodes.RunAsync(node => node.GetAsync<ClusterResource>(Routes.Nodes));
        var seen =
            $"'{_cluster.Cluster}' of {_cluster.Nodes.Count} nodes, {(_cluster.Leader is { } leader ? $"{leader} leads" : "nobody leads")}";
        var ills = _cluster
            .Nodes.Select(node =>
                node.Fault is { } fault ? $"{node.Node}: {fault}"
                : !node.Alive ? $"{node.Node} has not been heard from since {node.SeenAt:u}"
                : node.Failed > 0 ? $"{node.Failed} files have failed at {node.Node}"
                : null
            )
            .OfType<string>()
            .ToList();
        return _cluster.Leader is null ? Finding.Critical(seen, "'filetransfer healthcheck --cluster' says why")
            : ills.Count == 0 ? Finding.Ok(seen)
            : Finding.Warning($"{seen}; {string.Join("; ", ills)}", "'filetransfer status' says what each node has");
    }

    private string? HindranceOfProbe() =>
        _cluster?.Leader is null ? "there is no leader to put it at"
        : _caller is null ? "what the token may do is not known"
        : !_caller.Scopes.Contains(AccessScopes.Write) ? "the token does not have the scope write"
        : !ProbeFile.IsOf(_caller) ? $"the token is not for the bucket {ProbeFile.Bucket}"
        : null;

    private async Task LookAtPeersAsync(IReadOnlyList<string> peers, ProbeFile? probe)
    {
        if (_cluster is null)
        {
            findings.Skip("the nodes of the cluster are not known", [.. peers.Select(peer => $"peer {peer}")]);
            return;
        }

        foreach (var name in peers.Contains(All) ? _cluster.Nodes.Select(node => node.Node) : peers)
        {
            var peer = _cluster.Nodes.FirstOrDefault(node => node.Node == name);
            await findings.CheckAsync($"peer {name}", () => LookAtPeerAsync(peer, probe));
        }
    }

    private async Task<Finding> LookAtPeerAsync(NodeResource? peer, ProbeFile? probe)
    {
        if (peer is null || !NodeUrl.TryParse(peer.Url.OriginalString, out var url))
        {
            return Finding.Critical(
                peer is null ? "the cluster has no node of that name" : $"'{peer.Url.OriginalString}' is no URL of a node",
                "'filetransfer status' shows the nodes"
            );
        }

        if (!NodeSet.IsAsPrivate(url, _asked!))
        {
            return Finding.Warning(
                $"{url.Display()} is not reached by https, or from this machine alone, so that it is not sent the token",
                "Set its FileTransfer:AdvertisedUrl to one of https that others reach"
            );
        }

        var found = await LookAtAsync(nodes.At(url), isAsked: false);
        if (probe?.IsAt(peer.Node) != true)
        {
            return found with { Seen = $"{found.Seen}; no rate without a probe there" };
        }

        var rate = await probe.RateAsync(nodes.At(url));
        found.Figures!["megabytesPerSecond"] = rate;
        return found with { Seen = string.Create(CultureInfo.InvariantCulture, $"{found.Seen}; {rate} MB/s") };
    }
}
