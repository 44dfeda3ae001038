using FileTransfer.Cli.Client;
using FileTransfer.Contracts;
using FileTransfer.Feed.Reconciliation;

namespace FileTransfer.Cli.Reconcile;

/// <summary>Compares the folders with the catalog, file by file, in bounded memory.</summary>
public sealed class ReconcilePlan(IReadOnlyList<KnownFolder> folders, NdjsonAnswer<CatalogLine> catalog, CatalogLine about)
{
    private readonly Judge _judge = new(
        new FeedOrder([.. folders.SelectMany(folder => folder.Epochs), .. about.Epochs?.Select(epoch => epoch.ToEpoch()) ?? []])
    );

    /// <summary>The nodes that anybody knows of and whose folder is neither here nor written off.</summary>
    public IReadOnlyList<string> MembersNotIn(IReadOnlyCollection<string> writtenOff) =>
        [
            .. folders
                .SelectMany(folder => folder.Members)
                .Concat(about.Members ?? [])
                .Except(folders.Select(folder => folder.Node))
                .Except(writtenOff)
                .Order(StringComparer.Ordinal),
        ];

    /// <summary>What is to become of each file, in the order of the keys; those in order too.</summary>
    public async IAsyncEnumerable<Verdict> DecideAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var all = EvidenceMerge.OfAllAsync([.. folders.Select(folder => folder.ReadAsync(cancellationToken))], CatalogAsync());
        await foreach (var (key, said, known) in all.WithCancellation(cancellationToken))
        {
            yield return _judge.Decide(key, said, known);
        }
    }

    private async IAsyncEnumerable<CatalogEvidence> CatalogAsync()
    {
        while (await catalog.ReadAsync() is { File: { } file })
        {
            yield return file.ToEvidence();
        }
    }
}
