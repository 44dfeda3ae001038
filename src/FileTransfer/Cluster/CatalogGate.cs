using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Folder;
using FileTransfer.Chunks.Ledger;

namespace FileTransfer.Cluster;

/// <summary>Lets this node into a catalog only where it is the folder's own, and writes down which that is.</summary>
/// <remarks>
/// Asked before anything is written to a database: before its schema is touched, and at every join, for a database can be swapped or
/// restored under a running node; and now and then while the node is joined. Each refusal ends the process with what a person can do.
/// </remarks>
public sealed partial class CatalogGate(
    NodeFile folder,
    ChunkStore store,
    FolderLedger ledger,
    FeedHistory history,
    ReplicaTable replicas,
    Database database,
    ThisNode node,
    IOptions<NodeOptions> options,
    TimeProvider time,
    ILogger<CatalogGate> logger
)
{
    /// <summary>So many contents are looked for in the catalog to tell whether it knows a folder that does not say whose it is.</summary>
    private const int Sample = 1000;

    /// <summary>The operator's word counts for the first join of a process: what comes under it later he has not seen.</summary>
    private bool _mayAdopt = options.Value.AdoptCatalog;

    /// <exception cref="FatalStartException">It is not this folder's, and nobody said to adopt it.</exception>
    public async Task<CatalogAdmission> AdmitAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var found = await CatalogIdentity.ReadAsync(connection, cancellationToken);
        if (found.ClusterId is { } held && held != node.ClusterId)
        {
            throw CatalogRefusal.OfOtherCluster(held, node);
        }

        var histories = await FeedEpochs.ReadAsync(connection, cancellationToken);
        IReadOnlyList<string?> marks = found.HasCatalog
            ? await CatalogIdentity.MarksAsync(connection, KnownHeads, cancellationToken)
            : [];
        var admission = Judge(found, marks, histories);
        if (admission is not CatalogAdmission.Foreign)
        {
            admission = CatalogAdmission.Superseded(folder.Current, found, histories) ?? admission;
        }

        if (admission is CatalogAdmission.Unnamed && !await KnowsContentsAsync(found, cancellationToken))
        {
            admission = new CatalogAdmission.Foreign(
                $"a catalog that does not know most contents of this folder as those of node '{node.Id}'",
                "one that does"
            );
        }

        return admission is CatalogAdmission.Foreign foreign && !_mayAdopt
            ? throw CatalogRefusal.Of(foreign, found, folder.Current, store, database)
            : admission;
    }

    /// <summary>The node joins: makes sure of the feed's history, and writes down whose the folder is.</summary>
    public async Task JoinAsync(NpgsqlConnection connection, CatalogAdmission admission, CancellationToken cancellationToken)
    {
        const string cluster = """
            INSERT INTO filetransfer.cluster (cluster_id) VALUES (@cluster) ON CONFLICT (only_row) DO NOTHING;
            SELECT cluster_id FROM filetransfer.cluster
            """;
        var held = await connection.QuerySingleAsync<string>(cluster, new { cluster = node.ClusterId }, cancellationToken);
        if (held != node.ClusterId)
        {
            throw CatalogRefusal.OfOtherCluster(held, node);
        }

        var found = await CatalogIdentity.ReadAsync(connection, cancellationToken);
        Guid? left = IsLeft(admission, found) ? found.FeedEpoch : null;
        database.Joined.Set(found);
        var (epoch, replaced) = await FeedEpochs.SettleAsync(connection, found, left, cancellationToken);
        if (replaced is { } former)
        {
            Log.NewEpoch(logger, node.Id, former, epoch, found.Timeline);
        }

        history.Epochs = await FeedEpochs.ReadAsync(connection, cancellationToken);
        var hold = HoldFor(admission);
        var members = Members(await NodeDirectory.NamesAsync(connection, cancellationToken), hold ?? folder.Hold);
        var seen = await SeenAsync(connection, found with { FeedEpoch = epoch }, members, hold, cancellationToken);
        try
        {
            folder.Write(seen, joins: true);
            if (history.Epochs.ExceptBy(ledger.Epochs().Select(one => one.Epoch), one => one.Epoch).Any())
            {
                await ledger.SetEpochsAsync(history.Epochs);
            }
        }
        catch (IOException e) when (admission is CatalogAdmission.Same)
        {
            // A full disk, as a rule. The folder says whose it is already.
            Log.NotWritten(logger, folder.Path, e.Message);
        }

        _mayAdopt = false;
    }

    /// <summary>The sequences at which the folder knows marks of its catalog.</summary>
    internal IReadOnlyList<long> KnownHeads => folder.Current?.BinHeads ?? [];

    /// <summary>Looks again while the node is joined, and writes down how far the catalog is.</summary>
    public async Task RefreshAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        await RefreshAsync(connection, await CatalogLook.ReadAsync(connection, KnownHeads, cancellationToken), cancellationToken);

    /// <inheritdoc cref="RefreshAsync(NpgsqlConnection, CancellationToken)"/>
    /// <param name="connection">Of the node's session.</param>
    /// <param name="look">At the <see cref="KnownHeads"/>.</param>
    /// <param name="cancellationToken">Leaves all as it was.</param>
    internal async Task RefreshAsync(NpgsqlConnection connection, CatalogLook look, CancellationToken cancellationToken)
    {
        var found = look.Found;
        if (Judge(found, look.Marks, history.Epochs) is CatalogAdmission.Foreign foreign)
        {
            throw CatalogRefusal.Of(foreign, found, folder.Current, store, database);
        }

        var members = Members(look.Members, folder.Hold);
        if (
            folder.Current is { } current
            && !(current.BinHeads.SequenceEqual(found.BinHeads ?? []) && current.Members.SequenceEqual(members))
        )
        {
            try
            {
                folder.Write(await SeenAsync(connection, found, members, hold: null, cancellationToken));
            }
            catch (IOException e)
            {
                Log.NotWritten(logger, folder.Path, e.Message);
            }
        }
    }

    private CatalogAdmission Judge(CatalogIdentity found, IReadOnlyList<string?> marks, IReadOnlyList<LedgerEpoch> histories)
    {
        var diverged = found.HasCatalog
            ? (folder.Current?.HeadMarks ?? [])
                .Zip(marks)
                .Count(bin => bin is { First: { } seen, Second: { } here } && seen != here)
            : 0;
        return CatalogAdmission.Judge(
            folder.Current,
            node.Id.Value,
            node.ClusterId,
            store.Contents().Any(),
            found,
            [.. histories.Select(one => one.Epoch)],
            diverged
        );
    }

    /// <summary>An older state is adopted: the folder knows what came after it in that history, or has been in a later one.</summary>
    private bool IsLeft(CatalogAdmission admission, CatalogIdentity found) =>
        admission is CatalogAdmission.Foreign { IsOlder: var isOlder }
        && (
            isOlder || (found.FeedEpoch != folder.Current?.FeedEpoch && ledger.Epochs().Any(one => one.Epoch == found.FeedEpoch))
        );

    private static partial class Log
    {
        [LoggerMessage(2100, LogLevel.Warning, "Could not update {File}, which still describes an earlier state: {Reason}")]
        public static partial void NotWritten(ILogger logger, string file, string reason);

        [LoggerMessage(
            2101,
            LogLevel.Warning,
            "Node {Node} adopted another catalog: found {Found}, expected {Expected}. Nothing is collected here until 'filetransfer orphans discard' or 'filetransfer reconcile --apply'"
        )]
        public static partial void Adopted(ILogger logger, NodeId node, string found, string expected);

        [LoggerMessage(
            2102,
            LogLevel.Warning,
            "The database server of node {Node} is on a higher timeline; {Lost} mutations seen here are missing. Nothing is collected here until it is certain that nothing was lost"
        )]
        public static partial void Promoted(ILogger logger, NodeId node, long lost);

        [LoggerMessage(
            2103,
            LogLevel.Warning,
            "Node {Node} began feed epoch {Epoch} in place of {Former}: the database is a copy, or its server is now on timeline {Timeline}"
        )]
        public static partial void NewEpoch(ILogger logger, NodeId node, Guid former, Guid epoch, long timeline);
    }
}
