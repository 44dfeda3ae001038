using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;
using FileTransfer.Contracts;
using FileTransfer.Feed.Reconciliation;

namespace FileTransfer.Cli.Reconcile;

/// <summary>Does what a person has decided about single files.</summary>
public sealed class ReconcileChoice(NodeSet nodes, CliConsole console)
{
    /// <summary>Registers and adds the files again, with the metadata that a folder with their content remembers.</summary>
    public async Task<ExitCode> RestoreAsync(
        IReadOnlyCollection<FileKey> keys,
        IReadOnlyList<string> dataDirectories,
        CancellationToken cancellationToken
    )
    {
        var (left, batch) = (keys.ToHashSet(), new ReconcileBatch(nodes));
        using var folders = await FolderSet.OpenAsync(nodes, dataDirectories, proves: true, cancellationToken);
        using var catalog = await nodes.RunAsync((client, token) => client.OpenCatalogAsync(token), cancellationToken);
        var about = await catalog.ReadAsync() ?? new CatalogLine([], [], null);
        await foreach (var verdict in new ReconcilePlan(folders.All, catalog, about).DecideAsync(cancellationToken))
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

            await batch.AddAsync(verdict with { Kind = VerdictKind.Restore }, cancellationToken);
        }

        await batch.SendAsync(cancellationToken);
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
    public async Task<ExitCode> DiscardAsync(IReadOnlyCollection<FileKey> keys, CancellationToken cancellationToken)
    {
        foreach (var (node, key) in nodes.Each().SelectMany(_ => keys, (node, key) => (node, key)))
        {
            await node.RunAsync((client, token) => client.ForgetAsync(key, token), cancellationToken);
        }

        console.Notice($"{keys.Count} discarded");
        return ExitCode.Ok;
    }
}
