using FileTransfer.Catalog.Replicas;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Folder;
using FileTransfer.Chunks.Ledger;
using FileTransfer.Identity;
using FileTransfer.Postgres;
using Microsoft.Extensions.Options;
using Npgsql;

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

    /// <summary>Judges the database without writing to it.</summary>
    /// <exception cref="FatalStartException">It is not this folder's, and nobody said to adopt it.</exception>
    public async Task<CatalogAdmission> AdmitAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var found = await CatalogIdentity.ReadAsync(connection, cancellationToken);
        if (found.ClusterId is { } held && held != node.ClusterId)
        {
            throw new FatalStartException(
                $"The database holds cluster '{held}', and this node belongs to '{node.ClusterId}'. "
                    + "Set FileTransfer:ClusterId to the former, or ConnectionStrings:Postgres to another database."
            );
        }

        var histories = await FeedEpochs.ReadAsync(connection, cancellationToken);
        var admission = await JudgeAsync(connection, found, histories, cancellationToken);
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

        return admission is CatalogAdmission.Foreign foreign && !_mayAdopt ? throw Refusal(foreign, found) : admission;
    }

    /// <summary>The node joins: makes sure of the feed's history, and writes down whose the folder is. After the catalog's own row is there.</summary>
    public async Task JoinAsync(NpgsqlConnection connection, CatalogAdmission admission, CancellationToken cancellationToken)
    {
        var found = await CatalogIdentity.ReadAsync(connection, cancellationToken);
        Guid? left = IsLeft(admission, found) ? found.FeedEpoch : null;
        var (epoch, replaced) = await FeedEpochs.SettleAsync(connection, found, left, cancellationToken);
        if (replaced is { } former)
        {
            Log.NewEpoch(logger, node.Id, former, epoch, found.Timeline);
        }

        history.Epochs = await FeedEpochs.ReadAsync(connection, cancellationToken);
        var hold = HoldFor(admission);
        var members = await MembersAsync(connection, hold ?? folder.Hold, cancellationToken);
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

    /// <summary>Looks again while the node is joined, and writes down how far the catalog is.</summary>
    /// <exception cref="FatalStartException">It is another one than before.</exception>
    public async Task RefreshAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var found = await CatalogIdentity.ReadAsync(connection, cancellationToken);
        if (await JudgeAsync(connection, found, history.Epochs, cancellationToken) is CatalogAdmission.Foreign foreign)
        {
            throw Refusal(foreign, found);
        }

        var members = await MembersAsync(connection, folder.Hold, cancellationToken);
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

    private async Task<CatalogAdmission> JudgeAsync(
        NpgsqlConnection connection,
        CatalogIdentity found,
        IReadOnlyList<LedgerEpoch> histories,
        CancellationToken cancellationToken
    )
    {
        var diverged = 0;
        if (found.HasCatalog && folder.Current is { HeadMarks: { } seen } known)
        {
            var here = await CatalogIdentity.MarksAsync(connection, known.BinHeads, cancellationToken);
            diverged = seen.Zip(here).Count(bin => bin.First is not null && bin.Second is not null && bin.First != bin.Second);
        }

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

    private CollectionHold? HoldFor(CatalogAdmission admission)
    {
        switch (admission)
        {
            case CatalogAdmission.Foreign foreign:
                Log.Adopted(logger, node.Id, foreign.Found, foreign.Expected);
                return new CollectionHold(
                    time.GetUtcNow(),
                    $"the catalog was adopted: found was {foreign.Found}, expected {foreign.Expected}",
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
    private async Task<IReadOnlyList<string>> MembersAsync(
        NpgsqlConnection connection,
        CollectionHold? hold,
        CancellationToken cancellationToken
    )
    {
        var known = await NodeDirectory.NamesAsync(connection, cancellationToken);
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

    private FatalStartException Refusal(CatalogAdmission.Foreign foreign, CatalogIdentity found)
    {
        var server = new NpgsqlConnectionStringBuilder(database.Source.ConnectionString);
        var own =
            folder.Current?.SupersededBy is { } later ? $" (that of node '{later.Node}')"
            : folder.Current is { } current ? $" (database '{current.Database}' of system {current.SystemIdentifier})"
            : "";
        return new FatalStartException(
            $"""
            Database '{found.Database}' at {server.Host} is not what the folder {store.DataDirectory} belongs to: found was {foreign.Found}; expected was {foreign.Expected}.
            Nothing was written to that database, and nothing was deleted here. There are three ways on:
            set ConnectionStrings:Postgres (FileTransfer:NodeId, FileTransfer:DataDirectory) to the right one{own};
            bring the catalog back from the folders: filetransfer reconcile;
            or go on with what is there: filetransfer serve --adopt-catalog, which deletes nothing that no file refers to until a person has looked.
            """
        );
    }

    private static partial class Log
    {
        [LoggerMessage(2100, LogLevel.Warning, "{File} could not be written, and says what was so before: {Reason}")]
        public static partial void NotWritten(ILogger logger, string file, string reason);

        [LoggerMessage(
            2101,
            LogLevel.Warning,
            "Node {Node} adopted another catalog: found was {Found}, expected was {Expected}. Nothing is collected here until 'filetransfer orphans discard' or 'filetransfer reconcile --apply'"
        )]
        public static partial void Adopted(ILogger logger, NodeId node, string found, string expected);

        [LoggerMessage(
            2102,
            LogLevel.Warning,
            "The database server of node {Node} is on a higher timeline; {Lost} mutations that were seen here are missing. Nothing is collected here until it is certain that nothing was lost"
        )]
        public static partial void Promoted(ILogger logger, NodeId node, long lost);

        [LoggerMessage(
            2103,
            LogLevel.Warning,
            "Node {Node} began the feed's history {Epoch} in place of {Former}: the database is a copy, or its server is on timeline {Timeline} now"
        )]
        public static partial void NewEpoch(ILogger logger, NodeId node, Guid former, Guid epoch, long timeline);
    }
}
