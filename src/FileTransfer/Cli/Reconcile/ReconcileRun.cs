using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;
using FileTransfer.Contracts;
using FileTransfer.Feed.Reconciliation;

namespace FileTransfer.Cli.Reconcile;

/// <summary>One reconciliation: opens folders and catalog, decides, says what is found, and does it where that is asked for.</summary>
public sealed class ReconcileRun(NodeSet nodes, CliConsole console, IReadOnlyList<string> writtenOff, bool applies)
{
    private readonly ReconcileBatch _batch = new(nodes);
    private readonly Dictionary<VerdictKind, long> _counts = [];

    public async Task<ExitCode> RunAsync(IReadOnlyList<string> dataDirectories, CancellationToken cancellationToken)
    {
        using var folders = await FolderSet.OpenAsync(nodes, dataDirectories, applies, cancellationToken);
        using var catalog = await nodes.RunAsync((client, token) => client.OpenCatalogAsync(token), cancellationToken);
        var about = await catalog.ReadAsync() ?? new CatalogLine([], [], null);
        return await RunAsync(folders.All, new ReconcilePlan(folders.All, catalog, about), cancellationToken);
    }

    private async Task<ExitCode> RunAsync(
        IReadOnlyList<KnownFolder> folders,
        ReconcilePlan plan,
        CancellationToken cancellationToken
    )
    {
        var missing = plan.MembersNotIn(writtenOff);
        foreach (var folder in folders.Where(folder => folder.Fault is not null))
        {
            console.Notice($"'{folder.Node}': {folder.Fault}; only its files larger than 64 KiB are known");
        }

        // What a node wants of what comes back is said first.
        var policies = await RestorePoliciesAsync(folders, cancellationToken);
        await foreach (var verdict in plan.DecideAsync(cancellationToken))
        {
            _counts[verdict.Kind] = Count(verdict.Kind) + 1;
            if (verdict.Kind == VerdictKind.InOrder)
            {
                continue;
            }

            var line = VerdictLine.Of(verdict);
            console.Result(line.ToString(), line, () => CliJson.Default.VerdictLine);
            if (applies && verdict.Kind is VerdictKind.Restore or VerdictKind.Remove)
            {
                await _batch.AddAsync(verdict, cancellationToken);
            }
        }

        if (applies)
        {
            await _batch.SendAsync(cancellationToken);
        }

        var undone = Count(VerdictKind.Lost) + Count(VerdictKind.Undecided) + _batch.Changed.Count;
        if (applies && missing.Count == 0 && _batch.Changed.Count == 0)
        {
            await ReleaseAsync(folders, cancellationToken);
        }

        Summarize(missing, policies);
        var isDone = applies
            ? undone == 0 && missing.Count == 0
            : undone == 0 && Count(VerdictKind.Restore) + Count(VerdictKind.Remove) + policies == 0;
        return isDone ? ExitCode.Ok : ExitCode.NotComplete;
    }

    /// <summary>Gives nodes that run the policies back that they remember, where the catalog has none of that bucket for them.</summary>
    /// <returns>How many there are to give back, or were.</returns>
    private async Task<int> RestorePoliciesAsync(IReadOnlyList<KnownFolder> folders, CancellationToken cancellationToken)
    {
        var restored = 0;
        foreach (var folder in folders)
        {
            if (folder is not RunningFolder running)
            {
                if (folder.Policies.Count > 0)
                {
                    console.Notice(
                        $"'{folder.Node}' remembers {folder.Policies.Count} policies; they come back when it runs and this is run again with its --url"
                    );
                }

                continue;
            }

            foreach (var policy in running.Policies)
            {
                restored += await RestorePolicyAsync(running, policy, cancellationToken) ? 1 : 0;
            }
        }

        return restored;
    }

    private async Task<bool> RestorePolicyAsync(
        RunningFolder folder,
        FolderPolicyResource remembered,
        CancellationToken cancellationToken
    )
    {
        var policy = KnownFolder.Parse(remembered);
        if (policy.IsEverything || !ByteString.TryParseHex(remembered.Bucket, out var bucket))
        {
            return false;
        }

        var present = await folder.Client.RunAsync((client, token) => client.GetPolicyAsync(bucket, token), cancellationToken);
        if (present.ChangedAt is not null)
        {
            return false;
        }

        console.Notice($"policy\t{folder.Node}\t{bucket}\t{remembered.Kind} {string.Join(' ', remembered.Filters)}");
        if (applies)
        {
            await folder.Client.RunAsync(
                (client, token) => client.SetPolicyAsync(bucket, policy, prune: false, token),
                cancellationToken
            );
        }

        return true;
    }

    /// <summary>All that was remembered is back or listed: from now on what nothing refers to may be collected again.</summary>
    private static async Task ReleaseAsync(IReadOnlyList<KnownFolder> folders, CancellationToken cancellationToken)
    {
        foreach (var folder in folders.OfType<RunningFolder>())
        {
            await folder.Client.RunAsync((client, token) => client.ReleaseCollectionAsync(token), cancellationToken);
        }
    }

    private void Summarize(IReadOnlyList<string> missing, int policies)
    {
        var summary = new ReconcileSummary(
            applies,
            Count(VerdictKind.InOrder),
            applies ? _batch.Restored : Count(VerdictKind.Restore),
            applies ? _batch.Removed : Count(VerdictKind.Remove),
            Count(VerdictKind.StaysRemoved),
            Count(VerdictKind.Lost),
            Count(VerdictKind.Undecided),
            _batch.Changed.Count,
            policies,
            missing
        );
        console.Result(summary.ToString(), summary, () => CliJson.Default.ReconcileSummary);
        if (missing.Count > 0)
        {
            console.Notice(
                $"Not looked at: {string.Join(", ", missing)}. Name their folders too, or write them off with --without; until then no node collects what nothing refers to."
            );
        }

        if (!applies && summary.Restored + summary.Removed + policies > 0)
        {
            console.Notice("Nothing was changed. Run it again with --apply to do this.");
        }

        if (summary.Undecided > 0)
        {
            console.Notice(
                "Decide on what is undecided: filetransfer reconcile restore KEY…, or filetransfer reconcile discard KEY…"
            );
        }
    }

    private long Count(VerdictKind kind) => _counts.GetValueOrDefault(kind);
}
