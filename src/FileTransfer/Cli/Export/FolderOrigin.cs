using FileTransfer.Catalog;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Durability;
using FileTransfer.Cli.Client;
using FileTransfer.Exports;
using FileTransfer.Postgres.Embedded;
using Microsoft.Extensions.Logging.Abstractions;

namespace FileTransfer.Cli.Export;

/// <summary>The files in the data folder of a node that does not run; what they are called is in its database.</summary>
internal sealed class FolderOrigin(ChunkStore store, EmbeddedPostgres? embedded, NpgsqlDataSource database, bool links)
    : StoreOrigin(store, database, links),
        IAsyncDisposable
{
    /// <param name="folder">The data folder.</param>
    /// <param name="connectionString">The node's database; null = the private one in the folder, which is started for as long as this is open.</param>
    /// <param name="links">Whether the share may have the store's own files.</param>
    public static async Task<FolderOrigin> OpenAsync(
        string folder,
        string? connectionString,
        bool links,
        CancellationToken cancellationToken
    )
    {
        if (!Directory.Exists(Path.Combine(folder, "content")))
        {
            throw new CliException(ExitCode.Failed, $"{folder} is not a node's data folder: it has no folder 'content'.");
        }

        var source = DatabaseSource.Of(connectionString, folder);
        if (source.EmbeddedFolder is { } inside && !Directory.Exists(inside))
        {
            throw new CliException(
                ExitCode.Usage,
                $"{folder} has no private database. Give the node's with --database, or ask the running node with --url."
            );
        }

        CatalogTypes.Map();
        var opened = OpenStore(folder);
        EmbeddedPostgres? postgres = null;
        try
        {
            postgres = source.EmbeddedFolder is { } cluster
                ? await EmbeddedPostgres.StartAsync(cluster, null, NullLogger.Instance, cancellationToken)
                : null;
            return new FolderOrigin(opened, postgres, await ReachAsync(source.ConnectionString, cancellationToken), links);
        }
        catch
        {
            if (postgres is not null)
            {
                await postgres.DisposeAsync();
            }

            opened.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        if (embedded is not null)
        {
            await embedded.DisposeAsync();
        }

        Store.Dispose();
    }

    private static async Task<NpgsqlDataSource> ReachAsync(string connectionString, CancellationToken cancellationToken)
    {
        var database = NpgsqlDataSource.Create(connectionString);
        try
        {
            await using var connection = await database.OpenConnectionAsync(cancellationToken);
            return database;
        }
        catch (NpgsqlException fault)
        {
            await database.DisposeAsync();
            throw new CliException(
                ExitCode.Unreachable,
                $"The database cannot be used: {fault.GetBaseException().Message}. Check --database.",
                fault
            );
        }
    }

    private static ChunkStore OpenStore(string folder)
    {
        try
        {
            return new ChunkStore(folder, new FreeSpaceFloor(0), NullLogger<ChunkStore>.Instance);
        }
        catch (DataDirectoryInUseException fault)
        {
            throw new CliException(
                ExitCode.Failed,
                $"{folder} is in use{(fault.ProcessId is { } id ? $" by process {id}" : "")}. Ask the node that runs there, with --url.",
                fault
            );
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw LocalContent.Failure(folder, fault);
        }
    }
}
