using FileTransfer.Catalog;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Durability;
using FileTransfer.Chunks.Frames;
using FileTransfer.Cli.Client;
using FileTransfer.Cli.Output;
using FileTransfer.Postgres.Embedded;
using Microsoft.Extensions.Logging.Abstractions;

namespace FileTransfer.Cli.Export;

/// <summary>The files in the data folder of a node that does not run; what they are called is in its database.</summary>
public sealed class FolderOrigin(ChunkStore store, EmbeddedPostgres? embedded, NpgsqlDataSource database) : IExportOrigin
{
    private const int RunLength = 256 * ChunkFrame.ChunkLength;

    /// <param name="folder">The data folder.</param>
    /// <param name="connectionString">The node's database; null = the private one in the folder, which is started for as long as this is open.</param>
    public static async Task<FolderOrigin> OpenAsync(string folder, string? connectionString, CancellationToken cancellationToken)
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
            return new FolderOrigin(opened, postgres, NpgsqlDataSource.Create(source.ConnectionString));
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

    public async IAsyncEnumerable<ExportFile> FilesAsync(
        ExportFilter filter,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await using var connection = await ConnectAsync(cancellationToken);
        foreach (var key in store.VisibleFiles())
        {
            if (await FindAsync(connection, key, cancellationToken) is { } file && filter.Lets(file.Metadata))
            {
                yield return file;
            }
        }
    }

    public async Task<ExportFile> FindAsync(FileKey key, CancellationToken cancellationToken)
    {
        await using var connection = await ConnectAsync(cancellationToken);
        return await FindAsync(connection, key, cancellationToken)
            ?? throw new CliException(ExitCode.NotFound, $"The database knows no file {key}, or it was removed.");
    }

    public async Task<bool> HasRemovedAsync(FileKey key, CancellationToken cancellationToken)
    {
        await using var connection = await ConnectAsync(cancellationToken);
        return await FileCatalog.FindAsync(connection, key, cancellationToken) is { State: FileState.Removed };
    }

    public async Task FetchAsync(ExportFile file, DownloadTarget target, TransferBar bar, CancellationToken cancellationToken)
    {
        using var content = Open(file.Key);
        while (true)
        {
            await CopyAsync(content, target, bar, cancellationToken);
            if (target.Prove())
            {
                return;
            }

            var isFoldersDoing = !target.IsResumed;
            target.Restart();
            if (isFoldersDoing)
            {
                throw Damaged(file.Key);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await database.DisposeAsync();
        if (embedded is not null)
        {
            await embedded.DisposeAsync();
        }

        store.Dispose();
    }

    private OpenContent Open(FileKey key)
    {
        try
        {
            return store.TryOpen(key)
                ?? throw new CliException(ExitCode.NotFound, $"{key} is not stored in {store.DataDirectory}.");
        }
        catch (ContentDamagedException)
        {
            throw Damaged(key);
        }
    }

    private CliException Damaged(FileKey key) =>
        new(
            ExitCode.NotProven,
            $"The content of {key} in {store.DataDirectory} is damaged. Start the node: it downloads the file again."
        );

    private static async Task<ExportFile?> FindAsync(
        NpgsqlConnection connection,
        FileKey key,
        CancellationToken cancellationToken
    ) =>
        await FileCatalog.FindAsync(connection, key, cancellationToken) is { State: not FileState.Removed } file
        && file.Metadata.ComputeKey() == key
            ? new ExportFile(key, file.Metadata)
            : null;

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

    private static async Task CopyAsync(
        OpenContent content,
        DownloadTarget target,
        TransferBar bar,
        CancellationToken cancellationToken
    )
    {
        var chunks = new byte[RunLength];
        while (target.BytesWritten < target.Size)
        {
            var offset = target.BytesWritten;
            var run = chunks.AsMemory(0, (int)Math.Min(chunks.Length, target.Size - offset));
            try
            {
                content.ReadExactly(offset, run.Span);
            }
            catch (ContentTruncatedException fault)
            {
                throw new CliException(ExitCode.NotProven, fault.Message, fault);
            }

            await target.WriteAsync(target.NextChunk, run, cancellationToken);
            bar.Report(target.BytesWritten);
        }
    }

    private async Task<NpgsqlConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await database.OpenConnectionAsync(cancellationToken);
        }
        catch (NpgsqlException fault)
        {
            throw new CliException(
                ExitCode.Unreachable,
                $"The database cannot be used: {fault.GetBaseException().Message}. Check --database.",
                fault
            );
        }
    }
}
