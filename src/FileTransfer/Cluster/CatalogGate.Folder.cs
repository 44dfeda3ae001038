using FileTransfer.Chunks.Folder;

namespace FileTransfer.Cluster;

/// <content>What the folder is told of the catalog.</content>
public sealed partial class CatalogGate
{
    private CollectionHold? HoldFor(CatalogAdmission admission)
    {
        switch (admission)
        {
            case CatalogAdmission.Foreign foreign:
                Log.Adopted(logger, node.Id, foreign.Found, foreign.Expected);
                return new CollectionHold(
                    time.GetUtcNow(),
                    $"another catalog was adopted: found {foreign.Found}, expected {foreign.Expected}",
                    EndsByItself: false
                );
            case CatalogAdmission.Promoted promoted:
                Log.Promoted(logger, node.Id, promoted.Lost);
                return folder.Hold
                    ?? new CollectionHold(
                        time.GetUtcNow(),
                        $"the database server was promoted, and {promoted.Lost} mutations that were seen here are not known to have survived",
                        EndsByItself: promoted.Lost == 0
                    );
            default:
                return null;
        }
    }

    /// <summary>A catalog that a person has not looked at yet may not know all of them.</summary>
    private IReadOnlyList<string> Members(IReadOnlyList<string> known, CollectionHold? hold)
    {
        IReadOnlyList<string> before = hold is null ? [] : folder.Current?.Members ?? [];
        return [.. known.Append(node.Id.Value).Union(before).Order(StringComparer.Ordinal)];
    }

    private async Task<FolderIdentity> SeenAsync(
        NpgsqlConnection connection,
        CatalogIdentity found,
        IReadOnlyList<string> members,
        CollectionHold? hold,
        CancellationToken cancellationToken
    ) =>
        new(
            FolderIdentity.CurrentVersion,
            node.Id.Value,
            node.ClusterId,
            found.FeedEpoch!.Value,
            found.SystemIdentifier,
            found.Timeline,
            found.Database,
            found.Flushed,
            found.BinHeads!,
            time.GetUtcNow(),
            members,
            hold,
            await CatalogIdentity.MarksAsync(connection, found.BinHeads!, cancellationToken)
        );

    /// <summary>A folder of before says nothing; its contents do, where at least half of them are of files of this node.</summary>
    private async Task<bool> KnowsContentsAsync(CatalogIdentity found, CancellationToken cancellationToken)
    {
        if (!found.HasCatalog)
        {
            return false;
        }

        List<Fingerprint> contents = [.. store.Contents().Take(Sample).Select(content => content.Fingerprint)];
        var known = await replicas.ReferredToAsync(node.Id, contents, cancellationToken);
        return known.Count * 2 >= contents.Count;
    }
}
