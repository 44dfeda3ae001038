using FileTransfer.Chunks.Durability;
using FileTransfer.Chunks.Frames;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Chunks;

/// <summary>A content under way: sparse data, and the hashes that prove it or are computed while it comes.</summary>
/// <remarks>
/// <para>With proven hashes every chunk is checked before it is written, from whatever source, and runs may be put from several
/// threads. Without them (an upload) hashes are computed from what comes, and the whole is proven at its end.</para>
/// <para>The data is its own bitmap: what a partial has is found out by hashing it again (<see cref="RevalidateFromDiskAsync"/>), never read from
/// a record. To resume a download: open, <see cref="RevalidateFromDiskAsync"/>; when <see cref="HashesProven"/> is still false, fill
/// <see cref="Hashes"/>, <see cref="VerifyHashes"/>, <see cref="RevalidateFromDiskAsync"/> once more; then put what is missing.</para>
/// <para>Disposing keeps a partial that has something in it; <see cref="Discard"/> removes it.</para>
/// </remarks>
public sealed partial class PartialFile : IDisposable
{
    private readonly ChunkStore _store;
    private readonly string _path;
    private readonly SafeFileHandle _data;
    private readonly Lock _gate = new();
    private readonly ChunkSet _present;
    private readonly ChunkSet _putSinceOpen;
    private readonly bool _hashesFound;
    private readonly bool _dataFound;
    private bool _isUnreadable;
    private bool _closed;
    private volatile bool _hashesProven;

    internal PartialFile(
        ChunkStore store,
        string folder,
        FileKey key,
        long epoch,
        Fingerprint fingerprint,
        long size,
        bool keepsHashes
    )
    {
        _store = store;
        Folder = folder;
        Key = key;
        Epoch = epoch;
        Fingerprint = fingerprint;
        Size = size;
        KeepsHashes = keepsHashes || size > ChunkStore.HashesKeptAbove;
        ChunkCount = ChunkFrame.ChunkCount(size);
        _present = new ChunkSet(ChunkCount);
        _putSinceOpen = new ChunkSet(ChunkCount);
        var hashesPath = StorePaths.HashesOf(folder);
        if (File.Exists(hashesPath))
        {
            DurableFile.MakeWritable(hashesPath);
        }

        _hashesFound =
            KeepsHashes && new FileInfo(hashesPath) is { Exists: true } file && file.Length == ChunkHashes.EncodedLengthOf(size);
        _path = StorePaths.DataOf(folder);
        _data = OpenData(_path, size, out _dataFound);
        try
        {
            Hashes = DiskFullException.Guard(hashesPath, () => ChunkHashes.Create(size, KeepsHashes ? hashesPath : null));
        }
        catch
        {
            _data.Dispose();
            throw;
        }
    }

    public FileKey Key { get; }

    public long Epoch { get; }

    public long Size { get; }

    public Fingerprint Fingerprint { get; }

    public long ChunkCount { get; }

    /// <summary>The hashes of all chunks: to be filled in from a source, or computed from what is put.</summary>
    public ChunkHashes Hashes { get; }

    /// <summary>The hashes have the fingerprint for their root, so each proves its chunk.</summary>
    public bool HashesProven
    {
        get => _hashesProven;
        private set
        {
            _hashesProven = value;
            if (value)
            {
                Arriving?.Begin();
            }
        }
    }

    /// <summary>Bytes of the chunks that are here; proven ones when <see cref="HashesProven"/>, else with a hash computed from them.</summary>
    public long BytesProven
    {
        get
        {
            lock (_gate)
            {
                var lacking = _present.Contains(ChunkCount - 1)
                    ? ChunkFrame.ChunkLength - ChunkFrame.ChunkLengthOf(ChunkCount - 1, Size)
                    : 0;
                return (_present.Count * ChunkFrame.ChunkLength) - lacking;
            }
        }
    }

