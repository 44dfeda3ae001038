using FileTransfer.Chunks;
using FileTransfer.Chunks.Durability;

namespace FileTransfer.Uploads.Ingest;

/// <summary>The disk has no room for a file now: it waits, and so do those behind it.</summary>
internal sealed class NoRoomException(string reason) : IOException(reason);

/// <summary>Copies files out of a watched folder, so that what is published is what was proven, whatever is written to them meanwhile.</summary>
internal sealed class FolderReader(ChunkStore store, DiskPressure disk)
{
    private const int PieceLength = 256 * 1024;

    /// <returns>Null where the file changed while it was read, or has gone: it was not complete.</returns>
    /// <exception cref="UnauthorizedAccessException">It cannot be read.</exception>
    /// <exception cref="NoRoomException">There is no room for the copy.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public async Task<FolderFile?> ReadAsync(IngestFolder folder, FolderEntry entry, CancellationToken cancellationToken)
    {
        if (entry.Size == 0)
        {
            return new FolderFile(
                entry,
                null,
                null,
                "it is empty, and an empty file cannot be transferred; nothing was published"
            );
        }

        if (disk.RefusalOf(entry.Size) is { } refusal)
        {
            throw new NoRoomException(refusal);
        }

        try
        {
            return ChunkStore.IsSmall(entry.Size)
                ? await ReadSmallAsync(folder, entry, cancellationToken)
                : await ReadLargeAsync(folder, entry, cancellationToken);
        }
        catch (DiskFullException full)
        {
            throw new NoRoomException(full.Message);
        }
        catch (IOException gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private static async Task<FolderFile?> ReadSmallAsync(
        IngestFolder folder,
        FolderEntry entry,
        CancellationToken cancellationToken
    )
    {
        var size = (int)entry.Size;
        var memory = MemoryPool<byte>.Shared.Rent(size);
        FolderFile? read = null;
        try
        {
            using var file = Open(entry);
            if (await FillAsync(file, memory.Memory[..size], 0, cancellationToken) == size && IsUnchanged(folder, entry))
            {
                var bytes = ProvenBytes.Of(memory.Memory[..size], memory);
                read = FileOf(folder, entry, bytes.Fingerprint, bytes, null, null);
            }

            return read;
        }
        finally
        {
            if (read is null)
            {
                memory.Dispose();
            }
        }
    }

    private async Task<FolderFile?> ReadLargeAsync(IngestFolder folder, FolderEntry entry, CancellationToken cancellationToken)
    {
        var copy = store.CreateIncoming();
        var piece = ArrayPool<byte>.Shared.Rent(PieceLength);
        FolderFile? read = null;
        try
        {
            using var file = Open(entry);
            for (var at = 0L; at < entry.Size; )
            {
                var length = await FillAsync(
                    file,
                    piece.AsMemory(0, (int)Math.Min(PieceLength, entry.Size - at)),
                    at,
                    cancellationToken
                );
                if (length == 0)
                {
                    return null;
                }

                copy.Append(piece.AsSpan(0, length));
                at += length;
            }

            var fingerprint = copy.Complete();
            if (IsUnchanged(folder, entry))
            {
                read = FileOf(folder, entry, fingerprint, null, copy, () => store.MakeDurable(copy));
            }

            return read;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
            if (read is null)
            {
                copy.Dispose();
            }
        }
    }

    private static FolderFile FileOf(
        IngestFolder folder,
        FolderEntry entry,
        Fingerprint fingerprint,
        ProvenBytes? bytes,
        IncomingFile? large,
        Action? makeDurable
    )
    {
        var metadata = folder.MetadataOf(entry.Name, entry.Size, fingerprint);
        return new FolderFile(entry, new ProvenUpload(metadata.ComputeKey(), metadata, bytes, makeDurable), large, null);
    }

    private static bool IsUnchanged(IngestFolder folder, FolderEntry entry) =>
        FolderEntry.Find(folder.Folder, entry.Name)?.Stamp == entry.Stamp;

    private static SafeFileHandle Open(FolderEntry entry) =>
        File.OpenHandle(entry.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    private static async Task<int> FillAsync(SafeFileHandle file, Memory<byte> into, long at, CancellationToken cancellationToken)
    {
        var filled = 0;
        while (filled < into.Length)
        {
            var read = await RandomAccess.ReadAsync(file, into[filled..], at + filled, cancellationToken);
            if (read == 0)
            {
                break;
            }

            filled += read;
        }

        return filled;
    }
}
