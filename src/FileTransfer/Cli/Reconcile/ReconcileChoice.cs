using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;
using FileTransfer.Feed.Reconciliation;

namespace FileTransfer.Cli.Reconcile;

/// <summary>Does what a person has decided about single files.</summary>
internal sealed class ReconcileChoice(NodeSet nodes, CliConsole console)
{
    /// <summary>Registers and adds the files again, with the metadata that a folder with their content remembers.</summary>
    public async Task<ExitCode> RestoreAsync(
        IReadOnlyCollection<FileKey> keys,
        IReadOnlyList<string> dataDirectories,
        CancellationToken cancellationToken
    )
    {
        var (left, batch) = (keys.ToHashSet(), new ReconcileBatch(nodes));
        using var plan = await ReconcilePlan.OpenAsync(nodes, dataDirectories, proves: true);
        await foreach (var verdict in plan.DecideAsync(cancellationToken))
        {
            if (!left.Remove(verdict.Key))
            {
                continue;
            }

            if (verdict.Kind == VerdictKind.InOrder && verdict.Catalog is { State: not Catalog.FileState.Removed })
            {
                console.Notice($"{verdict.Key} is in the catalog already");
                continue;
            }

            if (verdict.Metadata is null || verdict.Holders.Count == 0)
            {
                var why = $"None of these folders has the content of {verdict.Key}, so it cannot be restored: {verdict.Reason}.";
                throw new CliException(ExitCode.NotFound, why);
            }

            await batch.AddAsync(verdict with { Kind = VerdictKind.Restore });
        }

        await batch.SendAsync();
        foreach (var key in left)
        {
            console.Notice($"{key} is not known to any of these folders");
        }

        foreach (var key in batch.Changed)
        {
            console.Notice($"{key} was changed by somebody else meanwhile; look at it again");
        }

        console.Notice($"{batch.Restored} restored");
        return left.Count + batch.Changed.Count == 0 ? ExitCode.Ok : ExitCode.NotFound;
    }

    /// <summary>Lets the folders forget the files.</summary>
    public async Task<ExitCode> DiscardAsync(IReadOnlyCollection<FileKey> keys)
    {
        foreach (var (node, key) in nodes.Each().SelectMany(_ => keys, (node, key) => (node, key)))
        {
            await node.RunAsync(client => client.TellAsync(HttpMethod.Delete, $"{Routes.Reconcile}/folder/{key}"));
        }

        console.Notice($"{keys.Count} discarded");
        return ExitCode.Ok;
    }
}
