using FileTransfer.Chunks.Durability;
using FileTransfer.Chunks.Frames;
using FileTransfer.Identity.Hashing;

namespace FileTransfer.Chunks;

/// <summary>
/// A content on its way into a file: gathers beside the target under another name, is proven there, and takes the target's name only
/// then. Disposed before that, it leaves nothing behind, or, where it is to be gone on with, what has gathered.
/// </summary>
public sealed class DownloadTarget : IDisposable
{
    public const string PartialSuffix = ".partial";

    private const int RunLength = 256 * ChunkFrame.ChunkLength;

    private readonly string _path;
    private readonly string _folder;
    private readonly FileMetadata _metadata;
    private readonly bool _goesOn;
    private readonly FreeSpaceFloor? _floor;
    private string _temporary;
    private SafeFileHandle _file;
    private bool _isLink;
    private ChunkHashes _hashes;

    /// <summary>Without a path the content is only to be read back, with <see cref="CopyToAsync"/>.</summary>
    /// <param name="path">The file it is to become.</param>
    /// <param name="key">The file's key.</param>
    /// <param name="metadata">What proves it.</param>
    /// <param name="goesOn">What has gathered stays when it is not published, and <see cref="ResumeAsync"/> finds it the next time.</param>
    /// <param name="floor">What is left free of its disk; null = nothing is.</param>
    public DownloadTarget(string? path, FileKey key, FileMetadata metadata, bool goesOn = false, FreeSpaceFloor? floor = null)
    {
        _folder = path is null ? Path.GetTempPath() : Path.GetDirectoryName(Path.GetFullPath(path))!;
        _path = path ?? "";
        _metadata = metadata;
        _goesOn = goesOn;
        _floor = floor;
        var name = goesOn ? key.ToHex() : $"{key.ToHex()[..16]}.{Guid.NewGuid():N}";
        _temporary = Path.Combine(_folder, $".{name}{PartialSuffix}");
        _file = File.OpenHandle(
            _temporary,
            goesOn ? FileMode.OpenOrCreate : FileMode.CreateNew,
            FileAccess.ReadWrite,
            goesOn ? FileShare.None : FileShare.Read,
            FileOptions.Asynchronous
        );
        _hashes = ChunkHashes.Create(Size);
    }

    /// <summary>Where it gathers.</summary>
    public string Temporary => _temporary;

    public long Size => (long)_metadata.Size;

    public Fingerprint Fingerprint => _metadata.Fingerprint;

    /// <summary>The first chunk that is not here yet.</summary>
    public long NextChunk { get; private set; }

    public long BytesWritten => Math.Min(NextChunk * ChunkFrame.ChunkLength, Size);

    /// <summary>Some of it was there already. What a crash left of that may be wrong, although nobody sent it so.</summary>
    public bool IsResumed { get; private set; }

    /// <summary>Takes what has gathered before as far as it goes; whether it is right is seen when all is there.</summary>
    public async Task ResumeAsync(CancellationToken cancellationToken)
    {
        var length = Math.Min(RandomAccess.GetLength(_file), Size);
        length -= length == Size ? 0 : length % ChunkFrame.ChunkLength;
        if (RandomAccess.GetLength(_file) != length)
        {
            RandomAccess.SetLength(_file, length);
        }

        await foreach (var (firstChunk, chunks) in RunsAsync(length, cancellationToken))
        {
            _hashes.Set(firstChunk, chunks.Span);
        }

        NextChunk = ChunkFrame.ChunkCount(length);
        IsResumed = NextChunk > 0;
    }

    /// <summary>Shares the blocks of a content that is on the same disk, where that can: nothing is copied, and neither file changes with the other.</summary>
    public async Task<bool> TryCloneAsync(SafeFileHandle content, CancellationToken cancellationToken)
    {
        if (!DurableFile.TryClone(content, _file))
        {
            return false;
        }

        await ResumeAsync(cancellationToken);
        return true;
    }

    /// <summary>Takes a content on the same disk itself, under one more name: whoever writes to either file writes to both.</summary>
    public async Task<bool> TryLinkAsync(SafeFileHandle content, CancellationToken cancellationToken)
    {
        var link = $"{_temporary}.link";
        File.Delete(link); // A crash has left it.
        if (RandomAccess.GetLength(content) != Size || !DurableFile.TryLink(content, link))
        {
            return false;
        }

        _file.Dispose();
        File.Delete(_temporary);
        (_temporary, _isLink) = (link, true);
        _file = File.OpenHandle(link, FileMode.Open, FileAccess.Read, FileShare.Read, FileOptions.Asynchronous);
        await ResumeAsync(cancellationToken);
        return true;
    }

