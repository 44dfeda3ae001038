using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;
using FileTransfer.Feed.Reconciliation;
using FileTransfer.Wants.Policies;

namespace FileTransfer.Cli.Reconcile;

/// <summary>One reconciliation: opens folders and catalog, decides, says what is found, and does it where that is asked for.</summary>
internal sealed class ReconcileRun(NodeSet nodes, CliConsole console, IReadOnlyList<string> writtenOff, bool applies)
{
    private readonly ReconcileBatch _batch = new(nodes);
    private readonly Dictionary<VerdictKind, long> _counts = [];

    public async Task<ExitCode> RunAsync(IReadOnlyList<string> dataDirectories, CancellationToken cancellationToken)
    {
        using var plan = await ReconcilePlan.OpenAsync(nodes, dataDirectories, applies);
        var missing = plan.MembersNotIn(writtenOff);
        foreach (var folder in plan.Folders.Where(folder => folder.Fault is not null))
        {
            console.Notice($"'{folder.Node}': {folder.Fault}; only its files larger than 64 KiB are known");
        }

        // What a node wants of what comes back is said first.
        var policies = await RestorePoliciesAsync(plan.Folders);
        await foreach (var verdict in plan.DecideAsync(cancellationToken))
        {
            _counts[verdict.Kind] = Count(verdict.Kind) + 1;
            if (verdict.Kind == VerdictKind.InOrder)
            {
                continue;
            }

            var line = VerdictLine.Of(verdict);
            console.Result(line.ToString(), line);
            if (applies && verdict.Kind is VerdictKind.Restore or VerdictKind.Remove)
            {
                await _batch.AddAsync(verdict);
            }
        }

        if (applies)
        {
            await _batch.SendAsync();
        }

        var undone = Count(VerdictKind.Lost) + Count(VerdictKind.Undecided) + _batch.Changed.Count;
        if (applies && missing.Count == 0 && _batch.Changed.Count == 0)
        {
            // All that was remembered is back or listed: from now on what nothing refers to may be collected again.
            foreach (var folder in plan.Folders.OfType<RunningFolder>())
            {
                await folder.Client.RunAsync(node => node.TellAsync(HttpMethod.Delete, $"{Routes.Orphans}/hold"));
            }
        }

        Summarize(missing, policies);
        var isDone = applies
            ? undone == 0 && missing.Count == 0
            : undone == 0 && Count(VerdictKind.Restore) + Count(VerdictKind.Remove) + policies == 0;
        return isDone ? ExitCode.Ok : ExitCode.NotComplete;
    }

    /// <summary>Gives nodes that run the policies back that they remember, where the catalog has none of that bucket for them.</summary>
    /// <returns>How many there are to give back, or were.</returns>
    private async Task<int> RestorePoliciesAsync(IReadOnlyList<KnownFolder> folders)
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
                restored += await RestorePolicyAsync(running, policy) ? 1 : 0;
            }
        }

        return restored;
    }

    private async Task<bool> RestorePolicyAsync(RunningFolder folder, FolderPolicyResource remembered)
    {
        var policy = KnownFolder.Parse(remembered);
        if (policy.IsEverything || !ByteString.TryParseHex(remembered.Bucket, out var bucket))
        {
            return false;
        }

        var path = Routes.Of(Routes.Policy, bucket);
        var present = await folder.Client.RunAsync(node => node.GetAsync<PolicyResource>(path));
        if (present.ChangedAt is not null)
        {
            return false;
        }

        console.Notice($"policy\t{folder.Node}\t{bucket}\t{remembered.Kind} {string.Join(' ', remembered.Filters)}");
        if (applies)
        {
            var definition = policy.ToDefinition();
            await folder.Client.RunAsync(node =>
                node.AskAsync<PolicyResource>(HttpMethod.Put, path, NodeClient.Json(definition))
            );
        }

        return true;
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
        console.Result(summary.ToString(), summary);
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