    public bool IsComplete
    {
        get
        {
            lock (_gate)
            {
                return _present.IsFull;
            }
        }
    }

    internal string Folder { get; }

    internal SafeFileHandle Data => _data;

    internal bool KeepsHashes { get; }

    /// <summary>The whole is here and has been proven against the fingerprint since anything was last put.</summary>
    internal bool IsProven { get; private set; }

    /// <summary>
    /// Says that <see cref="Hashes"/> are filled in; true when their root is the fingerprint. What was put before counts again only
    /// after <see cref="RevalidateFromDiskAsync"/>; after a false answer nothing counts and chunks are taken without proof.
    /// </summary>
    public bool VerifyHashes()
    {
        if (HashesProven)
        {
            return true;
        }

        Forget();
        HashesProven = Hashes.ComputeFingerprint() == Fingerprint;
        return HashesProven;
    }

    /// <summary>Writes the hashes to disk, so that whoever resumes this partial after a kill can prove what it holds.</summary>
    /// <exception cref="DiskFullException">There is no room for them.</exception>
    public void KeepHashes()
    {
        if (KeepsHashes)
        {
            DiskFullException.Guard(StorePaths.HashesOf(Folder), Hashes.Flush);
        }
    }

    /// <summary>The next run of chunks that are not here, from a chunk on; false when there is none.</summary>
    public bool TryNextMissing(long from, int maxChunks, out long first, out int count)
    {
        lock (_gate)
        {
            return _present.TryNextAbsent(from, maxChunks, out first, out count);
        }
    }

    /// <summary>True when all chunks are here and their root is the fingerprint; the partial can then be made durable.</summary>
    public bool ProveWhole()
    {
        lock (_gate)
        {
            IsProven = _present.IsFull && (HashesProven || Hashes.ComputeFingerprint() == Fingerprint);
            return IsProven;
        }
    }

    /// <summary>The content where it is a small one, which is stored from memory; null where it is larger. Call once it is proven.</summary>
    public ProvenBytes? ReadSmall()
    {
        if (!ChunkStore.IsSmall(Size))
        {
            return null;
        }

        var bytes = new byte[Size];
        var read = RandomAccess.Read(_data, bytes, 0);
        return read == Size && ProvenBytes.TryProve(Fingerprint, bytes) is { } proven
            ? proven
            : throw new IOException($"{_path} is not what was written to it.");
    }

    public void Discard() => Close(keep: false);

    public void Dispose()
    {
        Arriving?.Fail();
        Close(keep: true);
    }

    /// <summary>Nothing of what is on disk counts until it is put or proven again.</summary>
    internal void Forget()
    {
        lock (_gate)
        {
            _present.Clear();
            _putSinceOpen.Clear();
            IsProven = false;
        }
    }

    private void Close(bool keep)
    {
        lock (_gate)
        {
            if (_closed)
            {
                return;
            }

            _closed = true;
        }

        // Without a chunk in it, a partial is not worth its folder; and the next attempt could not read this one either.
        keep &= !_isUnreadable && (_present.Count > 0 || _dataFound);
        try
        {
            if (keep && KeepsHashes)
            {
                Hashes.Flush();
            }
        }
        catch (IOException exception)
        {
            // The next one to open it gets the hashes from a source again.
            _store.ReportHashesNotKept(Folder, exception);
        }
        finally
        {
            Unshare();
            _store.ClosePartial(Folder, keep);
        }
    }

    private static SafeFileHandle OpenData(string path, long size, out bool found)
    {
        if (File.Exists(path))
        {
            // A publish that was cut short may have made it read-only already.
            DurableFile.MakeWritable(path);
        }

        var data = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        try
        {
            found = RandomAccess.GetLength(data) == size;
            if (!found)
            {
                RandomAccess.SetLength(data, 0);
                DiskFullException.Guard(path, () => RandomAccess.SetLength(data, size));
            }

            return data;
        }
        catch
        {
            data.Dispose();
            throw;
        }
    }
}