    /// <summary>Writes whole chunks; a run that begins before <see cref="NextChunk"/> replaces what is there.</summary>
    /// <exception cref="IOException">There is no room for it, or for all that is still to come.</exception>
    public async ValueTask WriteAsync(long firstChunk, ReadOnlyMemory<byte> chunks, CancellationToken cancellationToken)
    {
        RequireRoom();
        _hashes.Set(firstChunk, chunks.Span);
        await RandomAccess.WriteAsync(_file, chunks, firstChunk * ChunkFrame.ChunkLength, cancellationToken);
        NextChunk = firstChunk + ChunkFrame.ChunkCount(chunks.Length);
    }

    /// <summary>Whether all that was written is the content that the file's name stands for.</summary>
    public bool Prove() => BytesWritten == Size && _hashes.ComputeFingerprint() == _metadata.Fingerprint;

    /// <summary>Keeps what was written as far as hashes that are proven themselves prove it.</summary>
    public async Task KeepProvenAsync(ChunkHashes proven, CancellationToken cancellationToken)
    {
        await foreach (var (firstChunk, chunks) in RunsAsync(BytesWritten, cancellationToken))
        {
            if (proven.FirstMismatch(firstChunk, chunks.Span) is >= 0 and var wrong)
            {
                NextChunk = wrong;
                break;
            }
        }

        IsResumed = false;
    }

    /// <summary>What is in the file up to a length, run by run; each is valid until the next is asked for.</summary>
    private async IAsyncEnumerable<(long FirstChunk, ReadOnlyMemory<byte> Chunks)> RunsAsync(
        long length,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var buffer = new byte[(int)Math.Min(RunLength, length)];
        for (var offset = 0L; offset < length; )
        {
            var run = buffer.AsMemory(0, (int)Math.Min(buffer.Length, length - offset));
            for (var read = 0; read < run.Length; )
            {
                read += await RandomAccess.ReadAsync(_file, run[read..], offset + read, cancellationToken);
            }

            yield return (offset / ChunkFrame.ChunkLength, run);
            offset += run.Length;
        }
    }

    /// <summary>Forgets what was written: it did not prove.</summary>
    public void Restart()
    {
        _hashes.Dispose();
        _hashes = ChunkHashes.Create(Size);
        NextChunk = 0;
        IsResumed = false;
    }

    /// <summary>Writes the chunk hashes of a proven content, in the form they are served in.</summary>
    public async Task WriteHashesAsync(SafeFileHandle file, CancellationToken cancellationToken)
    {
        var piece = new byte[(int)Math.Min(64 * 1024, _hashes.EncodedLength)];
        for (var offset = 0L; offset < _hashes.EncodedLength; offset += piece.Length)
        {
            var part = piece.AsMemory(0, (int)Math.Min(piece.Length, _hashes.EncodedLength - offset));
            _hashes.ReadEncoded(offset, part.Span);
            await RandomAccess.WriteAsync(file, part, offset, cancellationToken);
        }
    }

    /// <summary>Makes the proven content durable under its own name.</summary>
    public void Publish()
    {
        DurableFile.Fsync(_file, _temporary);
        DurableFile.Rename(_temporary, _path);
        DurableFile.FsyncFolder(_folder);
    }

    public async Task CopyToAsync(Stream output, CancellationToken cancellationToken)
    {
        await using var content = new FileStream(_temporary, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        await content.CopyToAsync(output, cancellationToken);
        await output.FlushAsync(cancellationToken);
    }

    public void Dispose()
    {
        _hashes.Dispose();
        _file.Dispose();
        if (!_goesOn || NextChunk == 0 || _isLink)
        {
            File.Delete(_temporary);
        }
    }

    private void RequireRoom()
    {
        if (_floor is { } floor && FreeSpaceReport.Of(_folder, floor) is var space && !space.HasRoomFor(Size - BytesWritten))
        {
            throw new IOException(
                $"{_path} needs {Size - BytesWritten} more bytes; {space.BytesFree} are free there, and {space.FloorBytes} must stay free."
            );
        }
    }
}
