using FileTransfer.Chunks;
using FileTransfer.Chunks.Folder;

namespace FileTransfer.Cluster;

/// <summary>Why a node does not join the catalog that it finds, and what a person can do.</summary>
internal static class CatalogRefusal
{
    public static FatalStartException OfOtherCluster(string held, ThisNode node) =>
        new(
            $"The database holds cluster '{held}', and this node belongs to '{node.ClusterId}'. "
                + "Set FileTransfer:ClusterId to the former, or ConnectionStrings:Postgres to another database."
        );

    public static FatalStartException Of(
        CatalogAdmission.Foreign foreign,
        CatalogIdentity found,
        FolderIdentity? known,
        ChunkStore store,
        Database database
    )
    {
        var server = new NpgsqlConnectionStringBuilder(database.Source.ConnectionString);
        var own =
            known?.SupersededBy is { } later ? $" (that of node '{later.Node}')"
            : known is { } current ? $" (database '{current.Database}' of system {current.SystemIdentifier})"
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
}
