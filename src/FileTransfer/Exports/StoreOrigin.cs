using FileTransfer.Catalog;
using FileTransfer.Chunks;
using FileTransfer.Chunks.Frames;

namespace FileTransfer.Exports;

/// <summary>The files of a data folder of this process; what they are called is in the node's database.</summary>
/// <param name="links">Whether the share may have the store's own files, where both are on one disk.</param>
public class StoreOrigin(ChunkStore store, NpgsqlDataSource database, bool links) : IExportOrigin
{
    private const int RunLength = 256 * ChunkFrame.ChunkLength;

    protected ChunkStore Store => store;

    protected NpgsqlDataSource Database => database;

    public async IAsyncEnumerable<ExportFile> FilesAsync(
        ExportFilter filter,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
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
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await FindAsync(connection, key, cancellationToken)
            ?? throw new ExportException(ExportFault.Gone, $"The database knows no file {key}, or it was removed.");
    }

    public async Task<bool> HasRemovedAsync(FileKey key, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await FileCatalog.FindAsync(connection, key, cancellationToken) is { State: FileState.Removed };
    }

    /// <summary>By reflink where the disk can, else a copy; the file itself where links are asked for.</summary>
    public async Task<ExportMeans> FetchAsync(
        ExportFile file,
        DownloadTarget target,
        IProgress<long> progress,
        CancellationToken cancellationToken
    )
    {
        using var content = Open(file.Key);
        if (content.File is { } stored)
        {
            var means =
                links && await target.TryLinkAsync(stored, cancellationToken) ? ExportMeans.Link
                : await target.TryCloneAsync(stored, cancellationToken) ? ExportMeans.Reflink
                : ExportMeans.Copy;
            if (means != ExportMeans.Copy)
            {
                progress.Report(target.BytesWritten);
                return target.Prove() ? means : throw Damaged(file.Key, target);
            }
        }

        while (true)
        {
            await CopyAsync(content, target, progress, cancellationToken);
            if (target.Prove())
            {
                return ExportMeans.Copy;
            }

            if (!target.IsResumed)
            {
                throw Damaged(file.Key, target);
            }

            target.Restart(); // What an export before this one has left was wrong.
        }
    }

    public ExportFault FaultOf(Exception fault) =>
        fault switch
        {
            ExportException own => own.Fault,
            ContentDamagedException => ExportFault.NotProven,
            _ => ExportFault.OfAll,
        };

    private OpenContent Open(FileKey key)
    {
        try
        {
            return store.TryOpen(key)
                ?? throw new ExportException(ExportFault.Gone, $"{key} is not stored in {store.DataDirectory}.");
        }
        catch (ContentDamagedException)
        {
            throw Damaged(key, null);
        }
    }

    private ExportException Damaged(FileKey key, DownloadTarget? target)
    {
        target?.Restart();
        return new ExportException(
            ExportFault.NotProven,
            $"The content of {key} in {store.DataDirectory} is damaged. Its node downloads the file again."
        );
    }

    private static async Task<ExportFile?> FindAsync(
        NpgsqlConnection connection,
        FileKey key,
        CancellationToken cancellationToken
    ) =>
        await FileCatalog.FindAsync(connection, key, cancellationToken) is { State: not FileState.Removed } file
        && file.Metadata.ComputeKey() == key
            ? new ExportFile(key, file.Metadata)
            : null;

    private static async Task CopyAsync(
        OpenContent content,
        DownloadTarget target,
        IProgress<long> progress,
        CancellationToken cancellationToken
    )
    {
        var chunks = new byte[RunLength];
        while (target.BytesWritten < target.Size)
        {
            var offset = target.BytesWritten;
            var run = chunks.AsMemory(0, (int)Math.Min(chunks.Length, target.Size - offset));
            content.ReadExactly(offset, run.Span);
            await target.WriteAsync(target.NextChunk, run, cancellationToken);
            progress.Report(target.BytesWritten);
        }
    }
}
